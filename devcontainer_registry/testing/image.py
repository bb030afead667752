# SPDX-License-Identifier: MIT
"""
The smallest image that clients can pull.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .loopback import Answer

# https://github.com/opencontainers/image-spec/blob/v1.1.0/media-types.md
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def built(images: Iterable[str]) -> dict[str, Answer]:
    """
    Return the answers by path for each `name:tag` in *images*.
    """
    answers: dict[str, Answer] = {}
    tags: dict[str, list[str]] = {}
    for image in images:
        name, _, tag = image.rpartition(":")
        tags.setdefault(name, []).append(tag)
        manifest, *blobs = _contents(image)
        answers[f"/v2/{name}/manifests/{tag}"] = _held(_MANIFEST, manifest)
        answers[f"/v2/{name}/manifests/{_digest(manifest)}"] = _held(_MANIFEST, manifest)
        for blob in blobs:
            answers[f"/v2/{name}/blobs/{_digest(blob)}"] = _held("application/octet-stream", blob)
    for name, found in tags.items():
        listed = json.dumps({"name": name, "tags": found}).encode()
        answers[f"/v2/{name}/tags/list"] = 200, {"Content-Type": "application/json"}, listed
    return answers


def _contents(image: str) -> tuple[bytes, bytes, bytes]:
    """
    Return manifest, config and layer of an image with one file that names *image*.
    """
    text = f"Hello from {image}.\n".encode()
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        member = tarfile.TarInfo("hello")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    rootfs = {"type": "layers", "diff_ids": [_digest(tar.getvalue())]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs})
    blobs = config.encode(), gzip.compress(tar.getvalue(), mtime=0)
    described = [
        {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}
        for media_type, blob in zip((_CONFIG, _LAYER), blobs, strict=True)
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": described[0],
        "layers": described[1:],
    }
    return json.dumps(manifest).encode(), *blobs


def _held(media_type: str, content: bytes) -> Answer:
    headers = {"Content-Type": media_type, "Docker-Content-Digest": _digest(content)}
    return 200, headers, content


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
