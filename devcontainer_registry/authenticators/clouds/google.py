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

from ...causes.clouds import google as causes
from ...identities import named, source
from ...naming import variable
from ...observer import tell
from ...threads import within
from . import google_pool

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from ...credentials import RegistrySecret
    from ...errors import AuthenticationError, DiscoveryError
    from ...identities.tokens import IdToken

# https://cloud.google.com/artifact-registry/docs/access-control#oauth-scopes
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

# Answers of Google's token server and their causes, ignoring case.  They are in `error` and
# `error_description`, which are never quoted.
# https://developers.google.com/identity/protocols/oauth2/service-account#error-codes
_REFUSALS = (
    (r"short-lived token|reasonable timeframe", causes.CLOCK_SKEW),
    (r"invalid jwt signature", causes.KEY_INVALID),
    (r"account not found|invalid_client|disabled_client", causes.ACCOUNT_UNKNOWN),
    (r"invalid_rapt|rapt_required|reauth", causes.SIGN_IN_AGAIN),
    (r"expired or revoked|invalid_grant", causes.SIGN_IN_EXPIRED),
    (r"unauthorized_client|access_denied|permission_denied|iam\.", causes.ACCOUNT_DENIED),
    (r"invalid_scope", causes.SCOPE_DENIED),
    (r"invalid_target|subject_token|credential source", causes.TOKEN_NOT_EXCHANGED),
)


def token(secret: RegistrySecret, *, timeout: float) -> tuple[str, float, float | None]:
    """
    Return an access token, and its issue and expiry times in Unix seconds.

    A set that names a workload identity provider is what that makes of its ID token, and nothing
    else.  Other identities, in order of precedence: the file in `GOOGLE_APPLICATION_CREDENTIALS`,
    the file of `gcloud auth application-default login`, and the account of the machine.

    Raises:
        PluginError: google-auth is not installed (`extra-missing`).
        DiscoveryError: There are no such credentials (`identity-missing`), or the file is invalid
            (`google-settings`).
        AuthenticationError: Google refused (`google-refused` and others).
        TransientError: It was unreachable or busy.
    """
    try:
        import google.auth  # noqa: F401  (100 ms, and only a login without a password pays)
    except ImportError:
        # Without the cause: it shows only paths of this machine.
        user = variable(secret.id, "USER")
        raise causes.EXTRA_MISSING.error(source=secret.source, user=user, extra="google") from None
    _quiet()
    end = time.monotonic() + timeout
    id_token = None
    if named.names_identity(secret):
        id_token = source.obtain(secret, "google", timeout=timeout)
    left = max(0.1, end - time.monotonic())
    late = causes.TIMED_OUT.error(seconds=timeout)
    return within(left, lambda: _asked(secret, id_token, timeout=left), late=late)


def _quiet() -> None:
    # Warnings about user credentials, which are a choice of the user.
    warnings.filterwarnings("ignore", message="Your application has authenticated using end user")


def _asked(
    secret: RegistrySecret, id_token: IdToken | None, *, timeout: float
) -> tuple[str, float, float | None]:
    from google.auth import exceptions

    from ...network.transport import Transport
    from .google_requests import Asker, NoMetadataError

    now = time.time()
    with Transport() as transport:
        request: Any = Asker(transport, time.monotonic() + timeout)
        credentials: Any
        try:
            if id_token is not None:
                credentials = google_pool.credentials(secret, id_token, scope=_SCOPE)
            else:
                credentials = _default(request)
        except NoMetadataError:
            raise _missing(secret) from None  # the last source; not an outage
        except (
            exceptions.DefaultCredentialsError,
            exceptions.MalformedError,
            # Errors for a JSON file that is not credentials.
            AttributeError,
            LookupError,
            TypeError,
        ) as exc:
            # Without the cause, which quotes the file.
            raise _unusable(secret, exc) from None
        except (exceptions.GoogleAuthError, ValueError) as exc:
            raise _refused(exc) from None  # as above
        tell(
            "cloud.identity_chosen",
            provider="google",
            source=id_token.source if id_token is not None else _kind_of(credentials),
        )
        try:
            credentials.refresh(request)
        except NoMetadataError:
            raise causes.NO_METADATA.error() from None
        except (exceptions.GoogleAuthError, ValueError, LookupError, TypeError) as exc:
            # Without the cause, which quotes answers.  The last two are raised for JSON that is not
            # an answer of Google.
            if id_token is not None:
                raise google_pool.refused(exc, secret, id_token) from None
            raise _refused(exc) from None
    expiry = credentials.expiry
    return (
        str(credentials.token),
        now,
        # In UTC, without a time zone.
        expiry.replace(tzinfo=dt.timezone.utc).timestamp() if expiry is not None else None,
    )


def _default(request: Any) -> Any:
    import google.auth

    return google.auth.default(scopes=[_SCOPE], request=request)[0]


def _kind_of(credentials: Any) -> str:
    """
    Return the kind of *credentials*, by their module: `compute_engine.credentials`.
    """
    return type(credentials).__module__.removeprefix("google.").removesuffix(".credentials")


def _missing(secret: RegistrySecret) -> DiscoveryError:
    user = variable(secret.id, "USER")
    return causes.NO_CREDENTIALS.error(source=secret.source, host=secret.registry, user=user)


def _unusable(secret: RegistrySecret, exc: Exception) -> DiscoveryError:
    if os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return causes.FILE_UNUSABLE.error()
    return _missing(secret) if "were not found" in str(exc) else causes.LOGIN_UNUSABLE.error()


def _refused(exc: Exception) -> AuthenticationError:
    for words, cause in _REFUSALS:
        if re.search(words, str(exc), re.IGNORECASE):
            return cause.error()
    return causes.NO_TOKEN.error()
