"""Write light curves: CSV, ECSV, FITS and PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from astropy.io import fits

from tessera import __version__
from tessera.errors import InvalidInputError, KeptFileError
from tessera.extras import import_extra
from tessera.fits.hdus import CardTuple, format_hdu, image_cards, table_cards
from tessera.io.files import write_pieces
from tessera.io.outputs import check_output
from tessera.lightcurves.csv_text import PLACES, TREND, csv_header, format_csv
from tessera.lightcurves.made import KIND
from tessera.lightcurves.photometry import Mask
from tessera.tpf.cards import (
    BARYCENTRIC_TIME_CARDS,
    COLUMN_COMMENTS,
    DISPLAY,
    OBJECT_COMMENT,
    SPACECRAFT_TIME_CARDS,
    WIDE_QUALITY,
)

if TYPE_CHECKING:
    from tessera.lightcurves.light_curve import LightCurve

CurveType = TypeVar("CurveType", bound="LightCurve")
Column: TypeAlias = tuple[str, str, str, Any]
"""Name, format, unit and values of a column."""
CREATOR = "tessera LightCurve"
"""Value of CREATOR. lightkurve takes a file for a light curve of TESS if the value contains this second word."""
_CHECKED_BYTES = 5760
"""The beginning of a file that says what it is."""
_DEFAULTS: tuple[CardTuple, ...] = (
    ("ORIGIN", "tessera", "institution responsible for creating this file"),
    ("TELESCOP", "TESS", "telescope"),
    ("OBJECT", "", OBJECT_COMMENT),
)
"""Cards of files whose target pixel file does not have them."""
_REPEATED = ("OBJECT", "RA_OBJ", "DEC_OBJ", "SECTOR", "CAMERA", "CCD")
"""Cards that the table repeats."""
_TYPES = {"D": ">f8", "J": ">i4"}
_DISPLAYS = {"D": "E14.7", "J": "I10"}
_STRUCTURE = ("SIMPLE", "BITPIX", "NAXIS", "EXTEND", "NEXTEND", "EXTNAME", "EXTVER", "CHECKSUM", "DATASUM")
_IN_APERTURE = 2
"""Bit of a pixel in the aperture, as in the mission's light curves."""


def check_curve_path(path: object, argument: str = "path") -> Path:
    """Refuse the path of a light curve before the work, if it cannot be written or something else would be lost.

    Parameters
    ----------
    path : str or Path
        Path to write. The end of the name says the format.
    argument : str, optional
        Name of the caller's argument, for the error.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    InvalidInputError
        When the name has another end, or the path cannot be written.
    KeptFileError
        When the path has something else than a light curve of Tessera in the same format.
    MissingPackageError
        When the format is PNG and matplotlib is not installed.
    """
    checked = check_output(argument, path)
    suffix = checked.suffix.lower()
    if suffix not in _FORMATS:
        raise InvalidInputError(argument, str(path), f"a name that ends with {', '.join(_FORMATS)}")
    if suffix == ".png":
        import_extra("matplotlib.figure", "plots")
    if checked.exists() and checked.stat().st_size > 0:
        with checked.open("rb") as file:
            start = file.read(_CHECKED_BYTES)
        if not _OURS[suffix](start):
            raise KeptFileError(
                f"{checked} is kept, because it is not a light curve by tessera; move it away, or choose another name"
            )
    return checked


def write_curve(
    curve: CurveType, path: object, makers: Mapping[str, Callable[[CurveType], bytes]] | None = None
) -> Path:
    """Write a light curve; see `tessera.LightCurve.write`.

    Parameters
    ----------
    curve : LightCurve
        The light curve.
    path : str or Path
        Path to write.
    makers : mapping, optional
        Ends of names, and what makes the content of such a file in place of what makes it of any light curve.
    """
    checked = check_curve_path(path)
    suffix = checked.suffix.lower()
    content = makers[suffix](curve) if makers and suffix in makers else _FORMATS[suffix](curve)
    checked.parent.mkdir(parents=True, exist_ok=True)
    return write_pieces(checked, [content])


def curve_csv(curve: LightCurve) -> str:
    """Format a light curve as CSV, with nine digits of the flux. Unknown values are empty."""
    return format_csv(curve.time_system, csv_rows(curve), () if curve.trend is None else TREND)


def csv_rows(curve: LightCurve) -> Iterator[tuple[object, ...]]:
    """Time, flux, error, quality, and the trend if one was removed, of each point as CSV has them."""
    columns: list[Any] = [curve.time, curve.flux, curve.flux_err, curve.quality]
    columns += [] if curve.trend is None else [curve.trend]
    for time, flux, error, quality, *trend in zip(*(column.tolist() for column in columns), strict=True):
        yield f"{time:.9f}", _digits(flux), _digits(error), quality, *map(_digits, trend)


def _digits(value: float) -> str | None:
    return f"{value:.9g}" if math.isfinite(value) else None


def _csv(curve: LightCurve) -> bytes:
    return curve_csv(curve).encode()


def curve_ecsv(curve: LightCurve, version: str = __version__) -> bytes:
    """The table of a light curve as ECSV, without a record. It names the version that made it."""
    text = io.StringIO()
    table = curve.to_table()
    table.meta["creator"] = f"{CREATOR} {version}"
    table.write(text, format="ascii.ecsv")
    return text.getvalue().encode()


def _sealed_ecsv(curve: LightCurve) -> bytes:
    made = curve.made
    content = curve_ecsv(curve)
    return content if made is None or made.kind != KIND else made.sealed_table(content)


def _png(curve: LightCurve) -> bytes:
    from tessera.lightcurves.plots import curve_picture  # noqa: PLC0415 - matplotlib is an extra

    return curve_picture(curve)


def curve_fits(curve: LightCurve, about: Iterable[CardTuple] | None = None, version: str = __version__) -> bytes:
    """A file like the mission's light curves, which lightkurve and astropy read, with its record if one is known.

    Parameters
    ----------
    curve : LightCurve
        The light curve.
    about : iterable of cards, optional
        Cards about the target and the observation; by default those of the light curve's header.
    version : str, optional
        Version of the software that the file names.
    """
    cards = header_cards(curve.header) if about is None else _with_values(about)
    extensions = curve_extensions(curve, cards)
    content = primary_hdu(cards, len(extensions), version) + b"".join(extensions)
    return content if curve.made is None else curve.made.sealed(content)


def header_cards(header: fits.Header) -> list[CardTuple]:
    """Cards of a target pixel file's primary header that a light curve repeats."""
    return _with_values((card.keyword, card.value, card.comment) for card in header.cards)


def _with_values(cards: Iterable[CardTuple]) -> list[CardTuple]:
    return [card for card in cards if card[0] not in _STRUCTURE and not _is_empty(card[1])]


def curve_extensions(
    curve: LightCurve, cards: Iterable[CardTuple], table: str = "LIGHTCURVE", aperture: str = "APERTURE"
) -> list[bytes]:
    """The table of a light curve, and its aperture if it is known.

    Parameters
    ----------
    curve : LightCurve
        The light curve.
    cards : iterable of cards
        Cards about the target and the observation.
    table, aperture : str, optional
        Names of the extensions.
    """
    found = [_table(curve, {card[0]: card for card in cards}, table)]
    return found if curve.mask is None else [*found, _aperture(curve.mask, aperture)]


def _is_empty(value: object) -> bool:
    """Whether a card of the target pixel file has no value."""
    return value is None or isinstance(value, fits.card.Undefined)


def primary_hdu(cards: Iterable[CardTuple], n_extensions: int, version: str = __version__) -> bytes:
    """Primary HDU of a file of light curves, by which lightkurve knows it, and the version that made the file."""
    given = [card for card in cards if card[0] not in ("CREATOR", "PROCVER")]
    known = {keyword for keyword, _, _ in given}
    return format_hdu(
        [
            ("SIMPLE", True, "conforms to FITS standard"),
            ("BITPIX", 8, "array data type"),
            ("NAXIS", 0, "number of array dimensions"),
            ("EXTEND", True, ""),
            ("NEXTEND", n_extensions, "number of standard extensions"),
            *given,
            *(card for card in _DEFAULTS if card[0] not in known),
            ("CREATOR", CREATOR, "software used to produce this file"),
            ("PROCVER", version, "software version"),
        ]
    )


def _table(curve: LightCurve, about: Mapping[str, CardTuple], name: str) -> bytes:
    unit = curve.flux_unit
    columns: list[Column] = [("TIME", "D", "d", curve.time)]
    if curve.cadence_numbers is not None:
        columns.append(("CADENCENO", "J", "", curve.cadence_numbers))
    columns += [
        ("SAP_FLUX", "D", unit, curve.flux if curve.trend is None else curve.flux + curve.trend),
        ("SAP_FLUX_ERR", "D", unit, curve.flux_err),
        *([("SAP_BKG", "D", unit, curve.background)] if curve.background is not None else []),
        ("QUALITY", "J", "", curve.quality),
        ("FLUX", "D", unit, curve.flux),  # lightkurve looks for PDCSAP_FLUX, unless it finds FLUX
        ("FLUX_ERR", "D", unit, curve.flux_err),
        *([("TREND", "D", unit, curve.trend)] if curve.trend is not None else []),
    ]
    return table_hdu(name, columns, curve_cards(curve, about))


def curve_cards(curve: LightCurve, about: Mapping[str, CardTuple]) -> list[CardTuple]:
    """Cards of the table of a light curve: its times, its target, and its background."""
    return [
        *(BARYCENTRIC_TIME_CARDS if curve.time_system == "BTJD" else SPACECRAFT_TIME_CARDS),
        *(about[keyword] for keyword in _REPEATED if keyword in about),
        ("BACKAPP", curve.background_subtracted, "background is subtracted"),
        *([("DETREND", curve.detrended, "TREND: taken from FLUX")] if curve.detrended else []),
    ]


def table_hdu(name: str, columns: Sequence[Column], cards: Iterable[CardTuple] = ()) -> bytes:
    """A binary table.

    Parameters
    ----------
    name : str
        Name of the extension.
    columns : sequence of (name, format, unit, values)
        The columns; a format is ``D``, ``J``, or a length and ``A``.
    cards : iterable of cards, optional
        Cards after the name.
    """
    rows = np.empty(len(columns[0][3]), [(name, _type_of(form)) for name, form, _, _ in columns])
    for column, _, _, values in columns:
        rows[column] = values
    return format_hdu(
        [
            *table_cards(rows.dtype.itemsize, len(rows), len(columns)),
            *(card for number, column in enumerate(columns, 1) for card in _column_cards(number, *column)),
            ("EXTNAME", name, "extension name"),
            ("EXTVER", 1, "extension value"),
            *cards,
        ],
        rows.tobytes(),
    )


def _type_of(form: str) -> str:
    return f"S{form[:-1]}" if form.endswith("A") else _TYPES[form]


def _column_cards(number: int, name: str, form: str, unit: str, values: Any) -> list[CardTuple]:
    display = "" if form.endswith("A") else DISPLAY.get(name, _DISPLAYS[form])
    if name == "QUALITY" and np.max(values, initial=0) >= 1 << 16:
        display = WIDE_QUALITY
    cards = {"TTYPE": name, "TFORM": form, "TUNIT": unit, "TDISP": display}
    return [(f"{keyword}{number}", value, COLUMN_COMMENTS[keyword]) for keyword, value in cards.items() if value]


def _aperture(mask: Mask, name: str) -> bytes:
    cards = [*image_cards(32, mask.shape), ("EXTNAME", name, "extension name")]
    return format_hdu(cards, np.where(mask, _IN_APERTURE, 0).astype(">i4").tobytes())


def electron_unit(unit: str) -> str:
    """Unit of the flux as FITS and astropy write it: ``electron/s`` for ``e-/s``."""
    return unit.replace("e-", "electron")


_FORMATS: dict[str, Callable[[LightCurve], bytes]] = {
    ".csv": _csv,
    ".ecsv": _sealed_ecsv,
    ".fits": curve_fits,
    ".png": _png,
}
"""End of the name, and what makes the content."""
_HEADERS = tuple(
    f"{csv_header(system, more)}\n".encode()
    for system in ("BTJD", "TJD")
    for more in ((), PLACES, TREND, TREND + PLACES)
)
_OURS: dict[str, Callable[[bytes], bool]] = {
    ".csv": lambda start: start.startswith(_HEADERS),
    ".ecsv": lambda start: start.startswith(b"# %ECSV") and CREATOR.encode() in start,
    ".fits": lambda start: start.startswith(b"SIMPLE") and f"CREATOR = '{CREATOR}".encode() in start,
    ".png": lambda start: start.startswith(b"\x89PNG") and CREATOR.encode() in start,
}
"""End of the name, and whether the beginning of a file is that of a light curve of Tessera."""
FORMATS = tuple(_FORMATS)
"""Ends of names that `LightCurve.write` knows."""
