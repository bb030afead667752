#!/bin/sh
# SPDX-License-Identifier: MIT
# Logs this container in to its registries; see README.md beside this file.
set -eu
# A missing command exits 127, and the dev container spec then skips every later step.
command -v devcontainer-registry >/dev/null || {
  echo "devcontainer-registry is not installed; hint: pip install devcontainer-registry" >&2
  exit 0
}
exec devcontainer-registry hook onCreate "$@"
