# SPDX-License-Identifier: MIT
"""
Sessions of boto3, and the only import of boto3.
"""

from __future__ import annotations

import logging
import os
import threading

from ...network.proxies import proxy_for
from ...network.trust import bundle_for_sdk, check_bundle
from .aws_errors import NeedsCodeError, explain
from .aws_names import names_of
from .bodies import limit_botocore, limit_provider

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, NoReturn

    from .aws_names import Endpoint, Identity

# Every service that is asked, by us or by botocore on the way to an identity.
_SERVICES = ("ecr", "ecr-public", "signin", "sso", "sso-oidc", "sts")

# Seconds for one answer of the instance metadata, at most; botocore's own default is 1.
_METADATA_MAX = 5


class Quiet:
    """
    Keeps the SDK's loggers silent while it is at work for us.

    At level DEBUG they write tokens and signatures, and warnings carry what a `credential_process`
    has printed; whoever logs everything in their program did not ask for that.
    """

    _lock = threading.Lock()
    _users = 0
    _levels: tuple[int, ...] = ()
    _names = ("botocore", "boto3", "urllib3")

    def __enter__(self) -> None:
        """
        Silence, for as long as anybody is in here.
        """
        with Quiet._lock:
            loggers = [logging.getLogger(name) for name in self._names]
            if not Quiet._users:
                Quiet._levels = tuple(logger.level for logger in loggers)
                for logger in loggers:
                    logger.setLevel(logging.CRITICAL + 1)
            Quiet._users += 1

    def __exit__(self, *_: object) -> None:
        """
        As it was, once the last one leaves.
        """
        with Quiet._lock:
            Quiet._users -= 1
            if not Quiet._users:
                for name, level in zip(self._names, Quiet._levels, strict=True):
                    logging.getLogger(name).setLevel(level)


class Loader:
    """
    What the SDK reads of its own files, once for a run.

    That takes longer than all else here (40 ms): one thread reads while the others wait, rather
    than read the same.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._loader: Any = None

    def share(self, core: Any) -> None:
        """
        Let *core*, a session of botocore's, use what has been read.
        """
        with self.lock:
            if self._loader is None:
                self._loader = core.get_component("data_loader")
                # It would list 400 folders, twice (15 ms), to find that there is a service ecr.
                self._loader.list_available_services = lambda _type: list(_SERVICES)
            core.register_component("data_loader", self._loader)


def open_session(identity: Identity, endpoint: Endpoint, *, loader: Loader, timeout: float) -> Any:
    """
    A session of the SDK's that reads no more of the surroundings than *identity* needs.
    """
    # The SDK would take a broken value apart in its own way.
    proxy_for(f"api.ecr.{endpoint.region}.amazonaws.com", 443, os.environ)
    import boto3  # 110 ms
    import botocore.session

    # name: (key in the shared files, environment variables, default, conversion)
    variables: dict[str, Any] = {
        # Whoever is named first wins; without any of them the trust that all else here has.
        "ca_bundle": ("ca_bundle", "AWS_CA_BUNDLE", bundle_for_sdk(os.environ), None),
        "region": ("region", "AWS_DEFAULT_REGION", endpoint.region, None),
        "metadata_service_timeout": (
            "metadata_service_timeout",
            "AWS_METADATA_SERVICE_TIMEOUT",
            1,
            # Two waits in a row have to fit in.
            lambda seconds: max(1, min(int(seconds), _METADATA_MAX, int(timeout / 3))),
        ),
    }
    if identity.key_id is not None:
        # The set is the whole identity: a profile that AWS_PROFILE names in vain, or a broken
        # shared file, is nothing to a login that needs neither.
        variables["profile"] = (None, None, None, None)
        for name in ("config_file", "credentials_file"):
            variables[name] = (None, None, os.devnull, None)
    core = botocore.session.Session(session_vars=variables)
    if identity.profile is not None:
        core.set_config_variable("profile", identity.profile)
    # For the calls that botocore makes on its own on the way to an identity.
    core.set_default_client_config(config(timeout))
    try:
        # Reads the shared files, for settings of the loader's.
        loader.share(core)
        bundle = core.get_config_variable("ca_bundle")
        limit_botocore(core)
        session = boto3.session.Session(botocore_session=core)
    except Exception as exc:  # noqa: BLE001  (the SDK's border: what its layers raise)
        # Without the cause: the parser's message quotes the file, and so a key.
        raise explain(exc, where=str(endpoint), names=names_of(identity)) from None
    if bundle:
        # OpenSSL would wait for a pipe.
        check_bundle("AWS_CA_BUNDLE", bundle)
    return session


def config(timeout: float, **more: Any) -> Any:
    from botocore.config import Config

    settings: dict[str, Any] = {
        "connect_timeout": timeout,
        "read_timeout": timeout,
        "retries": {"total_max_attempts": 1, "mode": "standard"},
        # `auto` would ask the instance metadata where we are, even for a key pair.
        "defaults_mode": "legacy",
    }
    return Config(**settings, **more)


def restrict_providers(session: Any) -> None:
    """
    Keep who looks for an identity from asking the terminal, and from reading without end.

    A profile with `mfa_serial` fails: a hook would hang.
    """
    resolver = session._session.get_component("credential_provider")  # noqa: SLF001  (no way round)
    for provider in resolver.providers:
        limit_provider(provider)
        if hasattr(provider, "_prompter"):
            provider._prompter = _refuse  # noqa: SLF001  (botocore gives no other way in)


def _refuse(_prompt: str) -> NoReturn:
    raise NeedsCodeError
