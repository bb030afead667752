# SPDX-License-Identifier: MIT
"""
Causes that concern one image: its name, and its pull.
"""

from __future__ import annotations

from ..errors import (
    ANOTHER_REGISTRYS_IMAGE,
    NOT_AN_IMAGE,
    InvalidRegistryError,
    RegistryError,
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
