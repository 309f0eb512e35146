"""`tessera.stitch`: light curves of sectors become one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.errors import DataWarning, InvalidInputError, NoOverlapError
from tessera.lightcurves.light_curve import LightCurve
from tessera.stitching.curve import LeftOut, StitchedCurve, StitchedSector, known_trend, point_order
from tessera.stitching.levels import (
    GAP_DAYS,
    Level,
    Scale,
    check_gap,
    check_level,
    find_gaps,
    find_scales,
    measure_level,
)
from tessera.stitching.made import made_of

_CURVES = "light curves of one target, one for each sector, as TargetPixels.to_lightcurve makes them"
_PIXEL = 21 / 3600
"""Size of a pixel in degrees."""
_COMMENTARY = ("HISTORY", "COMMENT", "")
_FIRST = ("RA_OBJ", "DEC_OBJ")
"""Cards that may differ a little from sector to sector: that of the first one stays."""


@dataclass(frozen=True)
class Piece:
    """The light curve of a sector, and where its pixels are from.

    Parameters
    ----------
    curve : LightCurve
        The light curve.
    sector, camera, ccd : int
        Where its pixels are from.
    cube : str
        Path, address or name of the cube; empty if it is not known.
    row, column, edge : float
        Pixel of the target, and its distance to the edge of what sees the sky; NaN if it is not known.
    """

    curve: LightCurve
    sector: int
    camera: int
    ccd: int
    cube: str = ""
    row: float = np.nan
    column: float = np.nan
    edge: float = np.nan


def stitch(curves: Iterable[LightCurve], *, level: Level = "divide", gap: float = GAP_DAYS) -> StitchedCurve:
    """Stitch the light curves of a target in several sectors.

    Parameters
    ----------
    curves : iterable of LightCurve
        One light curve for each sector, in any order, all of SPOC or all of TICA frames.
    level : {'divide', 'shift', 'none'}, optional
        What brings the sectors to one level. The level of a sector is the median of its flux without quality bits.
        'divide' divides by it. 'shift' adds to each sector what brings its level to the median of all levels, which is
        for targets whose level is near 0 or below. 'none' changes nothing.
    gap : float, optional
        Longest time in days between two points that is not called a gap.

    Returns
    -------
    StitchedCurve
        The points in the order of time, the levels, and the gaps. Sectors whose level the rule cannot use are left out,
        with a `DataWarning`.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    NoOverlapError
        When no sector is left.

    Examples
    --------
    >>> import numpy as np
    >>> from astropy.io.fits import Header
    >>> from tessera import LightCurve, stitch
    >>> def sector(number, start, flux):
    ...     place = Header({"SECTOR": number, "CAMERA": 4, "CCD": 2})
    ...     time, zeros = start + np.arange(3) / 48, np.zeros(3, np.int32)
    ...     return LightCurve(time, np.array(flux), np.ones(3), zeros, "BTJD", header=place)
    >>> curve = stitch([sector(1, 1325.0, [99.0, 100.0, 101.0]), sector(2, 1354.0, [198.0, 200.0, 202.0])])
    >>> curve
    <StitchedCurve: 6 points of sectors 1, 2>
    >>> curve.flux.tolist()
    [0.99, 1.0, 1.01, 0.99, 1.0, 1.01]
    >>> [(one.sector, one.level, one.factor) for one in curve.sectors]
    [(1, 100.0, 0.01), (2, 200.0, 0.005)]
    >>> [round(one.days, 2) for one in curve.gaps]
    [28.96]
    """
    listed: Any = [curves] if isinstance(curves, LightCurve) else curves
    pieces = [_piece(curve) for curve in listed] if isinstance(listed, Iterable) else []
    if not pieces:
        raise InvalidInputError("curves", curves, _CURVES)
    _check_one_target(pieces)
    curve = join(pieces, level, gap)
    warn_of_failed(curve)
    return curve


def warn_of_failed(curve: StitchedCurve) -> None:
    """Warn of each sector that was chosen and could not be used."""
    for one in curve.left_out:
        if one.failed:
            warnings.warn(f"{one.name} is left out: {one.reason}", DataWarning, stacklevel=4)


def _piece(curve: object) -> Piece:
    if not isinstance(curve, LightCurve):
        raise InvalidInputError("curves", curve, _CURVES)
    facts = curve.facts
    place = [facts.get(name) for name in ("sector", "camera", "ccd")]
    if not all(isinstance(number, int) for number in place):
        raise InvalidInputError("curves", curve, f"{_CURVES}; the header of this one does not say its sector and CCD")
    return Piece(curve, *place)  # type: ignore[arg-type] # integers


def _check_one_target(pieces: Sequence[Piece]) -> None:
    """Refuse light curves whose positions are farther apart than a pixel. Moving targets have none."""
    from astropy.coordinates import angular_separation  # noqa: PLC0415 - slow to import; a search has one target

    places = [(facts["ra"], facts["dec"]) for piece in pieces if {"ra", "dec"} <= (facts := piece.curve.facts).keys()]
    for place in places[1:]:
        if np.degrees(angular_separation(*np.radians(places[0]), *np.radians(place))) > _PIXEL:
            texts = " and ".join(f"{ra:.5f} {dec:+.5f}" for ra, dec in (places[0], place))
            raise InvalidInputError("curves", f"light curves at {texts}", _CURVES)


def join(
    pieces: Sequence[Piece],
    level: object = "divide",
    gap: object = GAP_DAYS,
    left_out: Sequence[LeftOut] = (),
) -> StitchedCurve:
    """Join the light curves of sectors; see `stitch`.

    Parameters
    ----------
    pieces : sequence of Piece
        One for each sector.
    level, gap
        See `stitch`.
    left_out : sequence of LeftOut, optional
        What was left out before.

    Raises
    ------
    InvalidInputError, NoOverlapError
        See `stitch`.
    """
    rule, days = check_level(level), check_gap(gap)
    ordered = sorted(pieces, key=lambda piece: (piece.curve.time[0] if len(piece.curve) else 0.0, piece.sector))
    _check_together(ordered)
    measured = [measure_level(piece.curve.flux, piece.curve.quality) for piece in ordered]
    scales = find_scales([one.level for one in measured], rule)
    left = [*left_out]
    kept: list[tuple[Piece, StitchedSector]] = []
    for piece, values, scale in zip(ordered, measured, scales, strict=True):
        if scale is None:
            reason = _no_level(values.level, piece.curve.flux_unit)
            left.append(LeftOut(piece.sector, piece.camera, piece.ccd, piece.cube, reason, failed=True))
        else:
            kept.append((piece, _sector(piece, values.level, values.scatter, scale)))
    if not kept:
        raise NoOverlapError(f"no sector is left to stitch{_reasons(left)}")
    made = made_of([piece.curve for piece, _ in kept], rule, days)
    return replace(_joined(kept, rule, days, tuple(left)), made=made)


def _check_together(pieces: Sequence[Piece]) -> None:
    """Refuse light curves that are not those of one target in different sectors."""
    seen: set[int] = set()
    for piece in pieces:
        if piece.sector in seen:
            raise InvalidInputError("curves", f"two of sector {piece.sector}", _CURVES)
        seen.add(piece.sector)
    for name, what in (("time_system", "SPOC or TICA"), ("flux_unit", "one unit")):
        found = {getattr(piece.curve, name) for piece in pieces}
        if len(found) > 1:
            raise InvalidInputError("curves", " and ".join(sorted(found)), f"light curves of {what}, not of both")


def _no_level(level: float, unit: str) -> str:
    if not np.isfinite(level):
        return "no flux is known"
    return f"its median flux is {level:.6g} {unit}, and only one above 0 can divide; 'shift' takes it"


def _reasons(left: Sequence[LeftOut]) -> str:
    texts = [f"; sector {one.sector}, camera {one.camera}, CCD {one.ccd}: {one.reason}" for one in left[:5]]
    return "".join(texts)


def _sector(piece: Piece, level: float, scatter: float, scale: Scale) -> StitchedSector:
    curve = piece.curve
    return StitchedSector(
        piece.sector,
        piece.camera,
        piece.ccd,
        len(curve),
        float(curve.time.min()),
        float(curve.time.max()),
        level,
        scatter,
        scale.factor,
        scale.offset,
        curve.flux_unit,
        0 if curve.mask is None else int(np.count_nonzero(curve.mask)),
        piece.cube,
        piece.row,
        piece.column,
        piece.edge,
        curve.detrended,
    )


def _joined(
    kept: Sequence[tuple[Piece, StitchedSector]], rule: str, days: float, left: tuple[LeftOut, ...]
) -> StitchedCurve:
    curves, sectors = tuple(piece.curve for piece, _ in kept), tuple(sector for _, sector in kept)
    order = point_order(curves)
    first = curves[0]

    def put(values: Iterable[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(list(values))[order]

    time = put(curve.time for curve in curves)
    flux = put(curve.flux * one.factor + one.offset for curve, one in zip(curves, sectors, strict=True))
    numbers = put(np.full(one.n_points, one.sector, np.int32) for one in sectors)
    cadences = [curve.cadence_numbers for curve in curves]
    trends = [one.factor * known_trend(curve) for curve, one in zip(curves, sectors, strict=True)]
    methods = dict.fromkeys(one.detrended.partition(":")[0] for one in sectors if one.detrended)
    return StitchedCurve(
        time,
        flux,
        put(curve.flux_err * one.factor for curve, one in zip(curves, sectors, strict=True)),
        put(curve.quality for curve in curves),
        first.time_system,
        "" if rule == "divide" else first.flux_unit,
        cadence_numbers=None if any(each is None for each in cadences) else put(cadences),  # type: ignore[arg-type] # see
        background_subtracted=all(curve.background_subtracted for curve in curves),
        trend=put(trends) if methods else None,
        detrended=", ".join(methods),
        header=_common_header([curve.header for curve in curves]),
        sector=numbers,
        level=rule,
        sectors=sectors,
        gaps=find_gaps(time, flux, numbers, days),
        left_out=left,
        curves=curves,
    )


def _common_header(headers: Sequence[fits.Header]) -> fits.Header:
    """Cards that are the same in all headers, and the position of the first one."""
    common = fits.Header()
    for card in headers[0].cards:
        word = card.keyword
        if word in _COMMENTARY or word in common:
            continue
        if word in _FIRST or all(_is_same(other.get(word), card.value) for other in headers[1:]):
            common.append((word, card.value, card.comment))
    return common


def _is_same(one: object, other: object) -> bool:
    empty = [isinstance(value, fits.card.Undefined) for value in (one, other)]
    return all(empty) if any(empty) else one == other
