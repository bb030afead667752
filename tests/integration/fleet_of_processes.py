# SPDX-License-Identifier: MIT
"""
Starts many logins at once, each a process with a HOME of its own, and prints their reports.

It imports what a login imports, and forks: 50 interpreters that start at the same moment would
measure this machine, not the waits.
"""

from __future__ import annotations

import json
import os
import sys

import boto3
import tenacity

from devcontainer_registry import login
from devcontainer_registry.authenticators.clouds.aws import sdk as aws

IMPORTED = (boto3, tenacity, aws)


def main(folder, count):
    ready, go = os.pipe()
    children = [_fork(os.path.join(folder, str(number)), ready, go) for number in range(count)]
    os.close(go)  # all read its end now
    statuses = [os.waitpid(child, 0)[1] for child in children]
    print(json.dumps([_report(os.path.join(folder, str(number))) for number in range(count)]))
    return max(statuses)


def _fork(home, ready, go):
    os.mkdir(home)
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.close(go)
        os.read(ready, 1)
        environ = {**os.environ, "HOME": home}
        report = login(environ=environ, verify="never", store="auths", timeout=120)
        with open(os.path.join(home, "report"), "w", encoding="utf-8") as file:
            json.dump(report.to_dict(), file)
        status = 0
    finally:
        os._exit(status)


def _report(home):
    with open(os.path.join(home, "report"), encoding="utf-8") as file:
        return json.load(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
