# SPDX-License-Identifier: MIT
"""
Images of Compose files, compared with the output of Docker Compose itself.
"""

from __future__ import annotations

import json
import subprocess
import textwrap
import time

import pytest
from doubles.private_user import SOAK
from doubles.workspaces import CONFIGURATION, Workspace, compose, lines, messages
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parts import needed

WHERE = "compose.yml: service app"


@pytest.fixture(name="workspace")
def _workspace(tmp_path):
    return Workspace(tmp_path)


def asked(workspace, files, *services, **environ):
    """
    Return the images that Docker Compose itself lists for *services*; empty: all.
    """
    done = subprocess.run(
        [
            needed.docker_compose(),
            *(f"--file={file}" for file in files),
            *("config", "--format=json", *services),
        ],
        cwd="/",
        env={"HOME": str(workspace.folder), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return done.stderr
    services = json.loads(done.stdout).get("services", {})
    built = [service.get("image") for service in services.values() if "build" in service]
    return {
        name: service["image"]
        for name, service in services.items()
        if "image" in service and "build" not in service and service["image"] not in built
    }


def both(workspace, files=("compose.yml",), *services, main=None, **environ):
    """
    The images by service, as Docker Compose sees them; ours must be the same.
    """
    names = [f"../{file}" for file in files]
    members = {"dockerComposeFile": names, "service": main, "runServices": list(services)}
    workspace.write({CONFIGURATION: {key: value for key, value in members.items() if value}})

    found = workspace.found(**environ)
    theirs = asked(workspace, [workspace.folder / file for file in files], *services, **environ)

    assert () == found.findings
    assert isinstance(theirs, dict), theirs
    assert {*theirs.values()} == {image.reference for image in found.images}
    return theirs


# Shapes of real projects.


def test_a_project_with_extends_and_profiles_is_resolved(workspace):
    workspace.write(
        {
            "compose.yml": """
                x-tool: &tool {image: ghcr.io/team/tool}
                x-common: &common
                  image: ghcr.io/team/worker:${TAG:-1}
                  restart: always
                services:
                  app:
                    extends: {file: docker/base.yml, service: web}
                    depends_on: [db]
                  worker: *common
                  tool: {<<: [*tool, *common]}
                  mailer:
                    <<: *common
                    image: ghcr.io/team/mailer
                  db:
                    image: postgres:16
                  debug:
                    image: busybox
                    profiles: [debug]
                  shell:
                    extends: {service: debug}
                    image: shell
                """,
            "docker/base.yml": """
                services:
                  web:
                    extends: base
                    depends_on: {cache: {condition: service_started}}
                  cache:
                    image: never-asked-for
                  base:
                    image: mcr.microsoft.com/devcontainers/base:bookworm
                """,
        }
    )
    workspace.write({"compose.override.yml": "services: {cache: {image: redis}}\n"})
    files = ["compose.yml", "compose.override.yml"]

    without = both(workspace, files)
    assert ["app", "cache", "db", "mailer", "tool", "worker"] == sorted(without)
    assert "ghcr.io/team/worker:1" == without["worker"]
    assert {*without, "debug", "shell"} == {*both(workspace, files, COMPOSE_PROFILES="x, debug")}
    assert {*without, "debug", "shell"} == {*both(workspace, files, COMPOSE_PROFILES="*")}
    assert ["app", "cache", "db"] == sorted(both(workspace, files, "app"))


def test_later_files_override_earlier_ones(workspace):
    workspace.write(
        {
            "compose.yml": """
                services:
                  app: {build: {context: ., args: [A=1, B=2]}, image: ours}
                  db: {image: "postgres:15", depends_on: [gone]}
                  gone: {image: gone}
                  web: {image: nginx, profiles: [a]}
                  cache: {image: redis, depends_on: [db]}
                  both: {image: both, profiles: [a]}
                """,
            "deploy/two.yml": """
                services:
                  app: {build: !reset null, image: "mcr.microsoft.com/devcontainers/base:1"}
                  db: !override {image: "postgres:16"}
                  gone: !reset null
                  web: {profiles: !override [], image: "nginx:2"}
                  cache: {image: !override "redis:7", depends_on: !reset []}
                  both: {profiles: [b]}
                """,
        }
    )
    files = ["compose.yml", "deploy/two.yml"]

    without = both(workspace, files)
    assert {
        "app": "mcr.microsoft.com/devcontainers/base:1",
        "db": "postgres:16",
        "web": "nginx:2",
        "cache": "redis:7",
    } == without
    for profile in "ab":
        assert {*without, "both"} == {*both(workspace, files, COMPOSE_PROFILES=profile)}


def test_a_service_that_extends_can_reset_members(workspace):
    workspace.write(
        {
            "compose.yml": """
                services:
                  base: {image: base, profiles: [x], depends_on: [db]}
                  app: {extends: {service: base}, profiles: !reset [], depends_on: !reset []}
                  other: {extends: base, profiles: !override [y]}
                  db: {image: db, profiles: [y]}
                """,
        }
    )

    assert {"app": "base"} == both(workspace)


def test_a_reset_is_not_inherited_by_an_extending_service(workspace):
    workspace.write(
        {
            "compose.yml": "services: {s: {image: a}, t: {image: b, build: .}}\n",
            "two.yml": "services: {s: {extends: t}, t: {image: !reset null}}\n",
            "Dockerfile": "FROM scratch\n",
        }
    )

    assert {"s": "a"} == both(workspace, ["compose.yml", "two.yml"])


def test_the_env_file_beside_the_first_file_is_used(workspace):
    workspace.write(
        {
            "docker/one.yml": "services: {app: {image: 'a:${TAG}-${OTHER}'}}\n",
            "two.yml": "services: {db: {image: '${HUB}/db:$TAG'}}\n",
            "docker/.env": """
                # Ours.
                export TAG=1
                OTHER="two$TAG"
                HUB = 'registry.example'  # here
                """,
            ".env": "TAG=no\n",
        }
    )
    files = ["docker/one.yml", "two.yml"]

    assert {"app": "a:1-two1", "db": "registry.example/db:1"} == both(workspace, files)
    assert {"app": "a:9-two9", "db": "registry.example/db:9"} == both(workspace, files, TAG="9")


def test_profiles_of_the_env_file_are_active(workspace):
    text = "services: {app: {image: a}, b: {image: b, profiles: [x]}, c: {image: c, profiles: [y]}}"
    workspace.write({"compose.yml": text, ".env": "COMPOSE_PROFILES=x\n"})

    assert {"app", "b"} == {*both(workspace)}
    assert {"app", "c"} == {*both(workspace, COMPOSE_PROFILES="y")}


def test_included_files_have_their_own_folder_and_variables(workspace):
    workspace.write(
        {
            "compose.yml": """
                include:
                  - parts/db.yml
                  - path: [parts/web.yml, parts/web2.yml]
                    project_directory: .
                    env_file: [web.env, more.env]
                services:
                  app: {image: "app:${TAG}", depends_on: [db]}
                """,
            "parts/db.yml": """
                include: [deep/cache.yml]
                services:
                  db: {image: "db:${TAG}${OWN}"}
                """,
            "parts/deep/cache.yml": "services: {cache: {extends: {file: x.yml, service: c}}}\n",
            "parts/deep/x.yml": "services: {c: {image: 'cache:${TAG}'}}\n",
            "parts/web.yml": "services: {web: {image: 'web:${WEB}'}}\n",
            "parts/web2.yml": "services: {web: {image: 'web2:${WEB}${MORE}'}}\n",
            "parts/.env": "TAG=no\nOWN=own\n",
            "web.env": "WEB=w\n",
            "more.env": "MORE=$WEB\n",
            ".env": "TAG=1\n",
        }
    )

    assert {
        "app": "app:1",
        "db": "db:1own",
        "cache": "cache:1",
        "web": "web2:ww",
    } == both(workspace)


def test_dependencies_of_every_kind_are_started(workspace):
    workspace.write(
        {
            "compose.yml": """
                services:
                  app:
                    image: app
                    links: ["a:alias", b]
                    volumes_from: ["c:ro", "container:none"]
                    network_mode: "service:d"
                    pid: "service:e"
                    ipc: "service:f"
                    depends_on:
                      g: {condition: service_started, required: false}
                  a: {image: a}
                  b: {image: b, depends_on: [h]}
                  c: {image: c}
                  d: {image: d}
                  e: {image: e}
                  f: {image: f}
                  g: {image: g}
                  h: {image: h}
                  i: {image: i}
                """,
        }
    )

    assert [*"a", "app", *"bcdefgh"] == sorted(both(workspace, ("compose.yml",), "app"))


TEMPLATES = [
    "a:$SET",
    "a:${SET}",
    "a:${UNSET:-d}",
    "a:${EMPTY:-d}",
    "a${EMPTY-d}",
    "a:${UNSET-d}",
    "a:${SET-d}",
    "a${SET:+:p}",
    "a${EMPTY:+:p}",
    "a${EMPTY+:p}",
    "a${UNSET+:p}",
    "a:${SET:?must}",
    "a${EMPTY?must}",
    "a:${UNSET:-${OTHER:-deep}}",
    "a:${UNSET:-$SET}",
    "a:${UNSET:-${SET}-x}",
    "a:${UNSET:-x}${SET}",
    "a:$SET.$SET",
    "$HOST/a:${SET}",
    "${HOST}/a",
    "${UNSET:-registry.example:5000/a:1}",
    "a:${UNSET:-x-y-z}",
    "a:${Set_2}",
]


def test_variables_have_the_values_that_docker_compose_gives_them(workspace):
    # The number tells one from another.
    services = {f"s{n}": {"image": f"{text}-{n}"} for n, text in enumerate(TEMPLATES)}
    workspace.write({"compose.yml": json.dumps({"services": services})})

    environ = {"SET": "1", "EMPTY": "", "HOST": "registry.example:5000", "Set_2": "2"}
    assert len(TEMPLATES) == len(both(workspace, **environ))


@pytest.mark.parametrize(
    "line",
    [
        "A=1",
        "A = 1",
        "A: 1",
        "export A=1",
        "export\tA=1",
        "A=1 # comment",
        'A="1"',
        "A='1'",
        "A='b'",
        'A="x${B}"',
        "A=x$B",
        "A=${C:-c}",
        "A=\nA=2",
        "# A=0\n\n  A=3",
        'A="1"\nB=9',
        "A='1' ",
        "A=1\r\nB=2",
        'A="a.b"  # x',
        "A=${HOST}x",
        "HOST=no\nA=$HOST",
        "HOST\nA=2",
        "B.C=1\nA=2",
    ],
)
def test_a_line_of_an_env_file_is_read_as_docker_compose_reads_it(workspace, line):
    text = "services: {a: {image: 'a:x${A}'}, b: {image: 'b:x${B}'}}\n"
    workspace.write({"compose.yml": text, ".env": f"B=b\n{line}\n".encode()})

    both(workspace, HOST="h")


@pytest.mark.parametrize(
    "value", ["3.10", "3.0", "20", "0x1f", "010", "1_0", "yes", "1e3", "!!str 3.10", "'3.10'"]
)
def test_numbers_as_arguments_are_written_as_docker_compose_does(workspace, value):
    text = f"""
        services:
          app:
            build:
              context: .
              args:
                V: {value}
        """
    files = {**compose(text), "Dockerfile": "ARG V\nFROM a:x$V\n"}

    (reference,) = workspace.references(files)

    done = subprocess.run(
        [
            needed.docker_compose(),
            "-f",
            workspace.folder / "compose.yml",
            "config",
            "--format=json",
        ],
        env={"HOME": str(workspace.folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = json.loads(done.stdout)["services"]["app"]["build"]["args"]["V"]
    assert f"a:x{theirs}" == reference


_IMAGES = st.sampled_from(["image: a", "image: b", "image: '${V:-c}'", "image: !reset null"])
_BUILDS = st.sampled_from(["build: .", "build: !reset null", "build: {args: {A: 1}}"])
_PROFILES = st.sampled_from(["[p]", "[q]", "[p, q]", "[]", "!override [q]", "!reset []"])
_LATER = {"s": ["t", "u"], "t": ["u"], "u": []}


def _line(name, source):
    """
    A service; nothing extends itself, nor depends on itself.
    """
    others = st.none() | st.sampled_from(_LATER[name]) if _LATER[name] else st.none()
    members = st.tuples(
        source,
        st.just("") | _PROFILES.map("profiles: {}".format),
        others.map(lambda other: f"extends: {other}" if other else ""),
        others.map(lambda other: f"depends_on: [{other}]" if other else ""),
    ).map(lambda texts: f"{{{', '.join(filter(None, texts))}}}")
    tagged = st.tuples(st.sampled_from(["", "", "", "!override "]), members).map("".join)
    # Docker Compose has a bug with a tag inside a service that is tagged itself.
    return tagged.filter(lambda text: not (text.startswith("!") and text.count("!") > 1))


def _text(services):
    return "services:" + "".join(f"\n  {n}: {b}" for n, b in services.items() or [("s", "{}")])


_ALL = st.sampled_from(["image: a", "image: b", "build: ."])
_FIRST = st.fixed_dictionaries({name: _line(name, _ALL) for name in _LATER}).map(_text)
_SOME = st.just("") | _IMAGES | _BUILDS
_SECOND = st.fixed_dictionaries({}, optional={name: _line(name, _SOME) for name in _LATER}).map(
    _text
)


@settings(
    max_examples=100 if SOAK else 25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    one=_FIRST,
    two=_SECOND,
    profiles=st.sampled_from(["", "p"]),
    only=st.none() | st.sampled_from([*_LATER]),
)
def test_a_file_that_docker_compose_accepts_has_the_same_images(
    workspace, one, two, profiles, only
):
    files = ["one.yml", "two.yml"]
    workspace.write({"one.yml": one, "two.yml": two, "Dockerfile": "FROM scratch\n"})
    paths = [workspace.folder / file for file in files]
    services = [only] if only else []
    theirs = asked(workspace, paths, *services, COMPOSE_PROFILES=profiles)
    if isinstance(theirs, dict):
        both(workspace, files, *services, COMPOSE_PROFILES=profiles)


# Builds.


def test_a_service_that_is_built_pulls_the_images_of_its_dockerfile(workspace):
    found = workspace.found(
        {
            **compose(
                """
                services:
                  app:
                    image: registry.example/ours:1
                    build:
                      context: docker
                      dockerfile: app.Dockerfile
                      target: dev
                      args: [VARIANT=12, PLAIN, ABSENT]
                      cache_from: [registry.example/cache]
                      additional_contexts:
                        base: docker-image://ghcr.io/team/base:${BASE:-2}
                        other: ../other
                  same:
                    image: registry.example/ours:1
                  web:
                    build: ./web
                  linux:
                    platform: linux/arm64
                    build: {context: ., dockerfile_inline: "FROM a:$${TARGETARCH}\\nFROM ${IN}"}
                """
            ),
            "docker/app.Dockerfile": """
                ARG VARIANT=1 PLAIN=no ABSENT=default
                FROM debian:${VARIANT} AS dev
                FROM x:$PLAIN-$ABSENT
                COPY --from=base / /
                FROM base
                """,
            "web/Dockerfile": "FROM nginx\n",
        },
        PLAIN="yes",
        IN="inline:3",
    )

    assert () == found.findings
    assert [
        ("compose", "ghcr.io/team/base:2", WHERE),
        ("dockerfile", "debian:12", "docker/app.Dockerfile:2: FROM"),
        ("dockerfile", "x:yes-default", "docker/app.Dockerfile:3: FROM"),
        ("dockerfile", "nginx", "web/Dockerfile:1: FROM"),
        ("dockerfile", "a:arm64", "compose.yml: service linux: dockerfile_inline:1: FROM"),
        ("dockerfile", "inline:3", "compose.yml: service linux: dockerfile_inline:2: FROM"),
    ] == lines(found)


def test_build_paths_of_an_extended_file_are_relative_to_it(workspace):
    found = workspace.found(
        {
            **compose("services: {app: {extends: {file: parts/base.yml, service: app}}}\n"),
            "parts/base.yml": "services: {app: {build: {context: ., dockerfile: x/Dockerfile}}}\n",
            "parts/x/Dockerfile": "FROM a\n",
        }
    )

    assert [("dockerfile", "a", "parts/x/Dockerfile:1: FROM")] == lines(found)


@pytest.mark.parametrize("context", ["", "context: ''", "context: ", "context: ., dockerfile: ''"])
def test_a_build_without_a_context_is_in_the_project_directory(workspace, context, monkeypatch):
    members = ", ".join(filter(None, [context, "args: {V: 1}"]))
    files = compose(f"services: {{app: {{build: {{{members}}}}}}}\n")
    workspace.write({"elsewhere/Dockerfile": "FROM wrong\n"})
    monkeypatch.chdir(workspace.folder / "elsewhere")

    assert ["a:1"] == workspace.references({**files, "Dockerfile": "ARG V\nFROM a:$V\n"})


@pytest.mark.parametrize(
    "context", ["https://github.com/team/app.git", "git@github.com:team/app", "github.com/team/app"]
)
def test_a_remote_context_with_an_unknown_dockerfile_is_a_finding(workspace, context):
    found = workspace.found(compose(f"services: {{app: {{build: '{context}'}}}}\n"))

    assert [
        (
            "configuration-remote",
            f"{WHERE}: its build context is not on this machine, so its images are unknown",
            "look up the images of its build context yourself",
        )
    ] == messages(found)


def test_a_remote_context_with_an_inline_dockerfile_is_known(workspace):
    text = "services: {app: {build: {context: 'https://x/y.git', dockerfile_inline: FROM a}}}\n"

    assert ["a"] == workspace.references(compose(text))


def test_a_remote_context_with_an_image_as_another_context_is_known(workspace):
    build = "{context: 'https://x/y.git', additional_contexts: [base=docker-image://a:1]}"

    assert ["a:1"] == workspace.references(compose(f"services: {{app: {{build: {build}}}}}\n"))


def test_images_that_are_never_pulled_are_not_named(workspace):
    text = """
        services:
          app: {image: app, pull_policy: never}
          b: {image: b, pull_policy: always}
          c: {image: c, volumes: [{type: image, source: d, target: /d}, "x:/x", {type: bind}]}
        """

    assert ["b", "c", "d"] == workspace.references(compose(text))


def test_an_image_beside_compose_files_wins_as_in_the_dev_container_cli(workspace):
    assert ["taken"] == workspace.references(compose(PROFILES, image="taken"))


# Which services run.

PROFILES = """
    services:
      app: {image: app, profiles: [dev], depends_on: [db]}
      db: {image: db, profiles: [data]}
      web: {image: web}
      extra: {image: extra, profiles: [extra], depends_on: {gone: {required: false}}}
    """


@pytest.mark.parametrize(
    ("members", "references"),
    [
        ({}, ["app", "db", "web"]),
        ({"runServices": ["web"]}, ["app", "db", "web"]),
        ({"runServices": ["app"]}, ["app", "db"]),
        ({"service": "web"}, ["web"]),
        ({"service": "web", "runServices": ["extra"]}, ["web", "extra"]),
    ],
)
def test_the_service_and_its_dependencies_run_with_any_profiles(workspace, members, references):
    assert references == workspace.references(compose(PROFILES, **members))


def test_without_a_file_compose_takes_the_one_of_the_workspace(workspace):
    files = {
        CONFIGURATION: {"dockerComposeFile": [], "service": "app"},
        "docker-compose.yml": "services: {app: {image: 'a:${TAG}'}}\n",
        ".env": "TAG=1\n",
        "other.yml": "services: {app: {image: other}}\n",
    }
    assert ["a:1"] == workspace.references(files)
    assert ["other"] == workspace.references(COMPOSE_FILE="docker-compose.yml:other.yml")

    override = {"docker-compose.override.yml": "services: {app: {image: b}}\n"}
    assert ["b"] == workspace.references(override)


# Findings.


def test_a_variable_without_a_value_is_a_finding(workspace):
    text = "services: {app: {image: 'a:${TAG}'}, b: {image: 'b:${TAG:?set it}'}, c: {image: c}}"

    found = workspace.found(compose(text))

    assert ["c"] == [image.reference for image in found.images]
    fix = "set TAG for this command, or write its value into the file"
    assert [
        ("image-unresolved", f"{WHERE}: a:${{TAG}} needs TAG, which is not set here", fix),
        (
            "image-unresolved",
            "compose.yml: service b: b:${TAG:?set it} needs TAG, which is not set here",
            fix,
        ),
    ] == messages(found)


DAMAGED = [
    ("services:\n  {a: [}\n", "not valid YAML (line 2)"),
    ("a: &a b\nb: *c\n", "an alias that is not defined (line 2)"),
    ("a: &a [*a]\n", "an alias that is not defined (line 1)"),
    ("a: 1\na: 2\n", "the key 'a' twice (line 2)"),
    ("? [a]\n: b\n", "a key that is not a string (line 1)"),
    ("- a\n", "not a mapping"),
    ("services: a\n", "services is not a mapping"),
    ("[" * 200, "YAML that is nested too deeply (line 1)"),
    (b"a: \xff\n", "not UTF-8"),
    ("a: \x01\n", "not valid YAML"),
    ("include: compose.yml\n", "it includes itself"),
]


@pytest.mark.parametrize(("text", "problem"), DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_is_a_finding(workspace, text, problem):
    found = workspace.found(compose(text))

    assert () == found.images
    assert [("configuration-damaged", f"compose.yml: {problem}", "correct compose.yml")] == (
        messages(found)
    )


@pytest.mark.parametrize(
    ("service", "problem"),
    [
        ("a", "it is not a mapping"),
        ("{image: [a]}", "image is not a string"),
        ("{image: 3}", "image is not a string"),
        ("{build: {args: {A: [b]}}}", "args.A is not a string"),
        ("{image: a, profiles: [[b]]}", "profiles is not a string"),
    ],
)
def test_a_member_of_the_wrong_kind_is_a_finding(workspace, service, problem):
    text = f"services:\n  app: {service}\n  b: {{image: b}}\n"
    found = workspace.found({**compose(text, service="b"), "Dockerfile": "FROM c\n"})

    assert (
        "configuration-damaged",
        f"{WHERE}: {problem}",
        "correct compose.yml",
    ) in messages(found)
    assert "b" in [image.reference for image in found.images]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("services: {b: {image: b}}", (f"{CONFIGURATION}: no service app in the Compose files")),
        (
            "services: {app: {image: a, depends_on: [db]}}",
            f"{WHERE}: no service db in the Compose files",
        ),
        (
            "services: {app: {image: a, extends: db}}",
            f"{WHERE}: no service db in the Compose files",
        ),
    ],
)
def test_a_missing_service_is_a_finding(workspace, text, message):
    found = workspace.found(compose(text))

    name = message.partition("no service ")[2].split()[0]
    assert [
        ("service-unknown", message, f"define the service {name}, or correct its name")
    ] == messages(found)


def test_services_that_extend_each_other_are_a_finding(workspace):
    text = "services: {app: {extends: b, image: a}, b: {extends: {service: app}}}"

    found = workspace.found(compose(text))

    assert ["a"] == [image.reference for image in found.images]
    assert [
        ("configuration-damaged", "compose.yml: service app extends itself", "correct compose.yml")
    ] == messages(found)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"compose.yml": "services: {app: {extends: {file: no.yml, service: a}, image: a}}"},
            "compose.yml: no.yml does not exist",
        ),
        ({"compose.yml": "include: [no.yml]\n"}, "compose.yml: no.yml does not exist"),
        (
            {"compose.yml": "include: [{path: a.yml, env_file: no.env}]\n", "a.yml": ""},
            "compose.yml: no.env does not exist",
        ),
        ({}, f"{CONFIGURATION}: compose.yml does not exist"),
        (
            {"compose.yml": "services: {app: {build: .}}"},
            f"{WHERE}: Dockerfile does not exist",
        ),
    ],
)
def test_a_file_that_is_missing_is_named(workspace, files, message):
    configuration = {"dockerComposeFile": "../compose.yml", "service": "app"}
    found = workspace.found({CONFIGURATION: configuration, **files})

    name = message.split()[-4]
    assert [("configuration-missing", message, f"create {name}, or correct its name")] == messages(
        found
    )


def test_a_damaged_env_file_is_a_finding(workspace):
    files = {**compose("services: {app: {image: 'a:$A'}}"), ".env": "A=1\nno line\nB=2\n"}

    found = workspace.found(files)

    assert ["a:1"] == [image.reference for image in found.images]
    assert [("configuration-damaged", ".env: line 2 is not NAME=VALUE", "correct .env")] == (
        messages(found)
    )


def test_a_remote_include_is_a_finding(workspace):
    what = "include https://github.com/team/app.git"
    text = "include: ['https://github.com/team/app.git']\nservices: {app: {image: a}}\n"

    found = workspace.found(compose(text))

    assert [
        (
            "configuration-remote",
            f"compose.yml: {what} is not on this machine, so its images are unknown",
            f"look up the images of {what} yourself",
        )
    ] == messages(found)


# Malicious files.


def bomb():
    levels = [
        f"{chr(97 + n)}: &{chr(97 + n)} [{', '.join([f'*{chr(96 + n)}'] * 9)}]"
        for n in range(1, 12)
    ]
    return "\n".join(["a: &a [x]", *levels, "services: {app: {image: a}}"])


def nested_defaults():
    return "services: {app: {image: '" + "${A:-" * 2000 + "a" + "}" * 2000 + "'}}"


def chain_of_services():
    links = "".join(f"  s{n}: {{extends: s{n + 1}}}\n" for n in range(5000))
    return f"services:\n{links}  s5000: {{image: a}}\n"


def doubling():
    lines_ = "".join(f"A{n + 1}=$A{n}$A{n}\n" for n in range(64))
    return f"A0=aaaa\n{lines_}"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"compose.yml": bomb()}, "configuration-damaged"),
        ({"compose.yml": nested_defaults()}, "image-malformed"),
        ({"compose.yml": chain_of_services()}, "configuration-damaged"),
        (
            {"compose.yml": "services: {app: {image: $A64}}", ".env": doubling()},
            "image-malformed",
        ),
        ({"compose.yml": f"#{'x' * 1024 * 1024}"}, "configuration-unreadable"),
        (
            {
                "compose.yml": "include: [i0.yml, i0.yml]",
                **{f"i{n}.yml": f"include: [i{n + 1}.yml, i{n + 1}.yml]" for n in range(20)},
                "i20.yml": "",
            },
            "configuration-too-large",
        ),
        (
            {
                "compose.yml": "include: [i0.yml]",
                **{f"i{n}.yml": f"include: [i{n + 1}.yml]" for n in range(400)},
                "i400.yml": "",
            },
            "configuration-damaged",
        ),
    ],
    ids=["aliases", "defaults", "extends", "env", "size", "includes", "depth"],
)
def test_a_malicious_file_is_a_finding(workspace, files, code):
    configuration = {"dockerComposeFile": "../compose.yml", "service": "app"}
    workspace.write({CONFIGURATION: configuration, **files})

    started = time.process_time()
    found = workspace.found()

    assert code in [finding.code for finding in found.findings]
    assert time.process_time() - started < 20


def test_a_service_name_with_line_breaks_is_shown_in_one_line(workspace):
    text = textwrap.dedent(
        """
        services:
          app: {image: a}
          "x\\ny": {image: "b c"}
        """
    )

    found = workspace.found(compose(text))

    assert ["compose.yml: service 'x\\ny': b c is not an image reference"] == [
        finding.message for finding in found.findings
    ]
