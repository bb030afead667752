# SPDX-License-Identifier: MIT
from __future__ import annotations

import contextlib
import string
import time

import pytest
from doubles.patience import LONG
from hypothesis import given
from hypothesis import strategies as st

from devcontainer_registry.errors import UnreachableError
from devcontainer_registry.network.challenge import Challenge, check_realm, parse
from devcontainer_registry.network.urls import Url
from devcontainer_registry.registry import Registry

TOKEN = "!#$%&'*+.^_`|~-" + string.digits + string.ascii_letters


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'],
            [
                (
                    "bearer",
                    {"realm": "https://auth.docker.io/token", "service": "registry.docker.io"},
                )
            ],
        ),
        (
            ['Bearer realm="https://gcr.io/v2/token",service=gcr.io'],
            [("bearer", {"realm": "https://gcr.io/v2/token", "service": "gcr.io"})],
        ),
        (
            ['Bearer realm="https://europe-docker.pkg.dev/v2/token"'],
            [("bearer", {"realm": "https://europe-docker.pkg.dev/v2/token"})],
        ),
        (
            ['Bearer realm="https://r/t",scope="repository:a:pull,push",error="invalid_token"'],
            [
                (
                    "bearer",
                    {
                        "realm": "https://r/t",
                        "scope": "repository:a:pull,push",
                        "error": "invalid_token",
                    },
                )
            ],
        ),
        (
            [
                'Basic realm="https://1.dkr.ecr.eu-west-2.amazonaws.com/",service="ecr.amazonaws.com"'
            ],
            [
                (
                    "basic",
                    {
                        "realm": "https://1.dkr.ecr.eu-west-2.amazonaws.com/",
                        "service": "ecr.amazonaws.com",
                    },
                )
            ],
        ),
        (['Basic realm="a \\"b\\", \\\\c"'], [("basic", {"realm": 'a "b", \\c'})]),
        (
            ['BEARER Realm="https://r/t" , SERVICE = "s"'],
            [("bearer", {"realm": "https://r/t", "service": "s"})],
        ),
        (
            ['Basic realm="x", Bearer realm="https://r/t",service="s"'],
            [("basic", {"realm": "x"}), ("bearer", {"realm": "https://r/t", "service": "s"})],
        ),
        (
            ['Bearer realm="https://r/t"', 'Basic realm="x"'],
            [("bearer", {"realm": "https://r/t"}), ("basic", {"realm": "x"})],
        ),
        (["Negotiate, Basic realm=x"], [("negotiate", {}), ("basic", {"realm": "x"})]),
        (['Basic realm="never closed'], [("basic", {"realm": "never closed"})]),
        (["Basic"], [("basic", {})]),
        ([""], []),
        ([], []),
    ],
)
def test_each_shape_of_challenge_is_read(headers, expected):
    challenges = parse(headers)

    assert expected == [(c.scheme, dict(c.parameters)) for c in challenges]


def test_a_token68_is_no_parameter():
    challenges = parse(["Negotiate YII=, Basic realm=x"])

    assert [
        Challenge("negotiate", token68="YII="),
        Challenge("basic", {"realm": "x"}),
    ] == challenges


@given(st.lists(st.text()))
def test_no_text_makes_the_parser_raise(headers):
    parse(headers)


@given(st.lists(st.text(alphabet='Basic Bearer=",\\ \t')))
def test_no_text_made_of_challenges_makes_the_parser_raise(headers):
    parse(headers)


NAMES = st.text(TOKEN, min_size=1, max_size=8)
CHALLENGES = st.lists(
    st.builds(
        Challenge,
        NAMES.map(str.lower),
        st.dictionaries(
            NAMES.map(str.lower), st.text(st.characters(max_codepoint=255)), min_size=1, max_size=32
        ),
    ),
    max_size=4,
)


@given(CHALLENGES, st.sampled_from([",", ", ", " ,\t"]), st.booleans())
def test_what_is_rendered_is_read_back(challenges, comma, one_line):
    rendered = [render(challenge, comma) for challenge in challenges]

    read = parse([comma.join(rendered)] if one_line else rendered)

    assert challenges == read


def render(challenge, comma):
    parameters = comma.join(
        name + '="' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for name, value in challenge.parameters.items()
    )
    return f"{challenge.scheme.upper()} {parameters}"


@pytest.mark.parametrize("unit", ['a="', "a ", " ", ",", "\\", 'a="\\', "a=b,", "Basic b", '"'])
def test_a_hostile_header_is_read_in_linear_time(unit):
    header = (unit * 65536)[:65536]
    started = time.process_time()

    parse([header])

    assert time.process_time() - started < LONG  # the square of it takes minutes


def realm(text, *, registry="registry.example", scheme="https", crossed_hosts=False):
    registry = Registry(registry)
    asked = Url.parse(f"{scheme}://{registry.api_host}/v2/")
    return check_realm(text, registry=registry, asked=asked, crossed_hosts=crossed_hosts)


@pytest.mark.parametrize(
    ("registry", "text"),
    [
        ("registry.example", "https://registry.example/token"),
        ("registry.example", "https://auth.example/token?tenant=7"),
        ("registry.example:5050", "https://registry.example/jwt/auth"),
        ("10.0.0.5:5000", "https://10.0.0.5:5000/auth"),
        ("docker.io", "https://auth.docker.io/token"),
        ("ghcr.io", "https://ghcr.io/token"),
        ("ghcr.io:443", "https://ghcr.io/token"),
        ("quay.io", "https://quay.io/v2/auth"),
        ("gcr.io", "https://gcr.io/v2/token"),
        ("eu.gcr.io", "https://eu.gcr.io/v2/token"),
        ("europe-docker.pkg.dev", "https://europe-docker.pkg.dev/v2/token"),
        ("mine.azurecr.io", "https://mine.azurecr.io/oauth2/token"),
        ("public.ecr.aws", "https://public.ecr.aws/token/"),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth"),
        ("registry.digitalocean.com", "https://api.digitalocean.com/v2/registry/auth"),
        ("localhost:5000", "https://auth.example/token"),
    ],
)
def test_a_realm_that_a_registry_may_name_is_accepted(registry, text):
    assert text == str(realm(text, registry=registry))


@pytest.mark.parametrize("text", ["http://localhost:5001/auth", "http://127.0.0.1:81/auth"])
def test_a_registry_on_this_machine_may_name_a_realm_on_this_machine(text):
    assert text == str(realm(text, registry="localhost:5000", scheme="http"))


@pytest.mark.parametrize(
    "text",
    [
        "http://registry.example/token",
        "http://auth.example/token",
        "http://localhost:5001/token",
        "https://localhost/token",
        "https://a.localhost/token",
        "https://127.0.0.1/token",
        "https://127.1/token",
        "https://2130706433/token",
        "https://0x7f000001/token",
        "https://10.0.0.1/token",
        "https://172.16.0.1/token",
        "https://192.168.1.1/token",
        "https://100.64.0.1/token",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/token",
        "https://[::1]/token",
        "https://[fe80::1]/token",
        "https://[fd00::1]/token",
        "https://[::ffff:10.0.0.1]/token",
        "https://[64:ff9b::a00:1]/token",
        "https://[2002:a00:1::]/token",
        "https://user:secret@auth.example/token",
        "https://auth.docker.io\\@evil.example/token",
        "https://auth.example#@evil.example/token",
        "https://auth.example/token#fragment",
        "https://auth.example /token",
        "https://auth.example/to\r\nken",
        "https://auth.example:0/token",
        "https://auth.example:99999/token",
        "https://äuth.example/token",
        "ftp://auth.example/token",
        "//auth.example/token",
        "/token",
        "https://",
        "https:///token",
        "javascript:alert(1)",
    ],
)
def test_a_realm_that_no_registry_may_name_is_refused(text):
    with pytest.raises(UnreachableError) as caught:
        realm(text)

    assert "realm-refused" == caught.value.code


@pytest.mark.parametrize(
    "registry",
    [
        "docker.io",
        "ghcr.io",
        "ghcr.io:443",
        "quay.io",
        "gcr.io",
        "us.gcr.io",
        "us-docker.pkg.dev",
        "mine.azurecr.io",
        "public.ecr.aws",
        "registry.gitlab.com",
        "registry.digitalocean.com",
    ],
)
@pytest.mark.parametrize("text", ["https://auth.example/token", "http://localhost/token"])
def test_a_well_known_registry_has_its_own_realm_and_no_other(registry, text):
    with pytest.raises(UnreachableError) as caught:
        realm(text, registry=registry)

    assert "realm-refused" == caught.value.code


def test_a_realm_named_after_a_redirect_to_another_host_is_refused():
    with pytest.raises(UnreachableError) as caught:
        realm("https://auth.example/token", crossed_hosts=True)

    assert "realm-refused" == caught.value.code
    assert "auth.example" in caught.value.message


def test_a_realm_elsewhere_named_without_tls_is_refused():
    with pytest.raises(UnreachableError) as caught:
        realm("https://auth.example/token", registry="localhost:5000", scheme="http")

    assert "realm-refused" == caught.value.code


@given(st.text())
def test_no_realm_makes_the_check_raise_anything_else(text):
    with contextlib.suppress(UnreachableError):
        realm(text)


@given(st.from_regex(r"https?://[ -~]{0,20}", fullmatch=True))
def test_no_url_is_read_differently_by_another_parser(text):
    from urllib.parse import urlsplit

    from urllib3.util import parse_url

    url = Url.parse(text)

    if url is not None:
        assert url.hostname == urlsplit(text).hostname
        assert url.host == (parse_url(text).host or "")
