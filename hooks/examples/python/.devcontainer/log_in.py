# SPDX-License-Identifier: MIT
import devcontainer_registry as registry

report = registry.login(verify="changed", timeout=15)
for outcome in report.outcomes:
    print(outcome.id, outcome.status, outcome.registry, outcome.error or "")
    if outcome.error is not None and outcome.error.hint:
        print("  fix:", outcome.error.hint)
if report.error is not None:
    print(report.error)
# Without an exit status: a container that cannot pull is more use than one that does not start.
# ruff: noqa: INP001, T201
