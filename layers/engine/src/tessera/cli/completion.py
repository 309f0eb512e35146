"""The command ``tessera completion``: scripts that let a shell complete commands, options, choices and files."""

from __future__ import annotations

import argparse
from typing import Any

from tessera.cli.terminal import say
from tessera.errors import InvalidInputError
from tessera.extras import import_extra

SHELLS = ("bash", "zsh", "tcsh", "fish")
_FILES = ("targets", "frames", "cube", "cubes", "files", "ephemeris", "footprints")
"""Names of arguments that are completed as files."""
_FOLDERS = ("output",)
"""Names of arguments that are completed as folders."""
_HOW = """\
How to use it:
  bash   eval "$(tessera completion bash)"                    in ~/.bashrc
  zsh    tessera completion zsh > ~/.zfunc/_tessera           with fpath+=~/.zfunc before compinit in ~/.zshrc
  tcsh   tessera completion tcsh > ~/.tessera.completion      with source ~/.tessera.completion in ~/.tcshrc
  fish   tessera completion fish > ~/.config/fish/completions/tessera.fish
"""


def add_completion(groups: Any) -> None:
    """Add the command to a parser's groups."""
    command = groups.add_parser(
        "completion",
        help="print a script with which a shell completes commands, options and files",
        description="Print a script with which a shell completes commands, options, choices and files.",
        epilog=_HOW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("shell", choices=SHELLS, help="your shell")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from tessera.cli.main import build_parser  # noqa: PLC0415 - main imports this module

    shtab = import_extra("shtab", "scripts for shells")
    if options.shell not in shtab.SUPPORTED_SHELLS:
        allowed = f"{', '.join(shtab.SUPPORTED_SHELLS)}, or a newer version of the package shtab"
        raise InvalidInputError("shell", options.shell, allowed)
    parser = build_parser()
    _mark_files(parser, shtab)
    say(shtab.complete(parser, options.shell))
    return 0


def _mark_files(parser: argparse.ArgumentParser, shtab: Any) -> None:
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - see above
            for command in action.choices.values():
                _mark_files(command, shtab)
        elif action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined] # shtab looks for it
        elif action.dest in _FOLDERS:
            is_file = "FILE" in str(action.metavar)
            action.complete = shtab.FILE if is_file else shtab.DIRECTORY  # type: ignore[attr-defined] # see above
