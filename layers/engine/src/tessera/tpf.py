"""Target pixel files in the layout of the live TESSCut service (docs/formats.md).

The column WCS cards, which lightkurve and eleanor need and which astrocut 1.x lost, are there; FFI_FILE has its full
length; WCS_MSEP and WCS_SIG are true. Nothing else differs but CREATOR and PROCVER.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.io import fits

from tessera.cutout import Cube, Cutout
from tessera.errors import CubeFormatError
from tessera.fits_write import CardTuple, format_hdu, table_cards
from tessera.skymap import LinearWcs, fit_linear_wcs, frame_wcs
from tessera.tpf_cards import (
    APERTURE_CARDS,
    COLUMN_COMMENTS,
    IMAGE_KEYWORDS,
    OBJECT_CARDS,
    PHYSICAL_COLUMN_CARDS,
    PRIMARY_COMMENTS,
    RESERVED_KEYWORDS,
    SKY_COLUMN_CARDS,
    TIME_CARDS,
    WILDCARD_DELETIONS,
)


def tpf_name(cube: Cube, ra: float, dec: float, cutout: Cutout) -> str:
    """File name as the service gives it: columns x rows of the window; clients search their caches for it."""
    window = cutout.window
    return f"{cube.obs_id}_{ra:.6f}_{dec:.6f}_{window.n_columns}x{window.n_rows}_astrocut.fits"


def _primary_header(cube: Cube, ra: float, dec: float, version: str) -> fits.Header:
    header = fits.Header.fromstring(cube.primary.text)
    for keyword in ("CHECKSUM", "DATASUM", *WILDCARD_DELETIONS):
        for found in [key for key in header if key == keyword or (keyword[-1] == "*" and key.startswith(keyword[:-1]))]:
            del header[found]
    header["CREATOR"] = ("tessera", "software used to produce this file")
    header["PROCVER"] = (version, "software version")
    header["FFI_TYPE"] = ("SPOC", "the FFI type used to make the cutouts")
    header["RA_OBJ"] = (ra, "[deg] right ascension")
    header["DEC_OBJ"] = (dec, "[deg] declination")
    for keyword, value, comment in TIME_CARDS:
        header[keyword] = (value, comment)
    for keyword, comment in PRIMARY_COMMENTS.items():
        if keyword in header:
            header.comments[keyword] = comment
    start, stop = header.get("TSTART"), header.get("TSTOP")
    if not (isinstance(start, (int, float)) and isinstance(stop, (int, float))):
        raise CubeFormatError(f"{cube.name}: TSTART, TSTOP of the primary header are {start!r}, {stop!r}")
    header["TELAPSE"] = (stop - start, "[d] TSTOP - TSTART")
    for keyword, value, comment in OBJECT_CARDS:
        header[keyword] = (value, comment)
    return header


def _columns(cube: Cube, cutout: Cutout) -> list[tuple[str, str, str, Any]]:
    """Name, TFORM, TUNIT and values of every column; a scalar stands for a constant column."""
    n = cutout.window.n_rows * cutout.window.n_columns
    flux, error = cutout.planes[0], cutout.planes[-1]
    files = cube.column("FFI_FILE").astype("S")
    return [
        ("TIME", "D", "BJD - 2457000, days", (cube.column("TSTART") + cube.column("TSTOP")) / 2),
        ("TIMECORR", "E", "d", cube.column("BARYCORR")),
        ("CADENCENO", "J", "", 0),
        ("RAW_CNTS", f"{n}J", "count", -1),
        ("FLUX", f"{n}E", "e-/s", flux),
        ("FLUX_ERR", f"{n}E", "e-/s", error),
        ("FLUX_BKG", f"{n}E", "e-/s", 0),
        ("FLUX_BKG_ERR", f"{n}E", "e-/s", 0),
        ("QUALITY", "J", "", cube.column("DQUALITY")),
        ("POS_CORR1", "E", "pixel", 0),
        ("POS_CORR2", "E", "pixel", 0),
        ("FFI_FILE", f"{files.dtype.itemsize}A", "pixel", files),
    ]


_DISPLAY = {
    "TIME": "D14.7",
    "TIMECORR": "E14.7",
    "CADENCENO": "I10",
    "RAW_CNTS": "I8",
    "QUALITY": "B16.16",
    "POS_CORR1": "E14.7",
    "POS_CORR2": "E14.7",
} | dict.fromkeys(("FLUX", "FLUX_ERR", "FLUX_BKG", "FLUX_BKG_ERR"), "E14.7")
_PIXEL_COLUMNS = ("RAW_CNTS", "FLUX", "FLUX_ERR", "FLUX_BKG", "FLUX_BKG_ERR")
_DTYPES = {"D": ">f8", "E": ">f4", "J": ">i4"}


def _column_cards(number: int, name: str, form: str, unit: str, cutout: Cutout) -> list[CardTuple]:
    cards: list[tuple[str, Any]] = [("TTYPE", name), ("TFORM", form)]
    if unit:
        cards.append(("TUNIT", unit))
    if name == "RAW_CNTS":
        cards.append(("TNULL", -1))
    if name in _DISPLAY:
        cards.append(("TDISP", _DISPLAY[name]))
    if name in _PIXEL_COLUMNS:
        cards.append(("TDIM", f"({cutout.window.n_columns}, {cutout.window.n_rows})"))
    return [(f"{keyword}{number}", value, COLUMN_COMMENTS[keyword]) for keyword, value in cards]


def _column_wcs_cards(number: int, linear: fits.Header, cutout: Cutout) -> list[CardTuple]:
    sky: list[CardTuple] = [(form.format(number), linear[source], text) for form, source, text in SKY_COLUMN_CARDS]
    corner = {"column": cutout.window.first_column + 1, "row": cutout.window.first_row + 1}
    return sky + [
        (form.format(number), corner[value] if value in ("column", "row") else value, text)
        for form, value, text in PHYSICAL_COLUMN_CARDS
    ]


def _pixel_data(columns: list[tuple[str, str, str, Any]], cutout: Cutout) -> bytes:
    window = cutout.window
    shape = (window.n_rows, window.n_columns)
    fields: list[Any] = []
    for name, form, _, _ in columns:
        if form.endswith("A"):
            fields.append((name, f"S{form[:-1]}"))
        else:
            fields.append((name, _DTYPES[form[-1]], shape if name in _PIXEL_COLUMNS else ()))
    table = np.empty(cutout.planes.shape[1], dtype=fields)
    for name, _, _, values in columns:
        table[name] = values
    return table.tobytes()


def _hdu(cards: list[CardTuple], primary: fits.Header, data: bytes) -> bytes:
    """An extension that inherits the primary header's cards."""
    known = {keyword for keyword, _, _ in cards}
    inherited = [
        (card.keyword, card.value, card.comment)
        for card in primary.cards
        if card.keyword not in known and card.keyword not in RESERVED_KEYWORDS
    ]
    return format_hdu([*cards, *inherited], data)


def _pixels_hdu(cube: Cube, cutout: Cutout, linear: fits.Header, primary: fits.Header) -> bytes:
    columns = _columns(cube, cutout)
    data = _pixel_data(columns, cutout)
    cards = table_cards(len(data) // cube.layout.n_cadences, cube.layout.n_cadences, len(columns))
    for number, (name, form, unit, _) in enumerate(columns, 1):
        cards += _column_cards(number, name, form, unit, cutout)
        if name in _PIXEL_COLUMNS:
            cards += _column_wcs_cards(number, linear, cutout)
    cards += [("EXTNAME", "PIXELS", ""), ("INHERIT", True, "")]
    frame = cube.cards(cube.wcs_cadence())
    cards += [(keyword, frame.get(keyword), comment) for keyword, comment in IMAGE_KEYWORDS]
    cards.append(("WCS_FFI", frame["FFI_FILE"], "FFI used for cutout WCS"))
    return _hdu(cards, primary, data)


def _aperture_hdu(cutout: Cutout, linear: LinearWcs, linear_header: fits.Header, primary: fits.Header) -> bytes:
    cards: list[CardTuple] = [
        ("XTENSION", "IMAGE", "Image extension"),
        ("BITPIX", 32, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", cutout.window.n_columns, ""),
        ("NAXIS2", cutout.window.n_rows, ""),
        ("PCOUNT", 0, "number of parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("EXTNAME", "APERTURE", ""),
        *((card.keyword, card.value, card.comment) for card in linear_header.cards),
        *APERTURE_CARDS,
        ("WCS_MSEP", linear.max_separation, "[deg] Max offset between cutout WCS and FFI WCS"),
        ("WCS_SIG", linear.sigma, "[deg] Error measurement of cutout WCS fit"),
        ("INHERIT", True, ""),
    ]
    return _hdu(cards, primary, cutout.aperture.astype(">i4").tobytes())


def build_tpf(cube: Cube, cutout: Cutout, ra: float, dec: float, version: str) -> bytes:
    """Build a target pixel file.

    Parameters
    ----------
    cube : Cube
        Where the cutout comes from.
    cutout : Cutout
        Its pixels.
    ra, dec : float
        Target, ICRS degrees.
    version : str
        Version of this software, for PROCVER.

    Returns
    -------
    bytes
        A FITS file with the HDUs PRIMARY, PIXELS and APERTURE, each with checksums.
    """
    wcs = frame_wcs(cube.cards(cube.wcs_cadence()))
    linear = fit_linear_wcs(wcs, cutout.window)
    linear_header = linear.wcs.to_header()
    primary = _primary_header(cube, ra, dec, version)
    pixels = _pixels_hdu(cube, cutout, linear_header, primary)
    aperture = _aperture_hdu(cutout, linear, linear_header, primary)
    return format_hdu(primary) + pixels + aperture
