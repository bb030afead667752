# SPDX-License-Identifier: MIT
"""
What pyproject.toml leaves to be filled in while a wheel or an sdist is built.
"""

from __future__ import annotations

import os
import runpy
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class AddressesHook(MetadataHookInterface):
    """
    Fills in `[project.urls]` and the readme, whose links an index cannot follow as they are.
    """

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """
        Add both to *metadata*.
        """
        addresses = runpy.run_path(os.path.join(self.root, ".ci", "addresses.py"))
        url, version = addresses["repository"](self.root), metadata["version"]
        with open(os.path.join(self.root, "README.md"), encoding="utf-8") as file:
            text = addresses["readme"](file.read(), url, version)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        metadata["urls"] = addresses["project_urls"](url, version)
