# SPDX-License-Identifier: MIT
"""
A tiny image, made here, for a registry or an engine that has none and must not fetch any.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import platform
import tarfile

from . import needed

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def layout(folder, *, greeting="hello"):
    """
    Write an image into *folder* as an OCI layout, for `skopeo copy oci:FOLDER:latest`.

    One file, `/greeting`, and nothing that could run.
    https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
    """
    folder = str(folder)
    os.makedirs(os.path.join(folder, "blobs", "sha256"), exist_ok=True)
    layer = _tar({"greeting": (f"{greeting}\n".encode(), 0o644)})
    packed = gzip.compress(layer, mtime=0)
    config = {
        "architecture": architecture(),
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _blob(
            folder, json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"
        ),
        "layers": [_blob(folder, packed, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }
    entry = _blob(folder, json.dumps(manifest).encode(), manifest["mediaType"])
    entry["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    _write(folder, "oci-layout", {"imageLayoutVersion": "1.0.0"})
    _write(folder, "index.json", {"schemaVersion": 2, "manifests": [entry]})
    return folder


def busybox_tar():
    """
    A root file system of one static busybox, for `docker import`: an image that can run.
    """
    path = needed.program("busybox", package="busybox-static")
    with open(path, "rb") as file:
        content = file.read()
    links = {f"bin/{applet}": "busybox" for applet in ("sh", "cat", "echo", "sleep", "true")}
    return _tar({"bin/busybox": (content, 0o755)}, links)


def architecture():
    """
    This machine's, as image configurations spell it.
    """
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def _tar(files, links=()):
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for name, (content, mode) in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = mode
            archive.addfile(member, io.BytesIO(content))
        for name in links:
            member = tarfile.TarInfo(name)
            member.type = tarfile.SYMTYPE
            member.linkname = links[name]
            archive.addfile(member)
    return output.getvalue()


def _blob(folder, content, media_type):
    digest = hashlib.sha256(content).hexdigest()
    with open(os.path.join(folder, "blobs", "sha256", digest), "wb") as file:
        file.write(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _write(folder, name, document):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(document, file)
