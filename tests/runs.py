# SPDX-License-Identifier: MIT
"""
The command as a process: what it is given, and what it told.
"""

from __future__ import annotations

import json

from variables import a_set


def set_for(registry, username, password, *, set_id="MY", **members):
    """
    The variables of one set.
    """
    return a_set(set_id, SERVER=str(registry), USER=username, PASSWORD=password, **members)


def document(done):
    """
    What `--json` printed.
    """
    return json.loads(done.stdout)


def by_id(done):
    """
    The outcomes that `--json` printed, each under its set's id.
    """
    return {outcome["id"]: outcome for outcome in document(done)["registries"]}


def only(done):
    """
    The one outcome that `--json` printed.
    """
    (outcome,) = document(done)["registries"]
    return outcome
