# SPDX-License-Identifier: MIT
"""
Formats of other tools for credentials, and their limits.
"""

from __future__ import annotations

import base64
import json

from ..causes import export as causes
from ..config.auth_entry import auth_entry
from ..errors import ConfigError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..credentials import Credential
    from ..errors import RegistryError
    from ..registry import Registry

    Credentials = Mapping[Registry, Credential]

# Default name of a Kubernetes secret.
DEFAULT_NAME = "devcontainer-registry"

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ (DNS subdomain names)
# and, for a namespace, RFC 1123 label names.
_NAME_MAX = 253
_LABEL_MAX = 63
_LETTERS_AND_DIGITS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
# https://kubernetes.io/docs/concepts/configuration/secret/: 1 MiB, all values of one together.
_KUBERNETES_MAX = 1024 * 1024  # octets


def written(
    form: str,
    credentials: Credentials,
    *,
    name: str = DEFAULT_NAME,
    namespaces: Iterable[str] = (),
) -> str:
    """
    Return *credentials* in the format *form*, without a line end.

    Args:
        form: One of `FORMATS`.
        credentials: Credentials that `refusal` accepts.
        name: Name of the Kubernetes secret.
        namespaces: Namespaces of the Kubernetes secret.
    """
    if form == "kubernetes-secret":
        return _kubernetes_secret(credentials, name, namespaces)
    return FORMATS[form](credentials)


def refusal(form: str, registry: Registry, credential: Credential) -> RegistryError | None:
    """
    Return why *form* cannot hold *credential*, or None; the message has no value.
    """
    if form == "devcontainers-oci-auth":
        why = _unlistable(credential)
    else:
        why = _unstorable(credential)
        if form == "kubernetes-secret" and credential.is_identity_token:
            # Its reader knows user names and passwords only:
            # https://github.com/kubernetes/kubernetes/blob/v1.32.0/pkg/credentialprovider/config.go
            why = causes.IS_IDENTITY_TOKEN.say()
    return None if why is None else causes.NOT_EXPORTABLE.error(format=form, host=registry, why=why)


def oversize(form: str, content: str) -> RegistryError | None:
    """
    Return why *content* is too large for *form*, or None.
    """
    if form != "kubernetes-secret" or len(content) * 3 // 4 <= _KUBERNETES_MAX:
        return None
    return causes.TOO_LARGE.error()


def is_kubernetes_name(name: str) -> bool:
    """
    Return whether *name* is a valid Kubernetes name: an RFC 1123 subdomain.
    """
    labels = name.split(".")
    return len(name) <= _NAME_MAX and all(
        label
        and label[0] in _LETTERS_AND_DIGITS
        and label[-1] in _LETTERS_AND_DIGITS
        and _LETTERS_AND_DIGITS.issuperset(label.replace("-", ""))
        for label in labels
    )


def is_kubernetes_namespace(name: str) -> bool:
    """
    Return whether *name* is a valid Kubernetes namespace: an RFC 1123 label.
    """
    return len(name) <= _LABEL_MAX and "." not in name and is_kubernetes_name(name)


def _unstorable(credential: Credential) -> str | None:
    try:
        auth_entry(credential)
    except ConfigError as exc:
        return exc.message  # our own words, which quote nothing
    return None


def _unlistable(credential: Credential) -> str | None:
    # https://github.com/devcontainers/cli/blob/v0.80.0/src/spec-configuration/httpOCIRegistry.ts:
    # split at commas, then at bars, without a way to escape either; always a user and a password.
    if credential.is_identity_token:
        return causes.IS_IDENTITY_TOKEN.say()
    user, secret = credential.username, credential.secret.reveal()
    if not user or not secret:
        return causes.LACKS_A_PART.say()
    if any(mark in user + secret for mark in ",|"):
        return causes.HAS_A_MARK.say()
    if ":" in user:
        return causes.HAS_A_COLON.say()
    if any(control in user + secret for control in "\0\r\n"):
        return causes.HAS_A_LINE_END.say()
    try:
        (user + secret).encode("utf-8")
    except UnicodeEncodeError:
        return causes.IS_NOT_UTF8.say()
    return None


def _docker_config(credentials: Credentials) -> str:
    return json.dumps({"auths": _auths(credentials)}, indent="\t")


def _containers_auth(credentials: Credentials) -> str:
    # Docker Hub under its name: containers/image looks a URL up in docker's own file only.
    # https://github.com/containers/image/blob/v5.31.0/docs/containers-auth.json.5.md
    auths = {str(registry): auth_entry(c) for registry, c in credentials.items()}
    return json.dumps({"auths": auths}, indent="\t")


def _kubernetes_secret(
    credentials: Credentials, name: str = DEFAULT_NAME, namespaces: Iterable[str] = ()
) -> str:
    # https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets
    metadata = [{"name": name, "namespace": each} for each in dict.fromkeys(namespaces)]
    data = {".dockerconfigjson": _encoded_config(credentials)}
    secrets: list[dict[str, object]] = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": each,
            "type": "kubernetes.io/dockerconfigjson",
            "data": data,
        }
        for each in metadata or [{"name": name}]
    ]
    if len(secrets) == 1:
        return json.dumps(secrets[0], indent=2)
    # One document that a reader takes or refuses as a whole.
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": secrets}, indent=2)


def _envbuilder(credentials: Credentials) -> str:
    # https://github.com/coder/envbuilder/blob/v1.1.0/docs/container-registry-auth.md
    return _encoded_config(credentials)


def _devcontainers_oci_auth(credentials: Credentials) -> str:
    # The CLI compares the host as the reference spells it, so Docker Hub goes under each name.
    return ",".join(
        f"{host}|{credential.username}|{credential.secret.reveal()}"
        for registry, credential in credentials.items()
        for host in dict.fromkeys((*registry.spellings, registry.api_host))
        if "/" not in host
    )


def _auths(credentials: Credentials) -> dict[str, dict[str, object]]:
    return {registry.config_key: auth_entry(c) for registry, c in credentials.items()}


def _encoded_config(credentials: Credentials) -> str:
    text = json.dumps({"auths": _auths(credentials)}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode("ascii")


# In the order in which the command's help names them.
FORMATS: dict[str, Callable[[Credentials], str]] = {
    "docker-config": _docker_config,
    "containers-auth": _containers_auth,
    "kubernetes-secret": _kubernetes_secret,
    "envbuilder": _envbuilder,
    "devcontainers-oci-auth": _devcontainers_oci_auth,
}
