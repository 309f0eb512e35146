"""What counts as a change on a CCD; see `tessera.measures.changes`."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.checks import check_number
from tessera.errors import InvalidInputError

N_SIGMA = 7.0
"""Smallest number of standard deviations of a source in the difference of a bin."""
BIN_DAYS = 0.5
"""Length of a bin in days."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds that a user gave.

    Parameters
    ----------
    n_sigma : float, optional
        Smallest number of standard deviations, from 3 to 1,000.
    bin_days : float, optional
        Length of a bin in days, from 0.01 to 30.

    Raises
    ------
    InvalidInputError
        When a value is not allowed.
    """

    n_sigma: float = N_SIGMA
    bin_days: float = BIN_DAYS

    def __post_init__(self) -> None:
        for name, least, most in (("n_sigma", 3.0, 1000.0), ("bin_days", 0.01, 30.0)):
            object.__setattr__(self, name, _check_between(name, getattr(self, name), least, most))


def _check_between(argument: str, value: object, least: float, most: float) -> float:
    allowed = f"a number from {least:g} to {most:g}"
    number = float(check_number(argument, value, allowed))
    if not least <= number <= most:
        raise InvalidInputError(argument, value, allowed)
    return number
