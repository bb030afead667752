# SPDX-License-Identifier: MIT
"""
Tests that every authenticator must pass; see `testing.AuthenticatorContract`.
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
import subprocess
import sys
import traceback
import unittest

from ..credentials import Credential, RegistrySecret, Secret
from ..errors import (
    AuthenticationError,
    DiscoveryError,
    RegistryError,
    TransientError,
    UnreachableError,
)
from ..registry import Registry
from . import checks

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import Any

# Appears in no ordinary text, and has characters that escaping changes.
CANARY = "C4nary~that+n0body/may=see"  # a made-up secret

# Well-known hosts; a kind may claim only those in its `ours`.
_STRANGERS = (
    "docker.io",
    "ghcr.io",
    "quay.io",
    "public.ecr.aws",
    "registry.gitlab.com",
    "registry.example",
    "localhost:5000",
    "127.0.0.1:5000",
    "example.azurecr.io",
    "example.azurecr.cn",
    "gcr.io",
    "eu.gcr.io",
    "europe-west1-docker.pkg.dev",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr-ecr.eu-west-1.on.aws",
)

# Refusals by a registry that a kind may explain.
_CODES = ("rejected", "pull-denied", "image-not-found", "token-expired", "ip-not-allowed", "x")


class AuthenticatorContract:
    """
    Inherit it in a test, set the members below, and every test of it is yours as well.

        class TestMine(AuthenticatorContract):
            target = "my_package.registry:MyAuthenticator"
            ours = ("eu.registry.example.com", "us.registry.example.com")
            sdk = ("my_cloud_sdk",)

    A kind whose `exchanges` is true for `secret()` has to define `refusal` and `outage` as well.
    pytest and unittest (with `unittest.TestCase` beside it) both run it.  A member that is missing
    or of the wrong type fails every test that needs it, and the failure says what to write.

    Attributes:
        target: `module:Class`, as in the entry point.  Required.
        ours: Registries that it claims, as `host` or `host:port`; empty for a kind that is only
            used where a set names it.
        also_ours: Hosts of well-known registries that it claims on purpose.
        sdk: Modules that only `authenticate` may load.
    """

    target = ""
    ours: tuple[str, ...] = ()
    also_ours: tuple[str, ...] = ()
    sdk: tuple[str, ...] = ()

    def secret(self) -> RegistrySecret:
        """
        Return a set as a user has it, with `CANARY` as its secret; override it for other members.
        """
        ours = checks.hosts(self, "ours")
        host = ours[0] if ours else Registry("registry.example")
        return RegistrySecret(
            id="CONTRACT",
            registry=host,
            source="CONTRACT_CONTAINER_REGISTRY_*",
            username="ann",
            secret=Secret(CANARY),
        )

    def refusal(self) -> AbstractContextManager[RegistrySecret]:
        """
        Return a context manager in which the cloud refuses the secret that it yields.
        """
        raise NotImplementedError(checks.lacks_situation(self, "refusal"))

    def outage(self) -> AbstractContextManager[RegistrySecret]:
        """
        Return a context manager in which the cloud is busy or down, for the secret that it yields.
        """
        raise NotImplementedError(checks.lacks_situation(self, "outage"))

    def authenticator(self) -> Any:
        """
        Return a new instance of *target*, made without arguments, as the entry point's is.

        Raises:
            AssertionError: *target* cannot be used; the text says what to write.
        """
        return checks.instance(self)

    def test_it_claims_its_own(self) -> None:
        authenticator = self.authenticator()

        for host in (*checks.hosts(self, "ours"), *checks.hosts(self, "also_ours")):
            assert authenticator.matches(host) is True, f"matches({host!r}) is not True"

    def test_it_claims_nobody_elses(self) -> None:
        authenticator = self.authenticator()

        own = checks.hosts(self, "ours")
        claimed = {*own, *checks.hosts(self, "also_ours")}
        for host in map(Registry, (*_STRANGERS, *_look_alikes(own))):
            if host not in claimed:
                assert authenticator.matches(host) is False, f"matches({host!r}) is not False"

    def test_matching_loads_no_sdk(self) -> None:
        target, sdk = checks.target(self), checks.texts(self, "sdk")
        path = [*filter(None, sys.path), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(  # noqa: S603  (this Python, and a text of ours)
            [sys.executable, "-c", _MATCHING, target, *sdk, "--", *checks.hosts(self, "ours")],
            # As here, where pytest may have put the folder of a test into it.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        if done.returncode != 0:
            self.authenticator()  # says it better, where it fails here, too
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == [], f"loaded by matching: {done.stdout.split()}"

    def test_what_it_gives_is_a_credential(self) -> None:
        authenticator = self.authenticator()
        if _exchanges(authenticator, self.secret()):
            raise unittest.SkipTest(_ASKS)

        credential = authenticator.authenticate(self.secret(), timeout=5.0)

        assert isinstance(credential, Credential)
        assert isinstance(credential.secret, Secret)
        assert credential.username

    def test_without_a_secret_it_says_so_or_vouches_for_itself(self) -> None:
        authenticator = self.authenticator()
        if getattr(authenticator, "ambient", False):
            raise unittest.SkipTest(_AMBIENT)
        given = self.secret()
        bare = RegistrySecret(id=given.id, registry=given.registry, source=given.source)

        error, _ = _raised(authenticator, bare)

        assert isinstance(error, DiscoveryError), repr(error)

    def test_a_refusal_is_an_authentication_error(self) -> None:
        error, _ = self._met("refusal")

        assert isinstance(error, AuthenticationError), repr(error)

    def test_an_outage_is_worth_another_try(self) -> None:
        error, _ = self._met("outage")

        assert isinstance(error, TransientError), repr(error)

    def test_what_it_says_has_one_line_and_a_hint(self) -> None:
        for situation in ("refusal", "outage"):
            error, _ = self._met(situation)

            assert error is not None
            assert error.message.isprintable(), error.message
            assert error.hint, error.message
            assert error.hint.isprintable(), error.hint
            assert error.code == error.code.lower().replace("_", "-").replace(" ", "-")

    def test_no_secret_shows(self) -> None:
        for situation in ("refusal", "outage"):
            _, shown = self._met(situation)

            _assert_hidden(shown)

    def test_no_secret_shows_in_what_it_explains(self) -> None:
        authenticator = self.authenticator()
        explain = getattr(authenticator, "explain", None)
        if explain is None:
            return

        for code in _CODES:
            for kind in (AuthenticationError, UnreachableError, RegistryError):
                hint = explain(self.secret(), kind("refused", code=code))

                assert isinstance(hint, str)
                assert not hint or hint.isprintable(), hint
                _assert_hidden(hint)

    def _met(self, situation: str) -> tuple[RegistryError | None, str]:
        """
        What the method *situation* leads to, and everything that could be seen of it.
        """
        authenticator = self.authenticator()
        if not _exchanges(authenticator, self.secret()):
            raise unittest.SkipTest(_ASKS_NOBODY)
        entered = getattr(self, situation)()
        assert hasattr(entered, "__enter__"), checks.lacks_situation(self, situation)
        with entered as secret:
            assert isinstance(secret, RegistrySecret), checks.yields_no_secret(situation)
            return _raised(authenticator, secret)


_ASKS = "it asks a cloud, and none is running here"
_ASKS_NOBODY = "it sends the credential of the set, and makes no request"
_AMBIENT = "it works without a secret"

_MATCHING = """
import importlib, sys
target, *rest = sys.argv[1:]
sdk, hosts = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
from devcontainer_registry.registry import Registry
before = set(sys.modules)
module, _, name = target.partition(":")
authenticator = getattr(importlib.import_module(module), name)()
for host in (*hosts, "registry.example"):
    authenticator.matches(Registry(host))
print(*(name for name in sdk if name in sys.modules and name not in before))
"""


def _exchanges(authenticator: Any, secret: RegistrySecret) -> bool:
    exchanges = getattr(authenticator, "exchanges", None)
    return bool(exchanges(secret)) if exchanges is not None else False


def _raised(authenticator: Any, secret: RegistrySecret) -> tuple[RegistryError | None, str]:
    """
    Return the error of *authenticator*, and all text that it printed or exposed.
    """
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            authenticator.authenticate(secret, timeout=5.0)
        except RegistryError as exc:
            shown = "".join(traceback.format_exception(exc))
            everything = (shown, repr(exc), str(exc.args), exc.message, exc.hint, exc.code)
            return exc, "\n".join((*everything, printed.getvalue()))
    return None, printed.getvalue()


def _look_alikes(hosts: tuple[str, ...]) -> Iterator[str]:
    """
    Yield hosts that match a pattern for *hosts* with a missing anchor or an unescaped dot.
    """
    for host in (host.partition(":")[0] for host in hosts):
        head, _, tail = host.rpartition(".")
        yield f"{host}.evil.example"
        yield f"{host}-evil.example"
        yield f"{host}evil.example"
        if not head:
            continue  # localhost
        yield f"{head}-{tail}"
        yield f"{head}x{tail}"


def _assert_hidden(text: str) -> None:
    encoded = base64.b64encode(CANARY.encode()).decode()
    # Without its padding, and from each of the three places where it may begin in longer data.
    inner = [base64.b64encode(b"x" * shift + CANARY.encode()).decode()[4:-4] for shift in range(3)]
    for shape in (CANARY, repr(CANARY)[1:-1], encoded.rstrip("="), *inner):
        assert shape not in text, "the secret shows"
