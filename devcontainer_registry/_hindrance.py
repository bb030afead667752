# SPDX-License-Identifier: MIT
"""
What stands between a login and docker, as outcomes: whose it is, why, and what to do.
"""

from __future__ import annotations

import os
from dataclasses import replace

from ._editing import shown
from .credentials import Finding
from .errors import InvalidRegistryError, RegistryError
from .registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from .report import Outcome

# What VS Code calls its helper; it leaves the name behind in a config.json that outlives it.
_OF_VSCODE = "dev-containers-"


def other_helper(outcome: Outcome, helper: str) -> Outcome:
    """
    The outcome where docker asks somebody else's *helper*, which we never evict.
    """
    error = RegistryError(
        f"docker asks {shown(f'docker-credential-{helper}')} for it",
        hint="remove its credHelpers entry from config.json to let us answer",
        code="other-helper",
    )
    return replace(outcome, status="skipped", code=error.code, error=error)


def not_ours(outcome: Outcome) -> Outcome:
    """
    The outcome where an implicit source meets a login that we did not write.
    """
    error = RegistryError(
        f"config.json has a login for it that {outcome.source} does not replace",
        hint=f"set {_id_for(outcome)}_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD to replace it",
        code="not-ours",
    )
    return replace(outcome, status="skipped", code=error.code, error=error)


def by_hand(outcome: Outcome) -> Outcome:
    """
    The outcome where a login is in config.json that came after the one that we wrote.
    """
    error = RegistryError(
        f"somebody logged in to {outcome.registry} by hand since; that login stays until the "
        "secret changes",
        hint=f"run docker logout {outcome.registry} to go back to {outcome.source}",
        code="login-by-hand",
    )
    return replace(outcome, status="skipped", code=error.code, error=error)


def not_kept(outcome: Outcome) -> Outcome:
    """
    The outcome where config.json takes nothing.
    """
    error = RegistryError(
        "config.json could not be written",
        hint="see what is said about config.json",
        code="not-kept",
    )
    return replace(outcome, status="failed", code=error.code, error=error)


def _id_for(outcome: Outcome) -> str:
    return "GHCR" if outcome.registry == "ghcr.io" else "MY"


def not_everywhere(outcome: Outcome, refusal: str) -> Outcome:
    """
    The outcome where somebody may look for our helper and not find it, by the words of *refusal*.
    """
    return _remarked(
        outcome,
        "helper-not-everywhere",
        f"some processes may not find the helper, since {refusal}",
        "mend that, or use --store auto, which asks it only where every process finds it",
    )


def hidden(outcome: Outcome, store: str, *, there: bool, why_not: str | None) -> Outcome:
    """
    The outcome where docker asks the `credsStore` instead.

    Args:
        outcome: So far.
        store: What `credsStore` names.
        there: Whether there is a program of that name.
        why_not: Why our helper isn't asked, in words that follow "since"; None: nobody wanted it.
    """
    if there or store.startswith(_OF_VSCODE):
        hint = (
            'set "dev.containers.dockerCredentialHelper": false in VS Code, or remove credsStore '
            "from config.json"
        )
    else:
        hint = "remove credsStore from config.json, or install the helper that it names"
    program = shown(f"docker-credential-{store}")
    missing = "" if there else ", which is not on PATH,"
    reason = f", and our helper can't be asked instead, since {why_not}" if why_not else ""
    return _remarked(
        outcome,
        "hidden-by-credsstore",
        f"written, but docker asks {program}{missing} and will not see it{reason}",
        hint,
    )


def store_missing(store: str) -> Finding:
    """
    What there is to say of a `credsStore` whose program is gone, also where it hides nothing.

    It is asked for everybody else, and `docker run` fails where it can't be.  A classic build
    asks it first, and then goes on without any login.
    https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (GetAllCredentials)
    """
    program = shown(f"docker-credential-{store}")
    if store.startswith(_OF_VSCODE):
        hint = (
            'set "dev.containers.dockerCredentialHelper": false in VS Code, and remove credsStore '
            "from config.json"
        )
    else:
        hint = "remove credsStore from config.json, or install that helper"
    return Finding(
        code="helper-missing",
        message=f"credsStore names {program}, which is not on PATH: docker fails "
        "for other registries, and a classic build sends no login at all",
        hint=hint,
    )


def unreadable(path: str, key: str) -> Finding:
    """
    What there is to say of the entry *key* of `auths`, at which docker stops to read the others.

    Not to log in there again: docker would keep nothing of what it had not read by then.
    """
    try:
        whose = f"the entry for {Registry(key)}"
    except InvalidRegistryError:
        whose = "an entry"  # unnamed: somebody may have put a password into the key
    return Finding(
        code="login-unreadable",
        message=f"docker cannot read {whose} in {shown(path)}, and drops other logins over it",
        hint="remove that entry, or make its auth the padded base64 of USER:PASSWORD",
    )


def open_to_others(path: str) -> Finding:
    """
    What there is to say of a config.json that holds a login and can't be closed.

    It is somebody else's, or on a file system that has no modes.
    """
    return Finding(
        code="open-to-others",
        message=f"{shown(path)} holds logins, and others than its owner may read or change it",
        hint="have its owner run chmod 600 on it, or set DOCKER_CONFIG to a folder of your own",
    )


def shut_out(path: str, home: str) -> Finding:
    """
    What there is to say of a config.json of root's in the home of somebody else.
    """
    folder = os.path.dirname(path)
    return Finding(
        code="root-in-a-home",
        message=f"{shown(path)} is root's, in the home of somebody else, who can't read it",
        hint=f"run chown -R --reference={shown(home)} {shown(folder)}, and log in as that user "
        "from now on",
    )


def not_delegated(outcome: Outcome, why_not: str) -> Outcome:
    """
    The outcome where our helper is needed, and isn't asked by the words of *why_not*.
    """
    if outcome.code is not None:
        return outcome
    return _remarked(
        outcome,
        "not-delegated",
        f"nothing renews it, since {why_not}",
        "run the hook again at each start, as postStartCommand",
    )


def _remarked(outcome: Outcome, code: str, message: str, hint: str) -> Outcome:
    return replace(outcome, code=code, error=RegistryError(message, hint=hint, code=code))
