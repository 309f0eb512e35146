"""Read files of stitched light curves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.errors import TpfFormatError
from tessera.lightcurves.light_curve import LightCurve
from tessera.lightcurves.made import MadeOf, record_in
from tessera.lightcurves.pixel_files.opening import TpfSource, open_tpf
from tessera.stitching.curve import LeftOut, StitchedSector
from tessera.stitching.files import GAP_COLUMNS, LEFT_COLUMNS, SECTOR_COLUMNS, aperture_name, is_own, sector_name
from tessera.stitching.levels import Gap
from tessera.stitching.made import KIND

_IN_APERTURE = 2


def read_stitched(source: TpfSource) -> dict[str, Any]:
    """Arguments of `StitchedCurve` that a file gives; see `StitchedCurve.read`."""
    name, hdus = open_tpf(source, None)
    missing = [word for word in ("LIGHTCURVE", "SECTORS", "GAPS", "LEFTOUT") if word not in hdus]
    if missing:
        raise TpfFormatError(f"{name} is not a stitched light curve: it has no extension {missing[0]}")
    try:
        return _read(hdus) | {"name": name}
    except Exception as error:
        raise TpfFormatError(f"{name} is damaged: {type(error).__name__}") from error


def _read(hdus: fits.HDUList) -> dict[str, Any]:
    record = record_in(hdus)
    sectors = tuple(StitchedSector(*row) for row in _rows(hdus["SECTORS"], SECTOR_COLUMNS))
    table = hdus["LIGHTCURVE"]
    flux_number = table.columns.names.index("FLUX") + 1
    return {
        **_points(table),
        "flux_unit": table.header.get(f"TUNIT{flux_number}", ""),
        "header": fits.Header([card for card in hdus[0].header.cards if not is_own(card.keyword)]),
        "sector": _column(table, "SECTOR", np.int32),
        "level": str(hdus[0].header["LEVEL"]),
        "detrended": str(table.header.get("DETREND", "")),
        "sectors": sectors,
        "gaps": tuple(Gap(*row) for row in _rows(hdus["GAPS"], GAP_COLUMNS)),
        "left_out": tuple(_left(row) for row in _rows(hdus["LEFTOUT"], LEFT_COLUMNS)),
        "made": None if record is None else MadeOf(KIND, tuple(record.source["cutouts"]), record.request),
        "curves": tuple(_part(hdus, one) for one in sectors),
    }


def _left(row: tuple[Any, ...]) -> LeftOut:
    left = LeftOut(*row)
    return replace(left, failed=bool(left.failed))


def _points(table: fits.BinTableHDU) -> dict[str, Any]:
    """What the joined table and those of the sectors have."""
    numbered = "CADENCENO" in table.columns.names
    return {
        "time": _column(table, "TIME", np.float64),
        "flux": _column(table, "FLUX", np.float64),
        "flux_err": _column(table, "FLUX_ERR", np.float64),
        "quality": _column(table, "QUALITY", np.int32),
        "time_system": "TJD" if table.header["TIMEREF"] == "LOCAL" else "BTJD",
        "cadence_numbers": _column(table, "CADENCENO", np.int32) if numbered else None,
        "background_subtracted": bool(table.header["BACKAPP"]),
        "trend": _column(table, "TREND", np.float64) if "TREND" in table.columns.names else None,
    }


def _part(hdus: fits.HDUList, sector: StitchedSector) -> LightCurve:
    table, aperture = hdus[sector_name(sector.sector)], aperture_name(sector.sector)
    has_background = "SAP_BKG" in table.columns.names
    return LightCurve(
        **_points(table),
        flux_unit=sector.unit,
        background=_column(table, "SAP_BKG", np.float64) if has_background else None,
        mask=(hdus[aperture].data & _IN_APERTURE) > 0 if aperture in hdus else None,
        header=table.header.copy(),
        detrended=sector.detrended,
    )


def _column(table: fits.BinTableHDU, name: str, kind: type[Any]) -> NDArray[Any]:
    return np.array(table.data[name], kind)


def _rows(table: fits.BinTableHDU, columns: Iterable[tuple[str, str]]) -> list[tuple[Any, ...]]:
    kinds = {"J": int, "D": float, "A": str}
    values = [[kinds[form](value) for value in table.data[name]] for name, form in columns]
    return list(zip(*values, strict=True))
