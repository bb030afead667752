# SPDX-License-Identifier: MIT
"""
How Sphinx builds the site: `./dev docs`.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# For `command_line`, which reference/cli.md names.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

_CODE = re.compile(r"(?<![`:])`([^`]+)`(?!`)")

project = "devcontainer-registry"
author = "The devcontainer-registry authors"
project_copyright = f"2026, {author}"
release = version = version_of(project)

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinxarg.ext",
]
exclude_patterns = ["_build"]
nitpicky = True
# The standard library's own pages are elsewhere, and a build asks nobody.
nitpick_ignore_regex = [("py:.*", r"(?!devcontainer_registry).*")]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_numpy_docstring = False

# What is copied is the command, without its prompt and its output.
copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """
    Read docstrings as they are written: what is between backquotes is code.
    """
    app.connect("autodoc-process-docstring", _mark_code, priority=100)  # before napoleon


def _mark_code(*arguments: object) -> None:
    lines = cast("list[str]", arguments[-1])
    lines[:] = [_CODE.sub(r"``\1``", line) for line in lines]
