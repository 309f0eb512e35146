"""``tessera-admin doctor``: looks at everything around a stack that can be wrong, and says what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from botocore.exceptions import ClientError

from tessera_cloud.admin.checks.account import ACCOUNT_CHECKS
from tessera_cloud.admin.checks.data import DATA_CHECKS
from tessera_cloud.admin.checks.look import Check, Look
from tessera_cloud.admin.checks.operation import OPERATION_CHECKS
from tessera_cloud.admin.checks.versions import VERSION_CHECKS
from tessera_cloud.admin.command import Operator, Subparsers, add_command
from tessera_cloud.admin.lines import Line, exit_code, show

CHECKS: Sequence[Check] = (*ACCOUNT_CHECKS, *DATA_CHECKS, *OPERATION_CHECKS, *VERSION_CHECKS)
"""All checks, in the order of their lines."""
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403", "Forbidden")


def register(commands: Subparsers) -> None:
    """Add the command."""
    add_command(commands, "doctor", "check a stack, and say what to do about what is wrong", run)


def run(asked: argparse.Namespace, operator: Operator) -> int:
    """Make every check, and print its lines."""
    look = Look(operator, operator.stack(asked.stack))
    lines = []
    for check in CHECKS:
        for line in attempt(check, look):
            show(line)
            lines.append(line)
    return exit_code(lines)


def attempt(check: Check, look: Look) -> Iterator[Line]:
    """Lines of a check. A check that cannot be made is a line that says so, whatever prevents it."""
    name = check.__name__.replace("_", " ")
    try:
        yield from check(look)
    except ClientError as error:
        found = error.response.get("Error", {})
        code, call = found.get("Code", ""), error.operation_name
        if code in _DENIED:
            yield Line(
                "warn",
                name,
                f"cannot be checked: no permission for {call}",
                "see docs/operations/deploying.md, Permissions",
            )
        else:
            said = " ".join(str(found.get("Message", "")).partition("<")[0].split())[:120]
            yield Line("warn", name, f"cannot be checked: {call} answers {code} {said}".rstrip())
    except Exception as error:  # noqa: BLE001 - one check that breaks must not hide the others
        said = " ".join(str(error).split())[:160]
        yield Line("warn", name, f"cannot be checked: {type(error).__name__}{': ' if said else ''}{said}")
