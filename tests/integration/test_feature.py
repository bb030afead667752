# SPDX-License-Identifier: MIT
"""
The Feature with failing registries, prebuilds, and images without a suitable Python.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import shlex
import shutil
import socket

import bcrypt
import pytest
from parts import boxes, devcontainers, needed, slices, wheelhouse

USER = "alice"
PASSWORD = "in wonder:land"
AUTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def succeeded(result):
    assert result.returncode == 0, result.stdout + result.stderr
    for secret in (PASSWORD, AUTH):
        assert secret not in result.stdout + result.stderr
    return result


def again(one):
    """
    Stop *one*, and start it again.
    """
    stopped = one.docker("stop", "--time=0", one.id)
    assert stopped.returncode == 0, stopped.stderr
    return one.up()


def test_an_unreachable_or_refusing_registry_is_named_and_the_container_starts(
    container, start_registry
):
    gone, refusing = start_registry(), start_registry({"bob": "builder"})
    gone.stop()
    one = container()
    one.secrets = {
        **devcontainers.secrets(gone.registry, USER, PASSWORD, name="GONE"),
        **devcontainers.secrets(refusing.registry, USER, PASSWORD, name="NO"),
    }

    up = succeeded(one.up())

    assert "success" == json.loads(up.stdout)["outcome"]
    said = " ".join(up.stderr.split())
    assert re.search(r"GONE \S+ \S+ refused the connection saved unverified", said)
    assert re.search(r"refused NO \S+ wrong user name or password", said)
    assert [USER] == refusing.refusals()
    assert refusing.registry not in one.config()["auths"]


def test_the_secrets_file_of_codespaces_is_read_at_each_start(container, start_registry):
    """
    https://github.com/microsoft/vscode-dev-containers/issues/1261
    """
    corp, late = start_registry(), start_registry()
    one = container()
    one.secrets = devcontainers.secrets(corp.registry, USER, PASSWORD)
    succeeded(one.up())
    quiet = succeeded(again(one))
    lines = [
        f"{name}={base64.b64encode(text.encode()).decode()}"
        for name, text in devcontainers.secrets(late.registry, USER, PASSWORD, name="LATE").items()
    ]
    script = "mkdir -p ${0%/*} && printf '%s\\n' \"$@\" >$0 && chmod 644 $0"
    file = "/workspaces/.codespaces/shared/.env-secrets"
    written = one.run("sh", "-c", script, file, *lines, user="root")
    assert written.returncode == 0, written.stderr

    found = succeeded(again(one))
    one.secrets = {}
    alone = succeeded(again(one))

    assert "_CONTAINER_REGISTRY_" not in quiet.stderr
    assert [] == devcontainers.lines(quiet)
    assert "LATE_CONTAINER_REGISTRY_*" in found.stderr
    assert {corp.registry, late.registry} == set(one.config()["auths"])
    assert "LATE_CONTAINER_REGISTRY_" in alone.stderr


def test_a_prebuild_saves_logins_on_request_with_a_warning(container, registry_htpasswd):
    one = container(onCreate=True)
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    prebuilt = succeeded(one.up("--prebuild"))

    assert "snapshot" in prebuilt.stderr
    assert [AUTH] == one.holds(AUTH, "in no file of it")


# The Feature in an image without a suitable Python: installed by each family's package manager,
# by uv, or not at all.
#
# A real Debian is fetched in `./dev soak` only, since that takes a minute and a mirror.  Alpine
# and Fedora are not available here.  So there are stand-ins for the package managers, which accept
# only the arguments of the real ones; in Alpine everything else is busybox, as in the real image.

_UNPACK = "tar -xf /tmp/python3.tar -C /"
_APT = f"""\
#!/bin/sh
case "$DEBIAN_FRONTEND $*" in
    " -q update") mkdir -p /var/lib/apt/lists; touch /var/lib/apt/lists/mirror ;;
    "noninteractive -q install -y --no-install-recommends python3 python3-venv ca-certificates")
        [ -e /var/lib/apt/lists/mirror ] || exit 1
        {_UNPACK}
        ;;
    *) echo "E: Unable to locate package: $*" >&2; exit 100 ;;
esac
"""
_APK = f"""\
#!/bin/sh
case "$*" in
    "add --no-cache python3") {_UNPACK} ;;
    *) echo "ERROR: unable to select packages: $*" >&2; exit 1 ;;
esac
"""
_DNF = f"""\
#!/bin/sh
echo "$*" >>/tmp/asked
case "$*" in
    "-y install python3") {_UNPACK} ;;
    "clean all") ;;
    *) echo "Error: Unable to find a match: $*" >&2; exit 1 ;;
esac
"""
# As in RHEL 8 and 9: python3 is too old, and a newer Python has another name.
_MICRODNF = f"""\
#!/bin/sh
echo "$*" >>/tmp/asked
case "$*" in
    "-y install python3") cp /tmp/old-python3 /usr/bin/python3 ;;
    "-y install python3.11")
        {_UNPACK}
        new=$(readlink /usr/bin/python3)
        rm /usr/bin/python3
        cp /tmp/old-python3 /usr/bin/python3
        [ "$new" = python3.11 ] || ln -s "$new" /usr/bin/python3.11
        ;;
    "clean all") ;;
    *) echo "error: No package matches: $*" >&2; exit 1 ;;
esac
"""
# It reports Python 3.9, although it can create a venv.
_OLD = """\
#!/bin/sh
[ "$1" = -c ] || exec /usr/bin/newer "$@"
exec /usr/bin/newer -c '
import sys
sys.version_info = (3, 9, 2, "final", 0)
exec(sys.argv[2])' "$@"
"""

_DEBIAN = """\
FROM devcontainer-registry-test/debian
RUN useradd --create-home --uid 1000 dev
"""
_ALPINE = """\
FROM devcontainer-registry-test/busybox
COPY apk /sbin/apk
COPY python3.tar /tmp/python3.tar
"""


@pytest.fixture(name="bare_box")
def _bare_box(start_box, busybox_image, python_tar, tmp_path):
    """
    A container of busybox, with the Feature in `/feature`, and a Python that is not unpacked yet.
    """
    folder = tmp_path / "feature"
    shutil.copytree(devcontainers.FEATURE, folder, ignore=shutil.ignore_patterns("*.whl"))
    wheelhouse.light(folder, "0.1.0")
    box = start_box(busybox_image)
    box.put(folder, "/feature")
    box.put(python_tar, "/tmp/python3.tar")
    return box


def write_program(box, folder, path, text):
    """
    Put a script into *box*, executable by all users.
    """
    here = folder / os.path.basename(path)
    here.write_text(text)
    here.chmod(0o755)
    box.put(here, path)


def went_well(done):
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert AUTH not in done.stdout + done.stderr
    return done


@pytest.mark.soak  # fetches a Debian
@pytest.mark.usefixtures("debian_image")
def test_in_a_real_debian_apt_installs_python(container, registry_htpasswd):
    # To get there it needs a network, which a Dockerfile's build can be given.
    build = {"dockerfile": "Dockerfile", "options": ["--network=host"]}
    one = container({"build": build})
    one.write("Dockerfile", _DEBIAN)
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    up = went_well(one.up())

    assert 1 == len(devcontainers.lines(up)), up.stderr
    assert {registry_htpasswd.registry: {"auth": AUTH}} == one.config()["auths"]
    assert "" == one.run("ls", "/var/lib/apt/lists").stdout
    # A login shell's PATH is Debian's own.
    for user in boxes.USERS:
        asked = one.run("bash", "-lc", "command -v devcontainer-registry", user=user)
        assert "/usr/local/bin/devcontainer-registry\n" == went_well(asked).stdout


def test_in_debian_apt_installs_the_python(bare_box, tmp_path):
    write_program(bare_box, tmp_path, "/usr/bin/apt-get", _APT)

    went_well(bare_box.install(VERSION="*.whl"))

    went_well(bare_box.run("devcontainer-registry", "--version", user="dev"))
    assert "" == went_well(bare_box.run("ls", "/var/lib/apt/lists")).stdout


@pytest.mark.usefixtures("busybox_image")
def test_in_alpine_apk_installs_the_python(container, python_tar, registry_htpasswd):
    one = container({"build": {"dockerfile": "Dockerfile"}})
    one.write("Dockerfile", _ALPINE)
    one.write("apk", _APK, mode=0o755)
    shutil.copy(python_tar, os.path.join(one.workspace, ".devcontainer", "python3.tar"))
    one.add_hooks(os.path.join(needed.REPOSITORY, "hooks"))
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    up = went_well(one.up())

    assert 1 == len(devcontainers.lines(up)), up.stderr
    assert {registry_htpasswd.registry: {"auth": AUTH}} == one.config()["auths"]


@pytest.mark.parametrize(
    ("manager", "text", "packages"),
    [
        ("dnf", _DNF, ["python3"]),
        ("microdnf", _MICRODNF, ["python3", "python3.12", "python3.11"]),
    ],
)
def test_in_fedora_dnf_installs_the_first_python_that_is_new_enough(
    bare_box, tmp_path, manager, text, packages
):
    write_program(bare_box, tmp_path, f"/usr/bin/{manager}", text)
    write_program(bare_box, tmp_path, "/tmp/old-python3", "#!/bin/sh\nexit 1\n")

    went_well(bare_box.install(VERSION="*.whl"))

    asked = bare_box.run("cat", "/tmp/asked").stdout.splitlines()
    assert [*(f"-y install {package}" for package in packages), "clean all"] == asked
    went_well(bare_box.run("devcontainer-registry", "--version", user="dev"))


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(":", id="none"),
        pytest.param(
            f"{_UNPACK}; mv $(realpath /usr/bin/python3) /usr/bin/newer; "
            "rm /usr/bin/python3; cp /tmp/old-python3 /usr/bin/python3",
            id="an old one",
        ),
        pytest.param(f"{_UNPACK}; rm -r /usr/lib/python3*/ensurepip", id="one without venv"),
        pytest.param(f"{_UNPACK}; rm -r /usr/share/python-wheels", id="one without pip"),
        pytest.param(
            "printf '#!/bin/sh\\nexit 1\\n' >/sbin/apk; chmod 755 /sbin/apk", id="no mirror"
        ),
    ],
)
def test_without_a_suitable_python_the_feature_to_add_is_named(bare_box, tmp_path, there):
    write_program(bare_box, tmp_path, "/tmp/old-python3", _OLD)
    bare_box.sh(there)

    done = bare_box.install(VERSION="*.whl")

    assert 1 == done.returncode
    assert '"ghcr.io/devcontainers/features/python:1": {}' in done.stderr
    assert '"overrideFeatureInstallOrder"' in done.stderr
    assert [] == bare_box.files()


@pytest.fixture(name="uv_box")
def _uv_box(bare_box, tmp_path):
    """
    As `bare_box`, with a Python that can make no venv, and with uv, for which that is enough.
    """
    package = importlib.util.find_spec("uv")
    if package is None:
        needed.missing("uv is not installed: run ./dev setup")
    import uv

    slices.write_program(tmp_path / "uv.tar", uv.find_uv_bin())
    bare_box.put(tmp_path / "uv.tar", "/tmp/uv.tar")
    went_well(bare_box.sh("tar -xf /tmp/uv.tar -C /"))
    went_well(bare_box.sh(f"{_UNPACK}; rm -r /usr/lib/python3*/ensurepip /usr/share/python-wheels"))
    return bare_box


def test_uv_creates_the_venv_and_installs_from_the_index(uv_box, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    devcontainers.wheels(folder)
    with wheelhouse.Wheelhouse(folder) as house:
        environ = {"UV_INDEX_URL": house.index, "UV_SYSTEM_PYTHON": "1"}
        installed = uv_box.install("umask 077", VERSION="latest", **environ)

    went_well(installed)
    assert {"/simple/devcontainer-registry/", "/simple/urllib3/"} <= {*house.asked}
    assert "no" == uv_box.sh(f"[ -e {boxes.VENV}/bin/pip ] && echo pip || echo -n no").stdout
    for user in boxes.USERS:
        went_well(uv_box.run("devcontainer-registry", "--version", user=user))
        went_well(uv_box.run("docker-credential-devcontainer-registry", "version", user=user))
        script = "import devcontainer_registry.authenticators.ecr, boto3"
        went_well(uv_box.run("devcontainer-registry-python", "-c", script, user=user))
        went_well(uv_box.run(boxes.HOOK, "postStart", user=user))


@pytest.mark.parametrize("version", ["0.1.0", "*.whl"])
def test_uv_installs_a_version_or_a_wheel_in_the_features_folder(uv_box, tmp_path, version):
    with wheelhouse.Wheelhouse(tmp_path) as house:
        wheelhouse.light(tmp_path, "0.1.0")
        wheelhouse.light(tmp_path, "0.2.0")

        went_well(uv_box.install(VERSION=version, UV_INDEX_URL=house.index))

    assert "0.1.0" in uv_box.run("devcontainer-registry", "--version").stdout


@pytest.mark.parametrize("right", [True, False, None])
def test_with_uv_the_checksum_of_a_wheel_by_https_is_verified(uv_box, tmp_path, authority, right):
    path = wheelhouse.light(tmp_path, "0.1.0")
    digest = {True: f"#sha256={wheelhouse.sha256(path)}", False: f"#sha256={'0' * 64}", None: ""}
    uv_box.put(authority.path, "/etc/ca.crt")
    with wheelhouse.Wheelhouse(tmp_path, certificate=authority.issue("localhost")) as house:
        url = f"{house.url}/{os.path.basename(path)}{digest[right]}"

        done = uv_box.install(VERSION=url, SSL_CERT_FILE="/etc/ca.crt")

    assert (right is False) == (done.returncode != 0), done.stderr
    assert (right is False) == ("it could not be installed" in done.stderr)


# A registry that Compose starts, with the available engine.


@pytest.fixture(name="registry_port", scope="session")
def _registry_port():
    # With the host's network a container gets no port of its own.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(name="docker_compose_file", scope="session")
def _docker_compose_file():
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "registries.compose.yml")


@pytest.fixture(name="docker_compose_command", scope="session")
def _docker_compose_command(engine, registry_port, tmp_path_factory):
    """
    What pytest-docker runs, by a shell: Compose, with the engine that the tests have.
    """
    package = importlib.util.find_spec("compose")
    if package is None:
        needed.missing("Compose is not installed: run ./dev setup")
    path = tmp_path_factory.mktemp("registry-image") / "image.tar"
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    slices.write_registry(path, f"{USER}:{hashed}\n")
    image = engine.import_tar("devcontainer-registry-test/registry", str(path))
    compose = os.path.join(os.path.dirname(package.origin), "docker-compose")
    host = shlex.quote(f"DOCKER_HOST={engine.host}")
    yield f"env {host} REGISTRY_PORT={registry_port} {shlex.quote(compose)}"
    engine.remove_image(image)


@pytest.fixture(name="registry")
def _registry(docker_services, registry_port):
    def answers():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", registry_port)) == 0

    docker_services.wait_until_responsive(check=answers, timeout=30, pause=0.1)
    return f"localhost:{registry_port}"


@pytest.mark.xdist_group("engine")
def test_a_registry_of_a_compose_file_accepts_our_login(registry, client, image_layout):
    logged_in = client.product("login", **devcontainers.secrets(registry, USER, PASSWORD))
    pushed = client.skopeo(
        "copy", "--dest-tls-verify=false", f"oci:{image_layout}:latest", f"docker://{registry}/a:1"
    )

    assert logged_in.returncode == 0, logged_in.stderr
    assert pushed.returncode == 0, pushed.stderr


@pytest.mark.xdist_group("engine")
def test_a_registry_of_a_compose_file_refuses_another_login(registry, client):
    refused = client.product("login", **devcontainers.secrets(registry, USER, "another"))

    assert 4 == refused.returncode
