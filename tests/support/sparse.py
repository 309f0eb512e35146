"""Cubes of any size that take no disk: real headers and a real info table around pixels that are not written."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from tessera.cubes.frames import read_frame
from tessera.cubes.hdus import build_image_header, build_primary_header
from tessera.cubes.info_table import InfoTable
from tessera.cubes.layout import CubeLayout
from tessera.tess.products import SPOC
from tests.support.frames import spoc_frame, tiny_times
from tests.support.wcs import ffi_wcs_header

FULL = (2078, 2136)
LONGEST = 11_775
"""Cadences of the longest sectors."""


def sparse_cube(
    folder: Path,
    n_cadences: int = LONGEST,
    shape: tuple[int, int] = FULL,
    sector: int = 1,
    times: Callable[[int], tuple[float, float]] = tiny_times,
) -> Path:
    """Write ``tess-s0001-4-2-cube.fits``, or that of another sector, without pixels: 418 GB that take 20 MB."""
    frames = []
    for cadence in (0, n_cadences - 1):
        start, stop = times(cadence)
        pixels = np.zeros((1, 1), np.float32)
        name, data = spoc_frame(
            sector=sector,
            cadence_index=cadence,
            flux=pixels,
            error=pixels,
            wcs_cards=ffi_wcs_header(sector, 4, 2),
            tstart=start,
            tstop=stop,
        )
        frames.append(read_frame(name, SPOC, len(data), partial(_read, io.BytesIO(data))))
    path, layout = folder / f"tess-s{sector:04d}-4-2-cube.fits", CubeLayout(*shape, n_cadences, 2)
    with path.open("wb") as file:
        file.write(build_primary_header(frames, sector, "2026-11-26") + build_image_header(layout, 0))
        file.seek(layout.data_bytes + layout.padding, 1)
        file.write(_table(InfoTable.of_frames(frames), [times(cadence) for cadence in range(n_cadences)]).to_bytes())
    return path


def _read(content: io.BytesIO, start: int, length: int) -> bytes:
    content.seek(start)
    return content.read(length)


def _table(ends: InfoTable, spans: list[tuple[float, float]]) -> InfoTable:
    table = ends.take([0] * len(spans))
    columns = dict(table.columns)
    for keyword, values in zip(("TSTART", "TSTOP"), zip(*spans, strict=True), strict=True):
        columns[keyword] = replace(columns[keyword], values=tuple(values))
    return replace(table, columns=columns)
