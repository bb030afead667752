# SPDX-License-Identifier: MIT
"""
Worlds in which a pull fails for one cause, and the words for it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import time

import jwt
from doubles import servers
from doubles.homes import encoded
from doubles.internet import Authority, Internet, tls_server
from doubles.worlds import PASSWORD, USER, Special, answer_of, ecr_password

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.registry import Registry
from devcontainer_registry.testing import LoopbackRegistry
from devcontainer_registry.testing.loopback import LoopbackServer

CASES = {}


def cause(code, message, fix, exit_status):
    """
    Register a function that puts one thing wrong into a world.
    """

    def register(build):
        name = build.__name__.strip("_").replace("_", " ")
        assert name not in CASES
        CASES[name] = (build, code, message, fix, exit_status)
        return build

    return register


# Variables.

GRANT = "in this container's secrets or environment"


@cause(
    "missing-member",
    "CORP_CONTAINER_REGISTRY_PASSWORD is empty",
    f"set CORP_CONTAINER_REGISTRY_PASSWORD {GRANT}",
    3,
)
def _password_is_empty(world):
    world.set(world.registry(), password="")


@cause(
    "missing-member",
    "CORP_CONTAINER_REGISTRY_USER is missing",
    f"set CORP_CONTAINER_REGISTRY_USER {GRANT}",
    3,
)
def _user_is_missing(world):
    world.set(world.registry())
    del world.environ["CORP_CONTAINER_REGISTRY_USER"]


@cause(
    "missing-member",
    "CORP_CONTAINER_REGISTRY_SERVER is missing",
    f"set CORP_CONTAINER_REGISTRY_SERVER {GRANT}",
    3,
)
def _server_is_missing(world):
    world.set(world.registry())
    del world.environ["CORP_CONTAINER_REGISTRY_SERVER"]


@cause(
    "not-configured",
    "every variable of CORP_CONTAINER_REGISTRY_* is empty",
    f"set CORP_CONTAINER_REGISTRY_SERVER {GRANT}",
    3,
)
def _every_variable_is_empty(world):
    world.registry()
    world.set("", user="", password="")


@cause(
    "near-miss",
    "no login for {R}: CORP_CONTAINER_REGISTRY_PASS looks like a typo for "
    "CORP_CONTAINER_REGISTRY_PASSWORD",
    "rename it, then run devcontainer-registry login",
    3,
)
def _password_is_misspelled(world):
    world.set(world.registry())
    password = world.environ.pop("CORP_CONTAINER_REGISTRY_PASSWORD")
    world.environ["CORP_CONTAINER_REGISTRY_PASS"] = password


@cause(
    "unreadable-file",
    "cannot read the file that CORP_CONTAINER_REGISTRY_PASSWORD_FILE names: No such "
    "file or directory",
    "set CORP_CONTAINER_REGISTRY_PASSWORD_FILE to a readable text file",
    3,
)
def _secret_file_is_not_there(world):
    world.set(world.registry())
    del world.environ["CORP_CONTAINER_REGISTRY_PASSWORD"]
    world.environ["CORP_CONTAINER_REGISTRY_PASSWORD_FILE"] = "/nowhere/secret"


@cause(
    "secrets-file",
    "cannot read the secrets file: not JSON, at line 1",
    'make it a JSON object of strings: {"NAME": "value"}',
    3,
)
def _secrets_file_is_damaged(world):
    world.registry()
    path = os.path.join(world.home, "secrets.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write("CORP=no")
    world.options["secrets_file"] = path


@cause(
    "invalid-server",
    "CORP_CONTAINER_REGISTRY_SERVER is the web page hub.docker.com, not a registry",
    "set CORP_CONTAINER_REGISTRY_SERVER to docker.io",
    3,
)
def _server_is_a_web_page(world):
    world.registry()
    world.set("https://hub.docker.com/r/team/app")


@cause(
    "login-not-run",
    "not logged in to {R}; CORP_CONTAINER_REGISTRY_* is set",
    "run devcontainer-registry login --only CORP",
    3,
)
def _login_was_not_run(world):
    world.set(world.registry())


@cause(
    "no-login",
    "no login for {R}, and the image is not public",
    "set <ID>_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD and run "
    "devcontainer-registry login, or run docker login {R}",
    3,
)
def _nobody_logged_in(world):
    world.registry()


@cause(
    "no-login",
    "{R} says that team/private does not exist, but it was asked without a login",
    "check the spelling of team/private; if it is private, run docker login {R}",
    3,
)
def _registry_hides_what_is_private(world):
    world.registry(Special({}, public=("team/private",), images=("team/app:1",)))
    world.ask("team/private")


# config.json.


@cause(
    "config-damaged",
    "{CONFIG} is not valid JSON (line 1, column 10)",
    "repair it, or move it away",
    6,
)
def _config_is_cut_off(world):
    world.registry()
    world.config('{"auths":')


@cause("config-damaged", "{CONFIG} is not a JSON object", "repair it, or move it away", 6)
def _config_is_a_list(world):
    world.registry()
    world.config("[]")


@cause(
    "config-damaged",
    "{CONFIG} begins with a byte order mark, so Docker ignores the file",
    "save it as UTF-8 without a byte order mark",
    6,
)
def _config_has_a_byte_order_mark(world):
    registry = world.registry()
    entry = {"auth": encoded(f"{USER}:{PASSWORD}")}
    world.config(b"\xef\xbb\xbf" + json.dumps({"auths": {registry: entry}}).encode())


@cause(
    "config-mistyped",
    "experimental in {CONFIG} is a boolean, but docker expects a text, so it ignores "
    "every login in auths",
    "change experimental to a text, or remove it",
    6,
)
def _config_has_a_boolean(world):
    world.logged_in(world.registry(), experimental=True)


@cause(
    "login-unreadable",
    ("Docker cannot read the entry for other.example in {CONFIG}, and ignores other logins too"),
    "remove that entry, or set its auth to the base64 of USER:PASSWORD",
    6,
)
def _neighbour_is_no_base64(world):
    registry = world.registry()
    good = {"auth": encoded(f"{USER}:{PASSWORD}")}
    world.config({"auths": {registry: good, "other.example": {"auth": "a-raw-token"}}})


@cause(
    "config-not-a-file",
    "{CONFIG} is a folder, not a file; a bind mount of a missing file creates one",
    "remove it, or set DOCKER_CONFIG to another folder",
    6,
)
def _config_is_a_folder(world):
    world.registry()
    os.mkdir(world.config_path)


@cause(
    "config-not-a-file",
    "{CONFIG} is not a regular file",
    "remove it, or set DOCKER_CONFIG to another folder",
    6,
)
def _config_is_a_pipe(world):
    world.registry()
    os.mkfifo(world.config_path)


@cause(
    "config-not-a-file",
    "{CONFIG} is a link to itself",
    "remove it, or set DOCKER_CONFIG to another folder",
    6,
)
def _config_is_a_circle(world):
    world.registry()
    os.symlink("config.json", world.config_path)


@cause(
    "docker-config-is-file",
    ("DOCKER_CONFIG is a file, {PATH}; it must be the folder that contains config.json"),
    "set DOCKER_CONFIG to {HOME}/.docker",
    6,
)
def _variable_names_a_file(world):
    world.logged_in(world.registry())
    world.environ["DOCKER_CONFIG"] = world.config_path


@cause(
    "docker-config-invalid",
    "DOCKER_CONFIG, ~/.docker, contains ~ or $, which Docker does not expand",
    "set DOCKER_CONFIG to an absolute path, such as /home/me/.docker, or unset it",
    6,
)
def _variable_has_a_tilde(world):
    world.logged_in(world.registry())
    world.environ["DOCKER_CONFIG"] = "~/.docker"


# Who answers docker.


@cause(
    "registry-token",
    "config.json has a registrytoken for {R}, not a user name and password",
    "run docker logout {R}, then log in again",
    6,
)
def _entry_is_a_bearer_token(world):
    world.config({"auths": {world.registry(): {"registrytoken": "made-up"}}})


@cause(
    "helper-missing",
    "credHelpers names docker-credential-gone, which is not on PATH{OTHERS}",
    "install it, or remove it from config.json",
    6,
)
def _helper_is_not_installed(world):
    world.config({"credHelpers": {world.registry(): "gone"}})


@cause(
    "helper-missing",
    "credsStore names docker-credential-gone, which is not on PATH{OTHERS}",
    "install it, or remove it from config.json",
    6,
)
def _store_is_not_installed(world):
    world.logged_in(world.registry(), credsStore="gone")


@cause(
    "helper-missing",
    "credHelpers names docker-credential-devcontainer-registry, which is not on PATH{OTHERS}",
    "install it, or remove it from config.json",
    6,
)
def _our_helper_is_not_on_path(world):
    world.config({"credHelpers": {world.registry(): "devcontainer-registry"}})


@cause(
    "helper-hangs",
    "docker-credential-slow did not answer within 1 s{OTHERS}",
    "run echo {R} | docker-credential-slow get to see what it waits for",
    6,
)
def _helper_hangs(world):
    world.helper("slow", code="import time; time.sleep(60)")
    world.config({"credHelpers": {world.registry(): "slow"}})
    world.options["timeout"] = 1.0


@cause(
    "helper-failed",
    "docker-credential-angry failed with status 3{OTHERS}",
    "run echo {R} | docker-credential-angry get to see why",
    6,
)
def _helper_fails(world):
    world.helper("angry", "no", status=3)
    world.config({"credHelpers": {world.registry(): "angry"}})


@cause(
    "helper-failed",
    "docker-credential-odd did not return a credential{OTHERS}",
    "run echo {R} | docker-credential-odd get to see why",
    6,
)
def _helper_talks_nonsense(world):
    world.helper("odd", "hello")
    world.config({"credHelpers": {world.registry(): "odd"}})


@cause(
    "helper-failed",
    "cannot start docker-credential-else: No such file or directory{OTHERS}",
    "run echo {R} | docker-credential-else get to see why",
    6,
)
def _helper_has_no_interpreter(world):
    world.program("docker-credential-else", "#!/nowhere/python\n")
    world.config({"credHelpers": {world.registry(): "else"}})


@cause(
    "helper-without-login",
    "Docker asks docker-credential-empty (credHelpers), which has no login for {R}",
    "run docker login {R}, or delete its credHelpers entry from {CONFIG}",
    3,
)
def _helper_has_no_login(world):
    world.helper("empty")
    world.config({"credHelpers": {world.registry(): "empty"}})


@cause(
    "hidden-by-credsstore",
    "Docker asks docker-credential-empty (credsStore) and ignores auths; that helper "
    "has no login for {R}",
    "remove credsStore from config.json, or run login with --store helper",
    6,
)
def _store_hides_the_login(world):
    world.helper("empty")
    world.logged_in(world.registry(), credsStore="empty")


@cause(
    "hidden-by-credsstore",
    "Docker asks VS Code's docker-credential-dev-containers-1 (credsStore) and "
    "ignores auths; it has no login for {R}",
    'set "dev.containers.dockerCredentialHelper": false in VS Code and remove '
    "credsStore from config.json",
    6,
)
def _vs_code_hides_the_login(world):
    world.helper("dev-containers-1")
    world.logged_in(world.registry(), credsStore="dev-containers-1")


@cause(
    "not-found",
    "Docker asks our credential helper, which has no login for {R}",
    "run devcontainer-registry login",
    3,
)
def _our_helper_has_no_login(world):
    world.our_helper()
    world.config({"credHelpers": {world.registry(): "devcontainer-registry"}})


@cause(
    "erased",
    "docker logout removed the login to {R} from our credential helper",
    "run devcontainer-registry login",
    3,
)
def _login_was_erased(world):
    world.our_helper()
    registry = world.registry()
    world.config({"credHelpers": {registry: "devcontainer-registry"}})
    world.cached(registry, {"erased": True})


def _kept(world, *, ago):
    world.our_helper()
    registry = world.registry()
    world.config({"credHelpers": {registry: "devcontainer-registry"}})
    ends = time.time() - ago
    credential = {"Username": USER, "Secret": PASSWORD}
    life = {"issued_at": ends - 43200, "expires_at": ends}
    world.cached(registry, {"credential": credential, **life})
    return registry


@cause(
    "secrets-not-visible",
    ("the login to {R} expired 3 h ago; cannot renew it, because its variables are not set here"),
    "run devcontainer-registry login where they are set",
    5,
)
def _renewal_sees_no_secrets(world):
    _kept(world, ago=3 * 3600)


@cause(
    "renewal-due",
    ("not checked: the login to {R} expired 3 h ago; our helper renews it at the next pull"),
    "run devcontainer-registry login --only CORP, then doctor again",
    5,
)
def _renewal_is_due(world):
    world.set(_kept(world, ago=3 * 3600))


@cause(
    "renewal-due",
    "not checked: our helper logs in to {R} at the next pull",
    "run devcontainer-registry login --only CORP, then doctor again",
    5,
)
def _first_login_is_the_helpers(world):
    world.our_helper()
    registry = world.registry()
    world.config({"credHelpers": {registry: "devcontainer-registry"}})
    world.set(registry)


def _saved(world):
    """
    A login that we saved in auths, and that has expired since.
    """
    from devcontainer_registry.logins.login import login

    registry = world.registry()
    world.set(registry)
    assert login(environ=world.environ).ok
    cache = Cache.locate(world.environ)
    life = {"issued_at": time.time() - 50000, "expires_at": time.time() - 4 * 3600}
    cache.write(Registry(registry), {**cache.read(Registry(registry)), **life})
    return registry


@cause(
    "expired",
    "the login to {R} expired 4 h ago",
    "run devcontainer-registry login",
    5,
)
def _saved_login_has_expired(world):
    _saved(world)


@cause(
    "expired",
    "the login to {R} expired 4 h ago",
    "run devcontainer-registry login in a shell that has its variables",
    5,
)
def _saved_login_has_expired_unseen(world):
    _saved(world)
    for name in list(world.environ):
        if "_CONTAINER_REGISTRY_" in name:
            del world.environ[name]


ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@cause(
    "token-expired",
    f"the token for {ECR} in auths expired 5 h ago",
    "get a new token and run docker login {R}",
    4,
)
def _password_of_aws_has_expired(world):
    world.of(ECR)
    world.logged_in(ECR, "AWS", ecr_password(time.time() - 5 * 3600))


@cause(
    "token-expired",
    ("the token for corp.azurecr.io in docker-credential-acr (credsStore) expired 2 days ago"),
    "get a new token and run docker login corp.azurecr.io",
    4,
)
def _identity_token_has_expired(world):
    world.of("corp.azurecr.io")
    token = jwt.encode({"exp": int(time.time()) - 2 * 86400}, "not-a-key-of-anybody's-32-octets!")
    world.helper("acr", answer_of("<token>", token))
    world.config({"credsStore": "acr"})


@cause(
    "docker-auth-config",
    "Docker ignores DOCKER_AUTH_CONFIG with its login for {R}: it has members other than auth",
    (
        "run devcontainer-registry login, or leave only auths with an auth for each host "
        "in DOCKER_AUTH_CONFIG"
    ),
    3,
)
def _docker_ignores_its_variable(world):
    entry = {"auth": encoded(f"{USER}:{PASSWORD}"), "email": "bob@corp.example"}
    auths = {"auths": {world.registry(): entry}}
    world.environ["DOCKER_AUTH_CONFIG"] = json.dumps(auths)


@cause(
    "docker-too-old",
    ("DOCKER_AUTH_CONFIG has a login for {R}, but docker 20.10.24+dfsg1 does not read it"),
    "run devcontainer-registry login, or install docker 28.3 or later",
    3,
)
def _docker_does_not_read_its_variable(world):
    world.program("docker", "#!/bin/sh\necho Docker version 20.10.24+dfsg1, build 297e128\n")
    entry = {"auth": encoded(f"{USER}:{PASSWORD}")}
    world.environ["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {world.registry(): entry}})


@cause(
    "other-spelling",
    ("no login for the spelling LOCALHOST:{PORT}; {CONFIG} has one for localhost:{PORT}"),
    "write the registry as localhost:{PORT} in image names",
    3,
)
def _image_is_spelled_otherwise(world):
    world.logged_in(world.registry())
    world.images = [image.replace("localhost", "LOCALHOST") for image in world.images]


@cause(
    "other-port",
    ("no login for {R}; {CONFIG} has one for localhost, a different registry to Docker"),
    "run docker login {R}, or write the image as localhost/team/app",
    3,
)
def _login_is_for_another_port(world):
    world.registry()
    world.logged_in("localhost")


@cause(
    "login-in-podman",
    "podman's auth.json has a login for {R}, but Docker does not read it",
    "run docker login {R}",
    3,
)
def _only_podman_is_logged_in(world):
    registry = world.registry()
    folder = os.path.join(world.home, ".config", "containers")
    os.makedirs(folder)
    entry = {"auth": encoded(f"{USER}:{PASSWORD}")}
    with open(os.path.join(folder, "auth.json"), "w", encoding="utf-8") as file:
        json.dump({"auths": {registry: entry}}, file)


@cause(
    "login-elsewhere",
    (
        "Docker reads {HOME}/other/config.json because of DOCKER_CONFIG; the login to "
        "{R} is in {CONFIG}"
    ),
    "unset DOCKER_CONFIG, or run devcontainer-registry login with it set",
    3,
)
def _login_is_in_the_home(world):
    world.logged_in(world.registry())
    world.environ["DOCKER_CONFIG"] = os.path.join(world.home, "other")
    world.names["HOME"] = "~"


# The network.


@cause(
    "name-not-resolved",
    "cannot resolve registry.example",
    "check the spelling and the DNS",
    5,
)
def _name_is_not_known(world):
    world.of("registry.example")


@cause(
    "connection-refused",
    "localhost:1 refused the connection",
    "check the port, and that the registry is running",
    5,
)
def _nothing_listens(world):
    world.of("localhost:1")


@cause(
    "timeout",
    "{R} timed out",
    "check the network, or allow more time with --timeout",
    5,
)
def _registry_is_silent(world):
    world.registry(servers.Hanging())
    world.options["timeout"] = 1.0


@cause(
    "connection-reset",
    "{R} closed the connection",
    "check the firewall and the proxy",
    5,
)
def _registry_hangs_up(world):
    world.registry(servers.Resetting())


@cause(
    "not-a-registry",
    "{R} is a web page, not a registry",
    ("check the spelling of the registry; a proxy or sign-in page may have answered instead"),
    3,
)
def _web_page_answers(world):
    world.registry(servers.web_page())


@cause(
    "not-a-registry",
    "{R} is not a registry: it answers GET /v2/ with status 404",
    ("check the spelling of the registry; a proxy or sign-in page may have answered instead"),
    3,
)
def _web_server_knows_no_v2(world):
    world.registry(servers.missing())


@cause(
    "not-a-registry",
    "{R} asks for a login without a WWW-Authenticate header",
    ("check the spelling of the registry; a proxy or sign-in page may have answered instead"),
    3,
)
def _challenge_is_lost(world):
    world.registry(Special({}, ping=(401, {}, b"{}")))
    world.logged_in(world.names["R"])


@cause(
    "busy",
    "{R} is unavailable (status 503)",
    "try again later",
    5,
)
def _registry_is_down(world):
    world.registry(servers.Busy({}, times=10**9))


@cause(
    "throttled",
    "too many requests to {R} (status 429)",
    "wait before you try again",
    5,
)
def _registry_counts(world):
    world.registry(servers.Busy({}, times=10**9, status=429))


@cause(
    "network-refused",
    "the registry refuses requests from this network (status 403)",
    "check that the registry allows this network",
    4,
)
def _network_is_not_let_in(world):
    world.registry(Special({}, ping=(403, {}, b"{}")))


@cause(
    "ip-not-allowed",
    "the registry blocks the address 192.0.2.7",
    "add this address to the registry's firewall, or connect from inside its network",
    5,
)
def _firewall_of_the_registry(world):
    body = b"denied: client with IP '192.0.2.7' is not allowed access"
    world.registry(Special({}, ping=(403, {}, body)))


@cause(
    "realm-refused",
    ("the token server of {R}, 192.0.2.1, uses plain HTTP; the credential was not sent"),
    "ask the administrator of {R} whether this token server is right",
    5,
)
def _token_server_is_a_stranger(world):
    challenge = 'Bearer realm="http://192.0.2.1/token",service="x"'
    world.registry(Special({}, ping=(401, {"WWW-Authenticate": challenge}, b"{}")))
    world.logged_in(world.names["R"])


@cause(
    "ca-file",
    "cannot read the CA file /nowhere/ca.pem",
    "name a readable PEM file: text with -----BEGIN CERTIFICATE-----",
    5,
)
def _ca_file_is_not_there(world):
    registry = world.registry()
    world.set(registry, CA_FILE="/nowhere/ca.pem")
    world.logged_in(registry)


def _tls(world, *, name="localhost", trusted=True, **dates):
    folder = os.path.join(world.home, "ca")
    os.makedirs(folder)
    authority = Authority(folder, name="Corp CA", **dates)
    inner = LoopbackRegistry({USER: PASSWORD}, auth="basic", images=("team/app:1",))
    world.enter(inner)
    server = tls_server(inner._answer, authority.server_context(name))
    world.of(f"localhost:{world.enter(server).server_port}")
    if trusted:
        world.environ["SSL_CERT_FILE"] = authority.ca_file
    return authority


DAY = dt.timedelta(days=1)


def _day(days):
    return (dt.datetime.now() + dt.timedelta(days=days)).strftime("%Y-%m-%d")  # noqa: DTZ005


@cause(
    "certificate-expired",
    "the certificate of {R} expired on {THEN}",
    "renew the certificate, or correct this machine's clock",
    5,
)
def _certificate_has_expired(world):
    _tls(world, start=-30 * DAY, end=-3 * DAY)
    world.names["THEN"] = _day(-3)


@cause(
    "certificate-not-yet-valid",
    "the certificate of {R} is valid from {THEN}; this clock says {NOW}",
    "correct the host's clock; restart Docker Desktop or WSL",
    5,
)
def _certificate_is_of_the_future(world):
    _tls(world, start=200 * DAY, end=300 * DAY)
    world.names.update(THEN=_day(200), NOW=_day(0))


@cause(
    "clock-wrong",
    "this clock says {NOW}, 10 days ahead of {R}, so its certificate looks expired",
    "correct the host's clock; restart Docker Desktop or WSL",
    5,
)
def _clock_is_ahead(world):
    then = (dt.datetime.now(dt.timezone.utc) - 10 * DAY).strftime("%a, %d %b %Y %H:%M:%S GMT")
    authority = _tls(world, start=-30 * DAY, end=-3 * DAY)
    dated = servers.Answer(status=401, headers=[("Date", then)])
    server = servers.Server(lambda _: dated, context=authority.server_context("localhost"))
    world.enter(contextlib.closing(server))
    world.of(f"localhost:{server.port}")
    world.names["NOW"] = _day(0)


@cause(
    "certificate-untrusted",
    "the certificate of {R} comes from the unknown certificate authority Corp CA",
    "put the CA certificate at /etc/docker/certs.d/{R}/ca.crt, also on the Docker Engine's machine",
    5,
)
def _authority_is_unknown(world):
    _tls(world, trusted=False)


@cause(
    "certificate-untrusted",
    "the certificate of {R} is self-signed",
    "put the CA certificate at /etc/docker/certs.d/{R}/ca.crt, also on the Docker "
    "Engine's machine, and set CORP_CONTAINER_REGISTRY_CA_FILE to it",
    5,
)
def _certificate_is_self_signed(world):
    _tls(world, trusted=False, self_signed=True)
    world.set(world.names["R"])


@cause(
    "certificate-untrusted",
    "the certificate of {R} comes from an unknown certificate authority",
    "set SSL_CERT_FILE to a readable PEM file, or unset it",
    5,
)
def _variable_names_no_bundle(world):
    _tls(world, trusted=False)
    world.environ["SSL_CERT_FILE"] = "/nowhere/ca.pem"


@cause(
    "certificate-wrong-host",
    "the certificate of {R} is for other.example",
    "use a name in the certificate, or issue one for {R}",
    5,
)
def _certificate_is_for_another_host(world):
    _tls(world, name="other.example")


@cause(
    "proxy-unreachable",
    "cannot reach the proxy 127.0.0.1:9 for corp.example",
    "check HTTPS_PROXY, or add the registry to NO_PROXY",
    5,
)
def _proxy_is_down(world):
    world.of("corp.example")
    world.environ["HTTPS_PROXY"] = "http://127.0.0.1:9"


@cause(
    "proxy-unreachable",
    "the proxy {PROXY} cannot reach unknown.example (status 502)",
    "check HTTPS_PROXY, or add the registry to NO_PROXY",
    5,
)
def _proxy_does_not_know_the_host(world):
    internet = world.enter(Internet({"corp.example": lambda *_: (200, {}, b"{}")}))
    world.environ.update(internet.environ)
    world.of("unknown.example")
    world.names["PROXY"] = internet.environ["HTTPS_PROXY"].partition("://")[2]


def _proxy(world, status):
    proxy = servers.Server(lambda _: servers.Answer(status=status, body=b"no"))
    world.enter(contextlib.closing(proxy))
    world.names["PROXY"] = proxy.netloc
    world.environ["HTTPS_PROXY"] = f"http://{world.names['PROXY']}"
    world.of("corp.example")


@cause(
    "proxy-refused",
    "the proxy {PROXY} refuses requests to corp.example (status 403)",
    "allow the registry's host at the proxy, or add it to NO_PROXY",
    5,
)
def _proxy_forbids(world):
    _proxy(world, 403)


@cause(
    "proxy-refused",
    "the proxy {PROXY} for corp.example requires a login (status 407)",
    "set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT",
    5,
)
def _proxy_wants_a_password(world):
    _proxy(world, 407)


@cause(
    "proxy-unsupported",
    "HTTPS_PROXY is not the URL of an HTTP proxy",
    "write it as http://USER:PASSWORD@HOST:PORT, and percent-encode special "
    "characters in the password: %40 for @, %2F for /",
    5,
)
def _proxy_is_of_another_kind(world):
    world.of("corp.example")
    world.environ["HTTPS_PROXY"] = "socks5://127.0.0.1:9"


@cause(
    "certificate-untrusted",
    "the proxy {PROXY} (HTTPS_PROXY) answers for corp.example with a certificate "
    "from the unknown authority Authority of the tests",
    "add the CA certificate of Authority of the tests to this system's trust store, "
    "or corp.example to NO_PROXY",
    5,
)
def _proxy_opens_the_traffic(world):
    host = {"corp.example": lambda *_: (401, {"WWW-Authenticate": "Basic realm=x"}, b"{}")}
    internet = world.enter(Internet(host, untrusted=["corp.example"]))
    world.environ.update(internet.environ)
    world.of("corp.example")
    world.names["PROXY"] = internet.environ["HTTPS_PROXY"].partition("://")[2]


@cause(
    "redirect-refused",
    "{R} redirects to http://192.0.2.1, another host",
    ("check the spelling of the registry; a proxy or sign-in page may have answered instead"),
    5,
)
def _registry_leads_away(world):
    world.registry(Special({}, ping=(302, {"Location": "http://192.0.2.1/v2/"}, b"")))


# The login.


@cause(
    "rejected",
    "{R} refused the login from auths",
    "run docker logout {R}, then docker login {R}",
    4,
)
def _password_by_hand_is_wrong(world):
    world.logged_in(world.registry(), password="of-last-year")


@cause(
    "rejected",
    ("{R} refused the login from docker-credential-old (credHelpers), a credential helper"),
    "log in again with that helper's program, or delete its entry from {CONFIG}",
    4,
)
def _password_of_a_helper_is_wrong(world):
    world.helper("old", answer_of(password="of-last-year"))
    world.config({"credHelpers": {world.registry(): "old"}})


@cause(
    "rejected",
    "{R} refused the user name or password in CORP_CONTAINER_REGISTRY_*",
    "check CORP_CONTAINER_REGISTRY_USER and _PASSWORD; they may have expired",
    4,
)
def _password_of_the_set_is_wrong(world):
    registry = world.registry()
    world.set(registry, password="of-last-year")
    world.logged_in(registry, password="of-last-year")


@cause(
    "outdated-login",
    "{R} refused the login from auths; it differs from CORP_CONTAINER_REGISTRY_*",
    "run devcontainer-registry login --only CORP",
    4,
)
def _secret_has_changed_since(world):
    registry = world.registry()
    world.set(registry)
    world.logged_in(registry, password="of-last-year")


@cause(
    "refused-but-public",
    ("{R} refused the login from auths; without a login this public image can be pulled"),
    "run docker logout {R}",
    4,
)
def _image_is_public(world):
    world.registry(public=("team/app",))
    world.logged_in(world.names["R"], password="of-last-year")


@cause(
    "token-expired",
    "the token expired",
    "get a new token and run docker login {R}",
    4,
)
def _registry_says_that_it_expired(world):
    def answer(_method, _target, headers, _body):
        if headers.get("Authorization"):
            return 403, {}, b"Your authorization token has expired. Reauthenticate and try again."
        return 401, {"WWW-Authenticate": "Basic realm=x"}, b"{}"

    server = world.enter(LoopbackServer(answer))
    world.logged_in(world.of(f"localhost:{server.server_port}"))


@cause(
    "identity-token-refused",
    "{R} needs a user name and password, not an identity token",
    "log in to {R} with a user name and password",
    4,
)
def _identity_token_is_not_taken(world):
    world.registry(auth="basic")
    entry = {"auth": encoded("x:"), "identitytoken": "made-up"}
    world.config({"auths": {world.names["R"]: entry}})


@cause(
    "refused-before",
    "{R} refused CORP_CONTAINER_REGISTRY_* at {WHEN}; it was not sent again",
    "update CORP_CONTAINER_REGISTRY_*; a changed secret is tried at once",
    4,
)
def _hook_was_refused_before(world):
    from devcontainer_registry.logins.login import login

    registry = world.registry()
    world.set(registry, password="of-last-year")
    login(environ=world.environ)
    del world.registries[0].requests[:]
    world.names["WHEN"] = f"today {time.strftime('%H:%M')}"


# The image.


@cause(
    "tag-not-found",
    'the tag "1.3" does not exist in {R}/team/app; nearest: 1.2, 1, latest',
    "run docker pull {R}/team/app:1.2",
    4,
)
def _tag_is_not_there(world):
    world.logged_in(world.registry())
    world.ask("team/app", "1.3")


@cause(
    "digest-not-found",
    "the digest {DIGEST} does not exist in {R}/team/app",
    "pull a tag such as {R}/team/app:{FIRST}, or push that digest again",
    4,
)
def _digest_is_not_there(world):
    world.logged_in(world.registry())
    world.names.update(DIGEST=f"sha256:{'0' * 64}", FIRST="latest")
    world.ask("team/app", f"@{world.names['DIGEST']}")


@cause(
    "repository-not-found",
    "the repository team/ap does not exist in {R}, or this login cannot see it",
    "check the spelling of team/ap, and that the login's user may read it",
    4,
)
def _repository_is_not_there(world):
    world.logged_in(world.registry())
    world.ask("team/ap")


@cause(
    "repository-empty",
    "the tag 1 does not exist; {R}/team/new has no tags",
    "push the image, or check whether a cleanup removed it",
    4,
)
def _repository_has_no_tags(world):
    nothing = 200, {"Content-Type": "application/json"}, b'{"name":"team/new","tags":null}'
    world.logged_in(world.registry(paths={"/v2/team/new/tags/list": nothing}))
    world.ask("team/new")


@cause(
    "image-not-found",
    "team/app:9 does not exist in {R}, or this login cannot see it",
    "check the spelling, and that the login's user may read that repository",
    4,
)
def _tags_may_not_be_listed(world):
    world.logged_in(world.registry(paths={"/v2/team/app/tags/list": (403, {}, b"{}")}))
    world.ask("team/app", "9")


@cause(
    "pull-denied",
    "{R} accepts the login from auths, but denies pulling team/app",
    "give the login's user permission to read team/app",
    4,
)
def _login_may_not_read_it(world):
    world.logged_in(world.registry(paths={"/v2/team/app/manifests/1": (403, {}, b"{}")}))


def _index(*architectures):
    kind = "application/vnd.oci.image.index.v1+json"
    manifests = [
        {"digest": f"sha256:{'1' * 64}", "platform": {"os": "linux", "architecture": each}}
        for each in architectures
    ]
    return 200, {"Content-Type": kind}, json.dumps({"manifests": manifests}).encode()


@cause(
    "login-not-asked-for",
    ("{R} does not ask for a login, so Docker sends none, and it denies pulling team/app"),
    "ask the administrator of {R} to answer /v2/ with 401",
    4,
)
def _registry_does_not_ask_for_a_login(world):
    world.logged_in(world.registry(ping=(200, {}, b"{}")))


@cause(
    "not-a-registry",
    "{R} is not a registry: it asks for an unknown kind of login",
    ("check the spelling of the registry; a proxy or sign-in page may have answered instead"),
    3,
)
def _challenge_is_strange_to_nobody(world):
    world.registry(Special({}, ping=(401, {"WWW-Authenticate": "Negotiate"}, b"{}")))


@cause(
    "push-not-checked",
    "{R} allows the login from auths to pull team/app; pushing was not checked",
    "push a test tag to team/app to find out",
    5,
)
def _push_cannot_be_checked(world):
    world.logged_in(world.registry(auth="basic"))
    world.options["push"] = True


@cause(
    "no-platform",
    "{R}/team/app:1 exists for linux/s390x, linux/ppc64le, not for linux/riscv64",
    "push the image for linux/riscv64, or pull it with --platform linux/s390x",
    4,
)
def _image_is_for_another_machine(world):
    world.logged_in(world.registry(paths={"/v2/team/app/manifests/1": _index("s390x", "ppc64le")}))
    world.environ["DOCKER_DEFAULT_PLATFORM"] = "linux/riscv64"


@cause(
    "not-a-manifest",
    "the answer from {R} for team/app is not a manifest",
    "look for a proxy or sign-in page between here and the registry",
    5,
)
def _page_answers_for_the_image(world):
    page = 200, {"Content-Type": "text/html"}, b"<html>"
    world.logged_in(world.registry(paths={"/v2/team/app/manifests/1": page}))


@cause(
    "push-denied",
    "{R} allows the login from auths to pull team/app, but not to push",
    "give the login's user permission to push to team/app",
    4,
)
def _login_may_not_push(world):
    world.logged_in(world.registry())
    world.options["push"] = True


@cause(
    "invalid-image",
    "docker pull does not accept this image reference",
    "write it as docker pull does: registry/repository:tag",
    3,
)
def _reference_is_none(world):
    world.images = ["corp.example/Team App:1"]


@cause(
    "image-upper-case",
    (
        "ghcr.io/Corp/App:1 has upper-case letters in its repository name; Docker does "
        "not accept them"
    ),
    "write it as ghcr.io/corp/app:1",
    3,
)
def _repository_is_in_upper_case(world):
    world.images = ["ghcr.io/Corp/App:1"]


@cause(
    "image-with-scheme",
    "https://ghcr.io/corp/app:1 is a URL, not an image reference",
    "write it as ghcr.io/corp/app:1",
    3,
)
def _image_is_a_url(world):
    world.images = ["https://ghcr.io/corp/app:1"]


@cause(
    "no-login",
    "no login for {R}",
    "set <ID>_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD and run "
    "devcontainer-registry login, or run docker login {R}",
    3,
)
def _registry_is_named_alone(world):
    world.images = [world.registry()]


# The kinds of registry, and the wrong secrets for them.


def _played(world, host, *, password, user="bob", images=("team/app:1",), basic="basic"):
    """
    A registry at *host*, reached through a proxy, at which the set of the world is refused.
    """
    registry = Special({"other": "other"}, auth=basic, images=images)
    world.enter(registry)
    internet = world.enter(Internet({host: registry._answer}))
    world.environ.update(internet.environ)
    world.of(host)
    world.registries.append(registry)
    world.set(host, user=user, password=password)
    world.logged_in(host, user, password)
    return registry


@cause(
    "rejected",
    "{R} refused CORP_CONTAINER_REGISTRY_*: ghcr.io takes no fine-grained token (github_pat_)",
    "use a classic personal access token with read:packages, not a fine-grained one",
    4,
)
def _token_of_github_is_fine_grained(world):
    _played(world, "ghcr.io", password="github_pat_madeUp0000000000000000")


@cause(
    "rejected",
    "{R} refused CORP_CONTAINER_REGISTRY_*: its password looks like an Entra ID "
    "secret's id, not its value",
    "check that the service principal's secret is still valid, or that the "
    "registry's admin user is enabled",
    4,
)
def _password_is_the_id_of_the_secret(world):
    _played(world, "mycorp.azurecr.io", password="0b5c6a1e-3f5b-4a8e-9d55-7d8f0c1f2e3a")


@cause(
    "rejected",
    "{R} refused CORP_CONTAINER_REGISTRY_*: its password looks like a Docker Hub token",
    "use a classic personal access token (ghp_…) with read:packages as the password",
    4,
)
def _token_is_of_another_registry(world):
    _played(world, "ghcr.io", password="dckr_pat_madeUp00000000000000")
