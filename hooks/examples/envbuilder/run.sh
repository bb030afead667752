#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
# The base image, and whatever else the build pulls.
ENVBUILDER_DOCKER_CONFIG_BASE64="$(devcontainer-registry export --format envbuilder)"
export ENVBUILDER_DOCKER_CONFIG_BASE64
# With a name alone, docker takes the value from the environment, so that no command line shows it.
docker run -it --rm \
  -e ENVBUILDER_GIT_URL=https://github.com/your/project \
  -e ENVBUILDER_INIT_SCRIPT=bash \
  -e ENVBUILDER_DOCKER_CONFIG_BASE64 \
  -e CORP_CONTAINER_REGISTRY_SERVER \
  -e CORP_CONTAINER_REGISTRY_USER \
  -e CORP_CONTAINER_REGISTRY_PASSWORD \
  ghcr.io/coder/envbuilder
