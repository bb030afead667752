# SPDX-License-Identifier: MIT
"""
Errors of AWS's SDK in the user's words, with the fix.

Nothing here quotes an error's own text: it may hold a URL with a password, a header, or what a
`credential_process` has printed.  In the texts, `{set}` is the prefix of a set's variables, filled
in by who knows it, and the other words in braces are those of `Names`.
"""

from __future__ import annotations

import os
import re
import sys
from urllib.parse import urlsplit

from ...errors import DiscoveryError, RegistryError, UnreachableError
from ...network import failures
from ...network.proxies import host_of
from .aws_names import fill
from .aws_refusals import refused

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .aws_names import Names

# Without a browser of its own, as a container is.
# https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html
_AWS_LOGIN = "run aws login --remote with that profile in this container"

# What the SDK raises before it asks anybody, by the name of the class, as older ones lack some.
_LOCAL = {
    "ProfileNotFound": (
        "aws-profile-missing",
        "{profile} names a profile that this container does not have",
        "correct {profile}, or add the profile to ~/.aws/config",
    ),
    "InfiniteLoopConfigError": (
        "aws-profile-loop",
        "the profiles of {profile} go round in a circle",
        "correct source_profile in ~/.aws/config",
    ),
    "InvalidConfigError": (
        "aws-profile-incomplete",
        "the profile of {profile} is incomplete, or its source_profile or credential_source is",
        "run aws sts get-caller-identity with that profile, which says what is missing",
    ),
    "SSOTokenLoadError": (
        "aws-sso-missing",
        "nobody has signed in for the single sign-on profile of {profile}",
        "run aws sso login with that profile in this container",
    ),
    "UnauthorizedSSOTokenError": (
        "aws-sso-expired",
        "the single sign-on session of {profile} has expired",
        "run aws sso login with that profile in this container",
    ),
    "TokenRetrievalError": (
        "aws-sso-expired",
        "the single sign-on session of {profile} has expired and could not be renewed",
        "run aws sso login with that profile in this container",
    ),
    "LoginTokenLoadError": (
        "aws-login-missing",
        "this container has no session of aws login for the profile of {profile}",
        _AWS_LOGIN,
    ),
    "LoginRefreshRequired": (
        "aws-login-expired",
        "the session of aws login for the profile of {profile} has expired",
        _AWS_LOGIN,
    ),
    "LoginInsufficientPermissions": (
        "aws-login-denied",
        "AWS denied the action signin:CreateOAuth2Token to the profile of {profile}",
        "attach AWS's policy SignInLocalDevelopmentAccess to whoever ran aws login",
    ),
    "LoginError": (
        "aws-login-refused",
        "AWS did not renew the session of aws login for the profile of {profile}",
        _AWS_LOGIN,
    ),
    "MissingDependencyException": (
        "aws-sdk-incomplete",
        "the profile of {profile} uses aws login, for which botocore needs its part awscrt",
        f"run {sys.executable} -m pip install 'botocore[crt]'",
    ),
    "InvalidIMDSEndpointError": (
        "aws-endpoint-invalid",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL",
        "correct or unset AWS_EC2_METADATA_SERVICE_ENDPOINT",
    ),
    "InvalidRegionError": (
        "region-invalid",
        "the AWS region is not a region's name",
        "correct {set}_REGION, such as eu-west-1",
    ),
    "NeedsCodeError": (
        "aws-mfa",
        "the profile of {profile} asks for a code of a second factor",
        "use a profile with aws sso login, or a role whose trust policy asks for no code",
    ),
}
_RETRIEVAL = {
    "custom-process": (
        DiscoveryError,
        "aws-process-failed",
        "the credential_process of {profile} failed",
        "run the credential_process of the profile by hand to see why",
    ),
    "container-role": (
        UnreachableError,
        "aws-metadata-unreachable",
        "the container's credentials endpoint gave none",
        "check AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI, and that its agent runs",
    ),
    "iam-role": (
        UnreachableError,
        "aws-metadata-unreachable",
        "the instance metadata gave no credentials",
        "give the instance a role, and let containers reach its metadata (hop limit 2)",
    ),
}


class NeedsCodeError(Exception):
    """
    A profile wants the code of a second factor, which botocore would ask the terminal for.
    """


def explain(exc: BaseException, *, where: str, names: Names) -> RegistryError:
    """
    The error for *exc*, whatever the SDK raised.

    Args:
        exc: From a call or from looking for an identity.
        where: Whom the call went to, if it was ECR's: "ECR in eu-west-1".
        names: What the identity's parts are called.
    """
    response, operation = getattr(exc, "response", None), getattr(exc, "operation_name", None)
    if isinstance(response, dict) and operation is not None:
        return refused(operation, response, where=where, names=names)
    kinds = [kind.__name__ for kind in type(exc).__mro__]
    kwargs = getattr(exc, "kwargs", {})
    if "endpoint_url" in kwargs or "proxy_url" in kwargs or "HTTPClientError" in kinds:
        return _unreached(kwargs, where)
    if "CredentialRetrievalError" in kinds and kwargs.get("provider") in _RETRIEVAL:
        return _error(*_RETRIEVAL[kwargs["provider"]], names=names)
    if "PartialCredentialsError" in kinds:
        return _partial(str(kwargs.get("cred_var")))
    if "ConfigParseError" in kinds or "ConfigNotFound" in kinds:
        path = str(kwargs.get("path"))
        what = (
            "can't be read as AWS's configuration"
            if "ConfigParseError" in kinds
            else "is not there"
        )
        return DiscoveryError(
            f"the file {path} {what}",
            hint="repair it, move it away, or correct AWS_CONFIG_FILE",
            code="aws-config-broken",
        )
    if isinstance(exc, OSError):
        return _unreadable(exc, names)
    for kind in kinds:
        if kind in _LOCAL:
            return _error(DiscoveryError, *_LOCAL[kind], names=names)
    if "EndpointProviderError" in kinds or "BaseEndpointResolverError" in kinds:
        return DiscoveryError(
            f"AWS has no endpoint of this kind for {where}",
            hint="check {set}_SERVER, AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, or set "
            "AWS_ENDPOINT_URL_ECR",
            code="aws-no-endpoint",
        )
    return DiscoveryError(
        f"{where} can't be asked: the SDK of AWS raised {kinds[0]}",
        hint="check the variables that begin with AWS_, and ~/.aws/config",
        code="aws-config-broken",
    )


def _unreached(kwargs: Mapping[str, Any], where: str) -> RegistryError:
    """
    Nobody answered; what urllib3 met is sorted as for any registry.
    """
    cause = kwargs.get("error")
    if not isinstance(cause, BaseException):
        cause = OSError()
    host = _host(str(kwargs.get("endpoint_url", ""))) or where
    if "proxy_url" in kwargs:
        inner = next((arg for arg in cause.args if isinstance(arg, BaseException)), cause)
        name = host_of(str(kwargs["proxy_url"])) or "from the environment"
        return failures.proxy(inner, name=name, host=where)
    error = failures.sort(cause, host)
    bundle = os.environ.get("AWS_CA_BUNDLE")
    if bundle and error.code in ("unreachable", "tls-failed") and not _holds_certificate(bundle):
        return UnreachableError(
            "AWS_CA_BUNDLE names no file with certificates",
            hint="correct AWS_CA_BUNDLE, or unset it for the trust of this machine",
            code="ca-file",
        )
    if error.code == "certificate-untrusted":
        error.hint = "set AWS_CA_BUNDLE to a PEM file that holds the authority, such as the proxy's"
    elif error.code in ("name-not-resolved", "connection-refused", "unreachable"):
        error.hint = "check the region in {set}_SERVER, network, proxy and AWS_ENDPOINT_URL"
    elif error.code == "timeout":
        error.hint = "check network, proxy and AWS_ENDPOINT_URL, or allow more time with --timeout"
    elif error.code in ("not-a-registry", "plain-http"):
        error.hint = "check AWS_ENDPOINT_URL, and look for a proxy on the way"
    return error


def _holds_certificate(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"-----BEGIN CERTIFICATE-----" in file.read()
    except OSError:
        return False


def _host(url: str) -> str:
    # Without what may stand before the @ or behind the slash.
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _partial(variable: str) -> DiscoveryError:
    # botocore names a variable or a key of a file, and nothing else is passed on.
    word = variable if re.fullmatch(r"[A-Za-z_]{1,40}", variable) else "the secret access key"
    return DiscoveryError(
        f"the AWS credentials of this container have an access key id but no {word}",
        hint="set it beside the access key id, or remove that one, too",
        code="aws-key-incomplete",
    )


def _unreadable(exc: OSError, names: Names) -> DiscoveryError:
    named = os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    if named and exc.filename == named:
        return DiscoveryError(
            "the file that AWS_WEB_IDENTITY_TOKEN_FILE names can't be read",
            hint="mount the token into this container, or unset AWS_WEB_IDENTITY_TOKEN_FILE",
            code="aws-web-identity-missing",
        )
    return DiscoveryError(
        fill("a file or program that {profile} needs can't be opened", names),
        hint="check web_identity_token_file and credential_process in ~/.aws/config, and who may "
        "read that file",
        code="aws-config-broken",
    )


def _error(
    kind: type[RegistryError], code: str, message: str, hint: str, *, names: Names
) -> RegistryError:
    return kind(fill(message, names), hint=fill(hint, names), code=code)
