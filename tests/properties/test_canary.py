# SPDX-License-Identifier: MIT
"""
One secret through every public path: no readable output may show it.
"""

from __future__ import annotations

import base64
import copy
import io
import json
import logging
import os
import pickle
import re
import traceback
from urllib.parse import quote, quote_plus

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from doubles import servers as wire
from doubles.clouds import KEY, KEY_ID, PRINCIPAL, ROLE, Azure, PlayedAws
from doubles.command_line import run, run_on_terminal
from doubles.homes import (
    GOOD,
    HERE,
    Claiming,
    Exchanging,
    Home,
    Scripted,
    Told,
    a_secret,
    a_set,
    only,
)
from doubles.servers import (
    Answering,
    BadCertificate,
    Busy,
    Fine,
    Hanging,
    Refusing,
    Resetting,
    missing,
    web_page,
)

from devcontainer_registry import authenticators as plugins
from devcontainer_registry import diagnose, discover, resolve
from devcontainer_registry.commands import hook, render
from devcontainer_registry.commands.hiding import Hider
from devcontainer_registry.commands.log import observer
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import (
    AuthenticationError,
    ConfigError,
    DiscoveryError,
    RegistryError,
    TransientError,
    UnreachableError,
)
from devcontainer_registry.logins.candidates import UnknownSetError, survey
from devcontainer_registry.logins.outcomes import Job

# With characters that each way of quoting and encoding changes.
CANARY = 'C4n4ry+sings/every"where&=%'
CORE = "c4n4ry"
USER = "bob-the-builder"
BOB = {USER: CANARY}
PROVIDER = "//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/ci/providers/gh"
WHOLE_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.C4n4ry"


def forms(text):
    """
    Return the forms of *text* in a log, a URL, a header or a file.
    """
    yield text
    yield from (quote(text), quote(text, safe=""), quote_plus(text))
    yield from (repr(text)[1:-1], json.dumps(text)[1:-1])
    for octets in (text.encode(), f"{USER}:{text}".encode(), f"<token>:{text}".encode()):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(octets).decode().rstrip("=")
    # Encoded inside a longer text, at each of its three possible offsets.
    for shift in range(3):
        middle = base64.b64encode(b"\0" * shift + text.encode()).decode()
        yield middle[4:-4]


def assert_hidden(*texts):
    for text in texts:
        assert CORE not in text.lower()
        for form in forms(CANARY):
            assert form not in text


def everything_of(value):
    """
    Return all readable text of *value* and its causes, without revealing a secret.
    """
    yield from (repr(value), f"{value!a}")
    for show in (str, format):
        try:
            yield show(value)
        except TypeError as exc:  # noqa: PERF203  (a secret itself)
            yield repr(exc)
    if isinstance(value, BaseException):
        yield "".join(traceback.format_exception(value))
        yield repr(vars(value))
        for cause in (value.__cause__, value.__context__):
            if cause is not None:
                yield from everything_of(cause)


def everything_in(report):
    yield from everything_of(report)
    yield json.dumps(report.to_dict())
    yield from render.lines(report)
    for outcome in report.outcomes:
        yield from everything_of(outcome)
        if outcome.error is not None:
            yield from everything_of(outcome.error)
            assert outcome.error.__cause__ is None
            assert outcome.error.__context__ is None
    for finding in report.findings:
        yield from everything_of(finding)
    if report.error is not None:
        yield from everything_of(report.error)
    yield pickle.dumps(report).decode("latin-1")


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


def the_set(registry, **members):
    return a_set("ACR", registry, user=USER, password=CANARY, **members)


# Values.


@pytest.mark.parametrize(
    "value",
    [
        Secret(CANARY),
        a_secret(password=CANARY, session_token=Secret(CANARY)),
        a_secret(password=None, id_token=Secret(CANARY), audience=CANARY, client_id=CANARY),
        Credential(username=USER, secret=Secret(CANARY)),
        Credential.identity_token(Secret(CANARY)),
        [Secret(CANARY)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_value_shows_the_secret_and_none_can_be_pickled(value):
    assert_hidden(*everything_of(value), *everything_of(copy.deepcopy(value)))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(value, protocol)
        assert_hidden(*everything_of(caught.value))
    with pytest.raises(TypeError) as caught:
        json.dumps(value)
    assert_hidden(*everything_of(caught.value))


def test_no_attribute_of_a_secret_object_holds_its_text():
    """
    Serializers such as jsonpickle, and debuggers, list all attributes.
    """
    secret = Secret(CANARY)

    for name in dir(secret):
        assert_hidden(repr(getattr(secret, name)))
    # Python 3.11 has one for every object.
    assert_hidden(repr(getattr(secret, "__getstate__", dict)()))


def test_a_job_in_progress_does_not_show_the_secret():
    job = Job(0, a_secret(password=CANARY), Scripted(GOOD), None)
    job.credential = Credential(username=USER, secret=Secret(CANARY))

    assert_hidden(*everything_of(job))


def test_a_discovery_does_not_show_the_secret():
    found = discover(the_set("registry.example"))

    assert_hidden(*everything_of(found), *everything_in(survey(found)))


# Registries.


@pytest.mark.parametrize(
    "registry",
    [
        lambda: Fine(BOB),
        lambda: Fine(BOB, auth="basic"),
        Refusing,
        lambda: Refusing(auth="basic"),
        lambda: Busy(BOB, times=99),
        lambda: Busy(BOB, times=99, status=429),
        lambda: BadCertificate(BOB),
        Resetting,
        Hanging,
        missing,
        web_page,
        lambda: Answering(403, {}, CANARY.encode()),
        lambda: Answering(
            401,
            {"WWW-Authenticate": f'Bearer realm="https://{CORE}.example/{quote(CANARY, safe="")}"'},
            CANARY.encode(),
        ),
        lambda: Answering(302, {"Location": f"https://x.example/?{quote_plus(CANARY)}"}, b""),
        lambda: Answering(418, {"X-Echo": quote(CANARY)}, json.dumps({"e": CANARY}).encode()),
        lambda: Answering(401, {"WWW-Authenticate": "Basic"}, json.dumps({"e": CANARY}).encode()),
    ],
)
def test_no_answer_of_a_registry_puts_the_secret_into_a_report_or_an_event(home, registry):
    told = Told()
    with registry() as there:
        report = home.login(sets=the_set(there.registry), timeout=1.5, observe=told, only=["ACR"])

    hidden = [text.replace(f"{CORE}.example", "") for text in everything_in(report)]
    assert_hidden(*hidden, *(repr(one).replace(f"{CORE}.example", "") for one in told))


@pytest.mark.parametrize("level", ["debug", "info"])
@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("registry", [lambda: Fine(BOB), Refusing, lambda: Busy(BOB, times=1)])
def test_no_line_of_the_log_shows_the_secret(home, level, log_format, registry):
    options = ["--log-level", level, "--log-format", log_format]
    with registry() as there:
        ran = run(home, "login", *options, sets=the_set(there.registry))

    assert ran.stderr
    assert_hidden(ran.stdout, ran.stderr)


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("registry", [lambda: Fine(BOB), Refusing])
def test_nothing_that_a_run_prints_shows_the_secret(home, log_format, registry):
    options = ["--keep-going", "--log-level=debug", f"--log-format={log_format}", "--", "true"]
    with registry() as there:
        ran = run(home, "run", *options, sets=the_set(there.registry))

    assert (0, "") == (ran.status, ran.stdout)
    assert "run.started" in ran.stderr
    assert_hidden(ran.stderr)


def test_an_event_that_quotes_the_secret_is_masked_in_the_log(capsys):
    environ = the_set("registry.example")
    hide = Hider(environ)
    for log_format in ("console", "json"):
        tell = observer(level="debug", log_format=log_format, hide=hide, colours=False)
        for number, form in enumerate(forms(CANARY)):
            # The last three come from a longer text, which is unknown.
            if number < len(list(forms(CANARY))) - 3:
                tell("plugin.said", text=f"<{form}>", nested={"a": [form]})
        tell("plugin.said", password="C4n4ry", api_token=["C4n4ry"])

    written = capsys.readouterr()
    assert "" == written.out
    assert CORE not in written.err.replace(quote(USER), "").lower()


# The debug log of every flow, without a mask: the events themselves must hold no secret.


class Logged:
    """
    An observer that writes both logs, without a mask, and records the forbidden texts.
    """

    def __init__(self):
        self.stream = io.StringIO()
        self._logs = [
            observer(level="debug", log_format=form, hide=str, colours=False, stream=self.stream)
            for form in ("console", "json")
        ]

    def __call__(self, event, /, **fields):
        for log in self._logs:
            log(event, **fields)

    def assert_shows_no(self, *secrets, but):
        text = self.stream.getvalue()
        for event in but:
            assert f" {event} " in text, event
        for secret in secrets:
            for form in (
                secret,
                quote(secret, safe=""),
                base64.b64encode(secret.encode()).decode(),
            ):
                assert form not in text
        assert not re.search(r"Basic |Bearer |AWS4-HMAC|X-Amz-|\bAuthorization\b", text)


SEEN = ("variable.used", "authenticator.chosen", "credential.obtained", "login.decided")


@pytest.mark.parametrize("auth", ["basic", "token"])
@pytest.mark.parametrize("password", [CANARY, "wrong-" + CANARY])
def test_the_debug_log_of_a_login_and_a_diagnosis_shows_no_secret(home, auth, password):
    logged = Logged()
    sets = a_set("ACR", "x.example", user=USER, password=password)
    with Fine(BOB, auth=auth) as registry:
        sets["ACR_CONTAINER_REGISTRY_SERVER"] = str(registry.registry)
        home.login(sets=sets, observe=logged)
        environ = {**home.environ, **sets, "DOCKER_HOST": "tcp://127.0.0.1:9"}
        diagnose([f"{registry.registry}/team/app:1"], environ=environ, observe=logged, timeout=5)

    pair = f"{USER}:{password}"
    seen = [*SEEN, "challenge.received", "request.answered", "cache.written", "doctor.step"]
    logged.assert_shows_no(CANARY, USER, password, pair, but=seen)
    assert_hidden(logged.stream.getvalue())


def test_the_debug_log_of_a_proxy_a_token_server_and_a_signed_url_shows_no_secret(home, tmp_path):
    logged = Logged()
    signed = f"https://cdn.example/blob?X-Amz-Signature={quote_plus(CANARY)}"

    def registry(request):
        if request.path == "/v2/" and request.authorization is None:
            realm = f"https://auth.example/token?key={quote_plus(CANARY)}"
            return wire.Answer(401, [("WWW-Authenticate", f'Bearer realm="{realm}",service="s"')])
        return wire.Answer(*((307, [("Location", signed)]) if "manifests" in request.path else ()))

    with wire.world(tmp_path / "ca") as world:
        world.host("reg.example", registry)
        world.host("cdn.example", lambda _: wire.Answer(404))
        world.host("auth.example", lambda _: wire.Answer(body=b'{"token": "t0ken-C4n4ry"}'))
        proxy = f"http://{USER}:{quote(CANARY, safe='')}@127.0.0.1:{world.proxy.port}"
        sets = {**world.environ, "HTTPS_PROXY": proxy, **the_set("reg.example")}
        sets["ACR_CONTAINER_REGISTRY_IMAGE"] = "reg.example/team/app:1"
        home.login(sets=sets, observe=logged)

    seen = [*SEEN, "proxy.chosen", "tls.negotiated", "token.requested", "request.redirected"]
    logged.assert_shows_no(CANARY, USER, "t0ken", but=seen)
    assert_hidden(logged.stream.getvalue())


def test_the_debug_log_of_a_login_to_ecr_shows_no_key_and_no_token(home, monkeypatch):
    logged = Logged()
    with PlayedAws() as aws:
        for name, value in aws.environ.items():
            monkeypatch.setenv(name, value)
        host = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
        role = "arn:aws:iam::222222222222:role/pull"
        sets = a_set("ECR", host, user=KEY_ID, password=KEY, ROLE_ARN=role)
        report = home.login(sets=sets, observe=logged, verify="never")

    assert "ok" == only(report).status
    # The key that the role was given is of the played AWS, and so is the token.
    given = [f"token-of-{KEY_ID}", "AKIA", "ASIA", "token-of-"]
    logged.assert_shows_no(KEY, *given, but=[*SEEN, "cloud.answered"])
    assert "sts:AssumeRole" in logged.stream.getvalue()
    assert "ecr:GetAuthorizationToken" in logged.stream.getvalue()


def test_the_debug_log_of_a_login_to_acr_shows_no_secret_and_no_token(home, monkeypatch):
    logged = Logged()
    with Azure() as azure:
        for name, value in {**azure.environ, **PRINCIPAL}.items():
            monkeypatch.setenv(name, value)
        sets = {"ACR_CONTAINER_REGISTRY_SERVER": azure.registry, **azure.environ}
        report = home.login(sets=sets, observe=logged)

    assert "ok" == only(report).status
    secrets = [PRINCIPAL["AZURE_CLIENT_SECRET"], azure.access_token, azure.refresh_token]
    parts = [part for token in secrets[1:] for part in token.split(".")[1:] if len(part) > 8]
    logged.assert_shows_no(*secrets, *parts, but=[*SEEN, "cloud.answered", "token.requested"])


def test_the_debug_log_of_a_login_to_google_shows_no_key_and_no_token(home, monkeypatch, tmp_path):
    logged = Logged()
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    answer = {"access_token": "ya29.C4n4ry", "expires_in": 3599, "token_type": "Bearer"}
    with Answering(200, {"Content-Type": "application/json"}, json.dumps(answer).encode()) as there:
        account = {
            "type": "service_account",
            "private_key": pem.decode(),
            "client_email": "puller@made-up.iam.gserviceaccount.com",
            "token_uri": f"http://{there.registry}/v2/",
        }
        (tmp_path / "key.json").write_text(json.dumps(account))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
        sets = {"GCP_CONTAINER_REGISTRY_SERVER": "europe-west1-docker.pkg.dev"}
        report = home.login(sets=sets, observe=logged, verify="never")

    assert "ok" == only(report).status, only(report).error
    keys = pem.decode().splitlines()[1:-1]
    logged.assert_shows_no("ya29", *keys, but=[*SEEN, "cloud.identity_chosen", "request.answered"])
    assert_hidden(logged.stream.getvalue())


# Commands.


@pytest.mark.parametrize(
    "arguments",
    [
        ["login"],
        ["login", "--json"],
        ["login", "--dry-run"],
        ["login", "--dry-run", "--json"],
        ["login", "--verify", "never", "--log-level", "debug"],
        ["hook", "onCreate"],
        ["hook", "postStart", "--json", "--strict"],
        ["list"],
        ["list", "--json"],
        ["logout", "--all"],
        ["logout", "--all", "--json"],
        ["--help"],
        ["login", "--nonsense"],
    ],
    ids=" ".join,
)
def test_the_output_of_no_command_shows_the_secret(home, arguments):
    with Fine(BOB) as registry:
        home.login(sets=the_set(registry.registry))
        ran = run(home, *arguments, sets=the_set(registry.registry))

    assert_hidden(ran.stdout, ran.stderr)


def test_no_progress_on_a_terminal_shows_the_secret(home):
    with Fine(BOB, latency=0.05) as registry:
        _, written = run_on_terminal(home, "login", sets=the_set(registry.registry))

    assert_hidden(written)


def test_only_config_json_holds_the_secret_and_only_its_owner_reads_it(home):
    with Fine(BOB) as registry:
        run(home, "login", sets=the_set(registry.registry))

    for folder, _, files in os.walk(home.path):
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                content = file.read().decode("latin-1")
            if path == home.config:
                assert 0o600 == os.stat(path).st_mode & 0o777
            else:
                assert_hidden(content)


@pytest.mark.parametrize("source", ["environment", "secrets file"])
def test_a_traceback_does_not_show_the_secret(home, tmp_path, source):
    # The last line of defence: an unexpected exception with the secret in its text.
    sets = the_set("registry.example")
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps(sets))
    code = (
        "import sys, base64, devcontainer_registry.logins.login as l\n"
        "from devcontainer_registry.commands.cli import main\n"
        f"text = {CANARY!r}\n"
        f"pair = base64.b64encode(b{USER + ':' + CANARY!r}).decode()\n"
        "def login(**_):\n"
        "    try:\n"
        "        raise RuntimeError(text)\n"
        "    except RuntimeError as exc:\n"
        "        raise ZeroDivisionError([text, pair]) from exc\n"
        "l.login = login\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    options = ["--secrets-file", str(secrets)] if source == "secrets file" else []

    ran = run(home, "login", *options, sets={} if options else sets, program=("-c", code))

    assert 1 == ran.status
    assert "ZeroDivisionError" in ran.stderr
    assert_hidden(ran.stdout, ran.stderr)


# Plugins.


class Talkative(Exception):  # noqa: N818  (a stranger's, badly named)
    def __init__(self):
        super().__init__(CANARY)
        self.response = CANARY

    def __str__(self):
        return f"could not log in with {CANARY}"


def raised(error, cause):
    """
    *error*, as raised by code that caught *cause*.
    """
    try:
        try:
            raise cause  # noqa: TRY301  (being caught is what it is for)
        except BaseException as exc:
            raise error from exc
    except BaseException as exc:  # noqa: BLE001  (the error is what is wanted)
        return exc


class TheirOwnError(AuthenticationError):
    def __init__(self, response):
        super().__init__(f"refused:\n\x1b[31m{response}", hint=f"do not use {response}")
        self.response = response


@pytest.mark.parametrize(
    "error",
    [
        Talkative(),
        ValueError(CANARY),
        KeyError(CANARY),
        raised(RuntimeError("x"), Talkative()),
        *(
            raised(kind(f"no: {form}", hint=f"not {form}", code=f"x-{form}"), Talkative())
            for kind in (AuthenticationError, TransientError, UnreachableError, DiscoveryError)
            for form in list(forms(CANARY))[:8]
        ),
        raised(RegistryError(f"no: {CANARY}"), Talkative()),
        TheirOwnError(CANARY),
        RegistryError({"not": CANARY}),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("where", ["authenticate", "explain", "matches", "exchanges"])
def test_no_exception_of_a_plugin_puts_the_secret_into_a_report_or_an_event(home, error, where):
    class Plugin(Claiming):
        ambient = True

        def _go(self, what):
            if what == where:
                raise error

        def matches(self, registry):
            self._go("matches")
            return super().matches(registry)

        def exchanges(self, secret):  # noqa: ARG002  (the protocol's)
            self._go("exchanges")
            return False

        def authenticate(self, secret, *, timeout):
            self._go("authenticate")
            if where == "matches":
                return super().authenticate(secret, timeout=timeout)
            msg = "no"
            raise UnreachableError(msg)

        def explain(self, secret, error):  # noqa: ARG002  (the protocol's)
            self._go("explain")
            return f"try {CANARY}"

    told = Told()
    report = home.login(
        [a_secret(user=USER, password=CANARY, image=f"{HERE}/team/app:1")],
        authenticators={"mine": Plugin(HERE), "generic": Scripted(GOOD)},
        verify="never" if where == "matches" else "always",
        observe=told,
    )

    assert_hidden(*everything_in(report), *map(repr, told))
    for outcome in report.outcomes:
        if outcome.error is not None:
            assert "\n" not in outcome.error.message
            assert "\x1b" not in outcome.error.message


def test_a_token_from_a_cloud_is_as_secret_as_the_key(home):
    class Cloud(Exchanging):
        def explain(self, secret, error):  # noqa: ARG002  (the protocol's)
            return f"the token was {CANARY}"

    token = Credential(username=USER, secret=Secret(CANARY))
    with Refusing() as registry:
        report = home.login(
            [a_secret(registry=registry.registry)], authenticators={"generic": Cloud(token)}
        )

    assert "rejected" == only(report).status
    assert_hidden(*everything_in(report))


@pytest.mark.parametrize("kind", ["acr", "ghcr", "google", "generic"])
@pytest.mark.parametrize("code", ["rejected", "pull-denied", "image-not-found", "ip-not-allowed"])
@pytest.mark.parametrize("prefix", ["", "ghs_", "ghp_", "github_pat_"])
def test_no_built_in_kind_explains_with_the_secret(kind, code, prefix):
    authenticator = plugins.load()[kind]
    secret = a_secret(user=USER, password=prefix + CANARY)

    assert_hidden(plugins.explain(authenticator, secret, AuthenticationError("no", code=code)))


@pytest.mark.parametrize("kind", ["acr", "ghcr", "google", "generic", "ecr"])
def test_no_built_in_kind_raises_an_error_with_the_secret(kind):
    authenticator = plugins.load()[kind]
    for user, password in ((CANARY, CANARY), (USER, CANARY), ("AKIAIOSFODNN7EXAMPLE", None)):
        secret = a_secret(user=user, password=password)
        try:
            found = authenticator.authenticate(secret, timeout=0.1)
        except RegistryError as exc:
            assert_hidden(*everything_of(exc))
        else:
            assert CANARY in (found.username, found.secret.reveal())
            assert_hidden(*everything_of(found.secret))


# The wrong variable.


@pytest.mark.parametrize(
    "member",
    [
        "USER",
        "KIND",
        "IMAGE",
        "CA_FILE",
        "REGION",
        "ROLE_ARN",
        "PROFILE",
        "TENANT",
        "CLIENT_ID",
        "AUDIENCE",
        "ID_TOKEN",
        "ID_TOKEN_FILE",
        "SESSION_TOKEN",
        "PASSWORD_FILE",
        "USER_FILE",
        "USERNAME",
        "PASS",
        "TOKEN",
    ],
)
@pytest.mark.parametrize("text", [CANARY, "C4n4ry-s1ngs", "c4n4ry/s1ngs:1", "a\nC4n4ry"])
@pytest.mark.parametrize("command", [["login"], ["list"], ["login", "--dry-run"]], ids=" ".join)
def test_a_secret_in_the_wrong_variable_is_not_shown(home, capsys, member, text, command):
    assert_stays_hidden(home, capsys, member, text, command)


# A text that can be a host is used as one, and every line begins with its registry.
@pytest.mark.parametrize("text", [CANARY, "a\nC4n4ry"])
@pytest.mark.parametrize("command", [["login"], ["list"], ["login", "--dry-run"]], ids=" ".join)
def test_a_secret_in_the_place_of_the_registry_is_not_shown(home, capsys, text, command):
    assert_stays_hidden(home, capsys, "SERVER", text, command)


def assert_stays_hidden(home, capsys, member, text, command):
    with Fine(BOB) as registry:
        sets = {**the_set(registry.registry), f"ACR_CONTAINER_REGISTRY_{member}": text}
        if command == ["list"]:
            report = survey(discover(sets))
        else:
            report = home.login(sets=sets, dry_run="--dry-run" in command)

    assert_hidden(*everything_in(report), *capsys.readouterr())


@pytest.mark.parametrize(
    ("registry", "members"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", {"ROLE_ARN": f"{ROLE}", "ID_TOKEN": ""}),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", {"ROLE_ARN": f"{ROLE}", "AUDIENCE": ""}),
        ("mycompany.azurecr.io", {"TENANT": "corp.example", "CLIENT_ID": "", "ID_TOKEN": ""}),
        ("mycompany.azurecr.io", {"TENANT": "", "CLIENT_ID": "app", "ID_TOKEN": WHOLE_TOKEN}),
        ("mycompany.azurecr.io", {"TENANT": "corp.example", "CLIENT_ID": "", "AUDIENCE": ""}),
        ("europe-docker.pkg.dev", {"AUDIENCE": "", "CLIENT_ID": ""}),
        ("europe-docker.pkg.dev", {"AUDIENCE": PROVIDER, "CLIENT_ID": "", "ID_TOKEN": ""}),
    ],
)
def test_a_secret_in_a_variable_of_an_identity_is_not_shown(home, registry, members):
    """
    In place of the value, or of the token: each empty one holds the secret.
    """
    values = {"SERVER": registry, **{name: text or CANARY for name, text in members.items()}}
    sets = {f"ACR_CONTAINER_REGISTRY_{name}": text for name, text in values.items()}
    # GitHub would issue a token for what the set says; nothing answers there.
    sets |= {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://127.0.0.1:9/",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": CANARY,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }

    ran = run(home, "login", "--timeout", "2", "--log-level", "debug", sets=sets)

    assert ran.status in (3, 4, 5)
    assert_hidden(ran.stdout, ran.stderr)


@pytest.mark.parametrize("member", ["REGION", "PROFILE", "ROLE_ARN", "SESSION_TOKEN", "TENANT"])
def test_a_secret_in_a_clouds_variable_is_not_shown(home, member):
    sets = {
        **a_set(
            "ACR", "registry.example", user="AKIAIOSFODNN7EXAMPLE", password=CANARY, KIND="ecr"
        ),
        "ACR_CONTAINER_REGISTRY_REGION": "eu-west-1",
        f"ACR_CONTAINER_REGISTRY_{member}": "C4n4ry-s1ngs",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }

    ran = run(home, "login", "--timeout", "5", "--log-level", "debug", sets=sets)

    assert ran.status in (3, 4, 5)
    assert_hidden(ran.stdout, ran.stderr)


@pytest.mark.parametrize(
    "name",
    ["VERIFY", "STORE", "TIMEOUT", "LOG_LEVEL"],
)
def test_a_secret_in_a_setting_is_not_shown(home, name):
    ran = run(home, "login", sets={f"DEVCONTAINER_REGISTRY_{name}": CANARY})

    assert 2 == ran.status
    assert_hidden(ran.stdout, ran.stderr)


def test_a_secret_as_the_name_of_a_set_is_not_shown(home):
    ran = run(home, "login", "--only", CANARY, sets=the_set("registry.example"))
    with pytest.raises(UnknownSetError) as caught:
        home.login(sets=the_set("registry.example"), only=[CANARY])

    assert 2 == ran.status
    assert_hidden(ran.stdout, ran.stderr, *everything_of(caught.value))


# As for `docker login`, say.
@pytest.mark.parametrize("text", [CANARY, "c4n4ry's", "--C4n4ry", "-pC4n4ry"])
@pytest.mark.parametrize(
    "words",
    [
        ["login", "--password", "{}"],
        ["login", "--password={}"],
        ["login", "-u", "bob", "-p", "{}", "ghcr.io"],
        ["login", "--json={}"],
        ["hook", "{}"],
        ["export", "--format", "{}"],
        ["export", "--format={}"],
        ["status", "{}"],
        ["{}"],
    ],
    ids=" ".join,
)
def test_a_secret_as_a_word_that_no_command_knows_is_not_shown(home, words, text):
    ran = run(home, *(word.format(text) for word in words))

    # A hook stops no container; it does nothing.
    assert (0 if words[0] == "hook" else 2) == ran.status
    assert ran.stderr.startswith("devcontainer-registry: ")
    assert_hidden(ran.stdout, ran.stderr)


def test_an_unknown_option_is_not_named_and_the_help_is(home):
    ran = run(home, "login", "--password", CANARY)

    fix = "  fix: run devcontainer-registry login --help\n"
    assert f"devcontainer-registry: unknown option\n{fix}" == ran.stderr


def test_a_secret_as_the_registry_of_a_logout_is_not_shown(home):
    ran = run(home, "logout", CANARY)

    assert 2 == ran.status
    assert_hidden(ran.stdout, ran.stderr)


@pytest.mark.parametrize(
    "text",
    [
        '{"A_CONTAINER_REGISTRY_PASSWORD": "%s',
        '{"A_CONTAINER_REGISTRY_PASSWORD": "%s" nonsense}',
        '{"A_CONTAINER_REGISTRY_PASSWORD": %s}',
        '%s: {"a": 1}',
        '["%s"]',
        '{"A_CONTAINER_REGISTRY_PASSWORD": ["%s"]}',
    ],
)
def test_a_secrets_file_that_is_damaged_at_the_secret_is_not_quoted(home, tmp_path, text):
    secrets = tmp_path / "secrets.json"
    secrets.write_text(text % "C4n4ry-s1ngs")

    ran = run(home, "login", "--secrets-file", str(secrets), "--log-level", "debug")

    assert_hidden(ran.stdout, ran.stderr)


@pytest.mark.parametrize(
    "text",
    [
        '{"auths": {"registry.example": {"auth": "%s',
        '{"auths": {"registry.example": {"auth": "%s"}}',
        '{"auths": {"registry.example": "%s"}}',
        '{"auths": ["%s"]}',
        '{"credsStore": {"a": "%s"}}',
        "%s",
    ],
)
def test_a_config_json_that_is_damaged_at_the_secret_is_not_quoted(home, text):
    encoded = base64.b64encode(f"{USER}:{CANARY}".encode()).decode()
    for secret in (encoded, "C4n4ry-s1ngs"):
        home.write(text % secret)
        report = home.login(sets=the_set("registry.example"), verify="never")

        assert_hidden(*everything_in(report))
    ran = run(home, "hook", "postStart", "--verify", "never", sets=the_set("x.example"))
    assert_hidden(ran.stdout, ran.stderr)


def test_an_auth_json_that_is_damaged_at_the_secret_is_not_quoted(tmp_path):
    named = tmp_path / "auth.json"
    named.write_text(f'{{"auths": {{"registry.example": {{"auth": "{CANARY}')
    environ = {"HOME": str(tmp_path), "REGISTRY_AUTH_FILE": str(named)}

    with pytest.raises(ConfigError) as caught:
        resolve("registry.example", environ=environ)

    assert_hidden(*everything_of(caught.value))


def test_a_docker_auth_config_that_is_damaged_at_the_secret_is_not_quoted(home):
    for text in (f'{{"auths": "{CANARY}', '{"auths": {"a.example": {"auth": "C4n4ry"}}}'):
        ran = run(home, "list", sets={"DOCKER_AUTH_CONFIG": text})

        assert_hidden(ran.stdout, ran.stderr)


def test_the_python_help_of_any_module_does_not_show_the_environment(home):
    """
    A default is part of a signature; `os.environ` as a default shows all secrets of the process.
    """
    code = (
        "import importlib, pkgutil, pydoc, devcontainer_registry as package\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        print(pydoc.render_doc(importlib.import_module(module.name)))\n"
    )

    ran = run(home, sets=the_set("registry.example"), program=("-c", code))

    assert 0 == ran.status
    assert "devcontainer_registry.logins.login" in ran.stdout
    assert_hidden(ran.stdout, ran.stderr)


# Other processes.


def test_no_child_process_is_started_at_all(home):
    code = (
        "import sys\n"
        "from devcontainer_registry.commands.cli import main\n"
        "def hook(event, arguments):\n"
        f"    if event in {('subprocess.Popen', 'os.exec', 'os.posix_spawn', 'os.system')!r}:\n"
        "        sys.stderr.write('STARTED ' + event)\n"
        "sys.addaudithook(hook)\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    with Fine(BOB) as registry:
        sets = the_set(registry.registry)
        ran = run(home, "login", "--store", "auths", sets=sets, program=("-c", code))

    assert (0, "") == (ran.status, ran.stderr)


@pytest.mark.parametrize("form", [CANARY, CANARY[:7], json.dumps(json.dumps(CANARY))])
@pytest.mark.parametrize("kind", ["ValueError", "KeyError", "OSError", "UnicodeError"])
def test_an_internal_error_that_quotes_a_part_of_the_secret_is_masked(home, kind, form):
    """
    As `int` and most parsers do; no mask knows all the parts and forms of a secret.
    """
    code = (
        "import sys, devcontainer_registry.logins.login as l\n"
        "from devcontainer_registry.commands.cli import main\n"
        "def broken(*_, **__):\n"
        f"    try: raise {kind}({form!r})\n"
        f"    except {kind} as exc: raise RuntimeError({form!r}) from exc\n"
        "l.keep = broken\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )

    ran = run(
        home, "login", "--verify", "never", sets=the_set("registry.example"), program=("-c", code)
    )

    assert 1 == ran.status
    assert_hidden(ran.stdout, ran.stderr)
    # The place of the error is all that is reported.
    assert f"{kind}\nand then:\n" in ran.stderr
    assert "login.py" in ran.stderr
    assert "this is a bug" in ran.stderr


def test_no_log_of_a_library_shows_the_secret(home):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with Fine(BOB) as registry, Refusing() as other:
            home.login(sets={**the_set(registry.registry)})
            home.login(sets={**the_set(other.registry)})
    finally:
        root.removeHandler(handler)
        root.setLevel(before)

    assert_hidden(stream.getvalue())


def test_a_snapshot_warning_does_not_show_the_secret(home):
    with Fine(BOB) as registry:
        report = hook.run("onCreate", environ={**home.environ, **the_set(registry.registry)})

    assert "written-in-snapshot" == only(report).code
    assert_hidden(*everything_in(report))
