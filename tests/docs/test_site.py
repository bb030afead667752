# SPDX-License-Identifier: MIT
"""
The site that `./dev docs` builds.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from docs import blocks

HOOKS = blocks.ROOT / "hooks"
EXAMPLES = HOOKS / "examples"
PYTHON_EXAMPLES = blocks.DOCS / "examples" / "python"
KUBERNETES_EXAMPLES = blocks.DOCS / "examples" / "kubernetes"
README_LINES_MAX = 120


class Page(HTMLParser):
    """
    Collect headings, description, links, and the files that a browser would load.
    """

    def __init__(self, text):
        super().__init__()
        self.headings, self.description, self.links, self.loaded = 0, "", [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "h1":
            self.headings += 1
        elif tag == "meta" and given.get("name") == "description":
            self.description = given["content"]
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon", "preconnect"):
            self.loaded.append(given["href"])
        if tag in ("img", "script", "iframe", "source", "object"):
            self.loaded.append(given.get("src") or given.get("data") or "")


@pytest.fixture(name="site", scope="session")
def _site(tmp_path_factory):
    """
    The folder of the built site.  A broken link or anchor is a warning, and a warning an error.
    """
    site = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-q", "-E"),
            *("-d", str(site / "trees"), str(blocks.DOCS), str(site / "html")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return site / "html"


@pytest.fixture(name="built", scope="session")
def _built(site):
    """
    The built pages, by name: those that have a source.
    """
    sources = [
        p.relative_to(blocks.DOCS) for p in blocks.DOCS.rglob("*.md") if "_build" not in p.parts
    ]
    names = [source.with_suffix(".html") for source in sources]
    return {str(name): Page((site / name).read_text(encoding="utf-8")) for name in names}


pytestmark = pytest.mark.xdist_group("site")


def test_every_page_has_one_heading_of_level_one_and_a_description(built):
    assert len(built) > 10
    assert {} == {name: page.headings for name, page in built.items() if page.headings != 1}
    assert [] == [name for name, page in built.items() if not 20 <= len(page.description) <= 160]


def test_no_two_pages_have_the_same_description(built):
    descriptions = [page.description for page in built.values()]

    assert len(descriptions) == len(set(descriptions))


def test_a_page_loads_nothing_from_elsewhere(built, site):
    for name, page in built.items():
        assert [] == [link for link in page.loaded if urlsplit(link).netloc], name
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"url\(\s*['\"]?(https?:)?//", text), style
    for picture in site.rglob("*.svg"):
        assert not re.search(r"(href|src|url\()\S{0,3}https?:", picture.read_text()), picture


def test_a_link_to_elsewhere_is_a_well_formed_https_address(built):
    for name, page in built.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                assert "https" == parts.scheme, f"{name}: {link}"
                assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc), f"{name}: {link}"


def test_every_link_of_the_readme_has_its_target():
    links = re.findall(r"\]\(([^)#\s]+)(#[^)]*)?\)", blocks.text_of("README.md"))
    paths = [link for link, _ in links if not urlsplit(link).scheme]

    assert "LICENSE" in paths
    assert [] == [path for path in paths if not os.path.exists(blocks.ROOT / path)]


def test_the_picture_shows_the_current_output_of_the_commands():
    sys.path.insert(0, str(blocks.DOCS))
    try:
        import picture
    finally:
        sys.path.remove(str(blocks.DOCS))

    assert picture.PICTURE.read_text(encoding="utf-8") == picture.picture(), "run ./dev docs"


def test_every_example_is_on_a_page():
    text = "".join(blocks.text_of(page) for page in blocks.pages())
    files = [
        path.relative_to(folder.parent)
        for folder in (EXAMPLES, PYTHON_EXAMPLES, KUBERNETES_EXAMPLES)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]

    assert len(files) > 14
    assert [] == [path for path in files if f"/{path}\n" not in text]


def test_the_readme_is_short():
    assert README_LINES_MAX >= len(blocks.text_of("README.md").splitlines())


def test_each_included_file_is_an_example_that_other_tests_run():
    """
    A guide has no copy of its own.
    """
    for page in blocks.pages():
        for block in blocks.blocks_of(page):
            if block.language.startswith("{literalinclude}"):
                path = (blocks.ROOT / page).parent / block.language.split()[1]
                known = (
                    *(EXAMPLES, PYTHON_EXAMPLES, KUBERNETES_EXAMPLES),
                    *(HOOKS, blocks.DOCS / "reference" / "schemas"),
                )
                assert path.exists(), block
                assert {*path.resolve().parents} & {*known}, block
