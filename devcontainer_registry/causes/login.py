# SPDX-License-Identifier: MIT
"""
Causes of a login that a registry refuses.
"""

from __future__ import annotations

from ..errors import (
    AuthenticationError,
    RegistryError,
    TransientError,
    UnreachableError,
)
from .cause import Cause, Fix, Reason

# Of a whole login, for Python.

LOGIN_FAILED = Cause(
    "login-failed", RegistryError, "login failed: {names}", "read the fix of each in error.details"
)

# It says no.

REFUSED = Cause(
    "rejected",
    AuthenticationError,
    "wrong user name or password",
    "check <ID>_CONTAINER_REGISTRY_USER and _PASSWORD; they may have expired",
)
REFUSED_BY_TOKEN_SERVER = Cause(
    "rejected",
    AuthenticationError,
    "wrong user name or password, says the token server {realm}",
    "check <ID>_CONTAINER_REGISTRY_USER and _PASSWORD; they may have expired",
)
WANTS_PASSWORD = Cause(
    "identity-token-refused",
    AuthenticationError,
    "{host} needs a user name and password, not an identity token",
    "log in to {host} with a user name and password",
)
TOKEN_EXPIRED = Cause(
    "token-expired",
    AuthenticationError,
    "the token expired",
    "update <ID>_CONTAINER_REGISTRY_PASSWORD with a new token",
)
# Not `rejected`, for which the kinds know fixes of a credential: none was sent.
NETWORK_REFUSED = Cause(
    "network-refused",
    AuthenticationError,
    "the registry refuses requests from this network (status {status})",
    "check that the registry allows this network",
)
IP_NOT_ALLOWED = Cause(
    "ip-not-allowed",
    UnreachableError,
    "the registry blocks the address {address}",
    "add this address to the registry's firewall, or connect from inside its network",
)
THROTTLED = Cause(
    "throttled",
    TransientError,
    "too many requests to {host} (status {status})",
    "wait before you try again",
)
BUSY = Cause(
    "busy",
    TransientError,
    "{host} is unavailable (status {status})",
    "try again later",
)

# It says what no registry says.

_SPELLING = "check the spelling of the registry; a proxy or sign-in page may have answered instead"
_IN_BETWEEN = (
    "check the spelling of the registry; a proxy or sign-in page may have answered instead"
)

SPEAKS_NO_HTTP = Cause("not-a-registry", RegistryError, "{host} does not answer in HTTP", _SPELLING)
WEB_PAGE = Cause("not-a-registry", RegistryError, "{host} is a web page, not a registry", _SPELLING)
WEB_PAGE_ELSEWHERE = Cause(
    "not-a-registry", RegistryError, "{host} is a web page at {place}, not a registry", _SPELLING
)
STRANGE_STATUS = Cause(
    "not-a-registry",
    RegistryError,
    "{host} is not a registry: it answers GET /v2/ with status {status}",
    _SPELLING,
)
STRANGE_STATUS_TO_CREDENTIAL = Cause(
    "not-a-registry",
    RegistryError,
    "{host} is not a registry: it answers the login with status {status}",
    _SPELLING,
)
STRANGE_CHALLENGE = Cause(
    "not-a-registry",
    RegistryError,
    "{host} is not a registry: it asks for an unknown kind of login",
    _SPELLING,
)
NO_CHALLENGE = Cause(
    "not-a-registry",
    RegistryError,
    "{host} asks for a login without a WWW-Authenticate header",
    "check the spelling of the registry; a proxy or sign-in page may have answered instead",
)
NO_TOKEN = Cause(
    "not-a-registry", RegistryError, "{host} is not a token server: it sends no token", _SPELLING
)
REDIRECTS_IN_CIRCLES = Cause(
    "not-a-registry", RegistryError, "{host} redirects in circles", _SPELLING
)
TOO_LARGE = Cause("not-a-registry", RegistryError, "{host} sends more than {size} KiB", _SPELLING)
NO_URL = Cause(
    "invalid-server",
    UnreachableError,
    "this URL is not valid",
    "name the host alone, such as ghcr.io or localhost:5000",
)

# It would have the credential go elsewhere.

LED_AWAY = Cause(
    "redirect-refused",
    UnreachableError,
    "{host} redirects the login to {place}; the credential was not sent there",
    _IN_BETWEEN,
)
REDIRECT_REFUSED = Cause(
    "redirect-refused",
    UnreachableError,
    "{host} redirects to {place}, another host",
    _IN_BETWEEN,
)
REDIRECT_NOWHERE = Cause(
    "redirect-refused",
    UnreachableError,
    "{host} redirects to a URL that is not valid",
    _IN_BETWEEN,
)
REALM_IS_NO_URL = Cause(
    "realm-refused",
    UnreachableError,
    "the token server of {host} is not a valid URL; the credential was not sent",
    "ask the administrator of {host} whether this token server is right",
)
_RIGHT = "ask the administrator of {host} whether this token server is right"
REALM_IS_NOT_ITS_OWN = Cause(
    "realm-refused",
    UnreachableError,
    "the token server of {host}, {realm}, is not {own}; the credential was not sent",
    _RIGHT,
)
REALM_WITHOUT_TLS = Cause(
    "realm-refused",
    UnreachableError,
    "the token server of {host}, {realm}, uses plain HTTP; the credential was not sent",
    _RIGHT,
)
REALM_IS_LINK_LOCAL = Cause(
    "realm-refused",
    UnreachableError,
    "the token server of {host}, {realm}, is a link-local address; the credential was not sent",
    _RIGHT,
)
REALM_IS_INSIDE = Cause(
    "realm-refused",
    UnreachableError,
    "the token server of {host}, {realm}, is inside this network; the credential was not sent",
    _RIGHT,
)
REALM_AFTER_REDIRECT = Cause(
    "realm-refused",
    UnreachableError,
    "{host} names the token server {realm} after a redirect; the credential was not sent",
    _RIGHT,
)
REALM_IS_UNPROVEN = Cause(
    "realm-refused",
    UnreachableError,
    "{host} names the token server {realm} without TLS; the credential was not sent",
    _RIGHT,
)

# It says yes, and that is not enough.

NOT_CHECKED = Cause(
    "not-checked",
    RegistryError,
    "not checked: the registry answers without a login",
    "set <ID>_CONTAINER_REGISTRY_IMAGE to a private image",
)
DOCKER_CANNOT_READ = Cause(
    "docker-cannot-read",
    RegistryError,
    "login accepted, but Docker cannot read the answer: {oddity}",
    "tell the administrator of {realm}; docker pull fails until this is fixed",
)
HAS_BOM = Reason("oddity", "it begins with a byte order mark")
TOKEN_IS_NO_TEXT = Reason("oddity", "{member} is not text")
EXPIRES_IN_IS_NO_NUMBER = Reason("oddity", "expires_in is not a whole number")
ISSUED_AT_IS_NO_TIME = Reason("oddity", "issued_at is not an RFC 3339 time")
REALM_HAS_NO_QUOTES = Reason("oddity", "the realm in its challenge has no quotes")
CHALLENGE_ENDS_IN_QUOTES = Reason("oddity", "its challenge ends inside quotes")

# A diagnosis knows more.

SENDS_OLD_LOGIN = Cause(
    "outdated-login",
    AuthenticationError,
    "{registry} refused the login from {place}; it differs from {source}",
    "run devcontainer-registry login --only {id}",
)
REFUSED_BUT_PUBLIC = Cause(
    "refused-but-public",
    AuthenticationError,
    "{registry} refused the login from {place}; without a login this public image can be pulled",
    "run docker logout {registry}",
)
REFUSED_SET = Cause(
    "rejected",
    AuthenticationError,
    "{registry} refused the user name or password in {source}",
    "check <ID>_CONTAINER_REGISTRY_USER and _PASSWORD; they may have expired",
)
REFUSED_SET_OF_KIND = Cause(
    "rejected",
    AuthenticationError,
    "{registry} refused {source}: {hint}",
    "check <ID>_CONTAINER_REGISTRY_USER and _PASSWORD; they may have expired",
)
DOCKER_LOGIN = Fix(
    "rejected",
    "where docker login saved the login",
    "run docker logout {registry}, then docker login {registry}",
)
REFUSED_BY_HAND = Cause(
    "rejected",
    AuthenticationError,
    "{registry} refused the login from {place}",
    DOCKER_LOGIN.text,
)
LOGIN_OF_HELPER = Fix(
    "rejected",
    "where a credential helper stores the login",
    "log in again with that helper's program, or delete its entry from {config}",
)
REFUSED_BY_HELPER = Cause(
    "rejected",
    AuthenticationError,
    "{registry} refused the login from {place}, a credential helper",
    LOGIN_OF_HELPER.text,
)
SET_REFUSED_BEFORE = Cause(
    "refused-before",
    AuthenticationError,
    "{registry} refused {source} at {time}; it was not sent again",
    "update {source}; a changed secret is tried at once",
)

REFUSED_BUT_PUBLIC_OF_HELPER = Fix(
    "refused-but-public", "where a helper keeps the login", "delete the login from {place}"
)
REFUSED_BUT_PUBLIC_OF_SET = Fix(
    "refused-but-public",
    "where the login is of a set",
    "update {password}, or run docker logout {registry}",
)

# The wrong kind of secret, told from its shape.

OF_ANOTHER_REGISTRY = Reason("hint", "its password looks like {what}")
FINE_GRAINED = Reason("hint", "ghcr.io takes no fine-grained token (github_pat_)")
ID_OF_SECRET = Reason("hint", "its password looks like an Entra ID secret's id, not its value")
CUT_KEY = Reason("hint", "its password is not a whole JSON key")
LACKS_SESSION_TOKEN = Reason("hint", "a temporary AWS key (ASIA) needs _SESSION_TOKEN")
HAS_EXPIRED = Reason("hint", "its password has expired")
