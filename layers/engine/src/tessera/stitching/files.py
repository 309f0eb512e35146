"""Stitched light curves as FITS, CSV and JSON. The library, the command line and the service write the same bytes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import astuple
from typing import Any

import numpy as np

from tessera import __version__
from tessera.fits.hdus import CardTuple
from tessera.lightcurves.csv_text import PLACES, TREND, format_csv
from tessera.lightcurves.curve_files import (
    Column,
    csv_rows,
    curve_cards,
    curve_extensions,
    header_cards,
    primary_hdu,
    table_hdu,
)
from tessera.stitching.curve import StitchedCurve, stitching_facts

_FLUX_DIGITS, _TIME_DIGITS = 9, 9
"""Significant digits of the flux, as in CSV, and decimals of the times."""
_TIMES = ("TELAPSE", "DATE-OBS", "DATE-END")
"""Cards of the times of one sector, which a file of several does not have."""
_OWN = re.compile(r"TSTART|TSTOP|NSECTORS|SECTORS|LEVEL|NGAPS|LONGGAP|NLEFTOUT|(SECT|FACTOR|OFFSET)[1-9]\d*")
"""Cards that `_cards` writes."""
SECTOR_COLUMNS = (
    *(("SECTOR", "J"), ("CAMERA", "J"), ("CCD", "J"), ("POINTS", "J"), ("START", "D"), ("STOP", "D"), ("LEVEL", "D")),
    *(("SCATTER", "D"), ("FACTOR", "D"), ("OFFSET", "D"), ("UNIT", "A"), ("PIXELS", "J"), ("CUBE", "A"), ("ROW", "D")),
    *(("COLUMN", "D"), ("EDGE", "D"), ("DETREND", "A")),
)
"""Columns of the table SECTORS, in the order of the fields of `StitchedSector`."""
GAP_COLUMNS = (("START", "D"), ("STOP", "D"), ("BEFORE", "J"), ("AFTER", "J"))
LEFT_COLUMNS = (("SECTOR", "J"), ("CAMERA", "J"), ("CCD", "J"), ("CUBE", "A"), ("REASON", "A"), ("FAILED", "J"))
_UNITS = {"START": "d", "STOP": "d", "ROW": "pixel", "COLUMN": "pixel", "EDGE": "pixel"}


def sector_name(sector: int) -> str:
    """Name of the extension with the light curve of a sector."""
    return f"S{sector:04d}"


def aperture_name(sector: int) -> str:
    """Name of the extension with the aperture of a sector."""
    return f"{sector_name(sector)}_APERTURE"


def stitched_csv(curve: StitchedCurve) -> str:
    """Format a stitched light curve as CSV: the columns of any light curve, then sector, camera and ccd."""
    places = (curve.sector, curve.places("camera"), curve.places("ccd"))
    more = zip(*(values.tolist() for values in places), strict=True)
    rows = (row + place for row, place in zip(csv_rows(curve), more, strict=True))
    return format_csv(curve.time_system, rows, PLACES if curve.trend is None else TREND + PLACES)


def stitched_json(curve: StitchedCurve) -> str:
    """Format a stitched light curve as JSON; see `StitchedCurve.to_json`."""
    facts = curve.facts
    document = {
        "target": facts.get("target"),
        "tic": facts.get("tic"),
        "ra": facts.get("ra"),
        "dec": facts.get("dec"),
        "product": facts.get("product"),
        "level": curve.level,
        "units": curve.flux_unit,
        "background_subtracted": curve.background_subtracted,
        "detrended": curve.detrended,
        **stitching_facts(curve),
        "lightcurve": {
            "time_system": curve.time_system,
            "time": [round(value, _TIME_DIGITS) for value in curve.time.tolist()],
            "flux": _rounded(curve.flux.tolist()),
            "error": _rounded(curve.flux_err.tolist()),
            "trend": None if curve.trend is None else _rounded(curve.trend.tolist()),
            "quality": curve.quality.tolist(),
            "sector": curve.sector.tolist(),
        },
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def _rounded(values: Iterable[float]) -> list[float | None]:
    return [float(f"{value:.{_FLUX_DIGITS}g}") if math.isfinite(value) else None for value in values]


def stitched_fits(curve: StitchedCurve, version: str = __version__) -> bytes:
    """A file with the stitched light curve, which lightkurve and astropy read, and with those of the sectors.

    The extensions are LIGHTCURVE (the joined one), SECTORS, GAPS and LEFTOUT, and for each sector its light curve
    (``S0001``) and its aperture (``S0001_APERTURE``). PROVENANCE is the last one, if it is known what decides the file.
    The file names the version of the software.
    """
    cards = _cards(curve)
    extensions = [
        _joined(curve, cards),
        _records_table("SECTORS", SECTOR_COLUMNS, curve.sectors),
        _records_table("GAPS", GAP_COLUMNS, curve.gaps),
        _records_table("LEFTOUT", LEFT_COLUMNS, curve.left_out),
    ]
    for one, part in zip(curve.sectors, curve.curves, strict=True):
        own = [*header_cards(part.header), *_place_cards(one.sector, one.camera, one.ccd)]
        extensions += curve_extensions(part, own, sector_name(one.sector), aperture_name(one.sector))
    content = primary_hdu(cards, len(extensions), version) + b"".join(extensions)
    return content if curve.made is None else curve.made.sealed(content)


def is_own(keyword: str) -> bool:
    """Whether a card of the primary header says something about the stitching."""
    return _OWN.fullmatch(keyword) is not None


def _place_cards(*numbers: int) -> list[CardTuple]:
    words = ("SECTOR", "CAMERA", "CCD")
    comments = ("observing sector", "camera number", "CCD chip number")
    return list(zip(words, numbers, comments, strict=True))


def _cards(curve: StitchedCurve) -> list[CardTuple]:
    """Cards of the primary header."""
    longest = max((gap.days for gap in curve.gaps), default=0.0)
    numbers = ",".join(str(one.sector) for one in curve.sectors)
    cards: list[CardTuple] = [
        card for card in header_cards(curve.header) if card[0] not in _TIMES and not is_own(card[0])
    ]
    cards += [
        ("TSTART", min(one.start for one in curve.sectors), f"[d] {curve.time_system} of the first point"),
        ("TSTOP", max(one.stop for one in curve.sectors), f"[d] {curve.time_system} of the last point"),
        ("NSECTORS", len(curve.sectors), "number of sectors; see the table SECTORS"),
        ("SECTORS", numbers, ""),
        ("LEVEL", curve.level, "how sectors are brought to one level"),
        ("NGAPS", len(curve.gaps), "number of gaps; see the table GAPS"),
        ("LONGGAP", longest, "[d] longest gap"),
        ("NLEFTOUT", len(curve.left_out), "CCDs left out; see the table LEFTOUT"),
    ]
    for number, one in enumerate(curve.sectors, 1):
        cards += [
            (f"SECT{number}", one.sector, ""),
            (f"FACTOR{number}", one.factor, f"what the flux of sector {one.sector} is multiplied by"),
            (f"OFFSET{number}", one.offset, f"what is added to the flux of sector {one.sector}"),
        ]
    return cards


def _joined(curve: StitchedCurve, cards: Iterable[CardTuple]) -> bytes:
    raw, (flux, error) = curve.sectors[0].unit, curve.measured
    columns: list[Column] = [("TIME", "D", "d", curve.time)]
    if curve.cadence_numbers is not None:
        columns.append(("CADENCENO", "J", "", curve.cadence_numbers))
    columns += [
        ("SAP_FLUX", "D", raw, flux),
        ("SAP_FLUX_ERR", "D", raw, error),
        ("QUALITY", "J", "", curve.quality),
        ("FLUX", "D", curve.flux_unit, curve.flux),
        ("FLUX_ERR", "D", curve.flux_unit, curve.flux_err),
        ("SECTOR", "J", "", curve.sector),
        ("CAMERA", "J", "", curve.places("camera")),
        ("CCD", "J", "", curve.places("ccd")),
        *([("TREND", "D", curve.flux_unit, curve.trend)] if curve.trend is not None else []),
    ]
    return table_hdu("LIGHTCURVE", columns, curve_cards(curve, {card[0]: card for card in cards}))


def _records_table(name: str, columns: Iterable[tuple[str, str]], items: tuple[Any, ...]) -> bytes:
    """A table of dataclasses, whose fields are the columns."""
    rows = [astuple(item) for item in items]
    found: list[Column] = []
    for place, (column, form) in enumerate(columns):
        values = [row[place] for row in rows]
        if form == "A":
            texts = np.array([value.encode("ascii", "replace") for value in values], "S")
            found.append((column, f"{max(1, texts.dtype.itemsize)}A", "", texts))
        else:
            found.append((column, form, _UNITS.get(column, ""), values))
    return table_hdu(name, found)
