"""What a target pixel file contains: pixels, times, flags, and where the target is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.errors import NoWcsError, TpfFormatError
from tessera.sky.motion import Targets
from tessera.sky.positions import sky_to_pixel
from tessera.sky.wcs import frame_wcs
from tessera.tpf.cards import SKY_COLUMN_CARDS

_J2000 = 2451545.0
"""The epoch J2000.0, Julian date."""
_FASTEST = 1e5
"""Proper motion in mas a year that no star has."""
_COLLECTED, _IN_APERTURE = 1, 2
"""Bits of the aperture of a mission file: the pixel was collected, and it is in the pipeline's aperture."""


def read_content(name: str, hdus: fits.HDUList) -> dict[str, Any]:
    """Arguments of `tessera.TargetPixels` that a target pixel file gives.

    Parameters
    ----------
    name : str
        Name of the file, for errors.
    hdus : HDUList
        The file.

    Raises
    ------
    TpfFormatError
        When the file is not a target pixel file, or is damaged.
    """
    try:
        return _read(hdus)
    except TpfFormatError as error:
        raise TpfFormatError(f"{name} is not a target pixel file: {error}") from error
    except Exception as error:
        raise TpfFormatError(f"{name} is damaged: {type(error).__name__}") from error


def _read(hdus: fits.HDUList) -> dict[str, Any]:
    if len(hdus) < 2 or not isinstance(hdus[1], fits.BinTableHDU):
        raise TpfFormatError("its second HDU is not a table")
    table = hdus[1].data
    missing = [column for column in ("TIME", "FLUX") if column not in hdus[1].columns.names]
    if missing:
        raise TpfFormatError(f"it has no column {missing[0]}")
    flux = _pixels(table, "FLUX")
    if not flux.size:
        raise TpfFormatError("it has no pixels")
    names, aperture = hdus[1].columns.names, _aperture(hdus, flux.shape[1:])
    moving = "TGT_X" in names and "TGT_Y" in names
    header, time = hdus[0].header.copy(), _column(table, "TIME", np.float64)
    wcs = None if moving else _find_wcs(hdus, aperture is not None)
    target = _centre_of_boxes(table) if moving else _target_pixel(wcs, header, _middle(time))
    if target is None or not _is_inside(target, flux.shape):  # cards of TESSCut's first files, and of single pixels
        target = wcs = None
    return {
        "flux": flux,
        "flux_err": _errors(table, flux.shape) if "FLUX_ERR" in names else None,
        "time": time,
        "quality": _column(table, "QUALITY", np.int32) if "QUALITY" in names else np.zeros(len(flux), np.int32),
        "time_system": _time_system(hdus),
        "flux_unit": hdus[1].header.get(f"TUNIT{_number(hdus, 'FLUX')}", "e-/s"),
        "cadence_numbers": _cadence_numbers(table) if "CADENCENO" in names else None,
        "known": None if aperture is None else _known(aperture, flux),
        "pipeline_mask": None if aperture is None else _pipeline_mask(aperture),
        "target_pixel": target,
        "wcs": wcs,
        "first_pixel": None if moving or wcs is None else _first_pixel(hdus),
        "background_subtracted": hdus[1].header.get("BACKAPP") in (True, 1),
        "header": header,
    }


def _number(hdus: fits.HDUList, column: str) -> int:
    return int(hdus[1].columns.names.index(column)) + 1


def _column(table: Any, name: str, kind: type[Any]) -> NDArray[Any]:
    values = np.array(table[name], kind)
    if values.shape != (len(table),):
        raise TpfFormatError(f"{name} has not one number for each cadence")
    return values


def _pixels(table: Any, name: str) -> NDArray[np.float32]:
    values = np.asarray(table[name])
    if values.ndim != 3 or values.dtype.kind not in "fiu":
        raise TpfFormatError(f"{name} has not one number for each row and column of each cadence")
    return values.astype(np.float32)


def _errors(table: Any, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    """Errors of the flux. Files of frames without errors, such as TICA's, have zeros in their place."""
    values = _pixels(table, "FLUX_ERR")
    if values.shape != shape:
        raise TpfFormatError("FLUX_ERR has another shape than FLUX")
    return values if np.any(values > 0) else None


def _time_system(hdus: fits.HDUList) -> str:
    for hdu in (hdus[1], hdus[0]):
        reference = str(hdu.header.get("TIMEREF", "")).strip().upper()
        if reference:
            return "TJD" if reference == "LOCAL" else "BTJD"
    unit = str(hdus[1].header.get(f"TUNIT{_number(hdus, 'TIME')}", ""))
    return "TJD" if unit.startswith("JD") else "BTJD"


def _aperture(hdus: fits.HDUList, shape: tuple[int, ...]) -> NDArray[np.int64] | None:
    """The third HDU, if it has the pixels of the table. That of a moving target is the path on the whole frame."""
    if len(hdus) < 3 or "TGT_X" in hdus[1].columns.names or hdus[2].data is None or hdus[2].data.shape != shape:
        return None
    return np.nan_to_num(np.asarray(hdus[2].data, np.float64)).astype(np.int64)  # TESSCut wrote floats in 2018


def _cadence_numbers(table: Any) -> NDArray[np.int32] | None:
    """Cadence numbers; None if all are 0, as in TESSCut's files."""
    numbers = _column(table, "CADENCENO", np.int32)
    return numbers if numbers.any() else None


def _known(aperture: NDArray[np.int64], flux: NDArray[np.float32]) -> NDArray[np.bool_]:
    known = (aperture & _COLLECTED) > 0
    return known if known.any() else np.asarray(~np.isnan(flux).all(axis=0))


def _pipeline_mask(aperture: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    mask = (aperture & _IN_APERTURE) > 0
    return mask if mask.any() else None


def _find_wcs(hdus: fits.HDUList, has_aperture: bool) -> WCS | None:
    """WCS of the aperture, or of the column FLUX. TESSCut's files of 2018 have a right one in the aperture only."""
    number = _number(hdus, "FLUX")
    column = {image: hdus[1].header.get(form.format(number)) for form, image, _ in SKY_COLUMN_CARDS}
    for cards in ([hdus[2].header] if has_aperture else []) + [column]:
        try:
            return frame_wcs(dict(cards))
        except NoWcsError:
            continue
    return None


def _target_pixel(wcs: WCS | None, header: fits.Header, middle: float) -> tuple[float, float] | None:
    """Row and column of the target at a time. With a proper motion, RA_OBJ and DEC_OBJ are the position at J2000.0."""
    ra, dec, pm_ra, pm_dec = (_number_of(header.get(card)) for card in ("RA_OBJ", "DEC_OBJ", "PMRA", "PMDEC"))
    if wcs is None or np.isnan(ra) or not abs(dec) <= 90:
        return None
    if np.isfinite(middle) and 0 < np.hypot(pm_ra, pm_dec) < _FASTEST:
        star = Targets.still(np.array([ra]), np.array([dec]))
        star = replace(star, pm_ra=np.array([pm_ra]), pm_dec=np.array([pm_dec]), epoch=np.array([_J2000]))
        ra, dec = (float(place[0]) for place in star.at(middle))
    return sky_to_pixel(wcs, ra, dec)


def _number_of(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and np.isfinite(value) else np.nan


def _centre_of_boxes(table: Any) -> tuple[float, float] | None:
    row, column = (float(np.nanmedian(np.asarray(table[name], np.float64))) for name in ("TGT_Y", "TGT_X"))
    return (row, column) if np.isfinite(row) and np.isfinite(column) else None


def _middle(time: NDArray[np.float64]) -> float:
    known = time[np.isfinite(time)]
    return float(known.min() + known.max()) / 2 if known.size else np.nan


def _is_inside(target: tuple[float, float], shape: tuple[int, ...]) -> bool:
    return all(-1 <= place <= size for place, size in zip(target, shape[1:], strict=True))


def _first_pixel(hdus: fits.HDUList) -> tuple[int, int] | None:
    """Row and column of the first pixel on the frame, from 0. The cards count from 1."""
    number = _number(hdus, "FLUX")
    row, column = (hdus[1].header.get(f"{axis}CRV{number}P") for axis in (2, 1))
    return (int(row) - 1, int(column) - 1) if isinstance(row, int) and isinstance(column, int) else None
