# SPDX-License-Identifier: MIT
"""
Causes of a failing pull that only a diagnosis can tell.
"""

from __future__ import annotations

from ..errors import AuthenticationError, ConfigError, DiscoveryError, UnreachableError
from .cause import Cause

_LOGIN = "run devcontainer-registry login --only {id}"

# Who would answer docker.

NO_LOGIN = Cause(
    "no-login",
    DiscoveryError,
    "no login for {registry}, and {name} is not public",
    "set <ID>_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD for {registry} and run "
    "devcontainer-registry login, or run docker login {registry}",
)
NO_LOGIN_BUT_TYPO = Cause(
    "near-miss",
    DiscoveryError,
    "no login for {registry}: {variable} looks like a typo for {meant}",
    "rename {variable} to {meant}, then run devcontainer-registry login",
)
LOGIN_NOT_RUN = Cause(
    "login-not-run",
    DiscoveryError,
    "no login for {registry} is saved yet; {source} is set",
    _LOGIN,
)
LOGIN_HIDDEN_BY_STORE = Cause(
    "hidden-by-credsstore",
    ConfigError,
    "Docker asks {program} (credsStore), which has no login for {registry}; the login in auths is "
    "ignored",
    "install our helper in /usr/local/bin and run devcontainer-registry login, or remove "
    "credsStore from {config}",
)
LOGIN_HIDDEN_BY_VSCODE = Cause(
    "hidden-by-credsstore",
    ConfigError,
    "Docker asks VS Code's {program} (credsStore), which has no login for {registry}; the login in "
    "auths is ignored",
    "install our helper in /usr/local/bin and run devcontainer-registry login, or in VS Code set "
    '"dev.containers.dockerCredentialHelper": false',
)
HELPER_HAS_NO_LOGIN = Cause(
    "no-login",
    DiscoveryError,
    "no login for {registry} in {program} ({rule}), which Docker asks",
    "run docker login {registry}, or delete its {rule} entry from {config}",
)
OUR_HELPER_HAS_NO_LOGIN = Cause(
    "not-found",
    DiscoveryError,
    "no login for {registry} in our credential helper, which Docker asks",
    "run devcontainer-registry login where the variables of its set are visible",
)
ERASED_BY_LOGOUT = Cause(
    "erased",
    DiscoveryError,
    "no login for {registry}: docker logout removed it from our credential helper",
    "run devcontainer-registry login to log in again",
)
DOCKER_IS_TOO_OLD = Cause(
    "docker-too-old",
    DiscoveryError,
    "DOCKER_AUTH_CONFIG has a login for {registry}, and docker {version} does not read it",
    "run devcontainer-registry login, which saves it where every docker looks, or install docker "
    "28.3 or later",
)
DOCKER_IGNORES_VARIABLE = Cause(
    "docker-auth-config",
    DiscoveryError,
    "DOCKER_AUTH_CONFIG has a login for {registry}, and docker ignores the variable: it holds more "
    "than an auth for each host",
    "run devcontainer-registry login, or leave only auths with an auth each in DOCKER_AUTH_CONFIG",
)
LOGIN_UNDER_OTHER_SPELLING = Cause(
    "other-spelling",
    DiscoveryError,
    "no login for {registry} as the image spells it; {config} has one for {key}",
    "write the image as {key}/{name}",
)
LOGIN_FOR_OTHER_PORT = Cause(
    "other-port",
    DiscoveryError,
    "no login for {registry}; {config} has one for {key}, which Docker takes for another registry",
    "run docker login {registry}, or write the image as {key}/{name}",
)
LOGIN_IN_PODMAN_ONLY = Cause(
    "login-in-podman",
    DiscoveryError,
    "podman has a login for {registry} in auth.json, which Docker does not read",
    "run docker login {registry}",
)
LOGIN_IN_OTHER_CONFIG = Cause(
    "login-elsewhere",
    DiscoveryError,
    "DOCKER_CONFIG makes Docker read {config}; the login for {registry} is in {other}",
    "unset DOCKER_CONFIG, or run devcontainer-registry login with it set",
)
LOGIN_OF_OTHER_USER = Cause(
    "login-of-other-user",
    DiscoveryError,
    "HOME makes Docker read {config}; the login for {registry} is in {other}",
    "run docker as the user who logged in, or log in as this one",
)

# What would be sent.

EXPIRED_UNSEEN = Cause(
    "secrets-not-visible",
    DiscoveryError,
    "the login for {registry} expired {ago} ago, and the helper cannot see {variables} here",
    "run devcontainer-registry login, in a shell that has {variables}",
)
EXPIRED_IN_AUTHS = Cause(
    "expired",
    DiscoveryError,
    "the login for {registry} that devcontainer-registry saved expired {ago} ago",
    _LOGIN,
)
EXPIRED_BY_HAND = Cause(
    "token-expired",
    AuthenticationError,
    "the token for {registry} from {source} expired {ago} ago",
    "{fix}",
)
RENEWAL_DUE = Cause(
    "renewal-due",
    UnreachableError,
    "not checked: the login for {registry} expired {ago} ago, and our helper renews it at the next "
    "pull",
    "run devcontainer-registry login --only {id}, then doctor again",
)
FIRST_USE_DUE = Cause(
    "renewal-due",
    UnreachableError,
    "not checked: our helper gets its first login for {registry} at the next pull",
    "run devcontainer-registry login --only {id}, then doctor again",
)
SENDS_OLD_LOGIN = Cause(
    "outdated-login",
    AuthenticationError,
    "{registry} refused the login from {place}, which is not the one in {source}",
    _LOGIN,
)
REFUSED_BUT_PUBLIC = Cause(
    "refused-but-public",
    AuthenticationError,
    "{registry} refused the login from {place}, and {name} is public: without a login the pull "
    "works",
    "{fix}",
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
    "{fix}",
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
REFUSED_BEFORE = Cause(
    "refused-before",
    AuthenticationError,
    "{registry} refused {source} at {time}; it was not sent again",
    "update {password}, then run devcontainer-registry login --only {id}",
)

# The network.

CERTIFICATE_NOT_YET_VALID = Cause(
    "certificate-not-yet-valid",
    UnreachableError,
    "the certificate of {host} is valid from {start}; this clock says {now}",
    "correct the host's clock; restart Docker Desktop or WSL",
)
CERTIFICATE_EXPIRED = Cause(
    "certificate-expired",
    UnreachableError,
    "the certificate of {host} expired on {end}",
    "ask whoever runs {host} to renew its certificate",
)
CLOCK_AHEAD = Cause(
    "clock-wrong",
    UnreachableError,
    "this clock says {now}, {days} days after {host}'s, so that its certificate looks expired",
    "correct the host's clock; restart Docker Desktop or WSL",
)
CERTIFICATE_SELF_SIGNED = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the certificate of {host} is self-signed",
    "put it at /etc/docker/certs.d/{host}/ca.crt, on the machine of the Docker Engine, too{set}",
)
CERTIFICATE_OF_UNKNOWN_CA = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the certificate of {host} comes from the unknown certificate authority {issuer}",
    "put the CA certificate of {issuer} at /etc/docker/certs.d/{host}/ca.crt, on the machine of "
    "the Docker Engine, too{set}",
)
CERTIFICATE_OF_INTERCEPTOR = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the proxy {proxy} answers for {host} with a certificate of the unknown authority {issuer}",
    "add the CA certificate of {issuer} to this system's store, or {host} to NO_PROXY",
)
CERTIFICATE_OF_OTHER_HOST = Cause(
    "certificate-wrong-host",
    UnreachableError,
    "the certificate of {host} is for {names}",
    "use a name that the certificate is for, or have one issued for {host}",
)

# The image.

INVALID_IMAGE = Cause(
    "invalid-image",
    DiscoveryError,
    "not an image reference that docker pull takes",
    "write it as registry/repository:tag",
)
TAG_NOT_FOUND = Cause(
    "tag-not-found",
    AuthenticationError,
    'the tag "{tag}" does not exist in {registry}/{name}; nearest: {nearest}',
    "docker pull {registry}/{name}:{first}",
)
DIGEST_NOT_FOUND = Cause(
    "digest-not-found",
    AuthenticationError,
    "{registry}/{name} exists, and the digest {digest} does not exist in it",
    "pull a tag of it, such as {registry}/{name}:{first}, or push that digest again",
)
REPOSITORY_EMPTY = Cause(
    "repository-empty",
    AuthenticationError,
    "{registry}/{name} exists and has no tags, so that {tag} does not exist",
    "push the image first, or check that nothing cleaned it up",
)
REPOSITORY_NOT_FOUND = Cause(
    "repository-not-found",
    AuthenticationError,
    "the repository {name} does not exist in {registry}, or this login may not see it",
    "check the spelling of {name}, and that {user} may read it",
)
IMAGE_NOT_FOUND = Cause(
    "image-not-found",
    AuthenticationError,
    "{name}:{tag} does not exist in {registry}, or this login may not see it",
    "check the spelling of the repository and the tag, and that {user} may read it",
)
NOT_FOUND_ANONYMOUSLY = Cause(
    "no-login",
    DiscoveryError,
    "without a login, {registry} says that {name} does not exist",
    "check the spelling of {name}; if it is private, run docker login {registry}",
)
PULL_DENIED = Cause(
    "pull-denied",
    AuthenticationError,
    "{registry} accepts the login of {user} and denies it a pull of {name}",
    "give {user} permission to read {name}",
)
PULL_DENIED_OF_KIND = Cause(
    "pull-denied",
    AuthenticationError,
    "{registry} accepts {source} and denies it a pull of {name}",
    "{fix}",
)
PUSH_DENIED = Cause(
    "push-denied",
    AuthenticationError,
    "{registry} lets {user} pull {name} and denies a push",
    "give {user} permission to push to {name}",
)
NO_PLATFORM = Cause(
    "no-platform",
    AuthenticationError,
    "{registry}/{name}:{tag} does not exist for {wanted}, only for {platforms}",
    "push the image for {wanted}, or pull it with --platform {first}",
)
NOT_A_MANIFEST = Cause(
    "not-a-manifest",
    UnreachableError,
    "what {registry} answers for {name} is not a manifest{where}",
    "check for a proxy or a sign-in page between here and {registry}",
)

OUT_OF_TIME = Cause(
    "timeout",
    UnreachableError,
    "no answer from {registry} before the time was over",
    "check the network to it, or allow more time with --timeout",
)
