"""The list of what changed on a CCD, as ECSV: a CSV table with lines in front that say what its columns are."""

from __future__ import annotations

import ast
import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tessera.cubes.reader import Cube
from tessera.measures.bins import GOOD_BITS
from tessera.measures.changes import MOST_CHANGES, Change
from tessera.measures.thresholds import Thresholds

CHANGES_END = "-changes.ecsv"
"""End of the name of a list of changes."""
_PLACES = {"ra": 6, "dec": 6, "row": 2, "column": 2, "start": 6, "end": 6, "peak": 6}
"""Decimals of columns; the others have six digits."""
WHOLE = ("n_bins",)
"""Columns of integers."""
_SCHEMA = "# schema: astropy-2.0"


def change_columns(time_system: str, unit: str) -> dict[str, tuple[str, str]]:
    """Columns of a list of changes: name to unit and description."""
    when = f"{time_system} (days since JD 2457000, TDB)"
    return {
        "ra": ("deg", "right ascension, ICRS"),
        "dec": ("deg", "declination, ICRS"),
        "row": ("pixel", "row of the frame; the centre of the first pixel is 0"),
        "column": ("pixel", "column of the frame; the centre of the first pixel is 0"),
        "start": ("d", f"beginning of the first bin in which it is seen, {when}"),
        "end": ("d", f"end of the last bin in which it is seen, {when}"),
        "peak": ("d", f"middle of the bin in which it is clearest, {when}"),
        "difference": (unit, "sum of 3 by 3 pixels in that bin minus the reference; negative for what became fainter"),
        "error": (unit, "uncertainty of the difference"),
        "sigma": ("", "difference divided by its uncertainty"),
        "reference": (unit, "the same sum of the reference frame, with its background"),
        "n_bins": ("", "number of bins in which it is seen"),
    }


def _rows(cube: Cube, changes: Sequence[Change]) -> list[list[str]]:
    if not changes:
        return []
    pixels = [(change.column, change.row) for change in changes]
    places = cube.wcs.all_pix2world(pixels, 0).tolist()
    names = list(change_columns("", ""))
    rows = []
    for (ra, dec), change in zip(places, changes, strict=True):
        values = {name: getattr(change, name) for name in names[2:]} | {"ra": ra % 360, "dec": dec}
        rows.append([_text(name, values[name]) for name in names])
    return rows


def _text(name: str, value: float) -> str:
    if name in WHOLE:
        return str(value)
    if not math.isfinite(value):
        return ""
    return f"{value:.{_PLACES[name]}f}" if name in _PLACES else f"{value:.6g}"


def format_changes(cube: Cube, changes: Sequence[Change], thresholds: Thresholds, about: Mapping[str, Any]) -> bytes:
    """Format a list of changes.

    Parameters
    ----------
    cube : Cube
        The cube.
    changes : sequence of Change
        Its changes, the clearest first. Those behind the `MOST_CHANGES` clearest ones are only counted.
    thresholds : Thresholds
        What counted as a change.
    about : mapping
        What the table says of itself beside that.
    """
    unit = cube.product.flux_unit.replace("e-", "electron")
    columns = change_columns(cube.product.time_system, unit)
    meta = dict(about) | {
        "cube": cube.name,
        "time_system": cube.product.time_system,
        "n_sigma": thresholds.n_sigma,
        "bin_days": thresholds.bin_days,
        "quality_mask": GOOD_BITS,
        "left_out": max(0, len(changes) - MOST_CHANGES),
    }
    lines = ["# %ECSV 1.0", "# ---", "# delimiter: ','", "# datatype:"]
    for name, (of_values, description) in columns.items():
        kind = "int64" if name in WHOLE else "float64"
        of_column = f", unit: {of_values}" if of_values else ""
        lines.append(f"# - {{name: {name}{of_column}, datatype: {kind}, description: '{description}'}}")
    lines += ["# meta:", *(f"#   {name}: {_yaml(value)}" for name, value in meta.items()), _SCHEMA]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(_rows(cube, changes[:MOST_CHANGES]))
    return ("\n".join(lines) + "\n" + text.getvalue()).encode("ascii")


def _yaml(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else repr(value)


def read_about(data: bytes) -> dict[str, Any]:
    """What a list of changes says of itself, such as its thresholds."""
    lines = data.decode("ascii").splitlines()
    about = lines[lines.index("# meta:") + 1 : lines.index(_SCHEMA)]
    pairs = [line.strip("# ").split(": ", 1) for line in about]
    return {name: json.loads(text) if text.startswith("{") else ast.literal_eval(text) for name, text in pairs}


def change_csv(data: bytes) -> str:
    """The table of a list of changes as plain CSV."""
    return "".join(line for line in data.decode("ascii").splitlines(keepends=True) if not line.startswith("#"))


def read_changes(data: bytes) -> list[dict[str, float | int | None]]:
    """Rows of a list of changes: column to value; None for what is not known."""
    rows = csv.DictReader(io.StringIO(change_csv(data)))
    return [
        {name: int(text) if name in WHOLE else float(text) if text else None for name, text in row.items()}
        for row in rows
    ]
