"""Findings of `doctor` and `smoke`: one line each, and the exit code of all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True)
class Line:
    """A finding.

    Parameters
    ----------
    state : State
        ``ok``; ``warn``: it works, but look at it; ``fail``: it does not work; ``skip``: this cannot be checked here.
    what : str
        What was looked at.
    says : str
        What was found.
    advice : str, optional
        What to do, best a command.
    """

    state: State
    what: str
    says: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.state:<4}  {self.what:<18} {self.says}{f'; do: {self.advice}' if self.advice else ''}"


def show(line: Line) -> None:
    """Print a finding at once, because the next one may take seconds."""
    print(line, flush=True)  # noqa: T201 - a command prints


def exit_code(lines: Iterable[Line]) -> int:
    """1 if anything fails, else 0."""
    return int(any(line.state == "fail" for line in lines))
