# SPDX-License-Identifier: MIT
"""
Start a private image with testcontainers, which pulls with the login in config.json.
"""

import sys

from testcontainers.core.container import DockerContainer

import devcontainer_registry as registry


def output(image: str, command: str) -> str:
    registry.login(verify="changed").raise_for_status()
    with DockerContainer(image).with_command(command) as container:
        container.get_wrapped_container().wait()
        stdout, _stderr = container.get_logs()
        return stdout.decode()


if __name__ == "__main__":
    print(output(*sys.argv[1:3]), end="")
