# SPDX-License-Identifier: MIT
"""
Unusual HTTP answers: we accept those that Go's client, and so Docker, accepts, and no others.

skopeo, which is written in Go like Docker, logs in to the same server.
"""

from __future__ import annotations

import gzip
import subprocess
import zlib

import pytest
from doubles.faults import RAW, ok, says
from doubles.homes import Home, a_set
from doubles.servers import Answer, Server
from parts import needed

from devcontainer_registry import RetryPolicy

CHALLENGE = [("WWW-Authenticate", 'Basic realm="x"')]


def lines(*head, body=b"{}"):
    return says("\r\n".join([*head, "", ""]).encode("latin-1") + body)


FINE = ok("Content-Length: 2")
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"

# Answers to a request with a login.
PROOFS = {
    "as it should be": says(FINE),
    "a gzip": says(ok("Content-Encoding: gzip", body=gzip.compress(b"{}"))),
    "a gzip by its old name": says(ok("Content-Encoding: x-gzip", body=gzip.compress(b"{}"))),
    "a deflate": says(ok("Content-Encoding: deflate", body=zlib.compress(b"{}"))),
    "an interim answer": says(INTERIM + FINE),
    "another": says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + FINE),
    "five interim answers": says(INTERIM * 5 + FINE),
    "six interim answers": says(INTERIM * 6 + FINE),
    "a hundred and one headers": says(ok(*(f"X-{n}: y" for n in range(101)), "Content-Length: 2")),
    "a thousand headers": says(ok(*(f"X-{n}: y" for n in range(1000)), "Content-Length: 2")),
    "a header of 70 KiB": says(ok(f"X: {'y' * 70_000}", "Content-Length: 2")),
    "a header of 900 KiB": says(ok(f"X: {'y' * 900_000}", "Content-Length: 2")),
    "a blank in a header's name": says(ok("X Y: z", "Content-Length: 2")),
    "a blank behind a header's name": says(ok("X : z", "Content-Length: 2")),
    "a header without a name": says(ok(": z", "Content-Length: 2")),
    "a header without a value": says(ok("X:", "Content-Length: 2")),
    "a header that goes on": says(ok("X: y", "  z", "Content-Length: 2")),
    "a header that goes on at once": says(ok(" X: y", "Content-Length: 2")),
    "a header of UTF-8": says(ok("X: \xc3\xa4", "Content-Length: 2")),
    "a header of Latin-1": says(ok("X: \xe4", "Content-Length: 2")),
    "a control character in a header": says(ok("X: a\x01b", "Content-Length: 2")),
    "a carriage return in a header": says(ok("X: a\rb", "Content-Length: 2")),
    "line feeds alone": says(FINE.replace(b"\r\n", b"\n")),
    "no reason": lines("HTTP/1.1 200", "Content-Length: 2"),
    "an empty reason": lines("HTTP/1.1 200 ", "Content-Length: 2"),
    "two blanks before the status": lines("HTTP/1.1  200 OK", "Content-Length: 2"),
    "a reason of UTF-8": lines("HTTP/1.1 200 \xc3\xa4", "Content-Length: 2"),
    "HTTP/1.0": lines("HTTP/1.0 200 OK", "Content-Length: 2"),
    "HTTP/1.0 without a length": lines("HTTP/1.0 200 OK"),
    "HTTP/1.1 without a length": lines("HTTP/1.1 200 OK"),
    "HTTP/1.2": lines("HTTP/1.2 200 OK", "Content-Length: 2"),
    "HTTP/2.0 in a line": lines("HTTP/2.0 200 OK", "Content-Length: 2"),
    "HTTP/1": lines("HTTP/1 200 OK", "Content-Length: 2"),
    "http/1.1 in lower case": lines("http/1.1 200 OK", "Content-Length: 2"),
    "an empty line before": says(b"\r\n" + FINE),
    "chunks": says(ok(CHUNKED, body=b"2\r\n{}\r\n0\r\n\r\n")),
    "chunks with extensions": says(ok(CHUNKED, body=b"2;a=b\r\n{}\r\n0\r\n\r\n")),
    "chunks with a trailer": says(ok(CHUNKED, "Trailer: X", body=b"2\r\n{}\r\n0\r\nX: y\r\n\r\n")),
    "chunks and a length": says(ok(CHUNKED, "Content-Length: 9", body=b"2\r\n{}\r\n0\r\n\r\n")),
    "identity": says(ok("Transfer-Encoding: identity", "Content-Length: 2")),
    "an unknown transfer": says(ok("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n")),
    "the same length twice": says(ok("Content-Length: 2", "Content-Length: 2")),
    "the same length twice in one": says(ok("Content-Length: 2, 2")),
    "a length with a sign": says(ok("Content-Length: +2")),
    "a length with a zero": says(ok("Content-Length: 02")),
    "a length of nothing": says(ok("Content-Length:")),
    "a length with blanks": says(ok("Content-Length:   2  ")),
    "a length of hexadecimals": says(ok("Content-Length: 0x2")),
    "more than the length": says(ok("Content-Length: 1")),
    "a body of nothing": says(ok("Content-Length: 0", body=b"")),
    "it hangs up afterwards": says(ok("Connection: close", "Content-Length: 2")),
}
# Answers to a request without a login; the login itself is accepted.
PINGS = {
    "a challenge as it should be": Answer(401, CHALLENGE),
    "its name in lower case": Answer(401, [("www-authenticate", 'Basic realm="x"')]),
    "its scheme in lower case": Answer(401, [("WWW-Authenticate", 'basic realm="x"')]),
    "no quotes": Answer(401, [("WWW-Authenticate", "Basic realm=x")]),
    "after another": Answer(401, [("WWW-Authenticate", "Negotiate"), *CHALLENGE]),
    "a challenge that goes on": lines(
        *("HTTP/1.1 401 No", 'WWW-Authenticate: Basic realm="x",', ' charset="UTF-8"'),
        "Content-Length: 2",
    ),
    "a challenge of chunks": lines(
        *("HTTP/1.1 401 No", 'WWW-Authenticate: Basic realm="x"', CHUNKED),
        body=b"2\r\n{}\r\n0\r\n\r\n",
    ),
    "a gzip of an error": lines(
        *("HTTP/1.1 401 No", 'WWW-Authenticate: Basic realm="x"', "Content-Encoding: gzip"),
        body=gzip.compress(b"no"),
    ),
    "a connection that is gone afterwards": lines(
        *("HTTP/1.1 401 No", 'WWW-Authenticate: Basic realm="x"', "Connection: keep-alive"),
        *("Keep-Alive: timeout=60", "Content-Length: 2"),
    ),
    "a challenge behind an interim answer": says(
        INTERIM
        + b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
    ),
}
# The rest of the catalogue, except for endless answers.
ENDLESS = ("hang", "drip", "endless", "speaks HTTP/2", "another protocol", "speaks no HTTP")
OTHERS = {
    name: fault
    for name, fault in RAW.items()
    if not name.startswith(ENDLESS) or name.startswith("hangs up")
}
CASES = [
    *[("proof", name, answer) for name, answer in {**PROOFS, **OTHERS}.items()],
    *[("ping", name, answer) for name, answer in PINGS.items()],
]

# Answers that skopeo accepts and we refuse, and why.
_BODY = "we look into the body for a sign-in page, and it does not come whole"
_VERSION = "no server says so in the HTTP/1 that we speak"
STRICTER = {
    "hangs up in the body": _BODY,
    "resets in the body": _BODY,
    "chunks that are none": _BODY,
    "a chunk that is cut off": _BODY,
    "a length of 100 GiB": _BODY,
    "no gzip": _BODY,
    "a gzip of 64 MiB": _BODY,
    "HTTP/2.0 in a line": _VERSION,
    "speaks HTTP/9": _VERSION,
}


@pytest.mark.parametrize(("step", "name", "answer"), CASES, ids=[f"{s}: {n}" for s, n, _ in CASES])
def test_our_client_accepts_exactly_the_answers_that_go_accepts(tmp_path, step, name, answer):
    def handler(request):
        if request.authorization is None:
            return answer if step == "ping" else Answer(401, CHALLENGE)
        return answer if step == "proof" else Answer(200, body=b"{}")

    server = Server(handler)
    try:
        theirs = subprocess.run(
            [
                *(needed.program("skopeo", package="skopeo"), "login", "--tls-verify=false"),
                *("--username=bob", "--password=s3cret-s3cret"),
                *(f"--authfile={tmp_path}/auth.json", server.netloc),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        report = Home(tmp_path).login(
            sets=a_set("A", server.netloc),
            retry=RetryPolicy(sleep=lambda _: None),
            timeout=30,
        )
    finally:
        server.close()

    (ours,) = report.outcomes
    print(ours.status, ours.code, theirs.stdout, theirs.stderr[-300:])
    accepted = ours.status == "ok" and ours.verified
    if name in STRICTER:
        assert (0, False) == (theirs.returncode, accepted)
    else:
        assert (theirs.returncode == 0) == accepted
