"""Stitched light curves of the rows of a search: choose the CCDs, cut, measure, stitch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tessera.client.wire.failures import NothingFoundError
from tessera.coverage.rows import SearchRow
from tessera.coverage.served_cubes import Service, opened
from tessera.cutouts.results import CutoutOptions, Size
from tessera.errors import (
    InvalidInputError,
    MissingFileError,
    NoCadenceError,
    NoOverlapError,
    UnknownTrendError,
    UnreadableFileError,
)
from tessera.io.locations import shown
from tessera.lightcurves.detrending.alignment import choose_vectors
from tessera.lightcurves.detrending.vectors import NO_VECTORS, CotrendingVectors
from tessera.lightcurves.light_curve import LightCurve
from tessera.lightcurves.target_pixels import TargetPixels
from tessera.progress import ProgressInput
from tessera.stitching.curve import LeftOut, StitchedCurve
from tessera.stitching.join import Piece, join, warn_of_failed
from tessera.stitching.levels import check_gap, check_level
from tessera.stitching.rule import choose_ccds
from tessera.tpf.cards import OBJECT_COMMENT
from tessera.tpf.primary import object_text

if TYPE_CHECKING:
    from tessera.coverage.cutouts import TargetCutout
    from tessera.coverage.result import SearchResult

TREND_ERRORS = (UnknownTrendError, UnreadableFileError)
"""Errors of one light curve that cannot be detrended, or whose vectors cannot be read."""
_AT_ONCE = 8
"""Number of cutouts that are in memory at the same time."""
_CUBES_KEPT = 64
"""Number of cubes whose vectors are kept. Those of a cube have about a megabyte at most."""


class ServedVectors:
    """Cotrending vectors that a service has. They are asked for once for each cube.

    Parameters
    ----------
    service : str or Client
        The service.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._find = lru_cache(_CUBES_KEPT)(self._ask)

    @classmethod
    def of(cls, service: Service | None) -> ServedVectors | None:
        """Vectors of the service of a search; None if it has none."""
        return None if service is None else cls(service)

    def find(self, cube: str) -> CotrendingVectors:
        """Return the vectors of a cube, or raise `UnknownTrendError`."""
        vectors = self._find(cube)
        if vectors is None:
            raise UnknownTrendError("detrend", "cbv", NO_VECTORS)
        return vectors

    def _ask(self, cube: str) -> CotrendingVectors | None:
        try:
            with opened(self._service) as client:
                return client.cotrending_vectors(cube)
        except NothingFoundError:
            return None


def stitch_rows(
    found: SearchResult,
    size: Size,
    measures: Mapping[str, Any],
    level: object,
    gap: object,
    *,
    options: CutoutOptions | None,
    progress: ProgressInput,
    served: ServedVectors | None = None,
) -> StitchedCurve:
    """Stitch the sectors of a search; see `SearchResult.stitch`.

    Parameters
    ----------
    found : SearchResult
        Rows of one target.
    measures : mapping
        Keyword arguments of `TargetPixels.to_lightcurve`.
    served : ServedVectors, optional
        Vectors of the service of the search, if other targets need them, too.
    """
    served = ServedVectors.of(found.service) if served is None else served
    check_level(level)
    check_gap(gap)
    _check_rows(found)
    located = found.locate() if any(row.edge is None for row in found.rows) else found
    choice = choose_ccds(located.rows)
    unread = located.unread
    left = [_left(row, unread.get(shown(row.cube), why), failed=shown(row.cube) in unread) for row, why in choice.left]
    numbers = {id(row): number for number, row in enumerate(located.rows)}
    pieces: list[Piece] = []
    for start in range(0, len(choice.taken), _AT_ONCE):
        some = located[[numbers[id(row)] for row in choice.taken[start : start + _AT_ONCE]]]
        for row, cutout in zip(some.rows, some.cut(size, options=options, progress=progress), strict=True):
            measured = _measured(cutout, measures, served)
            if isinstance(measured, str):
                left.append(_left(row, measured, failed=cutout.status != "no overlap"))
            else:
                pieces.append(_piece(row, measured))
    stitched = join(pieces, level, gap, left)
    warn_of_failed(stitched)
    return stitched


def _measured(cutout: TargetCutout, measures: Mapping[str, Any], served: ServedVectors | None) -> LightCurve | str:
    """Light curve of a cutout, or why there is none."""
    if cutout.status != "ok":
        return cutout.reason
    try:
        return measure_target(cutout, measures, served)
    except (NoCadenceError, *TREND_ERRORS) as error:
        return str(error)


def measure_target(
    cutout: TargetCutout, measures: Mapping[str, Any], served: ServedVectors | None = None
) -> LightCurve:
    """Light curve of a cutout. Its header has the name of the target.

    Parameters
    ----------
    cutout : TargetCutout
        A cutout that has a file.
    measures : mapping
        Keyword arguments of `TargetPixels.to_lightcurve`. Cotrending vectors may be the folder that has them. Without
        any, they are beside the cube, or those of the service.
    served : ServedVectors, optional
        Vectors of the service that has the cube.
    """
    pixels = TargetPixels.read(cutout)
    if not pixels.header.get("OBJECT"):
        pixels.header["OBJECT"] = (object_text(cutout.target.name), OBJECT_COMMENT)
    given, vectors = measures.get("vectors"), measures.get("vectors")
    if measures.get("detrend") == "cbv":
        vectors = choose_vectors(given, cutout.cube) if given or served is None else served.find(cutout.cube)
    try:
        return pixels.to_lightcurve(**{**measures, "vectors": vectors})
    except MissingFileError as error:
        if given is not None:
            raise
        reason = "the cube has no cotrending vectors beside it; `tessera cube measure` makes them"
        raise MissingFileError(shown(vectors), reason) from error


def _check_rows(found: SearchResult) -> None:
    n_targets = len({row.target.number for row in found.rows})
    if n_targets > 1:
        raise InvalidInputError("targets", n_targets, "rows of one target, such as found[found['target'] == 'pi Men']")
    products = sorted({row.product for row in found.rows})
    if len(products) > 1:
        raise InvalidInputError("product", " and ".join(products), "rows of SPOC or of TICA frames, not of both")
    if not found.rows:
        reasons = "".join(f"; {one.target.name}: {one.reason}" for one in found.missing)
        raise NoOverlapError(f"the search has no rows, so there is nothing to stitch{reasons}")


def _left(row: SearchRow, reason: str, *, failed: bool) -> LeftOut:
    return LeftOut(row.sector or 0, row.camera or 0, row.ccd or 0, shown(row.cube), reason, failed)


def _piece(row: SearchRow, curve: LightCurve) -> Piece:
    at, across, edge = (math.nan if value is None else value for value in (row.row, row.column, row.edge))
    return Piece(curve, row.sector or 0, row.camera or 0, row.ccd or 0, shown(row.cube), at, across, edge)
