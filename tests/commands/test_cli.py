# SPDX-License-Identifier: MIT
"""
The command as its users run it: arguments, variables, output, exit statuses.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import os
import subprocess
import sys
from contextlib import ExitStack

import pytest
from doubles.command_line import environ, run, run_on_terminal
from doubles.homes import Home, a_set
from doubles.servers import BadCertificate, Fine, Hanging, Refusing

from devcontainer_registry.commands.hiding import trace_of
from devcontainer_registry.commands.output.progress import Progress

BOB = {"bob": "s3cret-s3cret"}


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


def test_a_login_is_one_line_on_stdout_and_nothing_on_stderr(home):
    with Fine(BOB) as registry:
        ran = run(home, "login", sets=a_set("ACR", registry.registry))

    line = f"logged in   ACR  {registry.registry}\n"
    assert (0, line, "") == (ran.status, ran.stdout, ran.stderr)
    assert {registry.registry: "bob:s3cret-s3cret"} == home.auths


def test_without_any_set_login_says_how_to_begin(home):
    ran = run(home, "login")

    assert (0, "") == (ran.status, ran.stderr)
    assert "no secrets found" in ran.stdout
    assert "_CONTAINER_REGISTRY_SERVER" in ran.stdout


def test_the_document_of_a_login_is_alone_on_stdout(home):
    with Fine(BOB) as registry:
        ran = run(home, "login", "--json", sets=a_set("ACR", registry.registry))

    assert ["version", "config", "changed", "error", "registries", "findings"] == list(ran.document)
    (entry,) = ran.document["registries"]
    assert entry.pop("elapsed_ms") >= 0
    assert {
        "id": "ACR",
        "registry": registry.registry,
        "kind": "generic",
        "source": "ACR_CONTAINER_REGISTRY_*",
        "status": "ok",
        "kept_in": ["auths"],
        "stays": False,
        "verified": True,
        "expires_at": None,
        "attempts": 1,
        "realm": None,
        "code": None,
        "error": None,
    } == entry
    assert (home.config, True, None, []) == (
        ran.document["config"],
        ran.document["changed"],
        ran.document["error"],
        ran.document["findings"],
    )


def test_the_document_is_printed_even_without_any_set(home):
    for command in (["login"], ["hook", "postStart"], ["list"], ["logout", "--all"]):
        ran = run(home, *command, "--json")

        assert (0, []) == (ran.status, ran.document["registries"])


@pytest.mark.parametrize("command", ["login", "list"])
def test_a_list_and_a_dry_run_print_the_sets_as_a_document(home, command):
    sets = {
        **a_set("ACR", "mycompany.azurecr.io"),
        **a_set("HUB", "https://index.docker.io/v1/", password=""),
        **a_set("NONE", "", user="", password=""),
    }
    ran = run(home, command, "--json", *(["--dry-run"] if command == "login" else []), sets=sets)

    entries = {entry["id"]: entry for entry in ran.document["registries"]}
    assert 3 == ran.status
    assert {
        "id": "ACR",
        "registry": "mycompany.azurecr.io",
        "kind": "acr",
        "source": "ACR_CONTAINER_REGISTRY_*",
        "status": "found",
        "kept_in": ["auths"] if command == "login" else [],
        "stays": False,
        "verified": False,
        "expires_at": None,
        "attempts": 0,
        "elapsed_ms": 0,
        "realm": None,
        "code": None,
        "error": None,
    } == entries["ACR"]
    assert "incomplete" == entries["HUB"]["status"]
    assert "not-configured" == entries["NONE"]["code"]
    assert not os.path.exists(home.config)


def test_a_list_loads_no_cloud_no_parser_of_urls_and_nothing_of_the_network(home):
    program = (
        "import os, sys; os._exit = sys.exit; from devcontainer_registry.__main__ import main\n"
        "sys.argv[1:] = ['list']\n"
        "try:\n    main()\n"
        "except SystemExit:\n    print(*sys.modules, sep='\\n')"
    )
    ran = run(home, sets=a_set("ACR", "registry.example"), program=("-c", program))

    loaded = set(ran.stdout.splitlines())
    assert "devcontainer_registry.authenticators.ecr" in loaded
    ours = ("causes.engine", "config.document", "authenticators.clouds.aws.names", "network")
    dear = {"asyncio", "email", "http", "socket", "ssl", "urllib.parse", "urllib3"}
    assert set() == loaded & (dear | {f"devcontainer_registry.{name}" for name in ours})


def test_a_command_ends_with_what_was_registered_for_its_end(home, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit\natexit.register(print, 'at the end')\n", encoding="utf-8"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    ran = run(home, "list", sets={"PYTHONPATH": path})

    assert (0, "no secrets found\nat the end\n") == (ran.status, ran.stdout)


def test_a_list_says_found_or_incomplete_and_nothing_else(home):
    sets = {
        **a_set("A", "a.example", KIND="no-such-kind"),
        **a_set("B", "", user="", password=""),
        **a_set("C", "c.example"),
        **a_set("D", "d@e.example"),
    }
    ran = run(home, "list", "--json", sets=sets)

    assert {"found", "incomplete"} == {e["status"] for e in ran.document["registries"]}
    assert 3 == ran.status


def test_an_empty_set_alone_is_not_a_failure(home):
    sets = a_set("NONE", "", user="", password="")

    for command in (["login"], ["list"], ["hook", "postStart", "--strict"]):
        assert 0 == run(home, *command, sets=sets).status


def test_module_and_script_are_the_same_command(home):
    script = os.path.join(os.path.dirname(sys.executable), "devcontainer-registry")
    done = subprocess.run(
        [script, "list"], env=environ(home, None), capture_output=True, text=True, check=False
    )

    assert run(home, "list").stdout == done.stdout


def test_the_version_is_that_of_the_package(home):
    ran = run(home, "--version")

    version = importlib.metadata.version("devcontainer-registry")
    assert (0, f"devcontainer-registry {version}\n") == (ran.status, ran.stdout)


# Exit statuses.


def test_a_refusal_beside_a_success_has_exit_status_4(home):
    with Refusing() as bad, Fine(BOB) as good:
        sets = {**a_set("A", bad.registry), **a_set("B", good.registry)}
        ran = run(home, "login", sets=sets)

    assert 4 == ran.status
    assert {good.registry: "bob:s3cret-s3cret"} == home.auths


def test_an_unverified_login_has_exit_status_5(home):
    with BadCertificate(BOB) as registry:
        assert 5 == run(home, "login", sets=a_set("A", registry.registry)).status


def test_an_incomplete_set_has_exit_status_3(home):
    ran = run(home, "login", sets=a_set("A", "registry.example", password=""))

    assert 3 == ran.status
    assert "A_CONTAINER_REGISTRY_PASSWORD" in ran.stdout


def test_a_damaged_config_has_exit_status_6(home):
    home.write("{")
    ran = run(home, "login", "--verify", "never", sets=a_set("A", "registry.example"))

    assert 6 == ran.status
    assert "{" == home.text


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["login", "--nonsense"],
        ["login", "--verify", "sometimes"],
        ["login", "--store", "keychain"],
        ["login", "--timeout", "0"],
        ["login", "--timeout", "-1"],
        ["login", "--timeout", "nan"],
        ["login", "--timeout", "inf"],
        ["login", "--timeout", "soon"],
        ["login", "--log-level", "loud"],
        ["login", "--log-format", "xml"],
        ["login", "--veri", "never"],
        ["login", "--only", "NONE"],
        ["hook", "--strict"],
        ["hook", "--strict", "initialize"],
        ["hook", "--strict", "postStart", "--verify", "sometimes"],
        ["hook", "postStart", "--strict", "--timeout", "x"],
        ["logout"],
        ["logout", "a b"],
        ["logout", "ghcr.io", "--all"],
    ],
    ids=" ".join,
)
def test_wrong_usage_has_exit_status_2_and_an_explanation(home, arguments):
    ran = run(home, *arguments)

    assert (2, "") == (ran.status, ran.stdout)
    assert "devcontainer-registry" in ran.stderr
    assert [] == [line for line in ran.stderr.splitlines() if len(line) > 80]


# Settings from the environment.


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VERIFY", "sometimes"),
        ("STORE", "keychain"),
        ("TIMEOUT", "soon"),
        ("TIMEOUT", "1e9"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_setting_is_named_and_not_quoted_and_the_command_line_wins(home, name, value):
    variable = f"DEVCONTAINER_REGISTRY_{name}"
    option = "--" + name.lower().replace("_", "-")
    good = {"VERIFY": "never", "STORE": "auths", "TIMEOUT": "5", "LOG_LEVEL": "error"}[name]

    bad = run(home, "login", sets={variable: value})
    overridden = run(home, "login", option, good, sets={variable: value})

    assert 2 == bad.status
    assert variable in bad.stderr
    assert value not in bad.stderr
    assert 0 == overridden.status


def test_settings_come_from_the_environment(home, tmp_path):
    cache = tmp_path / "elsewhere"
    secrets = tmp_path / "secrets.json"
    secrets.write_text(
        json.dumps(a_set("ACR", "registry.example")) + " // by the dev container CLI"
    )
    settings = {
        "DEVCONTAINER_REGISTRY_VERIFY": "never",
        "DEVCONTAINER_REGISTRY_STORE": "auths",
        "DEVCONTAINER_REGISTRY_TIMEOUT": "5",
        "DEVCONTAINER_REGISTRY_SECRETS_FILE": str(secrets),
        "DEVCONTAINER_REGISTRY_LOG_LEVEL": "info",
        "DEVCONTAINER_REGISTRY_CACHE_DIR": str(cache),
    }

    ran = run(home, "login", sets=settings)

    assert 0 == ran.status
    assert "login.succeeded" in ran.stderr
    assert {"registry.example": "bob:s3cret-s3cret"} == home.auths
    assert ["key", "registry.example.json"] == sorted(os.listdir(cache))
    assert not os.path.exists(home.cache)


def test_empty_settings_count_as_unset(home):
    names = ("VERIFY", "STORE", "TIMEOUT", "SECRETS_FILE", "LOG_LEVEL", "CACHE_DIR")

    ran = run(home, "login", sets={f"DEVCONTAINER_REGISTRY_{name}": "" for name in names})

    assert (0, "") == (ran.status, ran.stderr)


def test_a_secrets_file_from_a_variable_is_reported_with_the_variable(home):
    variable = "DEVCONTAINER_REGISTRY_SECRETS_FILE"

    ran = run(home, "login", "--json", sets={variable: "/nowhere/secrets.json"})

    (outcome,) = ran.document["registries"]
    assert (3, "secrets-file", variable) == (ran.status, outcome["code"], outcome["source"])
    assert variable in outcome["error"]["message"]


def test_a_secrets_file_is_read(home, tmp_path):
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps(a_set("ACR", "registry.example")))

    ran = run(home, "login", "--secrets-file", str(secrets), "--verify", "never")

    assert 0 == ran.status
    assert {"registry.example": "bob:s3cret-s3cret"} == home.auths


def test_only_the_named_sets_are_logged_in(home):
    sets = {**a_set("A", "a.example"), **a_set("B", "b.example"), **a_set("C", "c.example")}

    options = ["--only", "A", "--only", "C", "--verify", "never"]
    assert 0 == run(home, "login", *options, sets=sets).status
    assert ["a.example", "c.example"] == sorted(home.auths)


def test_a_dry_run_writes_nothing_anywhere(home, tmp_path):
    ran = run(home, "login", "--dry-run", sets=a_set("A", "a.example"))

    assert 0 == ran.status
    assert "a.example" in ran.stdout
    assert [] == os.listdir(tmp_path)


# Output.


def everything_wrong():
    return {
        **a_set("A", "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com", password=""),
        **a_set("B", "a-very-long-name-of-a-registry.corp.example:5000"),
        **a_set("C", "bob@registry.example"),
        **a_set("D", " 'quoted.example/with/a/path' "),
        **a_set("E", "a-very-long-name-of-a-registry.corp.example:5000"),
        **a_set("F", "f.example", KIND="no-such-kind"),
        "G_CONTAINER_REGISTRY_USERNAME": "bob",
        "CONTAINER_REGISTRY_SERVER": "h.example",
        "DOCKER_AUTH_CONFIG": "{",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["login", "--help"],
        ["hook", "--help"],
        ["list", "--help"],
        ["logout", "--help"],
        ["login", "--verify", "never"],
        ["login", "--dry-run"],
        ["hook", "onCreate", "--verify", "never"],
        ["list"],
        ["logout", "--all"],
        ["demo"],
    ],
    ids=" ".join,
)
def test_no_line_is_longer_than_80(home, arguments):
    home.write({"credsStore": "desktop"})
    sets = {"COLUMNS": "80"} if "--help" in arguments else everything_wrong()

    ran = run(home, *arguments, sets=sets)

    assert [] == [line for line in (ran.stdout + ran.stderr).splitlines() if len(line) > 80]
    assert ran.stdout


def test_a_late_event_draws_nothing_into_the_report(capsys):
    progress = Progress(terminal=True, lands=True, colours=False)
    progress.take("login.started", {"id": "A", "registry": "a.example", "seconds": 30.0})
    progress.close()
    before = capsys.readouterr().err

    progress.take("login.started", {"id": "B", "registry": "b.example", "seconds": 30.0})

    assert "asking A, " in before
    assert "" == capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["login"], ["hook", "postStart"], ["logout", "a.example"]])
def test_a_wait_for_another_process_is_reported_and_then_ends(home, arguments):
    home.write({"auths": {}})
    folder = os.path.dirname(home.config)
    with Fine(BOB) as registry, ExitStack() as held:
        descriptor = os.open(folder, os.O_RDONLY)
        held.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [sys.executable, "-m", "devcontainer_registry", *arguments],
            env=environ(home, a_set("A", registry.registry)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = ""
        while folder not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        held.close()
        out, more = process.communicate()

    assert 0 == process.returncode, more
    said = " ".join(said.split())
    assert said.startswith("devcontainer-registry: waiting up to ")
    assert said.endswith(f"for another process that holds the lock on {folder}")
    assert "" == more
    assert out


def test_a_terminal_shows_a_wait_for_another_process_in_its_live_line(capsys):
    progress = Progress(terminal=True, lands=True, colours=False)
    progress.take("login.started", {"id": "A", "registry": "a.example", "seconds": 30.0})
    progress.take("config.lock_waiting", {"path": "/home/me/.docker", "seconds": 12.4})
    progress.take("config.lock_waited", {"path": "/home/me/.docker/config.json", "seconds": 2})
    progress.close()

    asking, waiting, again, cleared = capsys.readouterr().err.split("\r\x1b[K")
    assert asking.startswith("asking A, ")
    assert again.startswith("asking A, ")
    assert "waiting up to 12 s for another process that holds the lock on /home/me/.docker" == (
        waiting
    )
    assert "" == cleared


def test_a_terminal_gets_colours_and_progress_and_is_left_clean(home):
    with Fine(BOB, latency=0.1) as registry:
        status, written = run_on_terminal(home, "login", sets=a_set("A", registry.registry))

    assert 0 == status
    assert "asking A, " in written
    last = written.rpartition("\x1b[K")[2]
    assert last.startswith("\x1b[32mlogged in\x1b[0m ")
    assert "asking" not in last


def test_no_color_is_honoured_on_a_terminal(home):
    sets = {**a_set("A", "a.example"), "NO_COLOR": "1"}

    _, written = run_on_terminal(home, "login", "--verify", "never", sets=sets)

    assert "\x1b[3" not in written
    assert "saved  " in written


def test_logs_go_to_stderr_one_object_a_line(home):
    with Fine(BOB) as registry:
        options = ["--json", "--log-level", "debug", "--log-format", "json"]
        ran = run(home, "login", *options, sets=a_set("A", registry.registry))

    events = [json.loads(line)["event"] for line in ran.stderr.splitlines()]
    assert events.index("secret.found") < events.index("login.started")
    assert "login.succeeded" == events[-2]
    assert "ok" == ran.document["registries"][0]["status"]


def test_a_hanging_registry_ends_with_the_timeout(home):
    with Hanging() as slow, Fine(BOB) as good:
        sets = {**a_set("A", slow.registry), **a_set("B", good.registry)}
        ran = run(home, "login", "--timeout", "4", "--json", sets=sets)

    assert ["unverified", "ok"] == [e["status"] for e in ran.document["registries"]]
    assert (5, "") == (ran.status, ran.stderr)


# Unusual environments.


def test_a_closed_pipe_causes_no_crash(home):
    process = subprocess.Popen(
        [sys.executable, "-m", "devcontainer_registry", "list"],
        env=environ(home, everything_wrong()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)

    assert b"" == stderr


def test_closed_streams_cause_no_crash(home):
    command = f"{sys.executable} -m devcontainer_registry login --verify never >&- 2>&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=environ(home, a_set("A", "a.example")),
        check=False,
    )

    assert 0 == done.returncode
    assert ["a.example"] == list(home.auths)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has such a device")
@pytest.mark.parametrize(
    ("words", "status"), [("login", 1), ("hook postCreate", 0), ("hook postCreate --strict", 1)]
)
@pytest.mark.parametrize("stderr", ["pipe", "full"])
def test_a_full_output_device_stops_no_container(home, words, status, stderr):
    """
    As a log on a disk that is full; the interpreter's own flush at exit would make it 120.
    """
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "devcontainer_registry", *words.split(), "--verify", "never"],
            env=environ(home, a_set("A", "a.example")),
            stdout=full,
            stderr=full if stderr == "full" else subprocess.PIPE,
            check=False,
        )

    assert status == done.returncode
    assert ["a.example"] == list(home.auths)
    if stderr == "pipe":
        assert b"devcontainer-registry: cannot write stdout" in done.stderr
        assert b"bug" not in done.stderr


def test_an_ascii_locale_causes_no_crash(home, tmp_path):
    folder = tmp_path / "d\u00f6cker"
    sets = {
        **a_set("A", "a.example", user="b\u00f6b"),
        "DOCKER_CONFIG": str(folder),
        "PYTHONIOENCODING": "ascii",
    }
    folder.mkdir()
    (folder / "config.json").write_text("{")

    ran = run(home, "login", "--verify", "never", sets=sets)

    assert 6 == ran.status
    assert "Traceback" not in ran.stderr


def test_variables_that_are_not_utf_8_cause_no_crash(home):
    sets = {**a_set("A", "a.example"), "A_CONTAINER_REGISTRY_PASSWORD": "\udcff\udcfe-s3cret"}

    ran = run(home, "login", "--verify", "never", sets=sets)

    assert (3, "") == (ran.status, ran.stderr)
    assert "A_CONTAINER_REGISTRY_PASSWORD" in ran.stdout


# The demo shows the whole flow, touches nothing of the user's, and hides its secrets.


def test_the_demo_shows_a_login_a_refusal_and_a_quiet_start(home, tmp_path):
    ran = run(home, "demo", sets={"TMPDIR": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:1"})

    firsts = [line[:12].strip() for line in ran.stdout.splitlines()]
    assert (0, "") == (ran.status, ran.stderr)
    assert 1 == firsts.count("logged in")
    assert 2 == firsts.count("refused")
    # As with the hook: unchanged logins are not printed.
    assert 0 == firsts.count("unchanged")
    assert [] == os.listdir(tmp_path)


def test_the_demo_shows_no_password(home):
    ran = run(home, "demo", "--log-level", "debug")

    assert '"auth": "****"' in ran.stdout
    assert "not-it" not in ran.stdout + ran.stderr
    assert 2 == ran.stdout.count("PASSWORD=****")


def test_the_demo_can_print_its_document(home):
    document = json.loads(run(home, "demo", "--json").stdout)

    assert ["ok", "rejected"] == [entry["status"] for entry in document["registries"]]


@pytest.mark.parametrize("command", [[], ["login"], ["doctor"], ["export"]])
def test_help_is_a_command_too(home, command):
    asked = run(home, "help", *command)

    assert (0, "") == (asked.status, asked.stderr)
    assert asked.stdout == run(home, *command, "--help").stdout


def test_the_version_has_a_short_option(home):
    assert run(home, "-V").stdout == run(home, "--version").stdout != ""


def test_the_trace_of_a_bug_shows_places_and_no_source(tmp_path):
    path = tmp_path / "plugin.py"
    path.write_text('def ask():\n    raise ValueError("pass" "word-1234")  # s0urce\n')
    code = {}
    exec(compile(path.read_text(), path, "exec"), code)

    with pytest.raises(ValueError, match="password-1234") as caught:
        code["ask"]()

    trace = trace_of(caught.value)
    assert f'File "{path}", line 2, in ask\n' in trace
    assert "s0urce" not in trace
    assert "1234" not in trace
