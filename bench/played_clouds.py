# SPDX-License-Identifier: MIT
"""
Azure and Google on loopback, as far as one login goes, for our program and for the clouds' own.

They are the tests' (tests/doubles): hosts with certificates of their own authority, behind a proxy.
The bundle that clients are given also has this system's authorities, as reading those takes time.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import ssl
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Answer = tuple[int, dict[str, str], bytes]

# The tests' parts have no types.
_clouds: Any = importlib.import_module("doubles.clouds")
_internet: Any = importlib.import_module("doubles.internet")

AZURE_REGISTRY = "example.azurecr.io"
GOOGLE_REGISTRY = "europe-west1-docker.pkg.dev"
NOBODY = "00000000-0000-0000-0000-000000000000"
PRINCIPAL: dict[str, str] = _clouds.PRINCIPAL

_TOKEN_SERVER = "oauth2.googleapis.com"
_ACCOUNT = "puller@made-up.iam.gserviceaccount.com"
_USERS_TOKEN = "1//made-up"

# https://learn.microsoft.com/azure/azure-resource-manager/management/overview
_MANAGER = "management.azure.com"
_SUBSCRIPTION = "11111111-0000-4000-8000-000000000001"
_REGISTRIES = "Microsoft.ContainerRegistry/registries"
_PLACE = f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/bench/providers/{_REGISTRIES}/example"


class Azure:
    """
    Entra ID, one registry, and the resource manager, which only az asks; while entered.

    Attributes:
        environ: Variables with which a program finds them.
        token: The refresh token that a right exchange gives.
    """

    def __init__(self, folder: Path) -> None:
        self.environ: dict[str, str] = {}
        self._folder = folder
        self._played = _clouds.Azure(registry=AZURE_REGISTRY, more={_MANAGER: _managed})
        self.token: str = self._played.refresh_token

    def __enter__(self) -> Azure:
        self._played.__enter__()
        self.environ = _environ(self._played.environ, self._folder / "azure.pem")
        return self

    def __exit__(self, *problem: object) -> None:
        self._played.__exit__(*problem)

    @contextlib.contextmanager
    def one_exchange(self) -> Iterator[None]:
        """
        See that Entra ID gave one token for registries meanwhile, and the registry one for that.
        """
        self._played.forms.clear()
        yield
        asked = [
            "exchange" if path == "/oauth2/exchange" else form.get("scope", "")
            for path, form in self._played.forms
            if path != "/oauth2/token"  # of the registry, to try the login
        ]
        assert asked[-1] == "exchange", asked
        assert len(asked) == 2, asked
        assert "https://containerregistry.azure.net/.default" in asked[0].split(), asked


def _managed(_method: str, target: str, _headers: object, _body: bytes) -> Answer:
    """
    What the resource manager answers: one subscription, with one registry.
    """
    path = urlsplit(target).path
    registry = {"id": _PLACE, "name": "example", "type": _REGISTRIES, "location": "westeurope"}
    if path == "/subscriptions":
        one = {
            "id": f"/subscriptions/{_SUBSCRIPTION}",
            "subscriptionId": _SUBSCRIPTION,
            "displayName": "bench",
            "state": "Enabled",
            "tenantId": _clouds.TENANT,
        }
        return _json({"value": [one]})
    if path == f"/subscriptions/{_SUBSCRIPTION}/resources":
        return _json({"value": [registry]})
    if path == _PLACE:
        more = {"sku": {"name": "Basic"}, "properties": {"loginServer": AZURE_REGISTRY}}
        return _json({**registry, **more})
    return _json({"error": {"code": "NotFound", "message": path}}, 404)


class Google:
    """
    Google's token server and one registry, while entered.

    Attributes:
        environ: Variables with which a program finds them.
        account: File with a service account's key.
        user: File with a user's refresh token, as `gcloud auth application-default login` leaves.
        token: The access token that was given last.
    """

    def __init__(self, folder: Path) -> None:
        self.environ: dict[str, str] = {}
        self.token = ""
        self.account, self.user = folder / "account.json", folder / "user.json"
        self._folder = folder
        self._given = 0
        self._played = _internet.Internet(
            {_TOKEN_SERVER: self._sign_in, GOOGLE_REGISTRY: self._registry}
        )

    def __enter__(self) -> Google:
        self._played.__enter__()
        self.environ = _environ(self._played.environ, self._folder / "google.pem")
        self.account.write_text(json.dumps(_account()), encoding="utf-8")
        user = {"type": "authorized_user", "client_id": "1", "client_secret": "made up"}
        user["refresh_token"] = _USERS_TOKEN
        self.user.write_text(json.dumps(user), encoding="utf-8")
        return self

    def __exit__(self, *problem: object) -> None:
        self._played.__exit__(*problem)

    @contextlib.contextmanager
    def one_exchange(self) -> Iterator[None]:
        """
        See that one access token was given meanwhile.
        """
        before = self._given
        yield
        assert self._given == before + 1, self._given - before

    def _sign_in(self, _method: str, _target: str, _headers: object, body: bytes) -> Answer:
        """
        Give a token for a service account's assertion, or for a user's refresh token.

        https://developers.google.com/identity/protocols/oauth2/service-account#httprest
        """
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        claims = _claims(form["assertion"]) if "assertion" in form else {}
        if claims.get("iss") != _ACCOUNT and form.get("refresh_token") != _USERS_TOKEN:
            return _json({"error": "invalid_grant"}, 400)
        if "target_audience" in claims:
            # gcloud asks for one, too.
            return _json({"id_token": _clouds.jwt(sub="1", exp=int(time.time()) + 3599)})
        self._given += 1
        self.token = f"ya29.of-the-bench-{self._given}"
        return _json({"access_token": self.token, "expires_in": 3599, "token_type": "Bearer"})

    def _registry(
        self, _method: str, target: str, headers: Mapping[str, str], _body: bytes
    ) -> Answer:
        given = headers.get("Authorization", "")
        if urlsplit(target).path == "/v2/token":
            pair = base64.b64encode(f"oauth2accesstoken:{self.token}".encode()).decode()
            if given == f"Basic {pair}":
                return _json({"token": "access"})
        elif given == "Bearer access":
            return _json({})
        status, more, content = _internet.errors(401, "UNAUTHORIZED", "failed authentication")
        challenge = f'Bearer realm="https://{GOOGLE_REGISTRY}/v2/token"'
        return status, {**more, "WWW-Authenticate": challenge}, content


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return claims


def _account() -> dict[str, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": "made-up",
        "private_key_id": "0123",
        "private_key": pem.decode(),
        "client_email": _ACCOUNT,
        "client_id": "1",
        "token_uri": f"https://{_TOKEN_SERVER}/token",
    }


def _environ(played: Mapping[str, str], bundle: Path) -> dict[str, str]:
    """
    The variables of *played*, with this system's authorities beside its own in *bundle*.
    """
    authorities = Path(played["SSL_CERT_FILE"]).read_bytes()
    system = ssl.get_default_verify_paths().cafile
    for path in filter(None, (system, "/etc/ssl/certs/ca-certificates.crt")):
        if Path(path).is_file():
            authorities += Path(path).read_bytes()
            break
    bundle.write_bytes(authorities)
    return {**played, "SSL_CERT_FILE": str(bundle)}


def _json(content: object, status: int = 200) -> Answer:
    return status, dict(_internet.JSON), json.dumps(content).encode()
