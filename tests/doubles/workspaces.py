# SPDX-License-Identifier: MIT
"""
Workspaces with dev container configurations.
"""

from __future__ import annotations

import json
import textwrap

from devcontainer_registry.diagnosis.images import images_of

CONFIGURATION = ".devcontainer/devcontainer.json"


class Workspace:
    """
    A workspace folder.
    """

    def __init__(self, folder):
        self.folder = folder

    def write(self, files):
        """
        Write *files*, text or an object by path; common indentation of a text is removed.
        """
        for path, content in files.items():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                place.write_bytes(content)
            elif isinstance(content, str):
                place.write_text(textwrap.dedent(content).lstrip("\n"), encoding="utf-8")
            else:
                place.write_text(json.dumps(content), encoding="utf-8")

    def found(self, files=None, /, **environ):
        """
        Write *files*, and find the images.
        """
        self.write(files or {})
        return images_of(str(self.folder), environ)

    def references(self, files=None, /, **environ):
        """
        Write *files*, and return the references; there must be no finding.
        """
        found = self.found(files, **environ)
        assert () == found.findings
        return [image.reference for image in found.images]


def dockerfile(text, **build):
    """
    The files of a workspace whose dev container is built from *text*.
    """
    build = {"dockerfile": "Dockerfile", **build}
    return {CONFIGURATION: {"build": build}, ".devcontainer/Dockerfile": text}


def compose(text, **members):
    """
    The files of a workspace whose dev container is the service app of *text*.
    """
    members = {"dockerComposeFile": "../compose.yml", "service": "app", **members}
    return {CONFIGURATION: members, "compose.yml": text}


def lines(found):
    """
    Origin, reference and place of each image.
    """
    return [(image.origin, image.reference, image.where) for image in found.images]


def messages(found):
    """
    Code, message and hint of each finding.
    """
    return [(finding.code, finding.message, finding.hint) for finding in found.findings]
