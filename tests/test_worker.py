# SPDX-License-Identifier: MIT
"""
A script that ends at once, after a login that gave somebody up.
"""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

# What is registered first is called last: `ended` is looked at when all else is done.
SCRIPT = """
import atexit, time
import devcontainer_registry as registry
from devcontainer_registry.threads import within

ended = []
atexit.register(lambda: print(ended, flush=True))

class Slow:
    def matches(self, host):
        return True

    def authenticate(self, secret, *, timeout):
        def work():
            time.sleep(timeout + {late})
            ended.append("ended")

        {call}
        return registry.Credential(username="someone", secret=registry.Secret("x"))

report = registry.login(
    [
        registry.RegistrySecret(
            id="ONE",
            registry=registry.Registry("registry.example"),
            source="ONE_*",
            username="someone",
            secret=registry.Secret("x"),
        )
    ],
    environ={{"HOME": {home!r}}},
    authenticators={{"generic": Slow()}},
    verify="never",
    timeout=0.2,
)
print(report.outcomes[0].code, flush=True)
"""


def run(home, *, late, call="work()"):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(home=str(home), late=late, call=call)],
        env={"HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=40,
    )


@pytest.mark.parametrize("call", ["work()", 'within(0.1, work, who="it")'])
def test_who_was_given_up_may_end_before_the_process_does(tmp_path, call):
    """
    A thread inside OpenSSL while the C library takes that apart is a segmentation fault.
    """
    done = run(tmp_path, late=0.3, call=call)

    assert (0, "timeout\n['ended']\n", "") == (done.returncode, done.stdout, done.stderr)


def test_who_hangs_does_not_keep_the_process(tmp_path):
    begun = time.monotonic()

    done = run(tmp_path, late=60)

    assert (0, "timeout\n[]\n", "") == (done.returncode, done.stdout, done.stderr)
    assert time.monotonic() - begun < 30
