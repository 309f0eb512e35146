"""``pause`` and ``resume``: stop all work of a stack that costs money, and let it go on."""

from __future__ import annotations

import argparse

from tessera_cloud.admin.command import Operator, Subparsers, add_command
from tessera_cloud.application.switch import pause, resume


def register(commands: Subparsers) -> None:
    """Add the commands."""
    parser = add_command(commands, "pause", "stop all work that costs money, within a minute", run_pause)
    parser.add_argument("--reason", default="", metavar="TEXT", help="reason that users are told")
    add_command(commands, "resume", "end a pause", run_resume)


def run_pause(asked: argparse.Namespace, operator: Operator) -> int:
    """Pause a stack."""
    stopped = pause(operator.services(operator.stack(asked.stack)), reason=asked.reason, by="operator")
    print(f"{asked.stack} is paused; {stopped} jobs and builds were stopped")  # noqa: T201 - a command prints
    return 0


def run_resume(asked: argparse.Namespace, operator: Operator) -> int:
    """End the pause of a stack."""
    resume(operator.services(operator.stack(asked.stack)), by="operator")
    print(f"{asked.stack} works again")  # noqa: T201 - a command prints
    return 0
