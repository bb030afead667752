# SPDX-License-Identifier: MIT
"""
Our helper beside Debian's docker-credential-pass: the same verbs, in the same order, with the same
input.  Where we differ it is on purpose, and the table says why.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
from parts import needed

OURS = os.path.join(os.path.dirname(sys.executable), "docker-credential-devcontainer-registry")
NOT_FOUND = "credentials not found in native keychain\n"


@dataclass(frozen=True)
class Said:
    status: int
    stdout: str
    stderr: str

    @property
    def meaning(self):
        """
        Its status, and what docker reads in stdout: JSON is parsed, a text compared.
        """
        try:
            return self.status, json.loads(self.stdout)
        except ValueError:
            return self.status, self.stdout.strip()


@dataclass(frozen=True)
class Row:
    """
    One call; *ours* and *why* only where we differ.

    Where docker has no text for a failure, we write it to stderr as well: *told*.  A pull shows
    nothing else of it.
    """

    verb: str
    given: str
    theirs: object
    ours: object = None
    why: str = ""
    told: bool = False


def login(url, user, secret):
    return json.dumps({"ServerURL": url, "Username": user, "Secret": secret})


def answer(url, user, secret):
    return 0, {"ServerURL": url, "Username": user, "Secret": secret}


DONE = (0, "")
NO_SERVER = (1, "no credentials server URL")
MISSING = (1, NOT_FOUND.strip())
BROKEN = (1, "store takes a JSON object in UTF-8, with ServerURL, Username and Secret")

EMPTY = "some clients send two empty strings as they are, and are refused for it"
_FILED = "docker-credential-helpers/YS5leGFtcGxl"
TABLE = [
    Row("list", "unused", (0, {})),
    Row("get", "", NO_SERVER),
    Row("get", " \n", NO_SERVER),
    Row("erase", "", NO_SERVER),
    Row("get", "a.example", answer("a.example", "", ""), MISSING, EMPTY),
    Row("store", login("a.example", "bob", "s3cret"), DONE),
    Row("get", "a.example", answer("a.example", "bob", "s3cret")),
    Row("get", " a.example\r\n", answer("a.example", "bob", "s3cret")),
    Row(
        "get",
        "https://a.example/v2/",
        answer("https://a.example/v2/", "", ""),
        answer("https://a.example/v2/", "bob", "s3cret"),
        "clients spell a host in more than one way",
    ),
    Row("store", login("b.example:5000", "<token>", "refresh"), DONE),
    Row("get", "b.example:5000", answer("b.example:5000", "<token>", "refresh")),
    Row("store", login("c.example", "ü", 'ünï \u2028 <&> \\ " a:b'), DONE),
    Row("get", "c.example", answer("c.example", "ü", 'ünï \u2028 <&> \\ " a:b')),
    Row("store", '{"serverurl": "d.example", "username": "b", "secret": "s", "more": 1}', DONE),
    Row(
        "list",
        "",
        (0, {"a.example": "bob", "b.example:5000": "<token>", "c.example": "ü", "d.example": "b"}),
    ),
    Row("store", login("", "bob", "s3cret"), NO_SERVER),
    Row("store", login("a.example", "", "s3cret"), (1, "no credentials username")),
    Row(
        "store",
        login("e.example", "bob", ""),
        DONE,
        (1, "no credentials secret"),
        "an empty password would be served, and refused by the registry",
        told=True,
    ),
    Row("store", "{", (1, "unexpected EOF"), BROKEN, "it says what is wanted", told=True),
    Row("store", "", (1, "EOF"), BROKEN, "as above", told=True),
    Row(
        "store",
        login("f.example", "bob", "s3cret") + "x",
        DONE,
        BROKEN,
        "half of what came is no login",
        told=True,
    ),
    Row("erase", "a.example", DONE),
    Row("get", "a.example", answer("a.example", "", ""), MISSING, EMPTY),
    Row(
        "erase",
        "a.example",
        (
            1,
            f"exit status 1: Error: {_FILED} is not in the password store.",
        ),
        DONE,
        "`docker logout` erases four spellings, and warns for each that fails",
    ),
    Row(
        "get",
        "a.ex\0ample",
        answer("a.ex\0ample", "", ""),
        MISSING,
        EMPTY,
    ),
    Row(
        "put",
        "",
        (1, "Unknown credential action `put`"),
        (1, "Usage: docker-credential-devcontainer-registry <store|get|erase|list|version>"),
        "newer ones show the usage, too",
    ),
    Row(
        "",
        "",
        (1, "Usage: docker-credential-pass <store|get|erase|list|version>"),
        (1, "Usage: docker-credential-devcontainer-registry <store|get|erase|list|version>"),
        "another name",
    ),
]


@pytest.fixture(name="run")
def _run(tmp_path):
    """
    A function that runs a helper in a home with an empty password store.
    """
    theirs = "docker-credential-pass"
    needed.program(theirs, package="golang-docker-credential-helpers")
    keys = tmp_path / "gnupg"
    keys.mkdir(mode=0o700)
    environ = {
        "HOME": str(tmp_path),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GNUPGHOME": str(keys),
        "LANG": "C.UTF-8",
    }

    def start(command, given=""):
        done = subprocess.run(
            command, input=given.encode(), capture_output=True, env=environ, timeout=60, check=False
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    gpg = needed.program("gpg", package="gnupg")
    made = ["--batch", "--passphrase", "", "--quick-generate-key", "t <t@example>"]
    assert 0 == start([gpg, *made, "default", "default", "never"]).status
    try:
        assert 0 == start([needed.program("pass", package="pass"), "init", "t@example"]).status
        yield lambda ours, verb, given: start(
            [OURS if ours else theirs, *([verb] if verb else [])], given
        )
    finally:
        # The agent that gpg left behind, which listens in this folder only.
        start(["gpgconf", "--homedir", str(keys), "--kill", "all"])


def test_the_same_statuses_and_the_same_streams_but_where_the_table_says_why(run):
    for row in TABLE:
        theirs, ours = run(False, row.verb, row.given), run(True, row.verb, row.given)

        assert row.theirs == theirs.meaning, row
        assert (row.theirs if row.ours is None else row.ours) == ours.meaning, row
        assert (row.ours is None) == (not row.why), row
        assert "" == theirs.stderr, row
        expected = f"devcontainer-registry: {ours.stdout}" if row.told else ""
        assert expected == ours.stderr, row


def test_a_second_login_replaces_the_first(run):
    # pass keeps both, under the two user names, and answers with either.
    for user in ("bob", "eve"):
        run(True, "store", login("a.example", user, f"of-{user}"))

    assert answer("a.example", "eve", "of-eve") == run(True, "get", "a.example").meaning


def test_both_have_one_line_for_a_version(run):
    theirs, ours = run(False, "version", ""), run(True, "version", "")

    assert [(0, 1, "")] * 2 == [(s.status, s.stdout.count("\n"), s.stderr) for s in (theirs, ours)]
