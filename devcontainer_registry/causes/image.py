# SPDX-License-Identifier: MIT
"""
Causes that concern one image: its name, and its pull.
"""

from __future__ import annotations

from ..errors import (
    ANOTHER_REGISTRYS_IMAGE,
    NOT_AN_IMAGE,
    AuthenticationError,
    DiscoveryError,
    InvalidRegistryError,
    RegistryError,
    UnreachableError,
)
from .cause import Cause

# Stated by `registry`, and so worded in `errors`.

IMAGE_INVALID = Cause(NOT_AN_IMAGE[0], InvalidRegistryError, *NOT_AN_IMAGE[1:])
IMAGE_OF_ANOTHER_REGISTRY = Cause(
    ANOTHER_REGISTRYS_IMAGE[0], InvalidRegistryError, *ANOTHER_REGISTRYS_IMAGE[1:]
)

PULL_DENIED = Cause(
    "pull-denied",
    RegistryError,
    "{host} accepts the login but denies a pull of {name}",
    "give it permission to read {name}",
)
IMAGE_NOT_FOUND = Cause(
    "image-not-found",
    RegistryError,
    "{host} has no image {name}:{reference} that this login may see",
    "check *_IMAGE, and that the login may read that repository",
)
NO_MANIFEST = Cause(
    "not-checked",
    RegistryError,
    "{host} accepts the login; whether {name} can be pulled was not proven: the answer is no "
    "manifest",
    "pull the image to see; a proxy or a sign-in page may answer in between",
)
NO_MANIFEST_ELSEWHERE = Cause(
    "not-checked",
    RegistryError,
    "{host} accepts the login; whether {name} can be pulled was not proven: the answer at {place} "
    "is no manifest",
    "pull the image to see; a proxy or a sign-in page may answer in between",
)

# A diagnosis knows more.

INVALID_IMAGE = Cause(
    "invalid-image",
    DiscoveryError,
    "not an image reference that docker pull takes",
    "write it as registry/repository:tag",
)
UPPER_CASE = Cause(
    "image-upper-case",
    DiscoveryError,
    "{image} has upper-case letters in its repository, which docker does not take",
    "write it as {right}",
)
HAS_SCHEME = Cause(
    "image-with-scheme",
    DiscoveryError,
    "{image} is a URL, which docker pull does not take",
    "write it as {right}",
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
    "check the spelling of {name}, and that this login may read it",
)
IMAGE_NOT_SEEN = Cause(
    "image-not-found",
    AuthenticationError,
    "{name}:{tag} does not exist in {registry}, or this login may not see it",
    "check the spelling of the repository and the tag, and that this login may read it",
)
NOT_FOUND_ANONYMOUSLY = Cause(
    "no-login",
    DiscoveryError,
    "without a login, {registry} says that {name} does not exist",
    "check the spelling of {name}; if it is private, run docker login {registry}",
)
PULL_DENIED_TO_USER = Cause(
    "pull-denied",
    AuthenticationError,
    "{registry} accepts the login from {place} and denies it a pull of {name}",
    "give its user permission to read {name}",
)
PULL_DENIED_OF_KIND = Cause(
    "pull-denied",
    AuthenticationError,
    "{registry} accepts {source} and denies it a pull of {name}",
    "give its user permission to read {name}",
)
PUSH_DENIED = Cause(
    "push-denied",
    AuthenticationError,
    "{registry} lets the login from {place} pull {name} and denies a push",
    "give its user permission to push to {name}",
)
PUSH_NOT_CHECKED = Cause(
    "push-not-checked",
    UnreachableError,
    "{registry} lets the login from {place} pull {name}; whether it may push was not checked",
    "push a test tag to {name} to see",
)
LOGIN_NOT_ASKED_FOR = Cause(
    "login-not-asked-for",
    AuthenticationError,
    "{registry} does not ask for a login, so Docker sends none, and it denies a pull of {name}",
    "ask the administrator of {registry} to answer /v2/ with 401",
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
