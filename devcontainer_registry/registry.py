# SPDX-License-Identifier: MIT
"""
Registry names and image references.

Hosts and references follow the grammar of the distribution project, as in docker:
https://github.com/distribution/reference/blob/v0.6.0/regexp.go
"""

from __future__ import annotations

from .errors import ANOTHER_REGISTRYS_IMAGE, NOT_A_HOST, NOT_AN_IMAGE, InvalidRegistryError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

# Docker Hub has two names and one key.  docker saves its login under this URL only:
# https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (getAuthConfigKey)
_DOCKER_HUB = "docker.io"
_DOCKER_HUB_KEY = "https://index.docker.io/v1/"
_DOCKER_HUB_API = "registry-1.docker.io"
# Not the host of its API: docker uses that name itself as a key.
_DOCKER_HUB_NAMES = (_DOCKER_HUB, "index.docker.io")

_LETTERS_AND_DIGITS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_HEX = frozenset("0123456789abcdef:.")

_NEVER = frozenset("@?#\\").union(map(chr, range(33)), "\x7f")

# RFC 1035, section 2.3.4: octets in a name, and in one label of it.
_NAME_MAX = 253
_LABEL_MAX = 63


class Registry(str):
    """
    A registry's `host[:port]`, in lower case and without scheme or path.

    Accepts every spelling that docker accepts for a login: with a scheme, a path, or surrounding
    white space.  `Registry("https://index.docker.io/v1/") == "docker.io"`.

    Raises:
        InvalidRegistryError: The text is not a host.  The message does not quote it, since it may
            be a misplaced password.
    """

    __slots__ = ()

    def __new__(cls, server: str) -> Registry:
        """
        Parse *server*; see the class.
        """
        if isinstance(server, Registry):
            return server
        return super().__new__(cls, _parse(server))

    @property
    def config_key(self) -> str:
        """
        Docker's key for it in `auths` and `credHelpers`.
        """
        return _DOCKER_HUB_KEY if self == _DOCKER_HUB else str(self)

    @property
    def spellings(self) -> tuple[str, ...]:
        """
        Every key that some client uses for it in `credHelpers`.

        docker, go-containerregistry and oras-go ask for Docker Hub by its URL; docker-py and
        containers/image by `docker.io`.
        """
        return (_DOCKER_HUB_KEY, *_DOCKER_HUB_NAMES) if self == _DOCKER_HUB else (str(self),)

    @property
    def api_host(self) -> str:
        """
        The host at which `/v2/` answers, with its port if it names one.
        """
        return _DOCKER_HUB_API if self == _DOCKER_HUB else str(self)

    @property
    def hostname(self) -> str:
        """
        `api_host` without the port, and without the brackets of an IPv6 address.
        """
        host = self.api_host
        if host.startswith("["):
            return host[1 : host.index("]")]
        return host.partition(":")[0]

    @property
    def port(self) -> int:
        """
        The port of `api_host`; 443 by default.
        """
        return int(self.api_host.rpartition("]")[2].partition(":")[2] or 443)

    @property
    def without_default_port(self) -> Registry:
        """
        The same registry without `:443`, which matters only for its key in config.json.
        """
        return Registry(self.removesuffix(":443"))

    @property
    def is_loopback(self) -> bool:
        """
        Whether it is always this machine, so that plain HTTP is safe.

        docker also accepts names that *resolve* to loopback.  This package does not: the user does
        not control the resolver.
        https://github.com/moby/moby/blob/v28.2.2/registry/config.go (isInsecure)
        """
        return is_loopback_host(self.hostname)


def is_loopback_host(hostname: str) -> bool:
    """
    Return whether *hostname* (without port and brackets) is literally this machine.
    """
    if hostname in ("localhost", "::1"):
        return True
    octets = hostname.split(".")
    return len(octets) == 4 and octets[0] == "127" and all(map(_is_octet, octets))


def registries_of(names: Iterable[str]) -> list[Registry]:
    """
    Return the registry of each of *names*, once, in their order.

    Raises:
        InvalidRegistryError: One of them is not the name of a registry.
        TypeError: *names* is one text instead of several.
    """
    if isinstance(names, str):
        msg = "registries takes several names: write registries=['ghcr.io']"
        raise TypeError(msg)
    return list(dict.fromkeys(map(Registry, names)))


def split_image(image: str) -> tuple[Registry, str, str]:
    """
    Split an image reference into registry, repository and tag or digest.

    `split_image("alpine")` is `("docker.io", "library/alpine", "latest")`.  With both a tag and a
    digest the digest wins, as it does for docker.

    Raises:
        InvalidRegistryError: It is not an image reference.
    """
    if not image.isascii() or any(c <= " " or c == "\x7f" for c in image):
        raise _invalid(NOT_AN_IMAGE)
    first, slash, rest = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        registry = Registry(first)
    else:
        registry, rest = Registry(_DOCKER_HUB), image
    name, at, digest = rest.partition("@")
    head, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        name = head
        if not _is_reference(tag, digest=False):
            raise _invalid(NOT_AN_IMAGE)
    else:
        tag = "latest"
    reference = digest if at else tag
    if registry == _DOCKER_HUB and "/" not in name:
        name = f"library/{name}"
    if not _is_repository(name) or not _is_reference(reference, digest=bool(at)):
        raise _invalid(NOT_AN_IMAGE)
    return registry, name, reference


def repository_in(image: str, registry: Registry) -> tuple[str, str]:
    """
    Split an image of *registry* into repository and tag or digest; the host is optional.

    Raises:
        InvalidRegistryError: It is not an image reference, or of another registry.
    """
    host, name, reference = split_image(image)
    if host == registry:
        return name, reference
    if host == "docker.io" and not image.startswith(("docker.io/", "index.docker.io/")):
        # Without a registry, docker would use Docker Hub; the user means this registry.
        _, name, reference = split_image(f"registry.invalid/{image}")
        return name, reference
    raise _invalid(ANOTHER_REGISTRYS_IMAGE, host=host, registry=registry)


def _parse(server: str) -> str:
    # ASCII before lower case, which turns the Kelvin sign into a k; and no more stripped than a
    # paste brings along, since `str.strip` would take control characters, too.
    text = server.strip(" \t\r\n").lower() if server.isascii() else "@"
    for scheme in ("https://", "http://"):
        text = text.removeprefix(scheme)
    host = text.partition("/")[0]
    # A user part or query may follow the slash, and docker drops neither.
    if _NEVER.intersection(text) or not _is_host_and_port(host):
        raise _invalid(NOT_A_HOST)
    return _DOCKER_HUB if host in _DOCKER_HUB_NAMES else host


def _is_host_and_port(text: str) -> bool:
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in address or not _HEX.issuperset(address):
            return False
        return not rest or (rest[0] == ":" and _is_port(rest[1:]))
    host, colon, port = text.partition(":")
    if colon and not _is_port(port):
        return False
    labels = host.split(".")
    return len(host) <= _NAME_MAX and all(map(_is_label, labels))


def _is_label(label: str) -> bool:
    edges_ok = not label.startswith("-") and not label.endswith("-")
    return (
        0 < len(label) <= _LABEL_MAX
        and edges_ok
        and label.replace("-", "").isalnum()  # of ASCII, and in lower case, by now
    )


def _is_port(text: str) -> bool:
    return text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536


def _is_octet(text: str) -> bool:
    return text.isdigit() and len(text) <= 3 and int(text) < 256


def _is_repository(name: str) -> bool:
    return 0 < len(name) < 256 and all(
        part
        and _LETTERS_AND_DIGITS.issuperset(part.translate({46: None, 95: None, 45: None}))
        and part[0] in _LETTERS_AND_DIGITS
        and part[-1] in _LETTERS_AND_DIGITS
        for part in name.split("/")
    )


def _is_reference(text: str, *, digest: bool) -> bool:
    word = _LETTERS_AND_DIGITS.issuperset(
        text.lower().translate({46: None, 95: None, 45: None, 43: None, 58: None})
    )
    if digest:
        algorithm, colon, value = text.partition(":")
        return bool(word and algorithm and colon and value and len(text) <= 256)
    return bool(word and 0 < len(text) <= 128 and ":" not in text and text[0] not in ".-")


def _invalid(words: tuple[str, str, str], **facts: str) -> InvalidRegistryError:
    code, message, fix = words
    return InvalidRegistryError(message.format(**facts), hint=fix.format(**facts), code=code)
