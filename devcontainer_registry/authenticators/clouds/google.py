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
from ...naming import variable
from ...observer import tell
from ...threads import within

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from ...credentials import RegistrySecret
    from ...errors import AuthenticationError, DiscoveryError

# https://cloud.google.com/artifact-registry/docs/access-control#oauth-scopes
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

# What Google's token server answers, in any case, and what it means; looked for in `error` and
# `error_description`, which are read and never quoted.
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
        user = variable(secret.id, "USER")
        raise causes.EXTRA_MISSING.error(source=secret.source, user=user) from None
    _quiet()
    late = causes.TIMED_OUT.error(seconds=timeout)
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
        # What was found, by the name of its class, such as `compute_engine.credentials`.
        found = type(credentials).__module__.removeprefix("google.").removesuffix(".credentials")
        tell("cloud.identity_chosen", provider="google", source=found)
        try:
            credentials.refresh(request)
        except NoMetadataError:
            raise causes.NO_METADATA.error() from None
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
