"""Light curves as CSV. The command line, the library and the service write the same columns."""

from __future__ import annotations

from collections.abc import Iterable

Row = tuple[object, object, object, object]
"""Time, flux, error and quality; None for an unknown value."""


def csv_header(time_system: str) -> str:
    """Names of the columns: ``time_btjd`` or ``time_tjd``, ``flux``, ``flux_err`` and ``quality``."""
    return f"time_{time_system.lower()},flux,flux_err,quality"


def format_csv(time_system: str, rows: Iterable[Row]) -> str:
    """Format a light curve as CSV. Unknown values are empty."""
    lines = [csv_header(time_system)]
    lines += [",".join("" if value is None else str(value) for value in row) for row in rows]
    return "\n".join(lines) + "\n"
