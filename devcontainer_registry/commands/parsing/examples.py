# SPDX-License-Identifier: MIT
"""
What `--help` shows below the options: examples and exit statuses.
"""

from __future__ import annotations

STATUSES = """\
exit status:
  0  success, or nothing to do
  1  a bug, or the command cannot run here
  2  wrong usage
  3  no login, or a set of variables is incomplete
  4  a registry or a cloud refused
  5  a registry could not be reached or verified
  6  config.json could not be written, or a setting in it overrides the login
  130  interrupted by Ctrl-C
"""


def _examples(*lines: str) -> str:
    return "\n".join(("examples:", *(f"  {line}" for line in lines), ""))


# The examples of each command; "" is the program.
EXAMPLES = {
    "": _examples(
        "devcontainer-registry login",
        "devcontainer-registry status",
        "devcontainer-registry doctor ghcr.io/octocat/app:1",
        "devcontainer-registry help login",
    ),
    "login": _examples(
        "devcontainer-registry login",
        "devcontainer-registry login --only CORP --only GHCR",
        "devcontainer-registry login --store helper",
        "devcontainer-registry login --dry-run",
    ),
    "hook": _examples(
        "devcontainer-registry hook postCreate",
        "devcontainer-registry hook postStart --strict",
        "devcontainer-registry hook postCreate --user vscode",
    ),
    "run": _examples(
        "devcontainer-registry run -- devcontainer up --workspace-folder .",
        "devcontainer-registry run --secrets-file secrets.json -- make images",
        "devcontainer-registry run --keep-going -- docker compose pull",
    ),
    "list": _examples(
        "devcontainer-registry list",
        "devcontainer-registry list --secrets-file secrets.json",
    ),
    "status": _examples(
        "devcontainer-registry status",
        "devcontainer-registry status --check",
    ),
    "doctor": _examples(
        "devcontainer-registry doctor",
        "devcontainer-registry doctor ghcr.io/octocat/app:1",
        "devcontainer-registry doctor --share ghcr.io/octocat/app:1",
    ),
    "logout": _examples(
        "devcontainer-registry logout ghcr.io",
        "devcontainer-registry logout --all",
    ),
    "export": _examples(
        "devcontainer-registry export --format docker-config -o config.json",
        "devcontainer-registry export --format kubernetes-secret |",
        "    kubectl apply --server-side -f -",
        "devcontainer-registry export --format containers-auth -o auth.json ghcr.io",
    ),
    "kubelet": _examples(
        "devcontainer-registry kubelet <request.json",
        "devcontainer-registry kubelet --secrets-file registries.json \\",
        "    <request.json",
    ),
    "demo": _examples("devcontainer-registry demo"),
    "completion": _examples(
        'eval "$(devcontainer-registry completion bash)"    # in ~/.bashrc',
        "devcontainer-registry completion zsh > ~/.zfunc/_devcontainer-registry",
        "devcontainer-registry completion fish \\",
        "    > ~/.config/fish/completions/devcontainer-registry.fish",
    ),
    "help": _examples("devcontainer-registry help login"),
}
