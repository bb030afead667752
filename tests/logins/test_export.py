# SPDX-License-Identifier: MIT
"""
Export of our logins for other tools: all of them or none, and never another program's.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
import time

import pytest
from doubles.command_line import environ, run, run_on_terminal
from doubles.configs import content, mode_of
from doubles.homes import GOOD, Exchanging, Home, Scripted, a_secret
from doubles.private_user import as_nobody, public_folder

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.commands.parsing import options
from devcontainer_registry.config.private_file import write_privately
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import ConfigError
from devcontainer_registry.logins import export_formats
from devcontainer_registry.logins.export import export
from devcontainer_registry.registry import Registry

CORP, HUB, OTHER = Registry("corp.example:5000"), Registry("docker.io"), Registry("other.example")
NOW = 1_900_000_000.0


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


def keep(home, registry=CORP, *, word=GOOD, set_id="A", **options):
    """
    Log in to *registry* with *word*, without a request.
    """
    plugins = {"generic": Scripted(word)}
    secrets = [a_secret(set_id, registry)]
    return home.login(secrets, authenticators=plugins, verify="never", **options)


def serve(home, registry, entry):
    """
    Let docker ask our helper for *registry*, which has *entry*.
    """
    Cache.locate(home.environ).write(registry, entry)
    config = json.loads(home.text) if os.path.exists(home.config) else {}
    config.setdefault("credHelpers", {})[registry.config_key] = "devcontainer-registry"
    home.write(config)


def exported(home, form="docker-config", registries=None, **options):
    return export(form, registries, environ=home.environ, **options)


def auths(text):
    return {
        key: base64.b64decode(entry["auth"]).decode()
        for key, entry in json.loads(text)["auths"].items()
    }


def errors(report):
    return [(each.registry, each.error.code) for each in report.registries if each.error]


# Which logins are exported.


def test_all_our_logins_are_exported_by_default(home):
    keep(home, CORP)
    keep(home, OTHER, set_id="B", word=Credential(username="jane", secret=Secret("pass:word")))

    report = exported(home)

    assert 0 == report.exit_status
    assert {CORP: "bob:s3cret-s3cret", OTHER: "jane:pass:word"} == auths(report.content.reveal())


def test_only_the_named_registries_are_exported(home):
    keep(home, CORP)
    keep(home, OTHER, set_id="B")

    report = exported(home, registries=[OTHER])

    assert [OTHER] == list(auths(report.content.reveal()))


def test_a_login_of_another_program_is_not_exported(home):
    home.write({"auths": {"joes.example": {"auth": "am9lOnNlY3JldA=="}}})
    keep(home)

    everything = exported(home)
    named = exported(home, registries=[Registry("joes.example"), CORP])

    assert [CORP] == list(auths(everything.content.reveal()))
    assert (None, 3) == (named.content, named.exit_status)
    assert [("joes.example", "not-ours")] == errors(named)


def test_a_login_by_hand_after_ours_is_not_exported(home):
    keep(home)
    config = json.loads(home.text)
    config["auths"][CORP] = {"auth": "am9lOnNlY3JldA=="}
    home.write(config)

    assert "nothing-to-export" == exported(home).error.code


def test_a_docker_login_in_our_helper_is_not_exported(home):
    theirs = {"Username": "joe", "Secret": "secret"}
    serve(home, CORP, {"credential": theirs, "by_hand": True})

    assert "nothing-to-export" == exported(home).error.code
    assert [(CORP, "not-ours")] == errors(exported(home, registries=[CORP]))


def test_a_credential_of_our_helper_is_exported(home):
    ours = {"Username": "AWS", "Secret": "token"}
    expires_at = time.time() + 40_000
    serve(home, CORP, {"credential": ours, "issued_at": time.time(), "expires_at": expires_at})

    report = exported(home)

    assert {CORP: "AWS:token"} == auths(report.content.reveal())
    assert expires_at == report.registries[0].expires_at


def test_a_registry_without_a_login_is_reported(home):
    report = exported(home, registries=[OTHER])

    assert (None, 3) == (report.content, report.exit_status)
    assert [(OTHER, "not-logged-in")] == errors(report)


@pytest.mark.parametrize("form", export_formats.FORMATS)
def test_an_export_without_a_login_has_no_document(home, form):
    report = exported(home, form)

    assert (None, 3, "nothing-to-export") == (
        report.content,
        report.exit_status,
        report.error.code,
    )


def test_one_login_that_cannot_be_exported_stops_the_export(home):
    keep(home, CORP)
    keep(home, OTHER, set_id="B", word=Credential(username="jane", secret=Secret("a,b")))

    report = exported(home, "devcontainers-oci-auth")

    assert (None, 3) == (report.content, report.exit_status)
    assert [(OTHER, "not-exportable")] == errors(report)


def test_a_damaged_config_has_its_own_exit_status(home):
    keep(home)
    home.write("{")

    assert (None, 6) == (exported(home).content, exported(home).exit_status)


def test_a_report_does_not_show_the_secrets(home):
    keep(home)

    report = exported(home)

    assert "s3cret" not in repr(report)
    assert base64.b64encode(b"bob:s3cret-s3cret").decode() not in repr(report)


# Expired credentials.


def exchanged(home, expires_at):
    """
    Keep a credential of a cloud's in config.json that was issued at `NOW`.
    """
    word = Credential(username="AWS", secret=Secret("token"), issued_at=NOW, expires_at=expires_at)
    secrets = [a_secret("A", CORP, kind="cloud")]
    plugins = {"cloud": Exchanging(word)}
    home.login(secrets, authenticators=plugins, verify="never", store="auths")


@pytest.mark.parametrize(("left", "status"), [(-1, 5), (59, 5), (61, 0)])
def test_a_credential_that_has_expired_is_not_exported(home, left, status):
    exchanged(home, NOW + 43_200)

    report = exported(home, now=NOW + 43_200 - left)

    assert status == report.exit_status
    assert ([(CORP, "expired")] if status else []) == errors(report)


def test_an_older_token_that_an_editor_brought_back_is_not_exported(home):
    exchanged(home, NOW + 43_200)
    before = home.text
    newer = Credential(
        username="AWS", secret=Secret("newer"), issued_at=NOW, expires_at=NOW + 50_000
    )
    home.login(
        [a_secret("A", CORP, kind="cloud")],
        authenticators={"cloud": Exchanging(newer)},
        verify="never",
        store="auths",
    )
    home.write(before)

    assert [(CORP, "expired")] == errors(exported(home, now=NOW))


def test_a_credential_that_cannot_be_renewed_is_not_exported(home):
    ours = {"Username": "AWS", "Secret": "token"}
    serve(home, CORP, {"credential": ours, "issued_at": NOW - 10, "expires_at": 1.0})

    report = exported(home, now=NOW)

    assert (None, 5) == (report.content, report.exit_status)
    assert [(CORP, "secrets-not-visible")] == errors(report)


# Limits of the formats.


TOKEN = Credential.identity_token(Secret("refresh-me"))


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ("devcontainers-oci-auth", Credential(username="bob", secret=Secret("a,b"))),
        ("devcontainers-oci-auth", Credential(username="bob", secret=Secret("a|b"))),
        ("devcontainers-oci-auth", Credential(username="b,b", secret=Secret("ab"))),
        ("devcontainers-oci-auth", Credential(username="b|b", secret=Secret("ab"))),
        ("devcontainers-oci-auth", Credential(username="bob", secret=Secret("a\nb"))),
        ("devcontainers-oci-auth", Credential(username="bob", secret=Secret("a\rb"))),
        ("devcontainers-oci-auth", Credential(username="bob", secret=Secret("a\0b"))),
        ("devcontainers-oci-auth", Credential(username="bob", secret=Secret("a\udcffb"))),
        ("devcontainers-oci-auth", TOKEN),
        ("kubernetes-secret", TOKEN),
    ],
)
def test_a_credential_that_a_format_cannot_hold_is_refused_and_not_quoted(home, form, word):
    keep(home, word=word)

    report = exported(home, form)

    assert (None, 3) == (report.content, report.exit_status)
    (each,) = report.registries
    assert "not-exportable" == each.error.code
    assert CORP in each.error.message
    assert word.secret.reveal() not in each.error.message


@pytest.mark.parametrize("form", export_formats.FORMATS)
@pytest.mark.parametrize(
    ("username", "secret"), [("b:b", "s3cret"), ("bob", ""), ("", "s3cret"), ("bob", "s3cret\0")]
)
def test_a_credential_that_no_format_can_hold_is_refused(form, username, secret):
    word = Credential(username=username, secret=Secret(secret))

    assert "not-exportable" == export_formats.refusal(form, CORP, word).code


@pytest.mark.parametrize("form", ["docker-config", "containers-auth"])
def test_an_identity_token_is_exported_as_one(home, form):
    keep(home, word=TOKEN)

    entry = json.loads(exported(home, form).content.reveal())["auths"][CORP]

    assert "refresh-me" == entry["identitytoken"]


@pytest.mark.parametrize(
    ("form", "key"),
    [("docker-config", "https://index.docker.io/v1/"), ("containers-auth", "docker.io")],
)
def test_docker_hub_has_the_name_that_the_reader_looks_up(home, form, key):
    keep(home, HUB)

    assert [key] == list(auths(exported(home, form).content.reveal()))


def test_docker_hub_has_every_name_if_the_reader_compares_strings(home):
    keep(home, HUB)

    text = exported(home, "devcontainers-oci-auth").content.reveal()

    assert ["docker.io", "index.docker.io", "registry-1.docker.io"] == [
        entry.partition("|")[0] for entry in text.split(",")
    ]


def test_a_kubernetes_secret_that_is_too_large_is_refused():
    text = "x" * (1024 * 1024 * 4 // 3 + 4)

    assert "not-exportable" == export_formats.oversize("kubernetes-secret", text).code
    assert None is export_formats.oversize("kubernetes-secret", "x" * 1000)
    assert None is export_formats.oversize("docker-config", text)


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("regcred", True),
        ("a.b-c.1", True),
        ("a" * 253, True),
        ("a" * 254, False),
        ("", False),
        ("Regcred", False),
        ("-a", False),
        ("a-", False),
        ("a..b", False),
        ("a_b", False),
        ("ä", False),
        ('a"b', False),
    ],
)
def test_a_kubernetes_name_is_a_subdomain(name, valid):
    assert valid == export_formats.is_kubernetes_name(name)


@pytest.mark.parametrize(
    ("name", "valid"),
    [("team-a", True), ("a" * 63, True), ("a" * 64, False), ("a.b", False), ("", False)],
)
def test_a_kubernetes_namespace_is_a_label(name, valid):
    assert valid == export_formats.is_kubernetes_namespace(name)


def test_a_kubernetes_secret_names_a_namespace_only_if_one_is_given(home):
    keep(home)

    without, within = (
        json.loads(exported(home, "kubernetes-secret", namespaces=each).content.reveal())
        for each in ((), ("team-a",))
    )

    assert {"name": "devcontainer-registry"} == without["metadata"]
    assert {"name": "devcontainer-registry", "namespace": "team-a"} == within["metadata"]
    assert without["data"] == within["data"]


def test_several_namespaces_get_one_list_with_the_same_secret_in_each(home):
    keep(home)

    text = exported(home, "kubernetes-secret", namespaces=("team-a", "team-b", "team-a"))
    document = json.loads(text.content.reveal())

    assert ("v1", "List") == (document["apiVersion"], document["kind"])
    assert ["team-a", "team-b"] == [item["metadata"]["namespace"] for item in document["items"]]
    assert 1 == len({json.dumps(item["data"]) for item in document["items"]})


def test_the_limit_of_a_secret_is_not_that_of_its_namespaces_together(home):
    keep(home, word=Credential(username="bob", secret=Secret("x" * 400_000)))

    report = exported(home, "kubernetes-secret", namespaces=("team-a", "team-b"))

    assert (None, 0) == (report.error, report.exit_status)


def test_the_command_knows_all_formats():
    assert tuple(export_formats.FORMATS) == options.EXPORT_FORMATS
    assert export_formats.DEFAULT_NAME == options._EXPORT_NAME


# The command.


def test_the_content_is_alone_on_stdout_for_each_format(home):
    keep(home)

    ran = run(home, "export", "--format", "docker-config")

    assert (0, "") == (ran.status, ran.stderr)
    assert {CORP: "bob:s3cret-s3cret"} == auths(ran.stdout)


def test_a_password_is_exported_unchanged_in_any_locale(home):
    keep(home, word=Credential(username="bob", secret=Secret("p4$$-wörd")))

    sets = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "devcontainer_registry", "export"]
    ran = subprocess.run(
        [*command, "--format", "devcontainers-oci-auth"],
        env=environ(home, sets),
        capture_output=True,
        check=True,
    )

    assert f"{CORP}|bob|p4$$-wörd\n".encode() == ran.stdout


def test_no_secret_is_written_to_a_terminal(home):
    keep(home)

    status, written = run_on_terminal(home, "export", "--format", "docker-config")
    forced = run_on_terminal(home, "export", "--format", "docker-config", "--force")

    assert 2 == status
    assert "terminal" in written
    assert "auth" not in written
    assert 0 == forced[0]
    assert '"auth"' in forced[1]


@pytest.mark.parametrize(("mode", "status"), [(0o644, 2), (0o640, 2), (0o620, 2), (0o600, 0)])
def test_no_secret_is_written_to_a_file_that_others_can_read(home, tmp_path, mode, status):
    keep(home)
    path = tmp_path / "out"
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as out:
        os.fchmod(out.fileno(), mode)
        done = subprocess.run(
            [sys.executable, "-m", "devcontainer_registry", "export", "--format", "docker-config"],
            env=environ(home, {}),
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert status == done.returncode
    assert (status == 0) == (b'"auth"' in content(path))


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--format", "tarball"],
        ["--format", "docker-config", "not a host"],
        ["--format", "kubernetes-secret", "--name", "No"],
        ["--format", "kubernetes-secret", "--namespace", "a.b"],
        ["--format", "docker-config", "--namespace", "team-a"],
    ],
)
def test_wrong_usage_has_exit_status_2(home, options):
    keep(home)

    ran = run(home, "export", *options)

    assert (2, "") == (ran.status, ran.stdout)


def test_a_kubernetes_secret_has_the_name_that_was_given(home):
    keep(home)

    ran = run(home, "export", "--format", "kubernetes-secret", "--name", "regcred")

    assert "regcred" == ran.document["metadata"]["name"]


def test_the_command_takes_several_namespaces(home):
    keep(home)
    options = ("--namespace", "team-a", "--namespace=team-b")

    ran = run(home, "export", "--format", "kubernetes-secret", *options)

    assert ["team-a", "team-b"] == [item["metadata"]["namespace"] for item in ran.document["items"]]


def test_the_document_has_the_content_or_the_path_of_its_file(home, tmp_path):
    keep(home)

    printed = run(home, "export", "--format", "docker-config", "--json").document
    filed = run(
        home, "export", "--format", "docker-config", "--json", "--output", str(tmp_path / "out")
    ).document

    assert {CORP: "bob:s3cret-s3cret"} == auths(printed["content"])
    assert (None, str(tmp_path / "out")) == (filed["content"], filed["output"])
    assert {CORP: "bob:s3cret-s3cret"} == auths(content(tmp_path / "out"))


def test_the_document_of_a_failure_has_no_content(home):
    keep(home, word=TOKEN)

    ran = run(home, "export", "--format", "kubernetes-secret", "--json")

    assert (3, None) == (ran.status, ran.document["content"])
    assert "not-exportable" == ran.document["registries"][0]["error"]["code"]
    assert "refresh-me" not in ran.stdout + ran.stderr


def test_the_expiry_is_printed_on_stderr(home):
    ours = {"Username": "AWS", "Secret": "token"}
    expires_at = 4_000_000_000.0
    serve(home, CORP, {"credential": ours, "issued_at": time.time(), "expires_at": expires_at})

    ran = run(home, "export", "--format", "docker-config")

    assert {CORP: "AWS:token"} == auths(ran.stdout)
    assert "until 2096-10-02T07:06:40Z" in ran.stderr


def test_a_failed_export_does_not_change_the_file(home, tmp_path):
    keep(home, word=TOKEN)
    path = tmp_path / "out"
    path.write_text("before")

    ran = run(home, "export", "--format", "kubernetes-secret", "--output", str(path))

    assert (3, "", "before") == (ran.status, ran.stdout, path.read_text())


# The file.


def test_the_file_is_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "out"
    path.write_text("before")
    path.chmod(0o644)

    write_privately(str(path), b"after")

    assert (b"after", 0o600) == (content(path), mode_of(path))
    assert ["out"] == os.listdir(tmp_path)


def test_a_reader_of_the_old_file_does_not_see_the_new_content(tmp_path):
    path = tmp_path / "out"
    path.write_text("before")

    with open(path, "rb") as reader:
        write_privately(str(path), b"after")
        seen = reader.read()

    assert b"before" == seen


def a_link(path):
    os.symlink(path.parent / "elsewhere", path)


def a_pipe(path):
    os.mkfifo(path)


def a_folder(path):
    path.mkdir()


@pytest.mark.parametrize("make", [a_link, a_pipe, a_folder])
def test_a_target_that_is_not_a_regular_file_is_refused(tmp_path, make):
    path = tmp_path / "out"
    make(path)
    kind = stat.S_IFMT(os.lstat(path).st_mode)

    with pytest.raises(ConfigError) as caught:
        write_privately(str(path), b"after")

    assert "output-refused" == caught.value.code
    assert kind == stat.S_IFMT(os.lstat(path).st_mode)
    assert ["out"] == os.listdir(tmp_path)


def test_a_missing_folder_is_not_created(tmp_path):
    with pytest.raises(ConfigError):
        write_privately(str(tmp_path / "missing" / "out"), b"after")

    assert [] == os.listdir(tmp_path)


def test_a_file_of_another_user_is_refused():
    # As root, so that nothing but our own look at it stands in the way.
    path = os.path.join(public_folder(), "out")

    def plant():
        with open(path, "wb") as file:
            file.write(b"before")

    os.chmod(os.path.dirname(path), 0o777)
    as_nobody(plant)
    with pytest.raises(ConfigError) as caught:
        write_privately(path, b"after")

    assert "output-refused" == caught.value.code
    assert b"before" == content(path)
