# SPDX-License-Identifier: MIT
"""
Access tokens of Google, through google-auth.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import time
import warnings

from ...errors import (
    AuthenticationError,
    DiscoveryError,
    PluginError,
    RegistryError,
    TransientError,
    timeout_error,
)
from ...naming import variable
from ...threads import within

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from ...credentials import RegistrySecret

# https://cloud.google.com/artifact-registry/docs/access-control#oauth-scopes
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

# What Google's token server answers, and what to do; looked for in `error` and
# `error_description`, which are read and never quoted.
# https://developers.google.com/identity/protocols/oauth2/service-account#error-codes
_REFUSALS = (
    (
        re.compile(r"short-lived token|reasonable timeframe", re.IGNORECASE),
        "says that the time of this machine is off",
        "set this machine's clock",
    ),
    (
        re.compile(r"invalid jwt signature", re.IGNORECASE),
        "says that the service account's key is not valid any more",
        "make a new key for the account, and set GOOGLE_APPLICATION_CREDENTIALS to it",
    ),
    (
        re.compile(r"account not found|invalid_client|disabled_client", re.IGNORECASE),
        "does not know this account, or it is disabled",
        "check that the account of GOOGLE_APPLICATION_CREDENTIALS exists and is enabled",
    ),
    (
        re.compile(r"invalid_rapt|rapt_required|reauth", re.IGNORECASE),
        "wants the user to sign in again, by the rules of the organisation",
        "run gcloud auth application-default login again; a service account is not asked",
    ),
    (
        re.compile(r"expired or revoked|invalid_grant", re.IGNORECASE),
        "says that the sign-in has expired or was revoked",
        "run gcloud auth application-default login",
    ),
    (
        re.compile(r"unauthorized_client|access_denied|permission_denied|iam\.", re.IGNORECASE),
        "does not let this account get tokens",
        "give it the role Service Account Token Creator on the account that it is to be",
    ),
    (
        re.compile(r"invalid_scope", re.IGNORECASE),
        "does not grant this account the scope cloud-platform",
        "allow the scope cloud-platform for the account",
    ),
    (
        re.compile(r"invalid_target|subject_token|credential source", re.IGNORECASE),
        "does not accept this container's own token in exchange",
        "check audience and provider of the workload identity pool in the credential file",
    ),
)


def token(secret: RegistrySecret, *, timeout: float) -> tuple[str, float, float | None]:
    """
    An access token, and when it was issued and expires in Unix seconds.

    Whose: in order of precedence, the file in `GOOGLE_APPLICATION_CREDENTIALS`, the one that
    `gcloud auth application-default login` wrote, and the account of the machine.

    Raises:
        PluginError: google-auth is not installed (`extra-missing`).
        DiscoveryError: There are no such credentials (`identity-missing`), or the file can't be
            used (`google-settings`).
        AuthenticationError: Google said no (`google-refused`).
        TransientError: It could not be asked, or was busy.
    """
    try:
        import google.auth  # noqa: F401  (100 ms, and only a login without a password pays)
    except ImportError:
        # Without the cause: it names the paths of this machine and helps nobody.
        raise PluginError(
            f"{secret.source} has no user name and password, and google-auth, which would do "
            "without, is not installed",
            hint="run pip install 'devcontainer-registry[google]', or set "
            f"{variable(secret.id, 'USER')} and _PASSWORD",
            code="extra-missing",
        ) from None
    _quiet()
    late = timeout_error("Google", timeout)
    return within(timeout, lambda: _asked(secret, timeout=timeout), late=late)


def _quiet() -> None:
    # Of a person's own credentials; that is a choice, and no news at each start of a container.
    warnings.filterwarnings("ignore", message="Your application has authenticated using end user")


def _asked(secret: RegistrySecret, *, timeout: float) -> tuple[str, float, float | None]:
    import google.auth
    from google.auth import exceptions

    from ...network.transport import Transport
    from .google_requests import Asker, NoMetadataError

    now = time.time()
    with Transport() as transport:
        request: Any = Asker(transport, time.monotonic() + timeout)
        credentials: Any
        try:
            credentials, _ = google.auth.default(scopes=[_SCOPE], request=request)
        except NoMetadataError:
            raise _missing(secret) from None  # the last place to look, and no outage
        except (
            exceptions.DefaultCredentialsError,
            exceptions.MalformedError,
            # What a file that is JSON, but no credentials, comes to.
            AttributeError,
            LookupError,
            TypeError,
        ) as exc:
            # Without the cause, which quotes the file.
            raise _unusable(secret, exc) from None
        except (exceptions.GoogleAuthError, ValueError) as exc:
            raise _refused(exc) from None  # as above
        try:
            credentials.refresh(request)
        except NoMetadataError:
            msg = "the metadata server of this machine did not answer"
            raise TransientError(msg, hint="try again later", code="google-unreachable") from None
        except (exceptions.GoogleAuthError, ValueError, LookupError, TypeError) as exc:
            # Without the cause, which quotes answers at length.  The last two are raised for what
            # is JSON, but no answer of Google's.
            raise _refused(exc) from None
    expiry = credentials.expiry
    return (
        str(credentials.token),
        now,
        # In UTC, and without saying so.
        expiry.replace(tzinfo=dt.timezone.utc).timestamp() if expiry is not None else None,
    )


def _missing(secret: RegistrySecret) -> DiscoveryError:
    return DiscoveryError(
        f"{secret.source} has no user name and password, and no application default credentials "
        f"are here that could log in to {secret.registry}",
        hint=f"set {variable(secret.id, 'USER')} and _PASSWORD, or "
        "GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login",
        code="identity-missing",
    )


def _unusable(secret: RegistrySecret, exc: Exception) -> RegistryError:
    if "were not found" in str(exc) and not os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return _missing(secret)
    where = "GOOGLE_APPLICATION_CREDENTIALS"
    if not os.environ.get(where):
        where = "gcloud auth application-default login"
    return DiscoveryError(
        f"the credentials of {where} can't be read or understood",
        hint="check that the file is there, and is the whole JSON that Google gave",
        code="google-settings",
    )


def _refused(exc: Exception) -> RegistryError:
    text = str(exc)
    for pattern, said, hint in _REFUSALS:
        if pattern.search(text):
            return AuthenticationError(f"Google {said}", hint=hint, code="google-refused")
    return AuthenticationError(
        "Google gave no token for the application default credentials",
        hint="run gcloud auth application-default print-access-token to see its own words",
        code="google-refused",
    )
