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
    "{host} refused the credential",
    "check *_USER and *_PASSWORD, and whether they have expired",
)
REFUSED_BY_TOKEN_SERVER = Cause(
    "rejected",
    AuthenticationError,
    "{realm}, the token server of {host}, refused the credential",
    "check *_USER and *_PASSWORD, and whether they have expired",
)
WANTS_PASSWORD = Cause(
    "identity-token-refused",
    AuthenticationError,
    "{host} takes a user name and a password, not an identity token",
    "log in to {host} with a user name and a password",
)
TOKEN_EXPIRED = Cause(
    "token-expired",
    AuthenticationError,
    "{host} says that the token has expired",
    "get a new one; an ECR token lasts 12 hours, an access key renews it by itself",
)
# Not `rejected`, for which the kinds know fixes of a credential: none was sent.
NETWORK_REFUSED = Cause(
    "network-refused",
    AuthenticationError,
    "{host} refuses requests from this network (status {status})",
    "check that this network may reach the registry",
)
IP_NOT_ALLOWED = Cause(
    "ip-not-allowed",
    UnreachableError,
    "{host} does not let in the address {address}",
    "add that address to the registry's firewall, or connect from inside its network",
)
THROTTLED = Cause(
    "throttled",
    TransientError,
    "{host} limits requests (status {status})",
    "wait before the next try",
)
BUSY = Cause(
    "busy",
    TransientError,
    "{host} is not available (status {status})",
    "try again later, or ask its administrator",
)

# It says what no registry says.

_SPELLING = "check the spelling of the registry, and that a registry listens there"
_IN_BETWEEN = "check the spelling of the registry; a proxy or sign-in page may stand in between"

SPEAKS_NO_HTTP = Cause(
    "not-a-registry", RegistryError, "{host} answers, but not in HTTP", _SPELLING
)
WEB_PAGE = Cause("not-a-registry", RegistryError, "{host} answers with a web page", _SPELLING)
WEB_PAGE_ELSEWHERE = Cause(
    "not-a-registry", RegistryError, "{host} answers with a web page at {place}", _SPELLING
)
STRANGE_STATUS = Cause(
    "not-a-registry",
    RegistryError,
    "{host} answers GET /v2/ with status {status}, as no registry does",
    _SPELLING,
)
STRANGE_STATUS_TO_CREDENTIAL = Cause(
    "not-a-registry",
    RegistryError,
    "{host} answers the credential with status {status}, as no registry does",
    _SPELLING,
)
STRANGE_CHALLENGE = Cause(
    "not-a-registry",
    RegistryError,
    "{host} asks for a login in a way that no registry does",
    _SPELLING,
)
NO_CHALLENGE = Cause(
    "not-a-registry",
    RegistryError,
    "{host} asks for a login and does not say how: its answer has no WWW-Authenticate",
    "check the spelling of the registry; a proxy in between may drop that header",
)
NO_TOKEN = Cause(
    "not-a-registry", RegistryError, "{host} sends no token where a token server does", _SPELLING
)
REDIRECTS_IN_CIRCLES = Cause(
    "not-a-registry", RegistryError, "{host} redirects in circles", _SPELLING
)
TOO_LARGE = Cause("not-a-registry", RegistryError, "{host} sends more than {size} KiB", _SPELLING)
NO_URL = Cause(
    "invalid-server",
    UnreachableError,
    "not a URL that can be asked",
    "check the spelling of the registry",
)

# It would have the credential go elsewhere.

LED_AWAY = Cause(
    "redirect-refused",
    UnreachableError,
    "{host} redirects to {place}, where the credential does not follow",
    _IN_BETWEEN,
)
REDIRECT_REFUSED = Cause(
    "redirect-refused",
    UnreachableError,
    "{host} redirects to {place}, which is not followed",
    _IN_BETWEEN,
)
REDIRECT_NOWHERE = Cause(
    "redirect-refused",
    UnreachableError,
    "{host} redirects to nowhere that can be asked, which is not followed",
    _IN_BETWEEN,
)
REALM_IS_NO_URL = Cause(
    "realm-refused",
    UnreachableError,
    "{host} names a token server that is no URL to ask; the credential was not sent",
    "ask the administrator of {host} whether this is right",
)
_RIGHT = "ask the administrator of {host} whether {realm} is right"
REALM_IS_NOT_ITS_OWN = Cause(
    "realm-refused",
    UnreachableError,
    "{host} names {realm} as its token server, which is not {own}, its own; the credential was not "
    "sent",
    _RIGHT,
)
REALM_WITHOUT_TLS = Cause(
    "realm-refused",
    UnreachableError,
    "{host} names {realm} as its token server, over plain HTTP; the credential was not sent",
    _RIGHT,
)
REALM_IS_LINK_LOCAL = Cause(
    "realm-refused",
    UnreachableError,
    "{host} names {realm} as its token server, a link-local address; the credential was not sent",
    _RIGHT,
)
REALM_IS_INSIDE = Cause(
    "realm-refused",
    UnreachableError,
    "{host} names {realm} as its token server, an address inside the network; the credential was "
    "not sent",
    _RIGHT,
)
REALM_AFTER_REDIRECT = Cause(
    "realm-refused",
    UnreachableError,
    "{host} names {realm} as its token server, after a redirect to another host; the credential "
    "was not sent",
    _RIGHT,
)
REALM_IS_UNPROVEN = Cause(
    "realm-refused",
    UnreachableError,
    "{host} names {realm} as its token server, without TLS that would prove who says so; the "
    "credential was not sent",
    _RIGHT,
)

# It says yes, and that is not enough.

NOT_CHECKED = Cause(
    "not-checked",
    RegistryError,
    "{host} answers without a login, so nothing was proven",
    "set *_IMAGE to a private image, or expect to see at the first pull",
)
DOCKER_CANNOT_READ = Cause(
    "docker-cannot-read",
    RegistryError,
    "{host} accepts the login, but docker cannot read it: {oddity}",
    "tell the administrator of {realm}; docker pull fails until it is fixed",
)
HAS_BOM = Reason("oddity", "it begins with a byte order mark")
TOKEN_IS_NO_TEXT = Reason("oddity", "{member} is no text")
EXPIRES_IN_IS_NO_NUMBER = Reason("oddity", "expires_in is no whole number")
ISSUED_AT_IS_NO_TIME = Reason("oddity", "issued_at is no time as RFC 3339 has it")
REALM_HAS_NO_QUOTES = Reason("oddity", "the realm of its challenge has no quotes")
CHALLENGE_ENDS_IN_QUOTES = Reason("oddity", "its challenge ends inside quotes")

# A diagnosis knows more.

SENDS_OLD_LOGIN = Cause(
    "outdated-login",
    AuthenticationError,
    "{registry} refused the login from {place}, which is not the one in {source}",
    "run devcontainer-registry login --only {id}",
)
REFUSED_BUT_PUBLIC = Cause(
    "refused-but-public",
    AuthenticationError,
    "{registry} refused the login from {place}, and the image is public: without a login the "
    "pull works",
    "run docker logout {registry}",
)
REFUSED_SET = Cause(
    "rejected",
    AuthenticationError,
    "{registry} refused the user name or password of {source}",
    "update {password}, restart the container, then run devcontainer-registry login --only {id}",
)
REFUSED_SET_OF_KIND = Cause(
    "rejected",
    AuthenticationError,
    "{registry} refused {source}: {hint}",
    "set {password} to what {registry} takes",
)
REFUSED_BY_HAND = Cause(
    "rejected",
    AuthenticationError,
    "{registry} refused the login from {place}",
    "run docker logout {registry}, then docker login {registry}",
)
REFUSED_BY_HELPER = Cause(
    "rejected",
    AuthenticationError,
    "{registry} refused what {place} answered",
    "log in again with the program that keeps it, or delete its entry from {config}",
)
SET_REFUSED_BEFORE = Cause(
    "refused-before",
    AuthenticationError,
    "{registry} refused {source} at {time}; it was not sent again",
    "update {password}, then run devcontainer-registry login --only {id}",
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
ID_OF_SECRET = Reason("hint", "its password looks like the id of an Entra ID secret, not its value")
CUT_KEY = Reason("hint", "its password is not a whole JSON key")
LACKS_SESSION_TOKEN = Reason("hint", "a temporary AWS key (ASIA) needs _SESSION_TOKEN")
HAS_EXPIRED = Reason("hint", "its password has expired")
