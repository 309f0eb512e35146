"""What every check is given."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from tessera_cloud.admin.command import Operator
from tessera_cloud.admin.lines import Line
from tessera_cloud.admin.stack import Stack
from tessera_cloud.bootstrap import Services


@dataclass(frozen=True)
class Look:
    """A stack to look at, and the means.

    Parameters
    ----------
    operator : Operator
        Credentials, clients and clock.
    stack : Stack
        The stack.
    """

    operator: Operator
    stack: Stack

    @cached_property
    def services(self) -> Services:
        """Ports and settings of the stack."""
        return self.operator.services(self.stack)

    def client(self, service: str) -> Any:
        """Client of an AWS service."""
        return self.operator.client(service)

    @property
    def now(self) -> datetime.datetime:
        """Current time in UTC."""
        return self.operator.clock()

    def number(self, parameter: str, default: int = 0) -> int:
        """Parameter of the stack that is a whole number."""
        return int(float(self.stack.parameters.get(parameter) or default))


Check: TypeAlias = Callable[[Look], Iterator[Line]]
"""A check. The name of the function is the first word of its lines."""


def age_of(then: datetime.datetime, now: datetime.datetime) -> str:
    """Time between two times in words, such as ``3 hours``."""
    hours = (now - then).total_seconds() / 3600
    if hours < 1:
        return f"{max(hours, 0) * 60:.0f} minutes"
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
