# SPDX-License-Identifier: MIT
"""
What a server can do wrong, as one catalogue: each fault is an answer, or a function of a socket.

`Faulty` is a registry, its token server or a cloud that does one of them at one step, and is as it
should be at all others.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import itertools
import json
import socket
import struct
import threading

from doubles.servers import Answer, Proxy, render

MIB = 1024 * 1024
HOST, TOKENS, ELSEWHERE = "registry.example", "auth.example", "elsewhere.example"
USER, SECRET, TOKEN = "bob-of-faults", "c4n4ry-of-faults", "t0ken-of-faults"
BASIC = base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
DIGEST = ("Docker-Content-Digest", f"sha256:{'0' * 64}")
PAGE = b"<!DOCTYPE html><html><title>Sign in</title><body>Who are you?</body></html>"

STEPS = ("ping", "token", "proof", "image")


# Below HTTP, and HTTP as it should not be.


def says(*pieces, then=None):
    """
    Sends *pieces*, and closes; *then* is called with the socket before.
    """

    def fault(sock):
        with contextlib.suppress(OSError):
            for piece in pieces:
                sock.sendall(piece)
            if then is not None:
                then(sock)

    return fault


def endless(head, part):
    def fault(sock):
        with contextlib.suppress(OSError):
            sock.sendall(head)
            while True:
                sock.sendall(part)

    return fault


def hang(sock):
    """
    Until the other side has gone away.
    """
    with contextlib.suppress(OSError):
        while sock.recv(65536):
            pass


def reset(sock):
    # RFC 9293, 3.6: closed without lingering, the connection is reset rather than finished.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drip(content):
    def fault(sock):
        with contextlib.suppress(OSError):
            for octet in itertools.chain(content, itertools.repeat(65)):
                sock.sendall(bytes([octet]))
                if threading.Event().wait(0.03):
                    return

    return fault


def ok(*lines, body=b"{}"):
    head = "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", *lines))
    return f"{head}\r\n".encode("latin-1") + body


# What is whole enough for Go's client, and so for docker, which reads no more than the status where
# it asks whether a login is right: seen with `skopeo login`.
READ_BY_GO = frozenset(
    {
        "speaks HTTP/9",
        "hangs up in the body",
        "resets in the body",
        "chunks that are none",
        "a chunk that is cut off",
        "a length of 100 GiB",
        "a zero in a header",
        "no gzip",
        "half of a gzip",
        "a gzip of 64 MiB",
        "an encoding of its own",
    }
)

RAW = {
    "hangs up": says(),
    "resets": says(then=reset),
    "hangs": hang,
    "hangs in the status": says(b"HTTP/1.1 2", then=hang),
    "hangs in the headers": says(b"HTTP/1.1 200 OK\r\nContent-Le", then=hang),
    "hangs in the body": says(ok("Content-Length: 100"), then=hang),
    "drips a status": drip(b"HTTP/1.1 2"),
    "drips headers": drip(b"HTTP/1.1 200 OK\r\nX: "),
    "drips a body": drip(ok("Content-Length: 1000000")),
    "hangs up in the status": says(b"HTTP/1.1 2"),
    "hangs up in the headers": says(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "hangs up between headers": says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"),
    "hangs up in the body": says(ok("Content-Length: 100")),
    "resets in the body": says(ok("Content-Length: 100"), then=reset),
    "speaks no HTTP": says(b"220 mail.example ESMTP\r\n", then=hang),
    "speaks no HTTP and hangs up": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "speaks HTTP/0.9": says(PAGE),
    "speaks HTTP/2": says(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), then=hang),
    "speaks HTTP/9": says(b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "sends octets": says(bytes(range(256)) * 64),
    "sends zeros": says(bytes(4096)),
    "sends another alert": says(b"\x15\x03\x01\x00\x02\x02\x28"),
    "a status of words": says(b"HTTP/1.1 OK fine\r\n\r\n"),
    "a status of -1": says(b"HTTP/1.1 -1 Minus\r\n\r\n"),
    "a status of four digits": says(b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "endless status": endless(b"HTTP/1.1 200 ", b"x" * 65536),
    "endless header": endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536),
    "endless headers": endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 4096),
    "endless interim answers": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1024),
    "endless body": endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    "endless chunks": endless(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"10000\r\n" + b"x" * 65536 + b"\r\n",
    ),
    "endless chunk size": endless(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 65536
    ),
    "endless white space": endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536),
    "chunks that are none": says(ok("Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n")),
    "a chunk that is cut off": says(ok("Transfer-Encoding: chunked", body=b"ff\r\n{}")),
    "a length of -1": says(ok("Content-Length: -1")),
    "a length of words": says(ok("Content-Length: two")),
    "two lengths": says(ok("Content-Length: 2", "Content-Length: 3")),
    "a length of 100 GiB": says(ok(f"Content-Length: {100 * 1024 * MIB}")),
    "a zero in a header": says(ok("X: a\0b", "Content-Length: 2")),
    "a header without a colon": says(ok("whatever", "Content-Length: 2")),
    "no gzip": says(ok("Content-Encoding: gzip", "Content-Length: 2")),
    "half of a gzip": says(
        ok("Content-Encoding: gzip", body=gzip.compress(b'{"token":"x"}' * 99)[:40])
    ),
    "a gzip of 64 MiB": says(ok("Content-Encoding: gzip", body=gzip.compress(bytes(64 * MIB), 1))),
    "an encoding of its own": says(ok("Content-Encoding: rot13", "Content-Length: 2")),
    "another protocol": says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", then=hang),
}


# Statuses and redirects.

STATUSES = [
    *(100, 201, 202, 203, 204, 205, 206, 226, 300, 304, 400, 401, 402, 403, 404, 405, 406, 407),
    *(408, 409, 410, 411, 413, 418, 421, 423, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503),
    *(504, 505, 507, 511, 520, 530, 599, 600, 999),
]
ANSWERS = {f"status {status}": Answer(status, body=b"no\n") for status in STATUSES}
ANSWERS |= {
    "a web page": Answer(200, [("Content-Type", "text/html")], PAGE),
    "a web page that says JSON": Answer(200, [("Content-Type", "application/json")], PAGE),
    "a web page of errors": Answer(403, [("Content-Type", "text/html")], PAGE),
    "a body of 1 MiB": Answer(200, body=b"x" * MIB),
    "a try after a year": Answer(429, [("Retry-After", "31536000")]),
    "a try after a date": Answer(503, [("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")]),
    "a try after -1": Answer(503, [("Retry-After", "-1")]),
    "a try after words": Answer(503, [("Retry-After", "soon")]),
    "a thousand cookies": Answer(500, [("Set-Cookie", "a=b")] * 1000),
}
PLACES = {
    "another host": f"https://{ELSEWHERE}/v2/",
    "another host's token": f"https://{ELSEWHERE}/token",
    "no scheme": f"//{ELSEWHERE}/v2/",
    "another port": f"https://{HOST}:8443/v2/",
    "plain HTTP": f"http://{HOST}/v2/",
    "this machine": "http://127.0.0.1/v2/",
    "the cloud's metadata": "http://169.254.169.254/latest/meta-data/",
    "a user part": f"https://{HOST}@{ELSEWHERE}/v2/",
    "a file": "file:///etc/passwd",
    "a script": "javascript:alert(1)",
    "a sign-in page": "/login",
    "itself": "/v2/",
    "nowhere": "",
    "nothing that is a URL": "https://[::1",
    "a control character": "/v2/\x01\x7f",
    "a host of 4 KiB": f"https://{'x' * 4096}.example/",
}
_ELSEWHERE = Answer(307, [("Location", PLACES["another host"])], PAGE)
REDIRECTS = {"302 without a place": Answer(302), "307 to another host": _ELSEWHERE}
for _status, (_name, _where) in zip(itertools.cycle((301, 302, 303, 307, 308)), PLACES.items()):
    REDIRECTS[f"{_status} to {_name}"] = Answer(_status, [("Location", _where)], PAGE)


# What only a ping can say: how to log in.

CHALLENGES = {
    "none": [],
    "empty": [""],
    "a blank": [" "],
    "Negotiate": ["Negotiate"],
    "NTLM": ["NTLM"],
    "Digest": ['Digest realm="x", nonce="y"'],
    "a word of its own": ["Whatever"],
    "Bearer without a realm": ["Bearer"],
    "Bearer with an empty realm": ['Bearer realm=""'],
    "Bearer of a path": ['Bearer realm="/token"'],
    "Bearer of a word": ['Bearer realm="token"'],
    "Bearer over plain HTTP": [f'Bearer realm="http://{TOKENS}/token"'],
    "Bearer of this machine": ['Bearer realm="https://127.0.0.1/token"'],
    "Bearer of this machine by name": ['Bearer realm="https://localhost/token"'],
    "Bearer of a private address": ['Bearer realm="https://10.0.0.1/token"'],
    "Bearer of the cloud's metadata": ['Bearer realm="http://169.254.169.254/latest"'],
    "Bearer of a link-local address": ['Bearer realm="https://169.254.1.2/token"'],
    "Bearer of IPv6's loopback": ['Bearer realm="https://[::1]/token"'],
    "Bearer of a mapped address": ['Bearer realm="https://[::ffff:127.0.0.1]/token"'],
    "Bearer of a number": ['Bearer realm="https://2130706433/token"'],
    "Bearer with a user part": [f'Bearer realm="https://x:y@{ELSEWHERE}/token"'],
    "Bearer with a fragment": [f'Bearer realm="https://{ELSEWHERE}/token#x"'],
    "Bearer of a file": ['Bearer realm="file:///etc/passwd"'],
    "Bearer of FTP": [f'Bearer realm="ftp://{ELSEWHERE}/token"'],
    "Bearer of a control character": [f'Bearer realm="https://{ELSEWHERE}/\x01token"'],
    "Bearer of a backslash": [f'Bearer realm="https://{TOKENS}\\@{ELSEWHERE}/token"'],
    "Bearer of a port that is none": [f'Bearer realm="https://{ELSEWHERE}:99999/token"'],
    "Bearer of 64 KiB": [f'Bearer realm="https://{ELSEWHERE}/{"x" * 65000}"'],
    "Bearer that is cut off": [f'Bearer realm="https://{TOKENS}/to'],
    "a hundred": ["Negotiate"] * 100,
    "ten thousand": ["Negotiate"] * 10_000,
    "a thousand in one": [", ".join(["Negotiate"] * 1000)],
    "quotes and commas": ['"' * 500, "," * 500, "\\" * 500],
}

# What only a token server can say.

TOKEN_BODIES = {
    "nothing": b"",
    "white space": b"  \n",
    "no JSON": b"token=abc",
    "half of it": b'{"token": "ab',
    "an array": b"[]",
    "a text": b'"token"',
    "a number": b"1",
    "null": b"null",
    "an empty object": b"{}",
    "an empty token": b'{"token": ""}',
    "a token of null": b'{"token": null}',
    "a token of a number": b'{"token": 7}',
    "a token of an object": b'{"token": {"token": "x"}}',
    "a token with a line break": b'{"token": "a\\r\\nX: y"}',
    "a token with a blank": b'{"token": "a b"}',
    "a token of zeros": b'{"token": "\\u0000"}',
    "a token of another alphabet": '{"token": "ж"}'.encode(),
    "a token of 512 KiB": json.dumps({"token": "x" * 512 * 1024}).encode(),
    "a refusal of OAuth": b'{"error": "invalid_grant", "error_description": "no"}',
    "errors": b'{"errors": [{"code": "DENIED", "message": "no"}]}',
    "nested deeply": b"[" * 100_000,
    "a number without end": b'{"token": ' + b"9" * 100_000 + b"}",
    "NaN": b'{"token": NaN}',
    "UTF-16": '{"token": "x"}'.encode("utf-16"),
    "a web page": PAGE,
}


class Faulty:
    """
    The hosts of one registry with *fault* at *step*.

    Attributes:
        proven: Whether the registry said yes to our token with an answer that is whole.
    """

    def __init__(self, step, fault, *, proper=False):
        self.step, self.fault = step, fault
        self.proper = proper
        self.sent = []
        self.proven = False

    def registry(self, request):
        """
        HOST: a Bearer registry with one image.
        """
        self.sent.append((HOST, request))
        if request.authorization is None:
            realm = f'Bearer realm="https://{TOKENS}/token",service="{HOST}"'
            return self._at("ping", Answer(401, [("WWW-Authenticate", realm)]))
        good = request.authorization == f"Bearer {TOKEN}"
        if "/manifests/" in request.path:
            return self._at("image", Answer(200, [DIGEST]) if good else Answer(401))
        return self._at("proof", Answer(200, body=b"{}") if good else Answer(401))

    def tokens(self, request):
        """
        TOKENS: its token server.
        """
        self.sent.append((TOKENS, request))
        good = request.authorization == f"Basic {BASIC}"
        body = json.dumps({"token": TOKEN}).encode()
        return self._at("token", Answer(200, body=body) if good else Answer(401))

    def cloud(self, request):
        """
        AWS, where nothing is as it should be.
        """
        self.sent.append(("aws", request))
        return self.fault

    def elsewhere(self, request):
        """
        ELSEWHERE, which is glad of whatever it is sent.
        """
        self.sent.append((ELSEWHERE, request))
        if request.path == "/token":
            return Answer(200, body=json.dumps({"token": TOKEN}).encode())
        return Answer(200, [DIGEST], b"{}")

    def _at(self, step, answer):
        if step != self.step:
            if step == "proof" and answer.status == 200:
                self.proven = True
            return answer
        return self.fault


class FaultyProxy(Proxy):
    """
    A proxy that does *fault* for the one target, and leads to all others.
    """

    def __init__(self, routes, target, fault):
        self._target, self._fault = target, fault
        super().__init__(routes)

    def _lead(self, request, sock):
        if request.target != self._target:
            super()._lead(request, sock)
        elif callable(self._fault):
            self._fault(sock)
        else:
            sock.sendall(render(self._fault))
