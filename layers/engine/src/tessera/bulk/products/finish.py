"""What stands beside the products of all bands: the status of each row, the files of the catalogue, and a manifest."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from tessera import __version__
from tessera.bulk.options import BulkOptions
from tessera.bulk.products.folder import Folder, ProductFile, create_hashed, write_product
from tessera.bulk.products.hats import write_catalogue
from tessera.bulk.status import COLUMNS, BulkStatus, format_status, status_header
from tessera.bulk.target_rows import TargetRows

STATUS = "status.csv"
MANIFEST = "manifest.json"
NO_CUBE = "no cube has this position"
"""Reason of a row that no cube sees."""
_AT_ONCE = 10_000
_CUBE, _STATUS, _PRODUCT = (COLUMNS.index(name) for name in ("cube", "status", "product"))


def finish_products(
    folder: Folder,
    *,
    rows: TargetRows,
    options: BulkOptions,
    fragments: Iterable[bytes],
    files: Sequence[ProductFile],
    document: Mapping[str, Any],
) -> tuple[ProductFile, ...]:
    """Write what stands beside the products of all bands. The same bands give the same files.

    Parameters
    ----------
    folder : Folder
        Folder of the results.
    rows : TargetRows
        The list.
    options : BulkOptions
        What was asked for.
    fragments : iterable of bytes
        What `tessera.bulk.status.format_status` made of the statuses of each band, in the order of the bands. A band
        that failed has one too, see `tessera.bulk.products.band.failed_band`: a row that is in no fragment is taken for
        one that no cube sees.
    files : sequence of ProductFile
        Files of all bands.
    document : mapping
        What ``manifest.json`` says beside the files and the counts, such as the order and the plan.

    Returns
    -------
    tuple of ProductFile
        The files that were written: ``status.csv``, those of the catalogue if there is one, and ``manifest.json``.

    Raises
    ------
    MissingPackageError
        When there is a catalogue and Arrow is not installed.
    OSError
        When a file cannot be written.
    """
    lines = _all_lines(rows, fragments)
    statuses, products = _count(lines)
    written: list[ProductFile] = []
    with create_hashed(folder, STATUS, written.append) as file:
        file.write(status_header())
        for first in range(0, len(lines), _AT_ONCE):
            file.write(b"".join(lines[first : first + _AT_ONCE]))
    if "parquet" in options.outputs:
        written += write_catalogue(folder, options, files, products["parquet"])
    manifest = {
        **document,
        "creator": f"tessera {__version__}",
        "rows": rows.n_given,
        "statuses": statuses,
        "products": products,
        "files": [asdict(each) for each in sorted([*files, *written], key=lambda each: each.name)],
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False)
    return (*written, write_product(folder, MANIFEST, f"{text}\n".encode()))


def _all_lines(rows: TargetRows, fragments: Iterable[bytes]) -> list[bytes]:
    """Lines of the table, in the order of the list. Those of a row stay in the order of the bands."""
    lines = [line for fragment in fragments for line in fragment.splitlines(keepends=True)]
    seen = np.array([int(line.partition(b",")[0]) for line in lines], np.int64)
    alone = np.flatnonzero(~np.isin(rows.row, seen))
    others = [
        *(
            BulkStatus(each.row, each.name, 0, math.nan, math.nan, status="error", reason=each.reason)
            for each in rows.problems
        ),
        *(_without_cube(rows, int(place)) for place in alone),
    ]
    lines += [format_status([each]) for each in others]
    numbers = np.concatenate([seen, np.array([each.row for each in others], np.int64)])
    return [lines[place] for place in np.argsort(numbers, kind="stable")]


def _without_cube(rows: TargetRows, place: int) -> BulkStatus:
    position = float(rows.ra[place]), float(rows.dec[place])
    return BulkStatus(
        int(rows.row[place]), rows.name[place], int(rows.tic[place]), *position, status="no overlap", reason=NO_CUBE
    )


def _count(lines: list[bytes]) -> tuple[dict[str, int], dict[str, int]]:
    """Rows on cubes, and rows without one, by status; and products by kind."""
    statuses, products = Counter[str](ok=0, error=0), Counter[str]()
    statuses["no overlap"] = 0
    values = csv.reader((line.decode() for line in lines), strict=True)
    for _, group in groupby(values, key=itemgetter(0, _CUBE)):
        several = list(group)
        ok = [one for one in several if one[_STATUS] == "ok"]
        statuses[(ok or several)[0][_STATUS]] += 1
        products.update(one[_PRODUCT] for one in ok)
    return dict(sorted(statuses.items())), products
