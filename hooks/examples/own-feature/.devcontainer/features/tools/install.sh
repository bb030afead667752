#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
cat >/usr/local/bin/tools-setup <<'END'
#!/usr/local/bin/devcontainer-registry-python
import devcontainer_registry as registry

report = registry.login(verify="changed", timeout=15)
print("tools:", *[f"{outcome.id} is {outcome.status}" for outcome in report.outcomes])
END
chmod 755 /usr/local/bin/tools-setup
