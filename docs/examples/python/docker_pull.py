# SPDX-License-Identifier: MIT
"""
Pull an image with docker-py, with the credential that `docker pull` would send.
"""

import sys

import docker

import devcontainer_registry as registry


def pull(image: str) -> str:
    credential = registry.resolve(image)  # None: the registry is asked without a login
    auth_config = None if credential is None else credential.docker_auth_config()
    client = docker.from_env()
    try:
        return str(client.images.pull(image, auth_config=auth_config).id)
    finally:
        client.close()


if __name__ == "__main__":
    print(pull(sys.argv[1]))
