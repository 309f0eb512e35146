"""What every command is given: the operator's credentials, the clock, and access to the stack."""

from __future__ import annotations

import argparse
import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import boto3
from botocore.config import Config

from tessera_cloud.admin.stack import Stack, read_stack
from tessera_cloud.bootstrap import USER_AGENT, Services, services_of


class Subparsers(Protocol):
    """Where commands are added: what `argparse.ArgumentParser.add_subparsers` returns."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser:  # noqa: A002
        """Add the parser of a command."""
        ...


@dataclass(frozen=True)
class Operator:
    """Credentials, region and clock of the person who runs a command.

    Parameters
    ----------
    open_session : callable
        Opens the session with credentials and region, at its first use.
    clock : callable
        Returns the current time in UTC.
    """

    open_session: Callable[[], boto3.Session]
    clock: Callable[[], datetime.datetime]

    @cached_property
    def session(self) -> boto3.Session:
        """Session with credentials and region."""
        return self.open_session()

    @property
    def region(self) -> str:
        """Region of the stack; empty if the operator has none."""
        return self.session.region_name or ""

    def client(self, service: str, region: str | None = None) -> Any:
        """Client of an AWS service, with short timeouts and standard retries."""
        retries: Any = {"mode": "standard", "max_attempts": 2}
        config = Config(retries=retries, connect_timeout=5, read_timeout=20, user_agent_extra=USER_AGENT)
        return self.session.client(service, region_name=region, config=config)

    def stack(self, name: str) -> Stack:
        """Read parameters, outputs and resources of a deployed stack, see `read_stack`."""
        return read_stack(self.client("cloudformation"), name, self.region)

    def services(self, stack: Stack) -> Services:
        """Ports and settings of the stack, with the operator's credentials."""
        return services_of(stack.settings())


Run: TypeAlias = Callable[[argparse.Namespace, Operator], int]
"""A command: it prints its findings, and returns the exit code."""


def add_command(
    commands: Subparsers, name: str, about: str, run: Run, *, stack: bool = True
) -> argparse.ArgumentParser:
    """Add a command to the parser.

    Parameters
    ----------
    commands : Subparsers
        Where `main` collects the commands.
    name, about : str
        The command, and what it does.
    run : Run
        Called with the arguments and the operator.
    stack : bool, optional
        Whether the command needs the name of a stack.

    Returns
    -------
    argparse.ArgumentParser
        Parser of the command, to which further arguments can be added.
    """
    parser = commands.add_parser(name, help=about, description=about)
    if stack:
        parser.add_argument(
            "--stack",
            required=True,
            type=_stack_name,
            metavar="NAME",
            help="name of the deployed stack, such as tessera-dev",
        )
    parser.add_argument("--region", help="region of the stack; the profile's by default")
    parser.set_defaults(run=run)
    return parser


def _stack_name(text: str) -> str:
    """Name of a stack, or its ARN. CloudFormation takes an empty name for all stacks."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*|arn:[^\s]+", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name of a stack; allowed: letters, digits and hyphens, such as tessera-dev"
        )
    return text
