# SPDX-License-Identifier: MIT
"""
How long docker waits for a password of ECR that nobody has asked for yet.

    python bench/cold.py [--rounds N] [--venv FOLDER] [--json]

Whole processes take turns: a bare interpreter, our credential helper, and Amazon's, which is a Go
program (Debian's amazon-ecr-credential-helper).  Both helpers have the same key pair and an empty
home, and ask the same moto: a proxy leads ECR's host to it, under TLS, since Amazon's knows no
other way to another endpoint.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import ssl
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

from ecr import made_key, moto
from helper import Program, measured
from login import installed
from servers import TlsEnds, made_certificate, pump

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACCOUNT, _REGION = "111111111111", "eu-west-1"
_REGISTRY = f"{_ACCOUNT}.dkr.ecr.{_REGION}.amazonaws.com"
_API = f"api.ecr.{_REGION}.amazonaws.com"

_BARE, _OURS, _AMAZONS = "python -c pass", "get, ours", "get, Amazon's"

_AIM = 3.0  # ours against Amazon's


def main() -> int:
    """
    Measure, print the table, and return 0; 1 if Amazon's helper is not there.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="of all programs (default: 15)")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    parser.add_argument(
        "--venv", metavar="FOLDER", help="measure what is installed there, and build nothing"
    )
    arguments = parser.parse_args()
    amazons = shutil.which("docker-credential-ecr-login")
    if amazons is None:
        print("bench: apt-get install amazon-ecr-credential-helper", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name, moto() as endpoint:
        folder = Path(name)
        scripts = Path(arguments.venv or installed(folder)) / "bin"
        with _proxy(folder, port=urlsplit(endpoint).port or 80) as found:
            proxy, authority = found
            key_id, key = made_key(endpoint, account=_ACCOUNT)
            common = {
                "PATH": "/usr/bin:/bin",
                "HTTPS_PROXY": proxy,
                "SSL_CERT_FILE": authority,
                "AWS_EC2_METADATA_DISABLED": "true",
            }
            amazon = {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": key}
            members = {"SERVER": _REGISTRY, "USER": key_id, "PASSWORD": key}
            ours = {f"MY_CONTAINER_REGISTRY_{name}": text for name, text in members.items()}
            programs = {
                _BARE: Program(command=[str(scripts / "python"), "-c", "pass"], environ=common),
                _OURS: _cold(
                    scripts / "docker-credential-devcontainer-registry", {**common, **ours}
                ),
                _AMAZONS: _cold(Path(amazons), {**common, **amazon}),
            }
            rows = measured(programs, rounds=arguments.rounds)
    ratio = rows[_OURS].of(rows[_AMAZONS])
    if arguments.json:
        found_rows = {
            row.name: {"ms": round(row.milliseconds, 2), "spread_ms": row.spread}
            for row in rows.values()
        }
        aims = [{"of": _OURS, "measured": round(ratio, 3), "at_most": _AIM, "met": ratio <= _AIM}]
        document = {"rounds": arguments.rounds, "rows": found_rows, "aims": aims}
        print(json.dumps(document, indent=2))
        return 0
    print("whole process              ms          spread")
    for row in rows.values():
        low, high = row.spread
        print(f"{row.name:<22}{row.milliseconds:>7.1f}{f'{low:.0f} to {high:.0f}':>16}")
    word = "met" if ratio <= _AIM else "MISSED"
    print(f"\naims\n{word:<8}a cold get: {ratio:.2f} of Amazon's (at most {_AIM:g})")
    return 0


# Nothing may be left of the run before: each has a home of its own.
_FRESH = 'HOME=$(mktemp -d) && export HOME && "$0" get; status=$?; rm -rf "$HOME"; exit $status'


def _cold(helper: Path, environ: dict[str, str]) -> Program:
    return Program(
        command=["/bin/sh", "-c", _FRESH, str(helper)],
        environ=environ,
        given=_REGISTRY,
        answer=f"{_ACCOUNT}-auth-token",
    )


@contextlib.contextmanager
def _proxy(folder: Path, *, port: int) -> Iterator[tuple[str, str]]:
    """
    The URL of a proxy that leads every host to *port* here, under TLS; and the authority to trust.
    """
    certificate, key, authority = made_certificate(folder, _API)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    with TlsEnds(context) as ends:
        tls = ends.to(port)
        server = asyncio.run_coroutine_threadsafe(_listen(tls), loop).result(timeout=10)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", str(authority)
        finally:
            loop.call_soon_threadsafe(server.close)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


async def _listen(tls: int) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(f"CONNECT {_API}:443 ".encode()):
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", tls)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, back), pump(there, writer))

    return await asyncio.start_server(connected, "127.0.0.1", 0)


if __name__ == "__main__":
    sys.exit(main())
