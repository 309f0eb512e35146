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

CATALOGUE_BYTES = 44
"""Bytes of a cadence of a light curve in the catalogue, before compression."""
CURVE_BYTES, CURVE_HEADERS = 64, 14_400
"""Bytes of a cadence, and of everything else, of a light curve as a FITS file."""
FULL_BYTES, SLIM_BYTES, TPF_HEADERS = (20, 66), (8, 66), 40_320
"""Bytes of a cadence of a target pixel file, for each pixel and once; and of everything else."""


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
    if "parquet" in options.outputs:
        sizes["parquet"] = np.full(len(areas), float(n * CATALOGUE_BYTES))
    if "lightcurves" in options.outputs:
        sizes["lightcurves"] = np.full(len(areas), float(n * CURVE_BYTES + CURVE_HEADERS))
    if "tpf" in options.outputs:
        pixel, row = FULL_BYTES if options.layout == "full" else SLIM_BYTES
        sizes["tpf"] = np.asarray(n * (pixel * areas + row) + TPF_HEADERS, np.float64)
    return sizes


def make_seconds(layout: CubeLayout, areas: Ints, options: BulkOptions, rates: WorkRates) -> Floats:
    """Time of a task for making the results of each target from pixels that were read; see `result_bytes`."""
    pixels = areas * float(layout.pixel_bytes)
    curves = bool({"parquet", "lightcurves"} & set(options.outputs))
    return np.asarray(
        rates.target + pixels / rates.curve * curves + pixels / rates.file * ("tpf" in options.outputs), np.float64
    )


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


def hats_order(healpix_29: Ints, n_bytes: int, most_bytes: float = 1e9, largest: int = 12) -> int:
    """Order of HEALPix at which no partition of a catalogue is too large.

    Parameters
    ----------
    healpix_29 : ndarray of int64, shape (n_curves,)
        Pixel of order 29 of each light curve, in the nested scheme.
    n_bytes : int
        Size of all light curves.
    most_bytes : float, optional
        Largest size of a partition.
    largest : int, optional
        Largest order.

    Returns
    -------
    int
        The smallest such order; `largest` if there is none.
    """
    if not len(healpix_29):
        return 0
    most = math.floor(most_bytes / max(n_bytes / len(healpix_29), 1.0))
    for order in range(largest):
        if int(np.unique(healpix_29 >> 2 * (29 - order), return_counts=True)[1].max()) <= most:
            return order
    return largest
