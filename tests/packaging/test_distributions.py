# SPDX-License-Identifier: MIT
"""
The wheel and the sdist: their files, and their page on an index.
"""

from __future__ import annotations

import configparser
import email
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest
from parts import needed

URL = "https://git.example/owner/project"
_ADDRESSES = os.path.join(needed.REPOSITORY, ".ci", "addresses.py")
addresses = runpy.run_path(_ADDRESSES)


def tracked():
    """
    Return the files of the repository: those in git, or all files of an sdist.
    """
    done = subprocess.run(
        ["git", "-C", needed.REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {path for path in done.stdout.split("\n") if path and _exists(path)}


def _exists(path):
    return os.path.exists(os.path.join(needed.REPOSITORY, path))


@pytest.fixture(name="sources", scope="module")
def _sources(tmp_path_factory):
    """
    A copy of the repository without any address that a release has filled in.
    """
    folder = tmp_path_factory.mktemp("sources") / "project"
    for path in tracked() - {".ci/repository.txt"}:
        os.makedirs(folder / os.path.dirname(path), exist_ok=True)
        shutil.copy2(os.path.join(needed.REPOSITORY, path), folder / path)
    # As in a clone: hatchling reads there which files not to pack.
    (folder / ".git").mkdir()
    return folder


def built(sources, target, *options):
    """
    Build *sources*, and return paths by their last letters.
    """
    subprocess.run(
        [
            *(sys.executable, "-m", "build", "--no-isolation", "--skip-dependency-check"),
            *(*options, "--outdir", str(target), str(sources)),
        ],
        check=True,
        capture_output=True,
    )
    return {name[-3:]: os.path.join(target, name) for name in os.listdir(target)}


@pytest.fixture(name="distributions", scope="module")
def _distributions(sources, tmp_path_factory):
    return built(sources, tmp_path_factory.mktemp("without"))


@pytest.fixture(name="released", scope="module")
def _released(sources, tmp_path_factory):
    """
    As `distributions`, with the address of the repository.
    """
    folder = tmp_path_factory.mktemp("released") / "project"
    shutil.copytree(sources, folder)
    (folder / ".ci" / "repository.txt").write_text(f"{URL}/\n")
    return built(folder, tmp_path_factory.mktemp("with"))


def in_wheel(path):
    with zipfile.ZipFile(path) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def in_sdist(path):
    with tarfile.open(path) as sdist:
        return {
            member.name.partition("/")[2]: sdist.extractfile(member).read()
            for member in sdist
            if member.isfile()
        }


def metadata(path):
    (content,) = (text for name, text in in_wheel(path).items() if name.endswith("/METADATA"))
    return email.message_from_bytes(content)


def test_the_wheel_has_the_package_and_nothing_else(distributions):
    package = {path for path in tracked() if path.startswith("devcontainer_registry/")}
    names = in_wheel(distributions["whl"])
    about = {
        re.sub(r"^devcontainer_registry-[^/]+\.dist-info/", "", name)
        for name in names
        if ".dist-info/" in name
    }

    assert package == {name for name in names if ".dist-info/" not in name}
    assert "devcontainer_registry/py.typed" in names
    assert {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"} == about


def test_the_wheel_has_the_three_programs_and_the_built_in_authenticators(distributions):
    (text,) = (
        text
        for name, text in in_wheel(distributions["whl"]).items()
        if name.endswith("/entry_points.txt")
    )
    points = configparser.ConfigParser()
    points.read_string(text.decode())

    assert {
        "devcontainer-registry": "devcontainer_registry.__main__:main",
        "devcontainer-registry-kubelet": "devcontainer_registry.__main__:kubelet",
        "docker-credential-devcontainer-registry": "devcontainer_registry.__main__:helper",
    } == dict(points["console_scripts"])
    kinds = set(points["devcontainer_registry.authenticators"])
    assert {"acr", "ecr", "generic", "ghcr", "google"} <= kinds


def test_the_sdist_has_the_files_of_the_repository_and_nothing_else(distributions):
    elsewhere = {path for path in tracked() if path.startswith((".github/", ".ci/repository.txt"))}

    assert {*tracked(), "PKG-INFO"} - elsewhere == set(in_sdist(distributions[".gz"]))


@pytest.mark.parametrize("which", ["distributions", "released"])
def test_the_sdist_builds_the_same_wheel(request, which, tmp_path):
    there = request.getfixturevalue(which)
    subprocess.run(["tar", "-xzf", there[".gz"], "-C", str(tmp_path)], check=True)
    (folder,) = tmp_path.iterdir()

    again = built(folder, tmp_path / "again", "--wheel")

    assert in_wheel(there["whl"]) == in_wheel(again["whl"])


def test_twine_accepts_wheel_and_sdist_without_a_warning(distributions, released):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "twine", "check", "--strict"),
            *(*distributions.values(), *released.values()),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout
    assert 4 == done.stdout.count("PASSED")


def test_without_an_address_none_is_named_and_no_link_is_dead(distributions):
    about = metadata(distributions["whl"])

    assert None is about["Project-URL"]
    assert [] == relative_links(about.get_payload())


def test_with_an_address_each_link_is_absolute_and_of_this_version(released):
    about = metadata(released["whl"])
    urls = dict(entry.split(", ") for entry in about.get_all("Project-URL"))
    text = about.get_payload()

    assert {"Changelog", "Documentation", "Issues", "Source"} == set(urls)
    assert URL == urls["Source"]
    assert f"{URL}/blob/v{about['Version']}/CHANGELOG.md" == urls["Changelog"]
    assert [] == relative_links(text)
    assert f"]({URL}/blob/v{about['Version']}/" in text


def relative_links(text):
    text = re.sub(r"^```.*?^```\n", "", text, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"\]\(([^)]*)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]*)"', text)
    return [link for link in found if not link.startswith(("https://", "#", "mailto:"))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](docs/a.md#b)", f"[a]({URL}/blob/v1/docs/a.md#b)"),
        ("[a](./LICENSE)", f"[a]({URL}/blob/v1/LICENSE)"),
        ("![a](docs/a.svg)", f"![a]({URL}/raw/v1/docs/a.svg)"),
        ("[![a](a.svg)](a.md)", f"[![a]({URL}/raw/v1/a.svg)]({URL}/blob/v1/a.md)"),
        ('<img alt="a" src="a.svg">', f'<img alt="a" src="{URL}/raw/v1/a.svg">'),
        ("[a](https://b.example) [c](#d)", "[a](https://b.example) [c](#d)"),
        ("```md\n[a](a.md)\n```\n", "```md\n[a](a.md)\n```\n"),
    ],
)
def test_a_link_into_the_repository_is_made_absolute(text, expected):
    assert expected == addresses["readme"](text, URL, "1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see [a](docs/a.md).", "see a."),
        ("[![a](a.svg)](a.md)", "a"),
        ('<img src="a.svg">b', "b"),
        ("[a](https://b.example)", "[a](https://b.example)"),
    ],
)
def test_without_an_address_the_text_of_a_link_is_kept(text, expected):
    assert expected == addresses["readme"](text, None, "1")


@pytest.mark.parametrize("line", ["", "git.example/owner", "http://git.example/owner/project"])
def test_an_invalid_address_stops_the_build(tmp_path, line):
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "repository.txt").write_text(line)

    with pytest.raises(SystemExit, match="one https URL"):
        addresses["repository"](str(tmp_path))


def test_each_supported_python_is_a_classifier(distributions):
    about = metadata(distributions["whl"])
    named = re.findall(r"Python :: (3\.\d+)$", str(about), re.MULTILINE)

    assert [f"3.{minor}" for minor in range(10, 15)] == named
    assert ">=3.10" == about["Requires-Python"]
    assert f"3.{sys.version_info.minor}" in named


@pytest.mark.parametrize("url", [None, URL])
def test_the_published_feature_has_its_wheel_version_and_addresses(
    distributions, sources, tmp_path, url
):
    root = tmp_path / "project"
    shutil.copytree(sources, root)
    if url is not None:
        (root / ".ci" / "repository.txt").write_text(url)
    target = tmp_path / "feature"

    addresses["publishable_feature"](distributions["whl"], str(target), root=str(root))

    feature = json.loads((target / "devcontainer-feature.json").read_text())
    version = metadata(distributions["whl"])["Version"]
    assert version == feature["version"]
    assert [os.path.basename(distributions["whl"])] == [p.name for p in target.glob("*.whl")]
    links = {name: feature.get(name) for name in ("documentationURL", "licenseURL")}
    if url is None:
        assert {None} == set(links.values())
    else:
        folder = ".devcontainer/features/devcontainer-registry"
        assert f"{URL}/blob/v{version}/{folder}/README.md" == links["documentationURL"]
        assert f"{URL}/blob/v{version}/LICENSE" == links["licenseURL"]
