"""Light curves as CSV. The command line, the library and the service write the same columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

Row: TypeAlias = "tuple[object, ...]"
"""Time, flux, error, quality, and the values of further columns; None for an unknown value."""
PLACES = ("sector", "camera", "ccd")
"""Further columns of a light curve of several sectors."""
TREND = ("trend",)
"""Further column of a detrended light curve."""


def csv_header(time_system: str, more: Sequence[str] = ()) -> str:
    """Names of the columns: ``time_btjd`` or ``time_tjd``, ``flux``, ``flux_err``, ``quality``, and further ones."""
    return ",".join([f"time_{time_system.lower()}", "flux", "flux_err", "quality", *more])


def format_csv(time_system: str, rows: Iterable[Row], more: Sequence[str] = ()) -> str:
    """Format a light curve as CSV. Unknown values are empty."""
    lines = [csv_header(time_system, more)]
    lines += [",".join("" if value is None else str(value) for value in row) for row in rows]
    return "\n".join(lines) + "\n"
