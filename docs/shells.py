# SPDX-License-Identifier: MIT
"""
Write the completion scripts and the man page, from the parser of the command line.

With shtab and argparse-manpage; both are made in advance, so that no user has to install them.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

from devcontainer_registry.commands.parsing.command_line import parser_for
from devcontainer_registry.commands.parsing.completion import SHELLS
from devcontainer_registry.commands.parsing.examples import EXAMPLES, STATUSES
from devcontainer_registry.commands.parsing.options import VALUES

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "devcontainer_registry" / "commands" / "parsing" / "scripts"
MAN_PAGE = ROOT / "docs" / "man" / "devcontainer-registry.1"

# Completed by asking the program, in an environment that may have changed since.
ASKED = {"only": "ids", "registries": "registries"}
FILES = ("secrets_file", "output")


# What follows `run ... --` is another command, and is completed as if it stood alone.
# shtab knows no such thing: for each shell, what of its script is replaced, and by what.
_BASH = """\
_devcontainer_registry() {
  local end line
  COMPREPLY=()
  for (( end = 2; end < COMP_CWORD; end++ )); do
    [[ ${COMP_WORDS[1]} = run && ${COMP_WORDS[end]} = -- ]] || continue
    if declare -F _command_offset >/dev/null; then
      _command_offset $(( end + 1 ))  # of bash-completion
    elif (( COMP_CWORD == end + 1 )); then
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
        compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
    fi
    return
  done
  _shtab_devcontainer_registry
}

complete -o bashdefault -F _devcontainer_registry devcontainer-registry
"""
_ZSH = """\
        run)
          local end=${words[(i)--]}
          if (( end < CURRENT )); then
            words=("${(@)words[end + 1,-1]}")
            (( CURRENT -= end ))
            _normal
          else
            _arguments -C -s $_shtab_devcontainer_registry_run_options
          fi
          ;;
"""
_FISH = """\
complete -c devcontainer-registry -f

function _devcontainer_registry_command
  set -l words (commandline -opc)
  set -l end (contains -i -- -- $words)
  or return
  complete -C (string join ' ' -- (string escape -- $words[(math $end + 1)..]) (commandline -ct))
end
complete -c devcontainer-registry -n 'contains -- -- (commandline -opc)' \\
    -a '(_devcontainer_registry_command)'
"""
AFTER_RUN = {
    "bash": (
        "complete -o bashdefault -F _shtab_devcontainer_registry devcontainer-registry\n",
        _BASH,
    ),
    "zsh": ("        run) _arguments -C -s $_shtab_devcontainer_registry_run_options ;;\n", _ZSH),
    "fish": ("complete -c devcontainer-registry -f\n", _FISH),
}


def main() -> None:
    """
    Write them all.
    """
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def pages() -> dict[Path, str]:
    """
    Return what each file is to hold.
    """
    os.environ["COLUMNS"] = "72"  # argparse's usage lines follow it; `man` indents them
    made = {SCRIPTS / f"devcontainer-registry.{shell}": script(shell) for shell in SHELLS}
    return {**made, MAN_PAGE: man_page()}


def script(shell: str) -> str:
    """
    Return the completion script of *shell*.
    """
    parser = parser_for([], {})
    for command in _commands(parser).values():
        for action in command._actions:  # noqa: SLF001  (argparse has no other way)
            if action.dest in FILES:
                action.complete = shtab.FILE
            elif action.dest in ASKED:
                asked = f"devcontainer-registry completion {ASKED[action.dest]} 2>/dev/null"
                action.complete = shtab.cmd(asked)
            elif action.dest == "shell":
                action.choices = SHELLS
    lines = shtab.complete(parser, shell).splitlines()
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    before, after = AFTER_RUN[shell]
    if text.count(before) != 1:
        msg = f"shtab writes another script for {shell} than it did: adapt AFTER_RUN"
        raise SystemExit(msg)
    return text.replace(before, after)


def man_page() -> str:
    """
    Return the man page.
    """
    parser = parser_for([], {})
    parser.epilog = None
    parser.man_short_description = "log a dev container in to its private registries"
    data = {
        "prog": "devcontainer-registry",
        "manual_section": 1,
        "manual_title": "User Commands",
        "format": "single-commands-section",
    }
    page = str(Manpage(parser, data, format="single-commands-section"))
    # Without the day on which it was made.
    page = re.sub(r'^(\.TH \S+ "1") "[^"]*"', r'\1 ""', page)
    examples = "".join(text.partition("\n")[2] for name, text in EXAMPLES.items() if name)
    return page.rstrip("\n") + "".join(
        _section(title, text)
        for title, text in (
            ("VALUES OF OPTIONS", VALUES),
            ("EXIT STATUS", STATUSES.partition("\n")[2]),
            ("EXAMPLES", examples),
        )
    )


def _section(title: str, text: str) -> str:
    """
    Return a section of the man page with *text* as it is.
    """
    for plain, escaped in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq")):
        text = text.replace(plain, escaped)
    return f"\n.SH {title}\n.in 3\n.nf\n{text.rstrip()}\n.fi\n.in\n"


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (commands,) = (
        action
        for action in parser._actions  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
    )
    return dict(commands.choices)


if __name__ == "__main__":
    main()
