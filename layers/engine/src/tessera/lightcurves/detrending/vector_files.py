"""Files of cotrending vectors, in the layout of the mission's: lightkurve reads them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.errors import UnreadableFileError
from tessera.fits.hdus import CardTuple, format_hdu, table_cards
from tessera.lightcurves.detrending.vectors import CotrendingVectors

VECTORS_END = "-vectors.fits"
"""End of the name of the file with cotrending vectors."""
_EXTENSION = "CBV.single-scale"
_COLUMNS = (("TIME", "D", ">f8", "d"), ("CADENCENO", "J", ">i4", ""), ("GAP", "L", "S1", ""))
_GIVEN = ("TELESCOP", "CAMERA", "CCD", "CREATOR")


def vectors_fits(
    vectors: CotrendingVectors, about: Iterable[CardTuple], camera: int, ccd: int, version: str = __version__
) -> bytes:
    """Write cotrending vectors: a primary header, and a table with a row for each cadence.

    Parameters
    ----------
    vectors : CotrendingVectors
        The vectors.
    about : iterable of cards
        Cards of the primary header about the sector and the cube.
    camera, ccd : int
        Camera and CCD, for the name of the table.
    version : str, optional
        Version of the software that the file names.
    """
    primary: list[CardTuple] = [
        ("SIMPLE", True, "conforms to FITS standard"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 0, "number of array dimensions"),
        ("EXTEND", True, ""),
        ("TELESCOP", "TESS", "telescope"),
        *(card for card in about if card[0] not in _GIVEN),
        ("CAMERA", camera, "camera"),
        ("CCD", ccd, "CCD of the camera"),
        ("CREATOR", f"tessera {version}", "software used to produce this file"),
    ]
    return format_hdu(primary) + _table(vectors, camera, ccd)


def _table(vectors: CotrendingVectors, camera: int, ccd: int) -> bytes:
    names = [f"VECTOR_{number}" for number in range(1, len(vectors.vectors) + 1)]
    columns = [*_COLUMNS, *((name, "D", ">f8", "") for name in names)]
    rows = np.empty(len(vectors.time), [(name, kind) for name, _, kind, _ in columns])
    rows["TIME"] = vectors.time
    numbers = vectors.cadence_numbers
    rows["CADENCENO"] = np.arange(len(rows)) if numbers is None else numbers
    rows["GAP"] = np.where(vectors.gap, b"T", b"F")
    for name, values in zip(names, vectors.vectors, strict=True):
        rows[name] = values
    cards: list[CardTuple] = list(table_cards(rows.dtype.itemsize, len(rows), len(columns)))
    for number, (name, form, _, unit) in enumerate(columns, 1):
        cards += [(f"TTYPE{number}", name, ""), (f"TFORM{number}", form, "")]
        cards += [(f"TUNIT{number}", unit, "")] if unit else []
    cards += [
        ("EXTNAME", f"{_EXTENSION}.{camera}.{ccd}", "name of the table"),
        ("CAMERA", camera, "camera"),
        ("CCD", ccd, "CCD of the camera"),
        ("CADCOUNT", numbers is not None, "CADENCENO has the spacecraft's numbers"),
    ]
    return format_hdu(cards, rows.tobytes())


def read_vectors(name: str, content: bytes) -> CotrendingVectors:
    """Read a file of cotrending vectors: of Tessera, or single-scale ones of the mission.

    Parameters
    ----------
    name : str
        Name of the file, for errors.
    content : bytes
        The file.

    Raises
    ------
    UnreadableFileError
        When it is no such file, or damaged.
    """
    from astropy.io import fits  # noqa: PLC0415 - slow to import

    try:
        with fits.open(io.BytesIO(content)) as hdus:
            header = dict(hdus[0].header)
            for hdu in hdus[1:]:
                if str(hdu.name).upper().startswith(_EXTENSION.upper()):
                    return _read_table(hdu, header)
    except (OSError, TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise UnreadableFileError(name, "it is not a file of cotrending vectors, or is damaged") from error
    raise UnreadableFileError(name, "it has no table of cotrending vectors")


def _read_table(hdu: Any, header: dict[str, Any]) -> CotrendingVectors:
    table, names = hdu.data, [name for name in hdu.columns.names if name.startswith("VECTOR_")]
    for keyword in ("CAMERA", "CCD"):
        header.setdefault(keyword, hdu.header[keyword])
    numbers: NDArray[np.int32] | None = None
    if hdu.header.get("CADCOUNT", True):
        numbers = np.array(table["CADENCENO"], np.int32)
    return CotrendingVectors(
        np.array(table["TIME"], np.float64),
        numbers,
        np.array(table["GAP"], np.bool_),
        np.array([table[name] for name in names], np.float64).reshape(len(names), len(table)),
        header,
    )
