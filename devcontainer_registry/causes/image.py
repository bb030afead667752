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
from .cause import Cause, Fix

# Stated by `registry`, and so worded in `errors`.

IMAGE_INVALID = Cause(NOT_AN_IMAGE[0], InvalidRegistryError, *NOT_AN_IMAGE[1:])
IMAGE_OF_ANOTHER_REGISTRY = Cause(
    ANOTHER_REGISTRYS_IMAGE[0], InvalidRegistryError, *ANOTHER_REGISTRYS_IMAGE[1:]
)

PULL_DENIED = Cause(
    "pull-denied",
    RegistryError,
    "login accepted, but pulling {name} is denied",
    "give the login's user permission to read {name}",
)
IMAGE_NOT_FOUND = Cause(
    "image-not-found",
    RegistryError,
    "{name}:{reference} does not exist, or this login cannot see it",
    "check the spelling, and that the login's user may read that repository",
)
NOT_A_REGISTRYS_ANSWER = Fix(
    "not-checked",
    "where the answer for the image is not a manifest",
    "look for a proxy or sign-in page between here and the registry",
)
NO_MANIFEST = Cause(
    "not-checked",
    RegistryError,
    "login accepted, but the answer for {name} is not a manifest, so pulling is unproven",
    NOT_A_REGISTRYS_ANSWER.text,
)
NO_MANIFEST_ELSEWHERE = Cause(
    "not-checked",
    RegistryError,
    "login accepted, but the answer for {name} at {place} is not a manifest",
    NOT_A_REGISTRYS_ANSWER.text,
)

# A diagnosis knows more.

INVALID_IMAGE = Cause(
    "invalid-image",
    DiscoveryError,
    "docker pull does not accept this image reference",
    "write it as docker pull does: registry/repository:tag",
)
UPPER_CASE = Cause(
    "image-upper-case",
    DiscoveryError,
    "{image} has upper-case letters in its repository name; Docker does not accept them",
    "write it as {right}",
)
HAS_SCHEME = Cause(
    "image-with-scheme",
    DiscoveryError,
    "{image} is a URL, not an image reference",
    "write it as {right}",
)
TAG_NOT_FOUND = Cause(
    "tag-not-found",
    AuthenticationError,
    'the tag "{tag}" does not exist in {registry}/{name}; nearest: {nearest}',
    "run docker pull {registry}/{name}:{first}",
)
DIGEST_NOT_FOUND = Cause(
    "digest-not-found",
    AuthenticationError,
    "the digest {digest} does not exist in {registry}/{name}",
    "pull a tag such as {registry}/{name}:{first}, or push that digest again",
)
REPOSITORY_EMPTY = Cause(
    "repository-empty",
    AuthenticationError,
    "the tag {tag} does not exist; {registry}/{name} has no tags",
    "push the image, or check whether a cleanup removed it",
)
REPOSITORY_NOT_FOUND = Cause(
    "repository-not-found",
    AuthenticationError,
    "the repository {name} does not exist in {registry}, or this login cannot see it",
    "check the spelling of {name}, and that the login's user may read it",
)
IMAGE_NOT_SEEN = Cause(
    "image-not-found",
    AuthenticationError,
    "{name}:{tag} does not exist in {registry}, or this login cannot see it",
    "check the spelling, and that the login's user may read that repository",
)
PRIVATE_OR_MISSPELLED = Fix(
    "no-login",
    "where an anonymous request finds no image",
    "check the spelling of {name}; if it is private, run docker login {registry}",
)
NOT_FOUND_ANONYMOUSLY = Cause(
    "no-login",
    DiscoveryError,
    "{registry} says that {name} does not exist, but it was asked without a login",
    PRIVATE_OR_MISSPELLED.text,
)
PULL_DENIED_TO_USER = Cause(
    "pull-denied",
    AuthenticationError,
    "{registry} accepts the login from {place}, but denies pulling {name}",
    "give the login's user permission to read {name}",
)
PULL_DENIED_OF_KIND = Cause(
    "pull-denied",
    AuthenticationError,
    "{registry} accepts {source}, but denies pulling {name}",
    "give the login's user permission to read {name}",
)
PUSH_DENIED = Cause(
    "push-denied",
    AuthenticationError,
    "{registry} allows the login from {place} to pull {name}, but not to push",
    "give the login's user permission to push to {name}",
)
PUSH_NOT_CHECKED = Cause(
    "push-not-checked",
    UnreachableError,
    "{registry} allows the login from {place} to pull {name}; pushing was not checked",
    "push a test tag to {name} to find out",
)
LOGIN_NOT_ASKED_FOR = Cause(
    "login-not-asked-for",
    AuthenticationError,
    "{registry} does not ask for a login, so Docker sends none, and it denies pulling {name}",
    "ask the administrator of {registry} to answer /v2/ with 401",
)
NO_PLATFORM = Cause(
    "no-platform",
    AuthenticationError,
    "{registry}/{name}:{tag} exists for {platforms}, not for {wanted}",
    "push the image for {wanted}, or pull it with --platform {first}",
)
NOT_A_MANIFEST = Cause(
    "not-a-manifest",
    UnreachableError,
    "the answer from {registry} for {name} is not a manifest{where}",
    "look for a proxy or sign-in page between here and the registry",
)
