# SPDX-License-Identifier: MIT
"""
What a user reads for each way in which a registry says no: the lines of a whole login.

The answers are the registries' own, as `documented` has them; the lines are in
`registry_lines.txt`: code, line and hint for each cause.
"""

from __future__ import annotations

import dataclasses
import os

import aws_lines
import documented
import pytest
from documented import ACR, DOCKER_HUB, ECR, ECR_EXPIRED, ECR_PUBLIC, GHCR, GITLAB, HARBOR
from entra_played import PRINCIPAL, Azure
from played import DENIED, MISSING, PlayedInternet, errors, plain

from devcontainer_registry import DockerConfig, RetryPolicy, login

NOBODY = "00000000-0000-0000-0000-000000000000"
FIREWALLED = errors(403, "DENIED", "client with IP '203.0.113.9' is not allowed access")
BUSY, LATER = plain(503, "Service Unavailable"), errors(429, "TOOMANYREQUESTS", "slow down")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cause:
    """
    Why a login goes wrong.

    Attributes:
        registry: Who says so.
        answer: How it answers, where not as `documented` has it: fields of `Played`.
        image: What is to be pulled, too.
        members: Of the set, in place of the right ones.
    """

    registry: object
    answer: dict = dataclasses.field(default_factory=dict)
    image: str = ""
    members: dict = dataclasses.field(default_factory=dict)


def wrong(registry, **more):
    return Cause(registry=registry, members={"PASSWORD": "wrong", **more})


def denied(registry):
    return Cause(registry=registry, image=DENIED)


CAUSES = {
    **{f"{one.name}: wrong password": wrong(one) for one in documented.ALL},
    **{f"{one.name}: no permission to pull": denied(one) for one in documented.ALL},
    "Docker Hub: no such image": Cause(registry=DOCKER_HUB, image=MISSING),
    "Docker Hub: too many requests": Cause(registry=DOCKER_HUB, answer={"nobody": LATER}),
    "GHCR: fine-grained token": wrong(GHCR, PASSWORD="github_pat_madeUp"),
    "GHCR: codespace's token": wrong(GHCR, PASSWORD="ghu_madeUp"),
    "GHCR: codespace's token may not pull": Cause(
        registry=dataclasses.replace(GHCR, password="ghu_madeUp"), image=DENIED
    ),
    "GHCR: fine-grained token may not pull": Cause(
        registry=dataclasses.replace(GHCR, password="github_pat_madeUp"), image=DENIED
    ),
    "GHCR: no such image": Cause(registry=GHCR, image=MISSING),
    "ECR: 401 to a wrong password": Cause(
        registry=ECR, answer={"wrong": plain(401, "Not Authorized")}, members={"PASSWORD": "wrong"}
    ),
    "ECR: token has expired": Cause(
        registry=ECR, answer={"wrong": ECR_EXPIRED}, members={"PASSWORD": "old"}
    ),
    "ECR: no such image": Cause(registry=ECR, image=MISSING),
    "ECR: busy": Cause(registry=ECR, answer={"nobody": BUSY}),
    "ECR Public: no such image": Cause(registry=ECR_PUBLIC, image=MISSING),
    "ACR: old token": wrong(ACR, USER=NOBODY),
    "ACR: firewall": Cause(registry=ACR, answer={"wrong": FIREWALLED}, members={"PASSWORD": "x"}),
    "ACR: firewall, before anything is sent": Cause(registry=ACR, answer={"nobody": FIREWALLED}),
    "ACR: no such image": Cause(registry=ACR, image=MISSING),
    "GitLab: token server is busy": Cause(
        registry=GITLAB, answer={"wrong": BUSY}, members={"PASSWORD": "x"}
    ),
    "Harbor: refuses even to say how": Cause(
        registry=HARBOR, answer={"nobody": errors(403, "DENIED", "no"), "challenge": ""}
    ),
    "Harbor: is none": Cause(registry=HARBOR, answer={"nobody": plain(404, "no"), "challenge": ""}),
    "Harbor: strange challenge": Cause(registry=HARBOR, answer={"challenge": "Negotiate"}),
}

# What Azure's registry answers to the exchange of an identity.
EXCHANGES = {
    "ACR exchange: 401": errors(
        401, "UNAUTHORIZED", "authentication required, visit https://aka.ms/acr/authorization"
    ),
    "ACR exchange: 403": errors(403, "DENIED", "denied"),
    "ACR exchange: firewall": FIREWALLED,
    "ACR exchange: too many requests": LATER,
    "ACR exchange: busy": BUSY,
    "ACR exchange: no token": (200, {}, b"{}"),
    "ACR exchange: not there": plain(404, "404 page not found"),
}

with open(os.path.join(os.path.dirname(__file__), "registry_lines.txt"), encoding="utf-8") as _file:
    _ROWS = [line.rstrip("\n").split(" | ") for line in _file]
LINES = {cause: tuple(said) for cause, *said in _ROWS}


# One cause, which a registry answers in several ways or at several places.
SAME = [
    {"ECR: wrong password", "ECR: 401 to a wrong password"},
    # It answers alike, so that nobody learns what there is.
    {"ECR Public: no permission to pull", "ECR Public: no such image"},
    {"ACR: firewall", "ACR: firewall, before anything is sent", "ACR exchange: firewall"},
]


@pytest.fixture(name="read")
def _read(tmp_path):
    """
    A function that logs in to one registry: what is wrong, as code, line and hint.
    """

    def run(server, environ, **members):
        report = login(
            environ={
                "HOME": str(tmp_path),
                **{f"ONE_CONTAINER_REGISTRY_{name}": text for name, text in members.items()},
                "ONE_CONTAINER_REGISTRY_SERVER": server,
                **environ,
            },
            config=DockerConfig(str(tmp_path / "config.json")),
            retry=RetryPolicy(sleep=lambda _: None),
            store="auths",
        )
        (one,) = report.outcomes
        return one.error.code, one.error.message, one.error.hint

    return run


def test_every_cause_has_its_line_here():
    assert [*CAUSES, *EXCHANGES] == list(LINES)


@pytest.mark.parametrize("name", CAUSES)
def test_each_refusal_of_a_registry_is_a_line_that_says_what_to_do(read, name):
    cause = CAUSES[name]
    registry = dataclasses.replace(cause.registry, **cause.answer)
    members = {"USER": registry.username, "PASSWORD": registry.password, **cause.members}
    if cause.image:
        members["IMAGE"] = f"{registry.host}/{cause.image}:1"

    with PlayedInternet(registry) as internet:
        said = read(registry.server, internet.environ, **members)

    assert LINES[name] == said


@pytest.mark.parametrize("name", EXCHANGES)
def test_each_refusal_of_the_exchange_is_a_line_that_says_what_to_do(read, monkeypatch, name):
    with Azure(exchanging=EXCHANGES[name]) as azure:
        for variable, text in {**azure.environ, **PRINCIPAL}.items():
            monkeypatch.setenv(variable, text)
        said = read(azure.registry, azure.environ)

    assert LINES[name] == said


def test_no_two_causes_share_a_line():
    """
    AWS's, Entra ID's and the registries' together.
    """
    with open(os.path.join(os.path.dirname(__file__), "entra_lines.txt"), encoding="utf-8") as file:
        entra = [line.rstrip("\n").split(" | ") for line in file]
    said = {name: (line, hint) for name, (_code, line, hint) in LINES.items()}
    said |= {number: (line, hint) for number, line, hint in entra}
    for table in ("REFUSALS", "PUBLIC_REFUSALS", "WEB_REFUSALS", "SSO_REFUSALS"):
        for number, (*_, line, hint) in enumerate(getattr(aws_lines, table)):
            said[f"{table}[{number}]"] = (line, hint)

    causes = {}
    for cause, words in said.items():
        causes.setdefault(words, set()).add(cause)

    assert SAME == [shared for shared in causes.values() if len(shared) > 1]
