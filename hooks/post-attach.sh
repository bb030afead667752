#!/bin/sh
# SPDX-License-Identifier: MIT
# Logs this container in to its registries; see README.md.
set -eu
# A missing command exits 127, one that cannot run 126, and the dev container spec then skips every
# later step.
hint="devcontainer-registry is missing or cannot run; fix: install its wheel in onCreateCommand"
command -v devcontainer-registry >/dev/null || { echo "$hint" >&2; exit 0; }
status=0
devcontainer-registry hook postAttach "$@" || status=$?
case $status in
  126 | 127) echo "$hint" >&2 ;;
  *) exit "$status" ;;
esac
