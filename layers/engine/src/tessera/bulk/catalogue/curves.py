"""Light curves from the rows of a catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.bulk.products.tables import FACTS_KEY
from tessera.errors import InvalidInputError, UnreadableFileError
from tessera.lightcurves.light_curve import LightCurve
from tessera.lightcurves.photometry import good_cadences, parse_aperture
from tessera.tpf.primary import object_text

_CARDS = (
    ("RA_OBJ", "ra", "[deg] right ascension"),
    ("DEC_OBJ", "dec", "[deg] declination"),
    ("SECTOR", "sector", "Observing sector"),
    ("CAMERA", "camera", "Camera number"),
    ("CCD", "ccd", "CCD chip number"),
)
_OF_TARGET = ("OBJECT", "TICID", "RA_OBJ", "DEC_OBJ", "FFI_TYPE")


def curve_of(table: Any, at: int, key_values: Mapping[str, str], name: str) -> LightCurve:
    """Light curve of a row.

    Parameters
    ----------
    table : arro3.core.Table
        Rows of the catalogue, with all columns.
    at : int
        Number of the row in the table.
    key_values : mapping
        Metadata of the file.
    name : str
        Name of the file, for errors.

    Raises
    ------
    UnreadableFileError
        When the file is not of a catalogue by Tessera.
    """
    try:
        facts = json.loads(key_values[FACTS_KEY])
        row = {column: table[column].combine_chunks()[at] for column in table.column_names}
        background = _list(row["background"], np.float64) if "background" in row else None
        numbers = _list(row["cadence_number"], np.int32)
        known = background is not None and bool(np.isfinite(background).any())
        return LightCurve(
            _list(row["time"], np.float64),
            _list(row["flux"], np.float64),
            _list(row["flux_err"], np.float64),
            _list(row["quality"], np.int32),
            facts["time_system"],
            facts["flux_unit"],
            background if known else None,
            numbers if (numbers >= 0).any() else None,
            parse_aperture(row["aperture"].as_py(), row["n_rows"].as_py(), row["n_columns"].as_py()),
            background_subtracted=known,
            header=_header(row, facts["product"]),
            name=name,
            trend=_list(row["trend"], np.float64) if "trend" in row else None,
            detrended=row["detrended"].as_py() if "detrended" in row else "",
        )
    except (LookupError, TypeError, ValueError) as error:
        raise UnreadableFileError(name, f"it is not of a catalogue by tessera ({error})") from error


def _list(value: Any, kind: type[Any]) -> NDArray[Any]:
    return np.array(value.as_py(), kind)


def _header(row: Mapping[str, Any], product: str) -> fits.Header:
    tic = row["tic"].as_py()
    header = fits.Header()
    header["OBJECT"] = (object_text(row["target"].as_py()), "string version of target id")
    if tic:
        header["TICID"] = (tic, "unique tess target identifier")
    for keyword, column, comment in _CARDS:
        header[keyword] = (row[column].as_py(), comment)
    header["FFI_TYPE"] = (product, "the FFI type used to make the cutouts")
    return header


def stitch(curves: Sequence[LightCurve]) -> LightCurve:
    """Join light curves of sectors in order of time, each divided by the median of its good cadences.

    Parameters
    ----------
    curves : sequence of LightCurve
        At least one.

    Raises
    ------
    InvalidInputError
        When a light curve has no median above 0.
    """
    ordered = sorted(curves, key=_begin)
    factors = [_median(curve) for curve in ordered]
    numbers = [curve.cadence_numbers for curve in ordered]
    known = [each for each in numbers if each is not None]
    first = ordered[0]
    return LightCurve(
        np.concatenate([curve.time for curve in ordered]),
        np.concatenate([curve.flux / factor for curve, factor in zip(ordered, factors, strict=True)]),
        np.concatenate([curve.flux_err / factor for curve, factor in zip(ordered, factors, strict=True)]),
        np.concatenate([curve.quality for curve in ordered]),
        first.time_system,
        "",
        cadence_numbers=np.concatenate(known) if len(known) == len(numbers) else None,
        background_subtracted=all(curve.background_subtracted for curve in ordered),
        header=fits.Header([card for card in first.header.cards if card.keyword in _OF_TARGET]),
    )


def _begin(curve: LightCurve) -> float:
    finite = curve.time[np.isfinite(curve.time)]
    return float(finite.min()) if finite.size else np.inf


def _median(curve: LightCurve) -> float:
    flux = curve.flux[good_cadences(curve.quality)]
    flux = flux[np.isfinite(flux)]
    median = float(np.median(flux)) if flux.size else np.nan
    if not median > 0:
        sector = curve.facts.get("sector")
        allowed = f"sectors whose flux has a median above 0; that of sector {sector} is {median:g}"
        raise InvalidInputError("stitched", True, f"{allowed}; name the other sectors")
    return median
