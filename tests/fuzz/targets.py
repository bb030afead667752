# SPDX-License-Identifier: MIT
"""
Everything that reads what others wrote, for a fuzzer that follows which lines are reached.

    python tests/fuzz/targets.py NAME [-runs=N] [-max_total_time=SECONDS] FOUND CORPUS

FOUND is a folder for what reaches new lines, CORPUS is `tests/fuzz/corpus/NAME`.  Whatever is
read, only the package's own errors are raised, and they quote nothing of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["devcontainer_registry"]):
    from devcontainer_registry.cache.entry import Entry
    from devcontainer_registry.cache.folder import Cache
    from devcontainer_registry.config.file import Document
    from devcontainer_registry.discovery import discover
    from devcontainer_registry.discovery.environment import read
    from devcontainer_registry.errors import RegistryError
    from devcontainer_registry.keychain.other_helpers import _said
    from devcontainer_registry.network.answers import challenge_fault, read_token_answer
    from devcontainer_registry.network.challenge import check_realm, parse
    from devcontainer_registry.network.urls import Url, check_redirect
    from devcontainer_registry.registry import Registry, split_image

HERE = Registry("registry.example")
HUB = Registry("docker.io")
FOLDER = tempfile.mkdtemp()


@contextlib.contextmanager
def only_our_errors(text):
    """
    Raises what is no error of ours, or one of ours that quotes a long piece of *text*.
    """
    try:
        yield
    except RegistryError as exc:
        caught = exc
    else:
        return
    said = f"{caught.message} {caught.hint}"
    assert "\n" not in caught.message
    assert not any(piece in said for piece in text.split() if len(piece) > 40), said


def config(data):
    with only_our_errors(data.decode("latin-1")):
        document = Document.parse(data, where="config.json")
        for registry in (HERE, HUB):
            document.rule(registry)
            document.auth(registry)
            document.reads(registry)
            document.has_login(registry)
            document.spelled_otherwise([registry])
        document.registries()
        document.unreadable()
        assert isinstance(document.mistyped, list)
        again = Document.parse(document.dump(), where="config.json")
        assert again.dump() == document.dump()
        assert again.auth(HERE) == document.auth(HERE)


def cache(data):
    folder = Cache(os.path.join(FOLDER, "cache"))
    os.makedirs(folder.path, mode=0o700, exist_ok=True)
    path = os.path.join(folder.path, f"{HERE}.json")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    with only_our_errors(data.decode("latin-1")):
        entry = Entry.read(folder, HERE)
        assert isinstance(entry.username, str)
        assert isinstance(entry.secret, str)
        assert isinstance(entry.fresh_until, float)
        assert entry.is_servable(now=1e9) in (True, False)
        assert all(isinstance(each, str) for each in entry.written("/config.json"))
        entry.failure(now=1e9, within=60.0)


def challenge(data):
    header = data.decode("latin-1")
    challenge_fault([header])
    for found in parse([header]):
        assert found.scheme == found.scheme.lower()
        realm = found.parameters.get("realm")
        if not realm:
            continue
        asked = Url.parse(f"https://{HERE}/v2/")
        with contextlib.suppress(RegistryError):
            url = check_realm(realm, registry=HERE, asked=asked, crossed_hosts=False)
            assert url.scheme == "https"
            assert not url.is_link_local
            assert not url.is_loopback
            assert str(url).isascii()


def token(data):
    answer = read_token_answer(data)
    if answer.token is not None:
        assert answer.token
        assert answer.token.isascii()
        assert answer.token.isprintable()
        assert " " not in answer.token


def location(data):
    text = data.decode("latin-1")
    asked = Url.parse(f"https://{HERE}/v2/")
    with contextlib.suppress(RegistryError):
        url = check_redirect(asked, asked.join(text))
        assert url.scheme == "https"


def secrets(data):
    path = os.path.join(FOLDER, "secrets.json")
    with open(path, "wb") as file:
        file.write(data)
    found = discover({}, secrets_file=path)
    _unquoted(found)


def env_secrets(data):
    path = os.path.join(FOLDER, ".env-secrets")
    with open(path, "wb") as file:
        file.write(data)
    with only_our_errors(data.decode("latin-1")):
        read({"CODESPACES": "true"}, codespaces_file=path)


def docker_auth_config(data):
    found = discover({"DOCKER_AUTH_CONFIG": data.decode("utf-8", "surrogateescape")})
    _unquoted(found)


def variables(data):
    """
    A line is NAME=VALUE.
    """
    lines = data.decode("utf-8", "surrogateescape").replace("\0", "").splitlines()
    pairs = [line.partition("=") for line in lines]
    names = {name: value for name, _, value in pairs if name and not name.endswith("_FILE")}
    found = discover(names)
    _unquoted(found)


def image(data):
    with only_our_errors(""):
        registry, repository, reference = split_image(data.decode("utf-8", "surrogateescape"))
        assert registry == Registry(registry)
        assert repository
        assert reference


def server(data):
    with only_our_errors(""):
        registry = Registry(data.decode("utf-8", "surrogateescape"))
        assert registry == Registry(str(registry))
        assert 0 < registry.port < 65536
        assert registry.hostname


def answer(data):
    pair = _said(data)
    assert pair is None or all(isinstance(each, str) for each in pair)


def _unquoted(found):
    shown = [repr(found), *(f"{one.error} {one.error.hint}" for one in found.incomplete)]
    shown += [f"{finding.message} {finding.hint}" for finding in found.findings]
    whole = " ".join(shown)
    for secret in found.secrets:
        hidden = secret.secret.reveal() if secret.secret is not None else ""
        assert len(hidden) < 12 or hidden not in whole
    json.dumps(whole)


TARGETS = (
    config,
    cache,
    challenge,
    token,
    location,
    secrets,
    env_secrets,
    docker_auth_config,
    variables,
    image,
    server,
    answer,
)


def main():
    name, *options = sys.argv[1:]
    (target,) = [each for each in TARGETS if each.__name__ == name]
    atheris.Setup([sys.argv[0], *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
