"""How large the results of targets are, and how long a task works on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.costs import WorkRates
from tessera.bulk.plan.runs import Windows, find_runs
from tessera.bulk.plan.sightings import Floats, Ints, SightCube, Sightings
from tessera.cubes.layout import CubeLayout

CATALOGUE_BYTES, CATALOGUE_ROW = 26, 600
"""Bytes of a cadence, and of everything else, of a light curve in the catalogue, where it is compressed."""
RAW_BYTES, FILE_BYTES = 60, 64_000_000
"""Bytes of a cadence in the catalogue before compression, of which a file has so many."""
TREND_BYTES = 8
"""Bytes of a cadence more in a light curve that is detrended."""
_PARTITIONS = 3
"""Partitions of the catalogue in which the targets of a band are, usually at most."""
CURVE_BYTES, CURVE_HEADERS = 52, 25_760
"""Bytes of a cadence, and of everything else, of a light curve as a FITS file."""
FULL_BYTES, SLIM_BYTES, TPF_HEADERS = (20, 66), (8, 66), 40_320
"""Bytes of a cadence of a target pixel file, for each pixel and once; and of everything else."""
PACKED = {"lightcurves": 0.45, "full": 0.38, "slim": 0.87}
"""Size of files in an archive, where they are compressed, as a share of their size."""


def result_bytes(layout: CubeLayout, areas: Ints, options: BulkOptions) -> dict[str, Floats]:
    """Bytes of the results of each target, by product.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    areas : ndarray of int, shape (n_targets,)
        Pixels of each window.
    options : BulkOptions
        What is made.
    """
    n, sizes = layout.n_cadences, dict[str, Floats]()
    trend = 0 if options.detrend == "none" else TREND_BYTES
    share = PACKED if options.packing == "zip" else dict.fromkeys(PACKED, 1.0)
    if "parquet" in options.outputs:
        sizes["parquet"] = np.full(len(areas), float(n * (CATALOGUE_BYTES + trend) + CATALOGUE_ROW))
    if "lightcurves" in options.outputs:
        sizes["lightcurves"] = np.full(len(areas), (n * (CURVE_BYTES + trend) + CURVE_HEADERS) * share["lightcurves"])
    if "tpf" in options.outputs:
        pixel, row = FULL_BYTES if options.layout == "full" else SLIM_BYTES
        sizes["tpf"] = np.asarray((n * (pixel * areas + row) + TPF_HEADERS) * share[options.layout], np.float64)
    return sizes


def make_seconds(layout: CubeLayout, areas: Ints, options: BulkOptions, rates: WorkRates) -> Floats:
    """Time of a task for making the results of each target from pixels that were read; see `result_bytes`."""
    pixels, seconds = areas * float(layout.pixel_bytes), np.full(len(areas), rates.target)
    if {"parquet", "lightcurves"} & set(options.outputs):
        seconds += pixels / rates.curve + _detrend_seconds(layout.n_cadences, options, rates)
    if "tpf" in options.outputs:
        seconds += pixels / rates.file + rates.file_target + (pixels / rates.pack if options.packing == "zip" else 0.0)
    return seconds


def _detrend_seconds(n_cadences: int, options: BulkOptions, rates: WorkRates) -> float:
    return {"none": 0.0, "pld": rates.pld * n_cadences**2, "cbv": rates.cbv * n_cadences}[options.detrend]


def write_seconds(layout: CubeLayout, areas: Ints, options: BulkOptions, rates: WorkRates) -> Floats:
    """Time of a task for writing the results of each target; see `result_bytes`."""
    return np.asarray(
        sum(result_bytes(layout, areas, options).values(), np.zeros(len(areas))) / rates.write, np.float64
    )


def largest_window(sightings: Sightings, cubes: Sequence[SightCube]) -> int:
    """Bytes of the pixels of the largest window."""
    pixel_bytes = np.array([cube.layout.pixel_bytes for cube in cubes], np.int64)
    areas = sightings.n_rows.astype(np.int64) * sightings.n_columns
    return int((areas * pixel_bytes[sightings.cube]).max(initial=0)) if len(cubes) else 0


def union_bytes(sightings: Sightings, cubes: Sequence[SightCube]) -> int:
    """Bytes of all pixels of the windows, each counted once."""
    limits, total = np.searchsorted(sightings.cube, np.arange(len(cubes) + 1)), 0
    for number in np.unique(sightings.cube).tolist():
        layout = cubes[number].layout
        windows = Windows.of(sightings, np.arange(limits[number], limits[number + 1]), layout)
        total += find_runs(windows, layout).n_pixels * layout.pixel_bytes
    return total


def hats_order(healpix_29: Ints, sizes: Floats, most_bytes: float = 1e9, largest: int = 12) -> int:
    """Order of HEALPix at which no partition of a catalogue is too large.

    Parameters
    ----------
    healpix_29 : ndarray of int64, shape (n_curves,)
        Pixel of order 29 of each light curve, in the nested scheme.
    sizes : ndarray of float64, shape (n_curves,)
        Bytes of each light curve.
    most_bytes : float, optional
        Largest size of a partition.
    largest : int, optional
        Largest order.

    Returns
    -------
    int
        The smallest such order; `largest` if there is none.
    """
    for order in range(largest):
        pixels = np.unique(healpix_29 >> 2 * (29 - order), return_inverse=True)[1]
        if np.bincount(pixels, sizes).max(initial=0.0) <= most_bytes:
            return order
    return largest


def catalogue_files(n_cadences: int, n_curves: int) -> int:
    """Number of files of a band in the catalogue, if its targets are in few partitions."""
    return max(_PARTITIONS, math.ceil(n_cadences * n_curves * RAW_BYTES / FILE_BYTES))
