# SPDX-License-Identifier: MIT
"""
The Feature's install script: its versions and options, and the files that it installs.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil

import pytest
from parts import boxes, clients, devcontainers, needed, wheelhouse

INSTALLED = [
    "devcontainer-registry",
    "devcontainer-registry-python",
    "docker-credential-devcontainer-registry",
    "hook",
    "venv",
]
# The PATH that sshd sets without a shell, and the default PATH of a shell.
_PATH = "/usr/local/bin:/usr/bin:/bin"


@pytest.fixture(name="make_box", scope="module")
def _make_box(engine, tmp_path_factory, clean_path):
    """
    As `start_box`, for as long as this module runs.
    """
    client = clients.Client(tmp_path_factory.mktemp("client"), path=clean_path)
    with contextlib.ExitStack() as started:
        yield lambda image: started.enter_context(boxes.Box(image, client, engine))


@pytest.fixture(name="scripts")
def _scripts(tmp_path):
    """
    The Feature's folder as it is in this repository, with no wheel in it.
    """
    folder = tmp_path / "feature"
    shutil.copytree(devcontainers.FEATURE, folder, ignore=shutil.ignore_patterns("*.whl"))
    return folder


@pytest.fixture(name="box")
def _box(start_box, slice_image, scripts):
    """
    A container that has Python, and the Feature in `/feature`.
    """
    box = start_box(slice_image)
    box.put(scripts, "/feature")
    return box


@pytest.fixture(name="light_box")
def _light_box(box, tmp_path):
    """
    As `box`, with a light wheel in `/feature`; see `parts.wheelhouse`.
    """
    box.put(wheelhouse.light(tmp_path, "0.1.0"), "/feature/")
    return box


@pytest.fixture(name="wheels")
def _wheels(tmp_path):
    """
    A folder with a light wheel of two versions.
    """
    folder = tmp_path / "wheels"
    folder.mkdir()
    for version in ("0.1.0", "0.2.0"):
        wheelhouse.light(folder, version)
    return folder


def succeeded(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def version_of(box):
    return succeeded(box.run("devcontainer-registry", "--version")).stdout.split()[1]


def test_a_requested_version_is_installed_from_the_index(box, wheels):
    with wheelhouse.Wheelhouse(wheels) as house:
        succeeded(box.install(VERSION="0.1.0", PIP_INDEX_URL=house.index))

    assert "0.1.0" == version_of(box)


def test_by_default_the_wheel_beside_the_script_is_installed(light_box, wheels):
    with wheelhouse.Wheelhouse(wheels) as house:
        succeeded(light_box.install(PIP_INDEX_URL=house.index))

    assert "0.1.0" == version_of(light_box)
    assert [] == house.asked


def test_by_default_our_package_is_not_requested_from_an_index(box, wheels):
    with wheelhouse.Wheelhouse(wheels) as house:
        done = box.install(PIP_INDEX_URL=house.index)

    assert 1 == done.returncode
    assert "there is no wheel" in done.stderr
    assert 'set "version"' in done.stderr
    assert ([], []) == (house.asked, box.files())


def test_by_default_two_wheels_beside_the_script_are_refused(light_box, tmp_path):
    light_box.put(wheelhouse.light(tmp_path, "0.2.0"), "/feature/")

    done = light_box.install()

    assert 1 == done.returncode
    assert "more than one wheel" in done.stderr
    assert [] == light_box.files()


def test_the_dependencies_of_a_single_wheel_come_from_the_index(box, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    devcontainers.wheels(folder)
    box.put(wheelhouse.light(tmp_path, "0.1.0", needs="tenacity"), "/feature/")
    with wheelhouse.Wheelhouse(folder) as house:
        succeeded(box.install(VERSION="*.whl", PIP_INDEX_URL=house.index))

    assert "/simple/tenacity/" in house.asked


@pytest.fixture(name="odd_box", scope="module")
def _odd_box(make_box, slice_image, tmp_path_factory):
    """
    Installed as `latest`, in an image with a configured pip and a strict umask for root.

    Returns:
        The box, and the requests to the index.
    """
    folder = tmp_path_factory.mktemp("odd")
    wheels = folder / "wheels"
    wheels.mkdir()
    devcontainers.wheels(wheels)
    wheelhouse.light(wheels, "0.0.9")
    feature = folder / "feature"
    shutil.copytree(devcontainers.FEATURE, feature, ignore=shutil.ignore_patterns("*.whl"))
    box = make_box(slice_image)
    box.put(feature, "/feature")
    with wheelhouse.Wheelhouse(wheels) as house:
        box.sh(f"printf '[global]\\nindex-url = {house.index}\\n' >/etc/pip.conf")
        narrow = "umask 077; chmod -R go= /feature"
        succeeded(box.install(narrow, PIP_USER="yes", VERSION="latest"))
    return box, house.asked


def test_the_latest_version_comes_from_the_index_that_pip_is_configured_with(odd_box):
    box, asked = odd_box

    helper = box.run("docker-credential-devcontainer-registry", "version")

    assert {"/simple/devcontainer-registry/", "/simple/urllib3/"} <= {*asked}
    assert "docker-credential-devcontainer-registry" in succeeded(helper).stdout


def test_an_installation_under_a_strict_umask_is_readable_by_all_users(odd_box):
    box, _ = odd_box
    home = os.path.dirname(boxes.HOOK)

    closed = box.sh(f"find /usr/local {home} ! -type l ! -perm -o=r -o -type d ! -perm -o=x")

    assert ("", "") == (closed.stdout, closed.stderr)


@pytest.mark.parametrize("user", boxes.USERS)
@pytest.mark.parametrize(
    "way",
    [
        pytest.param([], id="docker exec"),
        pytest.param(["sh", "-lc", 'exec "$0" "$@"'], id="login shell"),
        pytest.param(["env", "-i", f"PATH={_PATH}"], id="sshd"),
    ],
)
def test_every_process_of_every_user_finds_the_commands(odd_box, user, way):
    box, _ = odd_box

    for argv in (
        ["devcontainer-registry", "--version"],
        ["docker-credential-devcontainer-registry", "version"],
        ["devcontainer-registry-python", "-c", "import devcontainer_registry"],
        [boxes.HOOK, "postStart"],
    ):
        succeeded(box.run(*way, *argv, user=user))


@pytest.mark.parametrize("right", [True, False])
def test_the_checksum_of_a_wheel_by_https_is_verified(box, wheels, authority, right):
    name = "devcontainer_registry-0.1.0-py3-none-any.whl"
    digest = wheelhouse.sha256(wheels / name) if right else "0" * 64
    box.put(authority.path, "/etc/ca.crt")
    with wheelhouse.Wheelhouse(wheels, certificate=authority.issue("localhost")) as house:
        url = f"{house.url}/{name}#sha256={digest}"

        done = box.install(VERSION=url, PIP_CERT="/etc/ca.crt")

    assert right == (done.returncode == 0), done.stderr
    assert right == ("it could not be installed" not in done.stderr)
    assert (INSTALLED if right else ["venv"]) == box.files()


_SHA = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "version",
    [
        "; rm -rf /",
        "$(touch /feature/x)",
        "--index-url=http://localhost:1/simple",
        "0.1.0 --index-url=http://localhost:1/simple",
        "0.1.0\n--index-url=http://localhost:1/simple",
        "0.1.0;python_version>'3'",
        "../x.whl",
        "x/*.whl",
        "file:///x.whl",
        "http://localhost:1/x.whl",
        "git+https://localhost:1/x",
        "https://localhost:1/x.tar.gz",
        "https://localhost:1/x.whl --index-url=http://localhost:1/y.whl",
        "https://localhost:1/x.whl#sha256=",
        f"https://localhost:1/x.whl#sha256={_SHA[:-1]}",
        f"https://localhost:1/x.whl#sha256={_SHA.upper()}",
        f"https://localhost:1/x.whl#sha256={_SHA}#.whl",
        f"https://localhost:1/x#y.whl#sha256={_SHA}",
        "nothing-*.whl",
        "two-*.whl",
        "one.whl two-1.whl",
        "newest",
    ],
)
def test_an_invalid_version_is_refused_before_anything_is_installed(refusing_box, version):
    done = refusing_box.install(VERSION=version)

    assert 1 == done.returncode
    assert 1 == len(done.stderr.splitlines()), done.stderr
    assert [] == refusing_box.files()
    there = refusing_box.sh("ls /feature").stdout.split()
    assert "install.sh" in there
    assert "x" not in there


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("STORE", "auto; reboot"),
        ("STORE", "auto'"),
        ("VERIFY", "$(reboot)"),
        ("STRICT", "true\nfalse"),
        ("STRICT", "1"),
        ("ONCREATE", "yes"),
    ],
)
def test_an_invalid_value_of_an_option_is_refused(refusing_box, option, value):
    done = refusing_box.install(**{option: value})

    assert 1 == done.returncode
    assert "is none of" in done.stderr
    assert [] == refusing_box.files()


@pytest.fixture(name="refusing_box", scope="module")
def _refusing_box(make_box, slice_image, tmp_path_factory):
    """
    One box for all refused options, since none of them changes it.
    """
    feature = tmp_path_factory.mktemp("refusing") / "feature"
    shutil.copytree(devcontainers.FEATURE, feature, ignore=shutil.ignore_patterns("*.whl"))
    for name in ("one.whl", "two-1.whl", "two-2.whl"):
        (feature / name).write_text("")
    box = make_box(slice_image)
    box.put(feature, "/feature")
    return box


def test_only_root_can_install_the_feature(light_box):
    done = light_box.sh("sh /feature/install.sh", user="dev")

    assert 1 == done.returncode
    assert "by root" in done.stderr


def test_a_second_installation_replaces_the_first(light_box, tmp_path):
    loud = {"STORE": "helper", "VERIFY": "never", "STRICT": "true", "ONCREATE": "true"}
    succeeded(light_box.install(VERSION="devcontainer_registry-0.1.0-py3-none-any.whl", **loud))
    light_box.put(wheelhouse.light(tmp_path, "0.2.0"), "/feature/")

    succeeded(light_box.install(VERSION="devcontainer_registry-0.2.0-*.whl"))

    assert "0.2.0" == version_of(light_box)
    assert INSTALLED == light_box.files()
    said = succeeded(light_box.run(boxes.HOOK, "postStart")).stdout
    assert "devcontainer-registry 0.2.0 hook postStart\n" == said
    assert "" == succeeded(light_box.run(boxes.HOOK, "onCreate")).stdout


def test_a_wheel_without_our_commands_is_not_an_installation(box, tmp_path):
    other = wheelhouse.light(tmp_path, "0.1.0", commands=False)
    box.put(other, "/feature/")

    done = box.install(VERSION="*.whl")

    assert 1 == done.returncode
    assert "does not run" in done.stderr


@pytest.fixture(name="loud_box", scope="module")
def _loud_box(make_box, slice_image, tmp_path_factory):
    """
    A box in which no option has its default value.
    """
    folder = tmp_path_factory.mktemp("loud") / "feature"
    shutil.copytree(devcontainers.FEATURE, folder, ignore=shutil.ignore_patterns("*.whl"))
    wheelhouse.light(folder, "0.1.0")
    box = make_box(slice_image)
    box.put(folder, "/feature")
    options = {"STORE": "helper", "VERIFY": "never", "STRICT": "true", "ONCREATE": "true"}
    succeeded(box.install(VERSION="*.whl", **options))
    return box


@pytest.mark.parametrize("step", ["onCreate", "postCreate", "postStart", "postAttach"])
def test_each_step_receives_the_options(loud_box, step):
    done = loud_box.run(boxes.HOOK, step, user="dev")

    said = ["DEVCONTAINER_REGISTRY_STORE=helper", "DEVCONTAINER_REGISTRY_VERIFY=never"]
    assert ["devcontainer-registry", "0.1.0", *said, "hook", step, "--strict"] == (
        succeeded(done).stdout.split()
    )


def test_the_containers_environment_wins_over_the_options(loud_box):
    environ = {"DEVCONTAINER_REGISTRY_STORE": "auths", "DEVCONTAINER_REGISTRY_VERIFY": "always"}

    done = loud_box.run(boxes.HOOK, "postStart", **environ)

    assert [f"{name}={value}" for name, value in environ.items()] == done.stdout.split()[2:4]


def test_no_other_process_receives_the_options(loud_box):
    done = loud_box.run("devcontainer-registry", "login")

    assert "devcontainer-registry 0.1.0 login\n" == done.stdout


@pytest.mark.parametrize("status", [0, 1, 2, 4, 6])
def test_a_step_has_the_exit_status_and_output_of_the_command(loud_box, status):
    done = loud_box.run(boxes.HOOK, "postStart", LIGHT_STATUS=status)

    assert (status, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("status", [126, 127])
def test_a_command_that_cannot_run_lets_the_container_start(loud_box, status):
    done = loud_box.run(boxes.HOOK, "postStart", LIGHT_STATUS=status)

    assert 0 == done.returncode
    assert "rebuild the container" in done.stderr


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("mv $VENV/bin/python $VENV/bin/away", "mv $VENV/bin/away $VENV/bin/python"),
        ("chmod a-x $VENV/bin/$COMMAND", "chmod a+x $VENV/bin/$COMMAND"),
        ("mv $VENV $VENV.away", "mv $VENV.away $VENV"),
    ],
)
def test_a_venv_that_is_broken_lets_the_container_start(loud_box, broken, mended):
    there = {"VENV": boxes.VENV, "COMMAND": "devcontainer-registry"}
    succeeded(loud_box.sh(broken, **there))

    done = loud_box.run(boxes.HOOK, "postStart", user="dev")

    succeeded(loud_box.sh(mended, **there))
    assert 0 == done.returncode
    assert "rebuild the container" in done.stderr


def test_arguments_are_passed_to_python_unchanged(loud_box):
    script = "import sys; print(sys.argv[1:], sys.prefix)"
    arguments = ["a b", "", "$HOME", "*"]

    done = loud_box.run("devcontainer-registry-python", "-c", script, *arguments)

    assert f"{arguments} {boxes.VENV}\n" == succeeded(done).stdout


# All ways to log in from a dev container, each through its whole life: the Feature with an image, a
# Dockerfile and a compose file, hook scripts, a setup script, and a third-party Feature.

USER = "alice"
PASSWORD = "in wonder:land"

# Each way, and its message.  Our Feature is installed before one that depends on it, and
# so its hook has logged in before the other's script does.
WAYS = {
    "feature": "logged in",
    "dockerfile": "logged in",
    "compose": "logged in",
    "hooks": "logged in",
    "script": "script: CORP ok",
    "second": "script: CORP unchanged",
}

_DOCKERFILE = "FROM devcontainer-registry-test/slice\n"
_COMPOSE = """\
services:
  app:
    image: devcontainer-registry-test/slice
    command: sleep infinity
    network_mode: host
    group_add: ["{group}"]
    volumes: ["{socket}:/var/run/docker.sock"]
"""
_SCRIPT = """\
#!/usr/local/bin/devcontainer-registry-python
import devcontainer_registry

report = devcontainer_registry.login(verify="changed", timeout=5)
for one in report.outcomes:
    print("script:", one.id, one.status)
    if one.status != "unchanged":
        print(one.error or one.status, f"({one.source})")
"""
_SECOND = {
    "id": "second",
    "version": "1.0.0",
    "name": "Second",
    "postCreateCommand": "/usr/local/bin/second-setup",
    "postStartCommand": "/usr/local/bin/second-setup",
}


@pytest.fixture(name="installed", scope="session")
def _installed(engine, slice_image, feature, tmp_path_factory):
    """
    An image with the package in it, but not the Feature's lifecycle commands.
    """
    folder, wheel = feature
    context = tmp_path_factory.mktemp("installed") / "context"
    shutil.copytree(folder, context)
    (context / "Dockerfile").write_text(
        f"FROM {slice_image}\nCOPY . /feature\n"
        f"RUN VERSION={wheel['version']} sh /feature/install.sh && rm -rf /feature\n"
    )
    image = engine.build("devcontainer-registry-test/installed", context)
    yield image
    engine.remove_image(image)


@pytest.fixture(name="start")
def _start(tmp_path, client, engine, installed, container, feature):  # noqa: PLR0917  (fixtures)
    """
    A function that makes a dev container, not yet up, that logs in in one of the ways.
    """
    made = []

    def plain(**configuration):
        configuration = {"image": installed, **configuration}
        made.append(devcontainers.DevContainer(tmp_path / "plain", client, engine, configuration))
        return made[-1]

    def start(way):
        if way == "hooks":
            one = plain(
                postCreateCommand="sh .devcontainer/hooks/post-create.sh",
                postStartCommand="sh .devcontainer/hooks/post-start.sh",
                postAttachCommand="sh .devcontainer/hooks/post-attach.sh",
            )
            one.add_hooks(os.path.join(needed.REPOSITORY, "hooks"))
        elif way == "script":
            one = plain(
                postCreateCommand=".devcontainer/setup.py",
                postStartCommand=".devcontainer/setup.py",
            )
            one.write("setup.py", _SCRIPT, mode=0o755)
        elif way == "second":
            one = container()
            add_second(one, feature[1])
        elif way == "dockerfile":
            one = container({"build": {"dockerfile": "Dockerfile"}})
            one.write("Dockerfile", _DOCKERFILE)
        elif way == "compose":
            devcontainers.link_compose(client)
            given = {"dockerComposeFile": "compose.yml", "service": "app"}
            one = container({**given, "workspaceFolder": "/workspaces"})
            socket = engine.host.removeprefix("unix://")
            one.write("compose.yml", _COMPOSE.format(socket=socket, group=os.stat(socket).st_gid))
        else:
            one = container()
        one.configure()
        return one

    yield start
    for one in made:
        one.remove()


def add_second(one, options):
    """
    Let *one* have a Feature that brings ours along, and whose script imports it.
    """
    depends = {**_SECOND, "dependsOn": {"./features/devcontainer-registry": options}}
    one.write("features/second/devcontainer-feature.json", json.dumps(depends))
    install = f"cat >/usr/local/bin/second-setup <<'END'\n{_SCRIPT}END\n"
    install += "chmod 755 /usr/local/bin/second-setup\n"
    one.write("features/second/install.sh", f"#!/bin/sh\nset -eu\n{install}", mode=0o755)
    one.configuration["features"] = {"./features/second": {}}


def words(result):
    """
    Return the whole stderr of `up`, without its line breaks.
    """
    return " ".join(result.stderr.split())


def went_well(result, *passwords):
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert "success" == json.loads(result.stdout)["outcome"]
    for password in passwords:
        assert password not in said
        assert auth(USER, password) not in said
    return result


def auth(user, password):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def again(one):
    """
    Stop *one*, and start it again.
    """
    stopped = one.docker("stop", "--time=0", one.id)
    assert stopped.returncode == 0, stopped.stderr
    return one.up()


@pytest.mark.parametrize(("way", "said"), WAYS.items())
def test_a_prebuild_is_silent_a_start_logs_in_and_the_next_writes_nothing(
    start, registry_htpasswd, private_image, way, said
):
    one = start(way)

    prebuilt = went_well(one.up("--prebuild"))
    left = one.run("ls", "-A", "/home/dev").stdout.split()
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)
    up = went_well(one.up(), PASSWORD)
    before = one.changed_at()
    quiet = went_well(again(one), PASSWORD)

    assert "_REGISTRY_" not in prebuilt.stderr
    assert "logged in" not in prebuilt.stderr
    assert not {".docker", ".cache"} & {*left}
    assert 1 == len(devcontainers.lines(up)), up.stderr
    assert said in up.stderr
    assert "Running the postStartCommand from" in quiet.stderr
    assert "_CONTAINER_REGISTRY_" not in quiet.stderr
    assert [] == devcontainers.lines(quiet)
    assert before == one.changed_at()
    assert {registry_htpasswd.registry: {"auth": auth(USER, PASSWORD)}} == one.config()["auths"]
    pulled = one.run("docker", "pull", private_image)
    assert pulled.returncode == 0, pulled.stderr
    one.docker("rmi", private_image)
    copied = one.run(
        *("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false"),
        *(f"docker://{private_image}", "dir:/tmp/copied"),
    )
    assert copied.returncode == 0, copied.stderr


@pytest.mark.parametrize("way", ["feature", "hooks", "script", "second"])
def test_changed_secrets_are_used_and_failures_are_reported(start, start_registry, way):
    corp, gone, strict = start_registry(), start_registry(), start_registry()
    other = start_registry({"bob": "builder", "robot": "new-password"})
    one = start(way)
    # Do not wait longer for an unreachable registry.
    one.configuration["remoteEnv"] = {"DEVCONTAINER_REGISTRY_TIMEOUT": "5"}
    one.configure()
    one.secrets = {
        **devcontainers.secrets(corp.registry, USER, PASSWORD),
        **devcontainers.secrets(gone.registry, USER, PASSWORD, name="GONE"),
        **devcontainers.secrets(other.registry, "bob", "builder", name="OTHER"),
        **devcontainers.secrets(strict.registry, USER, PASSWORD, name="STRICT"),
    }
    first = went_well(one.up(), PASSWORD)
    before = one.config()["auths"]
    gone.stop()
    one.secrets.update(devcontainers.secrets(gone.registry, USER, "renewed", name="GONE"))
    one.secrets.update(devcontainers.secrets(other.registry, "robot", "new-password", name="OTHER"))
    one.secrets.update(devcontainers.secrets(strict.registry, USER, "mistyped", name="STRICT"))

    up = went_well(again(one), PASSWORD, "renewed", "mistyped")

    ids = ("CORP", "GONE", "OTHER", "STRICT")
    assert [1, 1, 1, 1] == [len(devcontainers.lines(first, name)) for name in ids]
    assert [] == devcontainers.lines(up)
    assert 1 == len(devcontainers.lines(up, "OTHER"))
    assert re.search(r"GONE \S+ \S+ refused the connection", words(up))
    refused = "script: STRICT rejected" if way == "script" else r"refused STRICT \S+"
    assert re.search(f"{refused} wrong user name or password", words(up))
    assert {**before, other.registry: {"auth": auth("robot", "new-password")}} == (
        one.config()["auths"]
    )
    assert [USER] == strict.refusals()


@pytest.mark.parametrize("way", ["feature", "hooks", "second"])
def test_a_prebuild_with_secrets_saves_none_of_them(start, registry_htpasswd, way):
    one = start(way)
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    went_well(one.up("--prebuild"), PASSWORD)

    assert [] == one.holds(PASSWORD, auth(USER, PASSWORD), registry_htpasswd.registry)
