# SPDX-License-Identifier: MIT
"""
The Python API in a script: reports, credentials, secrets and observers.
"""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
import string
import subprocess
import sys
import threading

import httpx
import pytest
import requests
import structlog
from doubles.homes import Home, a_set

import devcontainer_registry as api
from devcontainer_registry import Credential, LoginError, Registry, Secret
from devcontainer_registry.observer import observed
from devcontainer_registry.report import LoginReport, Outcome
from devcontainer_registry.testing import LoopbackRegistry

CANARY = "C4nary~that+n0body/may=see"
USER = "ann"
REFUSED = api.AuthenticationError("wrong password", hint="update A_PASSWORD")


def outcome(set_id, status, registry, **more):
    found = Registry(registry) if registry else None
    return Outcome(
        id=set_id, registry=found, source=f"{set_id}_*", kind=None, status=status, **more
    )


def report_of(*outcomes, **more):
    return LoginReport(config="/c.json", changed=False, outcomes=outcomes, **more)


GOOD = outcome("GOOD", "ok", "good.example")
BAD = outcome("BAD", "rejected", "bad.example", code="rejected", error=REFUSED)
UNREAD = outcome("TYPO", "incomplete", None)


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


# Secrets.


@pytest.mark.parametrize(
    "use",
    [
        str,
        format,
        "{}".format,
        lambda secret: f"{secret}",
        lambda secret: f"{secret:>9}",
        lambda secret: "%s" % secret,  # noqa: UP031
        lambda secret: string.Template("$a").substitute(a=secret),
        bytes,
        lambda secret: secret + "",
        lambda secret: "" + secret,
        lambda secret: b"" + secret,
        lambda secret: secret.encode("utf-8"),
        print,
    ],
)
def test_converting_a_secret_to_text_fails_and_names_reveal(use):
    secret = Secret(CANARY)
    with pytest.raises(TypeError) as caught:
        use(a=secret) if isinstance(getattr(use, "__self__", None), string.Template) else use(
            secret
        )

    assert "reveal()" in str(caught.value)
    assert CANARY not in str(caught.value)


def test_the_repr_of_a_secret_is_masked_and_a_copy_is_the_same_object():
    secret = Secret(CANARY)

    assert "Secret(****)" == repr(secret) == f"{secret!r}" == "%r" % secret  # noqa: UP031
    assert secret is copy.copy(secret) is copy.deepcopy(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)


# requests deprecates a value that is not a string, and then uses its `str`.
@pytest.mark.filterwarnings("ignore:Non-string:DeprecationWarning")
def test_a_client_with_a_secret_object_sends_nothing():
    with LoopbackRegistry({USER: CANARY}, auth="basic") as there:
        url = f"http://{there.registry}/v2/"
        for get in (httpx.get, requests.get):
            with pytest.raises(TypeError):
                get(url, auth=(USER, Secret(CANARY)), timeout=5)

        assert [] == there.requests


def test_logging_a_secret_reports_an_error_and_not_the_secret():
    code = (
        "import logging; from devcontainer_registry import Secret\n"
        f"logging.basicConfig(); logging.warning('%s', Secret({CANARY!r}))\n"
        f"logging.warning('%r', Secret({CANARY!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert "Logging error" in done.stderr
    assert "reveal()" in done.stderr
    assert "WARNING:root:Secret(****)" in done.stderr
    assert "~that+n0body" not in done.stderr.replace(repr(CANARY), "")


@pytest.mark.parametrize(
    "renderer",
    [
        structlog.processors.JSONRenderer(),
        structlog.processors.KeyValueRenderer(),
        structlog.dev.ConsoleRenderer(colors=False),
    ],
)
def test_structlog_renders_a_secret_masked(renderer):
    line = renderer(None, "info", {"event": "x", "value": Secret(CANARY), "all": [Secret(CANARY)]})

    assert "****" in line
    assert CANARY not in line


def test_a_plugin_that_puts_a_secret_into_its_error_breaks_no_login(home):
    class Careless:
        def matches(self, registry):  # noqa: ARG002
            return True

        def authenticate(self, secret, *, timeout):  # noqa: ARG002
            raise api.AuthenticationError(secret.secret, hint=secret.secret)

        def explain(self, secret, error):  # noqa: ARG002
            return secret.secret

    found = home.login(
        sets=a_set("A", "careless.example", user=USER, password=CANARY),
        authenticators={"careless": Careless()},
    )

    assert ["rejected"] == [one.status for one in found]
    assert CANARY not in json.dumps(found.to_dict())


# Credentials.


@pytest.mark.parametrize("password", ["pass", "in wonder:land", "p4$$-wörd"])
def test_requests_and_httpx_send_a_credential(password):
    credential = Credential(username=USER, secret=Secret(password))
    with LoopbackRegistry({USER: password}, auth="basic") as there:
        url = f"http://{there.registry}/v2/"
        headers = {"Authorization": credential.authorization()}
        username, shown = credential.basic_auth()
        answers = [
            httpx.get(url, auth=credential.basic_auth()).status_code,
            httpx.get(url, headers=headers).status_code,
            requests.get(url, headers=headers, timeout=5).status_code,
            # requests sends a string as Latin-1, which it does not document.
            requests.get(url, auth=(username, shown.encode()), timeout=5).status_code,
        ]

    assert (USER, password) == (username, shown)
    assert [200, 200, 200, 200] == answers


def test_the_authorization_header_follows_rfc_7617():
    credential = Credential(username="Aladdin", secret=Secret("open sesame"))

    assert "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" == credential.authorization()


def test_an_identity_token_is_not_used_as_password():
    credential = Credential.identity_token(Secret("t0ken"))

    assert {"identitytoken": "t0ken"} == credential.docker_auth_config()
    for use in (credential.basic_auth, credential.authorization):
        with pytest.raises(ValueError, match="docker_auth_config"):
            use()


def test_a_user_name_with_a_colon_is_refused():
    with pytest.raises(ValueError, match="colon"):
        Credential(username="a:b", secret=Secret("c")).authorization()


def test_docker_py_accepts_a_credential():
    from docker.auth import encode_header

    credential = Credential(username=USER, secret=Secret("pass"))
    header = encode_header(credential.docker_auth_config())

    assert {"username": USER, "password": "pass"} == json.loads(base64.urlsafe_b64decode(header))


# Reports.


def test_a_report_is_iterated_for_its_outcomes():
    report = report_of(GOOD, BAD, UNREAD)

    assert [GOOD, BAD, UNREAD] == list(report)
    assert 3 == len(report)
    assert {"good.example": GOOD, "bad.example": BAD} == dict(report.by_registry)
    with pytest.raises(TypeError):
        report.by_registry["x"] = GOOD


def test_of_two_outcomes_for_a_registry_the_successful_one_is_used():
    again = outcome("AGAIN", "ok", "bad.example")

    assert again is report_of(BAD, again).by_registry["bad.example"]
    assert again is report_of(again, BAD).by_registry["bad.example"]


@pytest.mark.parametrize(
    "value",
    [
        report_of(),
        report_of(GOOD),
        GOOD,
        api.Diagnosis(images=()),
        api.ImageDiagnosis(image=None, registry=None),
        api.StatusReport(config="", standings=()),
        api.ExportReport(content=None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_report_has_no_truth_value(value):
    with pytest.raises(TypeError, match=r"\.ok"):
        bool(value)

    assert value.ok in (True, False)


@pytest.mark.parametrize(
    ("changes", "ok"),
    [
        ({"status": "ok"}, True),
        ({"status": "unchanged"}, True),
        ({"status": "ok", "code": "pull-denied"}, False),
        ({"status": "ok", "code": "hidden-by-credsstore"}, False),
        ({"status": "rejected", "implicit": True}, False),
        ({"status": "skipped"}, False),
        ({"status": "found"}, False),
    ],
)
def test_an_outcome_is_ok_if_docker_can_use_the_login(changes, ok):
    assert ok is outcome("A", registry="a.example", **changes).ok


def test_a_good_report_raises_nothing():
    report_of().raise_for_status()
    report_of(GOOD, outcome("I", "rejected", "i.example", implicit=True)).raise_for_status()


def test_a_failure_is_raised_with_the_report_the_cause_and_the_fix():
    report = report_of(GOOD, BAD, error=api.ConfigError("disk full", hint="make room"))

    with pytest.raises(LoginError) as caught:
        report.raise_for_status()

    error = caught.value
    assert error.report is report
    assert "login-failed" == error.code
    assert "login failed: BAD, config.json" == error.message
    assert str(error).splitlines() == [
        "login failed: BAD, config.json",
        "  BAD: wrong password; update A_PASSWORD",
        "  config.json: disk full; make room",
    ]
    again = pickle.loads(pickle.dumps(error))
    assert (str(error), report.to_dict()) == (str(again), again.report.to_dict())


def test_a_refused_login_is_raised_without_the_secret(home):
    with LoopbackRegistry({USER: "another"}) as there:
        report = home.login(sets=a_set("CORP", there.registry, user=USER, password=CANARY))

    with pytest.raises(LoginError, match="CORP") as caught:
        report.raise_for_status()
    assert CANARY not in str(caught.value) + repr(caught.value) + repr(caught.value.report)


def test_to_dict_equals_the_json_of_login_and_status(tmp_path):
    with LoopbackRegistry({USER: "pass"}) as there:
        environ = {"HOME": str(tmp_path), **a_set("A", there.registry, user=USER, password="pass")}
        done = subprocess.run(
            [sys.executable, "-m", "devcontainer_registry", "login", "--json"],
            env=environ, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        printed = json.loads(done.stdout)
        report = api.login(environ=environ, verify="changed")
    status = api.status(environ=environ)

    assert printed.keys() == report.to_dict().keys()
    assert printed["registries"][0].keys() == report.to_dict()["registries"][0].keys()
    assert ("unchanged", there.registry) == (report.outcomes[0].status, *report.by_registry)
    assert status.ok
    assert there.registry == status.to_dict()["registries"][0]["registry"]


def test_a_login_can_be_exported_and_logged_out(tmp_path):
    with LoopbackRegistry({USER: CANARY}) as there:
        environ = {"HOME": str(tmp_path), **a_set("A", there.registry, user=USER, password=CANARY)}
        assert api.login(environ=environ).ok
        exported = api.export("docker-config", [str(there.registry)], environ=environ)
        removed = api.logout([str(there.registry)], environ=environ)

    assert exported.ok
    assert there.registry in json.loads(exported.content.reveal())["auths"]
    assert ["ok"] == [one.status for one in removed]
    for call in (api.logout, lambda names: api.export("docker-config", names)):
        with pytest.raises(TypeError, match="several"):
            call("ghcr.io")
    with pytest.raises(ValueError, match="form"):
        api.export("yaml", environ=environ)


# Arguments.


@pytest.mark.parametrize(
    "timeout", [0, -1, float("nan"), float("inf"), 1e300, "5", None, True, [3]], ids=repr
)
@pytest.mark.parametrize("call", [api.login, api.diagnose, api.logout])
def test_an_invalid_timeout_is_refused_before_any_work(tmp_path, call, timeout):
    environ = {"HOME": str(tmp_path), **a_set("A", "127.0.0.1:1", user=USER, password="pass")}

    with pytest.raises(ValueError, match="timeout is a number of seconds above 0"):
        call(environ=environ, timeout=timeout)
    assert [] == list(tmp_path.iterdir())


def test_diagnose_takes_several_images():
    with pytest.raises(TypeError, match=r"images=\[\.\.\.\]"):
        api.diagnose("ghcr.io/a/b")


# Observers.


def breaking(event, /, **fields):
    raise KeyError(event, fields)


def test_an_observer_that_raises_breaks_no_login_and_is_reported_once(home):
    with LoopbackRegistry({USER: "pass"}) as there:
        sets = a_set("A", there.registry, user=USER, password="pass")
        with pytest.warns(RuntimeWarning, match=r"observer raised KeyError at .*:\d+") as caught:
            report = home.login(sets=sets, observe=breaking)

    assert report.ok
    assert 1 == len(caught)
    assert "login." not in str(caught[0].message)


def test_the_warning_points_at_the_line_of_the_caller():
    @observed
    def call(*, observe):
        observe("a.b")

    with pytest.warns(RuntimeWarning) as caught:
        call(observe=breaking)
    call(observe=lambda *_args, **_fields: None)

    assert {__file__} == {one.filename for one in caught}


def with_a_helper(document):
    document.set_helper(Registry("a.example"), "x")


def test_an_observer_that_raises_breaks_no_diagnosis_and_no_edit(tmp_path):
    environ = {"HOME": str(tmp_path), "DOCKER_HOST": "unix:///nonexistent"}
    config = api.DockerConfig(str(tmp_path / "config.json"))
    with pytest.warns(RuntimeWarning):
        assert api.diagnose(["127.0.0.1:1/a"], environ=environ, observe=breaking).cause
    with pytest.warns(RuntimeWarning):
        config.edit(with_a_helper, observe=breaking)
    assert (tmp_path / "config.json").exists()


def test_an_observer_that_is_not_callable_is_refused():
    with pytest.raises(TypeError, match="logging_observer"):
        api.login(environ={}, observe=logging.getLogger("x"))


def test_logging_observer_logs_each_event_with_its_fields(home, caplog):
    caplog.set_level(logging.DEBUG, "setup")
    with LoopbackRegistry({USER: CANARY}) as there:
        sets = a_set("CORP", there.registry, user=USER, password=CANARY)
        report = home.login(sets=sets, observe=api.logging_observer(logging.getLogger("setup")))

    records = {record.event: record for record in caplog.records}
    assert report.ok
    assert (logging.DEBUG, logging.INFO) == (
        records["secret.found"].levelno,
        records["login.succeeded"].levelno,
    )
    done = records["login.succeeded"]
    assert ("CORP", there.registry) == (done.id, done.registry)
    assert done.getMessage().startswith(f"login.succeeded id=CORP registry={there.registry}")
    assert CANARY not in caplog.text


def test_fields_with_a_reserved_name_are_renamed(caplog):
    caplog.set_level(logging.INFO)
    observe = api.logging_observer()

    observe("a.b", name="n", args="100 %", message="m", event=1, threadName=threading.main_thread())

    (record,) = caplog.records
    assert "devcontainer_registry" == record.name
    assert ("n", "100 %", "m", 1) == (record.name_, record.args_, record.message_, record.event_)
    assert "a.b" == record.event


def test_the_name_of_a_logger_is_refused_as_logger():
    with pytest.raises(TypeError, match="getLogger"):
        api.logging_observer("setup")
