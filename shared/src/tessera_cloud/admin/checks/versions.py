"""Whether the versions that are called are those that were deployed."""

from __future__ import annotations

from collections.abc import Iterator

from tessera_cloud.admin.checks.look import Check, Look
from tessera_cloud.admin.lines import Line

ALIAS = "live"
"""Alias that state machines, routes, queues and schedules call."""
_COMPARED = ("CodeSha256", "Layers", "Environment", "MemorySize", "Timeout")


def versions(look: Look) -> Iterator[Line]:
    """Whether the alias of each function has the newest code and settings. A deployment without a build leaves it."""
    client, functions = look.client("lambda"), look.stack.of_kind("AWS::Lambda::Function")
    behind = []
    for function in functions:
        newest, called = (
            client.get_function_configuration(FunctionName=function.physical, Qualifier=qualifier)
            for qualifier in ("$LATEST", ALIAS)
        )
        if any(newest.get(name) != called.get(name) for name in _COMPARED):
            behind.append(function.logical)
    if behind:
        says = f"{len(behind)} of {len(functions)} functions are called in an older version, such as {behind[0]}"
        yield Line("warn", "versions", says, "make build, then sam deploy: see docs/operations/upgrading.md")
    else:
        yield Line("ok", "versions", f"all {len(functions)} functions are called in their newest version")


VERSION_CHECKS: tuple[Check, ...] = (versions,)
"""Checks of this module."""
