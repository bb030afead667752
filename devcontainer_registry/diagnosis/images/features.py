# SPDX-License-Identifier: MIT
"""
Features of a dev container that come from a registry.

https://github.com/devcontainers/cli/blob/v0.89.0/src/spec-configuration/containerCollectionsOCI.ts
"""

from __future__ import annotations

import os

from .variables.text import Text

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .collector import Collector

_METADATA = "devcontainer-feature.json"


def collect(
    features: Mapping[str, object], collector: Collector, *, folder: str, file: str
) -> None:
    """
    Collect the Features that a registry serves, and what local Features depend on.

    Args:
        features: By reference, as devcontainer.json has them.
        collector: Takes the images and findings.
        folder: Of devcontainer.json; local Features are relative to it.
        file: The devcontainer.json, relative to the workspace.
    """
    pending = [(features, f"{file}: feature")]
    seen: set[str] = set()
    while pending:
        members, where = pending.pop(0)
        for reference in members:
            if is_local(reference):
                path = os.path.normpath(os.path.join(folder, reference, _METADATA))
                if path not in seen:
                    seen.add(path)
                    pending.extend(_dependencies(path, collector))
            elif is_oci(reference):
                # The dev container CLI writes every reference in lower case.
                text = Text(written=reference, value=reference.lower())
                collector.add(text, "feature", where)


def is_local(reference: str) -> bool:
    """
    Whether *reference* is the folder of a Feature.
    """
    return reference.startswith(("./", "../", "/"))


def is_oci(reference: str) -> bool:
    """
    Whether *reference* is served by a registry: no folder, no tarball, no GitHub release.
    """
    if is_local(reference) or "://" in reference:
        return False
    host, slash, _ = reference.partition("/")
    return bool(slash) and ("." in host or ":" in host or host.lower() == "localhost")


def _dependencies(path: str, collector: Collector) -> list[tuple[Mapping[str, object], str]]:
    file = collector.name(path)
    # A Feature that is not there names no image.
    metadata = collector.read_json(path)
    depends = metadata.get("dependsOn") if metadata else None
    return [(depends, f"{file}: dependsOn")] if isinstance(depends, dict) else []
