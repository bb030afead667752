# SPDX-License-Identifier: MIT
"""
The demo shows the whole flow, touches nothing of the user's, and hides its secrets.
"""

from __future__ import annotations

import json
import os

import pytest
from command import run
from fakes import Home


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


def test_the_demo_shows_a_login_a_refusal_and_a_quiet_start(home, tmp_path):
    ran = run(home, "demo", sets={"TMPDIR": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:1"})

    firsts = [line[:12].strip() for line in ran.stdout.splitlines()]
    assert (0, "") == (ran.status, ran.stderr)
    assert 1 == firsts.count("logged in")
    assert 2 == firsts.count("refused")
    # As the hook: what has not changed is no news.
    assert 0 == firsts.count("unchanged")
    assert [] == os.listdir(tmp_path)


def test_the_demo_shows_no_password(home):
    ran = run(home, "demo", "--log-level", "debug")

    assert '"auth": "****"' in ran.stdout
    assert "not-it" not in ran.stdout + ran.stderr
    assert 2 == ran.stdout.count("PASSWORD=****")


def test_the_demo_as_a_document(home):
    document = json.loads(run(home, "demo", "--json").stdout)

    assert ["ok", "rejected"] == [entry["status"] for entry in document["registries"]]
