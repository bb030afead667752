# SPDX-License-Identifier: MIT
"""
The addresses of the project, all from the one line of `.ci/repository.txt`.

That line is the URL of the repository.
Without the file there is no address, and nothing that is built names one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FEATURE = os.path.join(".devcontainer", "features", "devcontainer-registry")

# What follows a label in Markdown, and what HTML loads or links to; an absolute one has a scheme.
_RELATIVE = r"(?![a-z][a-z0-9+.-]*:|#|//)[^\s\"()<>]+"
_IMAGE = re.compile(rf"!\[(?P<text>[^\[\]]*)\]\((?P<path>{_RELATIVE})\)", re.IGNORECASE)
# A badge is an image in a link's text.
_LINK = re.compile(
    rf"(?<!!)\[(?P<text>(?:!\[[^\[\]]*\]\([^()]*\)|[^\[\]])*)\]\((?P<path>{_RELATIVE})\)",
    re.IGNORECASE,
)
_TAG = re.compile(
    rf"<(?P<name>img|source|a)\b(?P<before>[^<>]*?\b(?:src|srcset|href)=\")(?P<path>{_RELATIVE})"
    r"(?P<after>\"[^<>]*>)",
    re.IGNORECASE,
)
_FENCED = re.compile(r"(^```.*?^```\n)", re.MULTILINE | re.DOTALL)


def repository(root: str = _ROOT) -> str | None:
    """
    Return the URL of the repository, or None where nobody has said it yet.
    """
    try:
        with open(os.path.join(root, ".ci", "repository.txt"), encoding="utf-8") as file:
            url = file.read().strip().rstrip("/")
    except FileNotFoundError:
        return None
    if not re.fullmatch(r"https://[^\s/]+(/[\w.~-]+)+", url):
        raise SystemExit(".ci/repository.txt must hold one https URL")
    return url


def project_urls(url: str | None, version: str) -> dict[str, str]:
    """
    Return `[project.urls]` of *version* for the repository *url*.
    """
    if url is None:
        return {}
    return {
        "Changelog": f"{url}/blob/v{version}/CHANGELOG.md",
        "Documentation": f"{url}/blob/v{version}/README.md",
        "Issues": f"{url}/issues",
        "Source": url,
    }


def readme(text: str, url: str | None, version: str) -> str:
    """
    Return *text* as an index shows it: a link that leads into the repository is absolute.

    Without an *url* its text stays, and an image's description.
    """

    def absolute(path: str, *, image: bool) -> str:
        return f"{url}/{'raw' if image else 'blob'}/v{version}/{path.removeprefix('./')}"

    def markdown_image(match: re.Match[str]) -> str:
        if url is None:
            return match["text"]
        return f"![{match['text']}]({absolute(match['path'], image=True)})"

    def link(match: re.Match[str]) -> str:
        if url is None:
            return match["text"]
        return f"[{match['text']}]({absolute(match['path'], image=False)})"

    def tag(match: re.Match[str]) -> str:
        image = match["name"].lower() != "a"
        if url is None:
            return "" if image else "<a>"
        path = absolute(match["path"], image=image)
        return f"<{match['name']}{match['before']}{path}{match['after']}"

    def prose(part: str) -> str:
        return _LINK.sub(link, _IMAGE.sub(markdown_image, _TAG.sub(tag, part)))

    parts = _FENCED.split(text)
    return "".join(part if part.startswith("```") else prose(part) for part in parts)


def publishable_feature(wheel: str, target: str, *, root: str = _ROOT) -> None:
    """
    Make the folder *target* from the Feature's, with its *wheel* and its addresses.

    The Feature has the wheel's version: a published one installs what lies beside it.
    """
    version = os.path.basename(wheel).split("-")[1]
    shutil.copytree(os.path.join(root, _FEATURE), target, ignore=shutil.ignore_patterns("*.whl"))
    shutil.copy(wheel, target)
    path = os.path.join(target, "devcontainer-feature.json")
    with open(path, encoding="utf-8") as file:
        feature = json.load(file)
    feature["version"] = version
    url = repository(root)
    if url is not None:
        feature["documentationURL"] = f"{url}/blob/v{version}/{_FEATURE}/README.md"
        feature["licenseURL"] = f"{url}/blob/v{version}/LICENSE"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(feature, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    publishable_feature(*sys.argv[1:])
