# SPDX-License-Identifier: MIT
"""
Sessions of boto3, and the only import of boto3.
"""

from __future__ import annotations

import logging
import os
import threading

from ....network.proxies import proxy_for
from ....network.trust import bundle_for_sdk, check_bundle
from ..bodies import limit_botocore, limit_provider
from .errors import NeedsCodeError, explain
from .names import names_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, NoReturn

    from .names import Endpoint, Identity

# Services that we or botocore call.
_SERVICES = ("ecr", "ecr-public", "signin", "sso", "sso-oidc", "sts")

# Maximum seconds for one answer of the instance metadata; botocore's default is 1.
_METADATA_MAX = 5


class Quiet:
    """
    Silences the SDK's loggers while its context manager is entered.

    At level DEBUG they log tokens and signatures, and their warnings quote the output of a
    `credential_process`.
    """

    _lock = threading.Lock()
    _users = 0
    _levels: tuple[int, ...] = ()
    _names = ("botocore", "boto3", "urllib3")

    def __enter__(self) -> None:
        """
        Silence the loggers.
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
        Restore the loggers when the last user leaves.
        """
        with Quiet._lock:
            Quiet._users -= 1
            if not Quiet._users:
                for name, level in zip(self._names, Quiet._levels, strict=True):
                    logging.getLogger(name).setLevel(level)


class Loader:
    """
    Data files of the SDK, read once per run.

    Reading takes 40 ms, so one thread reads while the others wait.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._loader: Any = None

    def share(self, core: Any) -> None:
        """
        Share the data with *core*, a session of botocore.
        """
        with self.lock:
            if self._loader is None:
                self._loader = core.get_component("data_loader")
                # Avoids listing 400 folders twice (15 ms) to find the service ecr.
                self._loader.list_available_services = lambda _type: list(_SERVICES)
            core.register_component("data_loader", self._loader)


def open_session(identity: Identity, endpoint: Endpoint, *, loader: Loader, timeout: float) -> Any:
    """
    Open a session of the SDK that reads only the settings that *identity* needs.
    """
    # The SDK would misread a broken value.
    proxy_for(f"api.ecr.{endpoint.region}.amazonaws.com", 443, os.environ)
    import boto3  # 110 ms
    import botocore.session

    # name: (key in the shared files, environment variables, default, conversion)
    variables: dict[str, Any] = {
        # The first one set wins; otherwise the trust store of all other requests.
        "ca_bundle": ("ca_bundle", "AWS_CA_BUNDLE", bundle_for_sdk(os.environ), None),
        "region": ("region", "AWS_DEFAULT_REGION", endpoint.region, None),
        "metadata_service_timeout": (
            "metadata_service_timeout",
            "AWS_METADATA_SERVICE_TIMEOUT",
            1,
            # Two consecutive waits must fit.
            lambda seconds: max(1, min(int(seconds), _METADATA_MAX, int(timeout / 3))),
        ),
    }
    if identity.key_id is not None or identity.wants_token:
        # The set is the whole identity: a wrong AWS_PROFILE or a broken shared file must not break
        # it.
        variables["profile"] = (None, None, None, None)
        for name in ("config_file", "credentials_file"):
            variables[name] = (None, None, os.devnull, None)
    core = botocore.session.Session(session_vars=variables)
    if identity.profile is not None:
        core.set_config_variable("profile", identity.profile)
    # For calls that botocore makes itself to obtain an identity.
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
        # OpenSSL would block on a pipe.
        check_bundle("AWS_CA_BUNDLE", bundle)
    return session


def config(timeout: float, *, signed: bool = True, **more: Any) -> Any:
    from botocore import UNSIGNED
    from botocore.config import Config

    settings: dict[str, Any] = {
        "connect_timeout": timeout,
        "read_timeout": timeout,
        "retries": {"total_max_attempts": 1, "mode": "standard"},
        # `auto` would ask the instance metadata for the region, even with a key pair.
        "defaults_mode": "legacy",
        "signature_version": None if signed else UNSIGNED,
    }
    return Config(**settings, **more)


def restrict_providers(session: Any) -> None:
    """
    Prevent the SDK's credential providers from prompting and from reading without limit.

    A profile with `mfa_serial` fails, since a hook would hang.
    """
    resolver = session._session.get_component("credential_provider")  # noqa: SLF001  (no way round)
    for provider in resolver.providers:
        limit_provider(provider)
        if hasattr(provider, "_prompter"):
            provider._prompter = _refuse  # noqa: SLF001  (botocore gives no other way in)


def _refuse(_prompt: str) -> NoReturn:
    raise NeedsCodeError
