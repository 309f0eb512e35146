"""The light curve of a target as a FITS file."""

from __future__ import annotations

from tessera import __version__
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.work.made import BulkCurve
from tessera.cubes.reader import Cube
from tessera.errors import InvalidInputError
from tessera.lightcurves.curve_files import curve_fits
from tessera.lightcurves.light_curve import LightCurve
from tessera.sky.motion import Targets
from tessera.sky.position_text import parse_position
from tessera.tess.star import Star
from tessera.tpf.primary import primary_cards


def target_star(band: StoredBand, targets: Targets, place: int) -> Star | None:
    """What headers say about the target at a place of a band: its name, unless that is a position, and its number.

    Parameters
    ----------
    band : StoredBand
        The band.
    targets : Targets
        ``band.targets()``.
    place : int
        Place of the target.
    """
    name, tic = band.name[place].strip(), int(band.tic[place]) or None
    star = Star(name, tic) if tic or (name and not _is_position(name)) else None
    return targets.with_motion(place, star)


def _is_position(text: str) -> bool:
    try:
        return parse_position(text) is not None
    except InvalidInputError:
        return True


def curve_file(cube: Cube, band: StoredBand, targets: Targets, place: int, curve: BulkCurve) -> bytes:
    """FITS file of a light curve, like the mission's, which lightkurve and astropy read.

    Parameters
    ----------
    cube : Cube
        Cube of the band.
    band, targets, place
        See `target_star`.
    curve : BulkCurve
        The light curve.
    """
    cards = primary_cards(cube, *targets.catalogued(place), __version__, star=target_star(band, targets, place))
    return curve_fits(
        LightCurve(
            curve.time,
            curve.flux,
            curve.flux_err,
            curve.quality,
            cube.product.time_system,
            cube.product.flux_unit,
            curve.background,
            curve.cadence_number,
            curve.mask,
            background_subtracted=curve.background is not None,
            trend=curve.trend,
            detrended=curve.detrended,
        ),
        cards,
    )
