# SPDX-License-Identifier: MIT
from __future__ import annotations

import base64
import json
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from urllib.parse import urlencode

import documented
import pytest
from internet import Internet
from played import ALLOWED, DENIED, MISSING, PlayedInternet

BEARER = [registry for registry in documented.ALL if registry.realm]
EACH = pytest.mark.parametrize("registry", documented.ALL, ids=lambda registry: registry.name)


def test_every_registry_that_users_name_is_played():
    expected = {
        "Docker Hub",
        "ghcr.io",
        "ACR",
        "Container Registry",
        "Artifact Registry",
        "GitLab",
        "Quay",
        "Harbor",
        "DigitalOcean",
        "ECR",
        "ECR Public",
        "Artifactory",
    }

    actual = {registry.name for registry in documented.ALL}

    assert expected == actual


@EACH
def test_docker_logs_in_with_what_is_right(registry, tmp_path):
    with PlayedInternet(registry) as internet:
        done = _docker_login(internet, registry, registry.password, tmp_path)

    assert (0, []) == (done.returncode, internet.unknown_hosts), done.stderr
    assert registry.username in {seen.username for seen in internet.requests}
    assert 200 == internet.seen(registry.host)[-1].status


@EACH
def test_docker_is_refused_with_what_is_wrong(registry, tmp_path):
    with PlayedInternet(registry) as internet:
        done = _docker_login(internet, registry, "wrong", tmp_path)

    assert 1 == done.returncode
    assert registry.wrong[0] in {seen.status for seen in internet.requests}
    assert not (tmp_path / "config.json").exists()


@EACH
def test_skopeo_reads_what_may_be_pulled_and_nothing_else(registry, tmp_path):
    with PlayedInternet(registry) as internet:
        codes = [
            _skopeo_inspect(internet, registry, name, tmp_path).returncode
            for name in (ALLOWED, DENIED, MISSING)
        ]

    # Newer skopeos have a status of its own for what is not there.
    assert codes in ([0, 1, 1], [0, 1, 2])


@EACH
def test_each_challenge_names_a_host_that_is_there(registry):
    with PlayedInternet(registry) as internet:
        status, headers, _ = _ask(internet, f"https://{registry.host}/v2/")

        assert 401 == status
        assert registry.challenge == headers["Www-Authenticate"]
        assert registry.realm in registry.challenge
        if registry.realm:
            assert 200 == _ask(internet, registry.realm, registry, registry.password)[0]


@pytest.mark.parametrize("registry", BEARER, ids=lambda registry: registry.name)
def test_a_posted_password_is_answered_as_the_registry_does(registry):
    form = {"grant_type": "password", "username": "ann", "password": "any"}

    with PlayedInternet(registry) as internet:
        status, _, body = _ask(internet, registry.realm, data=urlencode(form).encode())

    assert (registry.posted[0], registry.posted[2]) == (status, body)


def test_a_posted_refresh_token_works_at_acr():
    form = {"grant_type": "refresh_token", "refresh_token": documented.ACR.password}

    with PlayedInternet(documented.ACR) as internet:
        status, _, body = _ask(internet, documented.ACR.realm, data=urlencode(form).encode())

    assert 200 == status
    assert ["access_token"] == list(json.loads(body))


def test_who_asks_for_another_host_is_told_so_and_noted():
    with PlayedInternet(documented.GHCR) as internet:
        with pytest.raises(urllib.error.URLError, match="502"):
            _ask(internet, "https://elsewhere.example/v2/")

        assert ["elsewhere.example"] == internet.unknown_hosts
        assert [] == internet.requests


def test_a_host_can_have_a_certificate_that_nobody_trusts():
    with (
        Internet({"bad.example": lambda *_: (200, {}, b"")}, untrusted={"bad.example"}) as internet,
        pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        _ask(internet, "https://bad.example/v2/")


def test_what_was_seen_holds_the_name_and_never_the_password():
    with PlayedInternet(documented.HARBOR) as internet:
        _ask(internet, documented.HARBOR.realm, documented.HARBOR, "wrong-secret")

        assert "robot$team" in repr(internet.requests)
        assert "wrong-secret" not in repr(internet.requests)


def _ask(internet, url, registry=None, password="", data=None):
    context = ssl.create_default_context(cafile=internet.environ["SSL_CERT_FILE"])
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": internet.environ["HTTPS_PROXY"]}),
        urllib.request.HTTPSHandler(context=context),
    )
    headers = {}
    if registry is not None:
        basic = base64.b64encode(f"{registry.username}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {basic}"
    try:
        with opener.open(urllib.request.Request(url, data=data, headers=headers)) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.headers, exc.read()


def _environ(internet, folder):
    return {
        **internet.environ,
        # Where docker finds docker-credential-pass, it takes it by itself.
        "PATH": "/nonexistent",
        "HOME": str(folder),
        "DOCKER_CONFIG": str(folder),
        "DOCKER_HOST": "unix:///nonexistent",
        "SSL_CERT_DIR": "/nonexistent",
    }


def _docker_login(internet, registry, password, folder):
    command = [shutil.which("docker"), "login", "--username", registry.username, "--password-stdin"]
    return subprocess.run(
        [*command, registry.server],
        input=password,
        env=_environ(internet, folder),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _skopeo_inspect(internet, registry, name, folder):
    host = "docker.io" if registry.host == "registry-1.docker.io" else registry.host
    auth = base64.b64encode(f"{registry.username}:{registry.password}".encode()).decode()
    auths = folder / "auth.json"
    auths.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    command = [shutil.which("skopeo"), "inspect", "--raw", "--authfile", str(auths)]
    return subprocess.run(
        [*command, f"docker://{host}/{name}:1"],
        env=_environ(internet, folder),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
