# SPDX-License-Identifier: MIT
"""
The password for any identity, by AWS's SDK.
"""

from __future__ import annotations

import os
import time
from urllib.parse import urlsplit

from ....causes.clouds import aws as causes
from ....errors import RegistryError
from ....identities import github
from ....identities.source import AWS_AUDIENCE
from ....network.urls import Url, shown
from ....observer import is_observed, since, tell
from ....threads import within
from . import signed
from .errors import explain
from .names import Names, names_of, names_of_role, names_of_token
from .session import Loader, Quiet, config, open_session, restrict_providers

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from ....credentials import Credential
    from ....errors import DiscoveryError
    from .names import Endpoint, Identity

    # Access key id, secret access key, session token.
    Keys: TypeAlias = tuple[str, str, str | None]

# AWS's minimum: the role is needed for one call, and the returned token lasts 12 hours regardless
# of the role's session.
_ROLE_SECONDS = 900


class Aws:
    """
    Calls to AWS of one run.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._loader = Loader()

    def password(
        self, identity: Identity, endpoint: Endpoint, *, timeout: float
    ) -> Credential | RegistryError:
        """
        Return ECR's password for *identity*, or the error; *timeout* in seconds for each request.

        The texts of an error hold `{set}` for the prefix of the set's variables.
        """
        try:
            with Quiet():
                url = signed.url_for(identity, endpoint)
                if url is not None:
                    return signed.password(identity, endpoint, url, timeout=timeout)
                return self._password(identity, endpoint, timeout)
        except RegistryError as exc:
            # Drop traceback and context: they refer to frames with keys.
            exc.__traceback__ = exc.__cause__ = exc.__context__ = None
            return exc

    def _password(self, identity: Identity, endpoint: Endpoint, timeout: float) -> Credential:
        end = time.monotonic() + timeout
        session = open_session(identity, endpoint, loader=self._loader, timeout=timeout)
        found = None
        if not identity.wants_token:
            found = self._keys(session, identity, endpoint, timeout=_left(end))
        if found is None:
            keys = self._federated(session, identity, endpoint, timeout=_left(end))
            names = names_of_role()
        else:
            keys, names = found
        if found is not None and identity.role_arn is not None:
            keys = self._assumed(
                session, keys, identity.role_arn, endpoint, timeout=_left(end), names=names
            )
            names = names_of_role()
        service = signed.service_of(endpoint)
        client = self._client(session, service, keys, endpoint, timeout=_left(end), names=names)
        try:
            with _Call(client, service, "GetAuthorizationToken"):
                answer = client.get_authorization_token()
        except Exception as exc:  # noqa: BLE001  (the SDK's border: what its layers raise)
            if not hasattr(exc, "kwargs") and not hasattr(exc, "response"):
                # A bug of the SDK's parser on an answer that AWS never sends.
                raise causes.NO_TOKEN.error(endpoint=endpoint) from None
            # Without the cause: it may quote URLs with a password, headers, or principals.
            raise explain(exc, where=str(endpoint), names=names) from None
        finally:
            client.close()
        return signed.credential(answer, endpoint)

    def _keys(
        self, session: Any, identity: Identity, endpoint: Endpoint, *, timeout: float
    ) -> tuple[Keys, Names] | None:
        """
        Return the keys of *identity*, before its role, and the words for them.

        None if there are none, and GitHub Actions issues an ID token for the set's role.  It comes
        last, so that a set that logged in before is not another identity with it.
        """
        if identity.key_id is not None and identity.key is not None:
            token = identity.session_token
            keys = (identity.key_id, identity.key.reveal(), token.reveal() if token else None)
            return keys, names_of(identity)
        # The SDK has no total timeout, and none for a credential_process.
        late = causes.SOURCE_TIMED_OUT.error(endpoint=endpoint, seconds=timeout)
        found, names = within(timeout, lambda: _found(session, identity, endpoint), late=late)
        if found is None:
            if identity.may_use_token and github.is_here():
                return None
            raise _nobody(identity, endpoint)
        if found.access_key.startswith("ASIA") and not found.token:
            raise causes.SESSION_TOKEN_MISSING_THERE.error(**names.facts)
        return (found.access_key, found.secret_key, found.token), names

    def _assumed(
        self,
        session: Any,
        keys: Keys,
        role_arn: str,
        endpoint: Endpoint,
        *,
        timeout: float,
        names: Names,
    ) -> Keys:
        client = self._client(session, "sts", keys, endpoint, timeout=timeout, names=names)
        return _of_role(
            client,
            "AssumeRole",
            lambda **more: client.assume_role(RoleArn=role_arn, **more),
            names=names,
        )

    def _federated(
        self, session: Any, identity: Identity, endpoint: Endpoint, *, timeout: float
    ) -> Keys:
        """
        Return the keys of the role of *identity*, for its ID token.
        """
        end = time.monotonic() + timeout
        expected = identity.audience or AWS_AUDIENCE
        token = identity.id_token or github.request(expected, timeout=timeout)
        tell("cloud.identity_chosen", provider="aws", source=token.source)
        names = names_of_token(token, expected=expected)
        client = self._client(session, "sts", None, endpoint, timeout=_left(end), names=names)
        at = Url.parse(client.meta.endpoint_url)
        if at is None or not (at.scheme == "https" or at.is_loopback):
            # Unlike a key, which only signs, the token itself is sent.
            raise causes.ENDPOINT_NOT_TLS.error()
        return _of_role(
            client,
            "AssumeRoleWithWebIdentity",
            lambda **more: client.assume_role_with_web_identity(
                RoleArn=identity.role_arn, WebIdentityToken=token.token.reveal(), **more
            ),
            names=names,
        )

    def _client(
        self,
        session: Any,
        service: str,
        keys: Keys | None,
        endpoint: Endpoint,
        *,
        timeout: float,
        names: Names,
    ) -> Any:
        """
        Return a client without retries; without *keys*, its requests are not signed.
        """
        key_id, key, token = keys or (None, None, None)
        settings = config(
            timeout,
            signed=keys is not None,
            use_fips_endpoint=True if endpoint.fips else None,
            # STS has such endpoints only in some partitions.
            use_dualstack_endpoint=True if endpoint.dual and service != "sts" else None,
        )
        try:
            with self._loader.lock:
                return session.client(
                    service,
                    region_name=endpoint.region,
                    aws_access_key_id=key_id,
                    aws_secret_access_key=key,
                    aws_session_token=token,
                    config=settings,
                )
        except ValueError as exc:
            if hasattr(exc, "kwargs"):  # one of botocore's own
                raise explain(exc, where=str(endpoint), names=names) from None
            # Without the cause: it quotes the URL, which may hold a password.
            raise causes.ENDPOINT_INVALID.error(service=service) from None
        except Exception as exc:  # noqa: BLE001  (the SDK's border: what its layers raise)
            raise explain(exc, where=str(endpoint), names=names) from None


def _of_role(client: Any, operation: str, ask: Callable[..., Any], *, names: Names) -> Keys:
    """
    Return the keys of a role that *ask* assumes, a method of STS's *client*; close that.
    """
    try:
        with _Call(client, "sts", operation):
            answer = ask(RoleSessionName="devcontainer-registry", DurationSeconds=_ROLE_SECONDS)
        given = answer["Credentials"]
        return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    except Exception as exc:  # noqa: BLE001  (the SDK's border: what its layers raise)
        # Without the cause: as in `_password`.
        raise explain(exc, where="AWS STS", names=names) from None
    finally:
        client.close()


class _Call:
    """
    One call of a *client*, with an event after its end.
    """

    def __init__(self, client: Any, service: str, operation: str) -> None:
        self._client = client
        self._operation = f"{service}:{operation}"

    def __enter__(self) -> None:
        self._begun = time.monotonic()

    def __exit__(self, _: object, exc: BaseException | None, __: object) -> None:
        if not is_observed():
            return
        result = "ok"
        if exc is not None:
            # Name of AWS's or the SDK's error, never its text.
            response = getattr(exc, "response", None) or {}
            result = str(response.get("Error", {}).get("Code") or type(exc).__name__)
        host = urlsplit(self._client.meta.endpoint_url).netloc.rpartition("@")[2]
        tell(
            "cloud.answered",
            provider="aws",
            operation=self._operation,
            host=host,
            result=shown(result),
            ms=since(self._begun),
        )


def _found(session: Any, identity: Identity, endpoint: Endpoint) -> tuple[Any, Names]:
    """
    Return the keys that the SDK finds by itself, or None.
    """
    names = names_of(identity)
    try:
        # Also here: this thread may be abandoned and log later.
        with Quiet():
            restrict_providers(session)
            found = session.get_credentials()
            if found is None:
                return None, names
            names = names_of(identity, found.method)
            tell("cloud.identity_chosen", provider="aws", source=found.method)
            # May ask STS, single sign-on or metadata, which was deferred.
            return found.get_frozen_credentials(), names
    except Exception as exc:  # noqa: BLE001  (the SDK's border: providers raise anything)
        # Without the cause: a credential_process may have printed a secret into it.
        raise explain(exc, where=str(endpoint), names=names) from None


def _nobody(identity: Identity, endpoint: Endpoint) -> DiscoveryError:
    if identity.profile is not None:
        cause = causes.PROFILE_WITHOUT_KEYS
    elif identity.may_use_token and github.is_job():
        cause = causes.NO_CREDENTIALS.with_fix(causes.ALLOW_GITHUB)
    elif os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        cause = causes.NO_CREDENTIALS_NOR_METADATA
    else:
        cause = causes.NO_CREDENTIALS
    return cause.error(endpoint=endpoint, **Names().facts)


def _left(end: float) -> float:
    return max(0.1, end - time.monotonic())
