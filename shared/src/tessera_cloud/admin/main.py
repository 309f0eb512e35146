"""``tessera-admin COMMAND``: one module of this package for each command, listed in `COMMANDS`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from botocore.parsers import ResponseParserError
from pydantic import ValidationError

from tessera.errors import TesseraError
from tessera_cloud.admin import doctor, measure, pause, smoke, stars, variables, withdraw
from tessera_cloud.admin.command import Operator, Subparsers
from tessera_cloud.bootstrap import adopt_profile, utc_now
from tessera_cloud.errors import FatalError, TransientError, UsageError

COMMANDS: tuple[Callable[[Subparsers], None], ...] = (
    doctor.register,
    measure.register,
    pause.register,
    smoke.register,
    stars.register,
    variables.register,
    withdraw.register,
)
"""What adds each command to the parser: ``register`` of its module."""


_DAMAGED = (ResponseParserError, ValidationError)
"""An answer that is not of AWS, such as a proxy's, and a document that is not of ours."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the name of the program; of this process by default.

    Returns
    -------
    int
        0 if all is well; 1 if the command found or met a fault; argparse itself exits with 2 after a wrong argument.
    """
    asked = _parser().parse_args(arguments)
    try:
        operator = Operator(lambda: adopt_profile(asked.region), utc_now)
        code: int = asked.run(asked, operator)
    except (UsageError, TransientError, FatalError, TesseraError, ClientError, BotoCoreError, *_DAMAGED) as error:
        print(f"tessera-admin: {in_one_line(error)}", file=sys.stderr)  # noqa: T201 - a command prints
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def in_one_line(error: Exception) -> str:
    """Message of an error without line breaks, and with what to do if credentials or the region are missing."""
    if isinstance(error, NoCredentialsError):
        return "there are no AWS credentials; set AWS_PROFILE, or run `aws configure` or `aws sso login`"
    if isinstance(error, NoRegionError):
        return "there is no region; set AWS_DEFAULT_REGION, or name it with --region"
    if isinstance(error, ResponseParserError):
        return "the answer is not from AWS; look at AWS_ENDPOINT_URL and at the proxy of your network"
    return " ".join(str(error).split()) or type(error).__name__


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tessera-admin",
        description="Look after a stack on AWS, with the credentials of AWS_PROFILE.",
        epilog="docs/operations describes what the commands are for, and the permissions that they need.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for register in COMMANDS:
        register(commands)
    return parser
