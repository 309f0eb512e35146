"""Finds the cubes that a moving target crosses, and its path on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from tessera.sky.footprint import find_points
from tessera.sky.sphere import unit_vectors
from tessera.tess.products import SPOC
from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.targets.body_names import body_name
from tessera_cloud.application.targets.path import MJD, Path, tdb_days
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import Documents, Ephemerides, Positions

SEARCH_HOURS, TRACK_HOURS = 6, 1
"""Hours between positions: in the search for cubes, and on one cube."""
_CHECK_HOURS = 1
_BEYOND = 0.5
"""Days by which positions extend beyond the first and the last frame."""


def find_passages(
    path: Path, index: FootprintIndex, *, product: str = SPOC.name, margin: float = 0.0
) -> list[PublishedCube]:
    """Cubes on which a target is while their frames are taken, ordered by sector, camera and CCD.

    Parameters
    ----------
    path : Path
        Path of the target.
    index : FootprintIndex
        Cubes to search.
    product : {'SPOC', 'TICA'}, optional
        Kind of frames.
    margin : float, optional
        Distance in degrees that the target may have from a footprint.
    """
    numbers = [number for number, cube in enumerate(index.cubes) if cube.cube_id.product == product]
    if not numbers:
        return []
    dates = np.array([(index.cubes[number].t_min, index.cubes[number].t_max) for number in numbers])
    # Positions each hour and in the middle of each cube, which may last less than an hour; converted all at once.
    hourly = np.arange(dates.min(), dates.max(), _CHECK_HOURS / 24)
    times = np.unique(np.concatenate([hourly, dates.ravel(), dates.mean(axis=1)]))
    ra, dec = path.ephemeris.at(tdb_days(times + MJD))
    known = np.isfinite(ra)
    times, directions = times[known], unit_vectors(ra[known], dec[known])
    found = []
    for number, (first, last) in zip(numbers, dates, strict=True):
        start, stop = np.searchsorted(times, first, "left"), np.searchsorted(times, last, "right")
        if find_points(index.vectors[[number]], directions[start:stop], margin).any():
            found.append(index.cubes[number])
    return sorted(found, key=lambda cube: cube.ccd_id)


def _cached(request: Mapping[str, object], find: Ephemerides, store: Documents, bucket: str) -> Positions:
    text = json.dumps(request, sort_keys=True)
    key = keys.ephemeris(hashlib.sha256(text.encode()).hexdigest()[:32])
    try:
        kept = json.loads(store.read(bucket, key)[0])
    except ObjectMissingError:
        kept = asdict(find.find(**request))  # type: ignore[arg-type] # the keywords of `find`
        store.write(bucket, key, json.dumps(kept).encode())
    series = (tuple(kept[name]) for name in ("days", "ra", "dec"))
    return Positions(kept["target"], kept["observer"], *series)


def find_path(
    name: str,
    kind: str | None,
    span: tuple[float, float],
    hours: int,
    *,
    ephemerides: Ephemerides,
    store: Documents,
    bucket: str,
) -> Path:
    """Find the path of a target by its name. Positions are stored for a day.

    Parameters
    ----------
    name : str
        Name, number or designation.
    kind : {'majorbody', 'smallbody'} or None
        Kind of body; needed only if the name is ambiguous.
    span : (float, float)
        First and last time as MJD. The path extends half a day beyond both.
    hours : int
        Hours between positions.
    ephemerides : Ephemerides
        Service that knows the target.
    store : Documents
        Store of positions.
    bucket : str
        Bucket of positions.

    Raises
    ------
    UsageError
        If the name is unknown or ambiguous, or cannot be a name.
    """
    name = body_name(name)
    start, stop = span[0] + MJD - _BEYOND, span[1] + MJD + _BEYOND
    request = {"name": name, "kind": kind, "start": start, "stop": stop, "hours": hours}
    return Path.of(_cached(request, ephemerides, store, bucket))
