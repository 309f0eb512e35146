"""Search the public cubes at MAST: its index of footprints says which CCD saw what, and when."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from tessera.coverage.footprint_index import INDEXES, footprint_corners
from tessera.coverage.rows import SearchRow, Wanted, utc_text
from tessera.io.filesystems import in_filesystem
from tessera.io.sources import Location
from tessera.sky.footprint import find_points
from tessera.sky.sphere import unit_vectors
from tessera.targets.target import TargetList
from tessera.tess.ids import CcdId
from tessera.tess.products import PRODUCTS, Product
from tessera.tess.times import TJD_TO_MJD, sector_cadence, to_utc_mjd


def search_footprints(
    targets: TargetList, wanted: Wanted, footprints: Location | None = None, filesystem: Any = None
) -> list[SearchRow]:
    """Find targets in the index of footprints, in all sectors.

    The pixel and the distance to the edge stay unknown, because only the WCS of the cube tells them.

    Parameters
    ----------
    targets : TargetList
        The targets.
    wanted : Wanted
        The product is used; the sectors are not.
    footprints : str or Path, optional
        Path or URL of an index of the same form; by default MAST's, one for each product.
    filesystem : fsspec file system, optional
        File system of the index and of the cubes.

    Raises
    ------
    OSError
        When the index cannot be read.
    """
    products = [product for product in PRODUCTS.values() if wanted.product in (None, product.name)]
    found: list[SearchRow] = []
    for product in products:
        index = INDEXES.read(in_filesystem(filesystem, footprints or product.mast_footprints))
        found += _search(index, product, targets, filesystem)
    return found


def _search(index: Table, product: Product, targets: TargetList, filesystem: Any) -> Iterator[SearchRow]:
    matches = [product.obs_id.match(str(obs_id)) for obs_id in index["obs_id"]]
    usable = np.array([match is not None for match in matches]) & (index["target_name"] == product.target_name)
    rows = np.flatnonzero(usable)
    ccds = {int(row): CcdId(*map(int, match.groups())) for row in rows if (match := matches[row])}
    corners, times = footprint_corners(index), _times(index, product)
    for sector in sorted({ccd.sector for ccd in ccds.values()}):
        some = np.array([row for row, ccd in ccds.items() if ccd.sector == sector])
        for row, numbers in zip(some, _inside(corners[some], times[some], targets), strict=True):
            if len(numbers):
                facts = _facts(ccds[int(row)], product, times[row], _address(index[int(row)], ccds[int(row)], product))
                yield from _rows(facts, numbers, targets, filesystem)


def _times(index: Table, product: Product) -> NDArray[np.float64]:
    """Beginning and end of each row, MJD in UTC, shape (n, 2); NaN where the index does not say them."""
    nothing = [np.nan] * len(index)
    columns = [index[name] if name in index.colnames else nothing for name in ("t_min", "t_max")]
    known = [[np.nan if value is None else float(value) for value in column] for column in columns]
    return np.array([[to_utc_mjd(product, value) for value in column] for column in known]).reshape(2, -1).T


def _inside(corners: NDArray[Any], times: NDArray[Any], targets: TargetList) -> Iterable[NDArray[np.intp]]:
    """Numbers of the targets in each footprint of a sector, where they are in the middle of it."""
    middle = float(np.nanmean(times)) - TJD_TO_MJD if np.isfinite(times).any() else 0.0
    directions = unit_vectors(*targets.positions.at(middle))
    return map(np.flatnonzero, find_points(corners, directions))


def _facts(ccd: CcdId, product: Product, times: NDArray[Any], cube: str) -> dict[str, Any]:
    return {
        "product": product.name,
        "sector": ccd.sector,
        "camera": ccd.camera,
        "ccd": ccd.ccd,
        "start": utc_text(float(times[0])),
        "end": utc_text(float(times[1])),
        "cadence": sector_cadence(ccd.sector),
        "n_cadences": None,
        "row": None,
        "column": None,
        "edge": None,
        "cube": cube,
    }


def _rows(
    facts: dict[str, Any], numbers: NDArray[np.intp], targets: TargetList, filesystem: Any
) -> Iterator[SearchRow]:
    facts["cube"] = in_filesystem(filesystem, facts["cube"])
    return (SearchRow(targets.targets[number], **facts) for number in numbers)


def _address(row: Any, ccd: CcdId, product: Product) -> str:
    """Address of the cube: our own index has it, and MAST's cubes are in one folder."""
    if "key" in row.colnames:
        return f"s3://{row['bucket']}/{row['key']}"
    return f"{os.fspath(product.mast_cubes).rstrip('/')}/{product.cube_name(ccd)}"
