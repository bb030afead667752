# SPDX-License-Identifier: MIT
"""
A wrong clock and a mounted config.json, as doctor reports them.
"""

from __future__ import annotations

import datetime as dt
import json
import os

import pytest
from doubles.homes import encoded
from parts import needed

USER, PASSWORD = "alice", "in wonder:land"
DAY = dt.timedelta(days=1)


@pytest.fixture(name="image")
def _image(client, registry_tls, authority, image_layout):
    """
    An image of a registry whose certificate is valid from yesterday to tomorrow.
    """
    image = f"{registry_tls.registry}/team/app:1"
    client.environ["SSL_CERT_FILE"] = authority.path
    pushed = client.skopeo(
        "copy",
        f"--dest-creds={USER}:{PASSWORD}",
        f"oci:{image_layout}:latest",
        f"docker://{image}",
    )
    assert pushed.returncode == 0, pushed.stderr
    document = {"auths": {registry_tls.registry: {"auth": encoded(f"{USER}:{PASSWORD}")}}}
    with open(client.config_path, "w", encoding="utf-8") as file:
        json.dump(document, file)
    os.chmod(client.config_path, 0o600)
    return image


def doctor(client, image, *, enter=()):
    # Only the date changes: durations are measured by another clock.
    environ = {"DOCKER_HOST": "", "DONT_FAKE_MONOTONIC": "1"}
    done = client.product("doctor", image, "--json", enter=enter, **environ)
    (found,) = json.loads(done.stdout)["images"]
    return done.returncode, found


def day(days):
    return (dt.datetime.now(dt.timezone.utc) + days * DAY).strftime("%Y-%m-%d")


def test_a_correct_clock_causes_no_finding(client, image):
    status, found = doctor(client, image)

    assert (0, None) == (status, found["cause"])


def test_a_clock_that_is_ahead_is_the_cause(client, image, registry_tls):
    faketime = needed.program("faketime", package="faketime")

    status, found = doctor(client, image, enter=[faketime, "-f", "+10d"])

    host = registry_tls.registry
    assert (5, "clock-wrong") == (status, found["cause"]["code"])
    assert found["cause"]["message"] in {
        (f"this clock says {day(ten)}, 10 days ahead of {host}, so its certificate looks expired")
        for ten in (10, 11)  # in this machine's zone
    }


def test_a_clock_that_is_behind_is_the_cause(client, image, registry_tls):
    faketime = needed.program("faketime", package="faketime")

    status, found = doctor(client, image, enter=[faketime, "-f", "-10d"])

    host = registry_tls.registry
    assert (5, "certificate-not-yet-valid") == (status, found["cause"]["code"])
    assert found["cause"]["message"].startswith(f"the certificate of {host} is valid from ")
    assert found["cause"]["hint"] == "correct the host's clock; restart Docker Desktop or WSL"


def test_a_clock_that_is_an_hour_off_is_a_note(client, image):
    faketime = needed.program("faketime", package="faketime")

    status, found = doctor(client, image, enter=[faketime, "-f", "+1h"])

    network = next(step for step in found["steps"] if step["step"] == "network")
    assert (0, "note") == (status, network["status"])
    assert 3590 < network["facts"]["clock_skew"] < 3610


def test_a_mounted_config_is_reported_as_a_mount(client, image, mounts):
    path = client.config_path
    enter = mounts(f"mount --bind {path} {path}")

    status, found = doctor(client, image, enter=enter)

    config = next(step for step in found["steps"] if step["step"] == "config")
    assert 0 == status
    assert config["facts"]["mount"]
    assert config["message"] == "~/.docker/config.json, a mount"
    assert not next(s for s in doctor(client, image)[1]["steps"] if s["step"] == "config")["facts"][
        "mount"
    ]
