"""The pixels of a window, put together from the rows that were read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_plan import RowRead
from tessera.windows import Window


@dataclass(frozen=True)
class Cutout:
    """Pixels of a window, for every cadence.

    Parameters
    ----------
    window : Window
        May reach beyond the frame.
    planes : ndarray of big-endian float32, shape (n_planes, n_cadences, n_rows, n_columns)
        Pixels; the fill value (NaN by default) beyond the frame.
    aperture : ndarray of int32, shape (n_rows, n_columns)
        1 for pixels on the frame, 0 elsewhere.
    """

    window: Window
    planes: NDArray[np.float32]
    aperture: NDArray[np.int32]


def read_floats(layout: CubeLayout, data: Any) -> NDArray[np.float32]:
    """Pixels of a cube as big-endian 32-bit floats. 64-bit floats are rounded to the nearest one.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data : buffer
        Bytes of some pixels.
    """
    pixels = np.frombuffer(data, f">f{layout.word}")
    with np.errstate(over="ignore", invalid="ignore"):
        return pixels.astype(">f4", copy=False)


def assemble_cutout(
    layout: CubeLayout, window: Window, rows: Iterable[tuple[RowRead, Any]], fill_value: float = np.nan
) -> Cutout:
    """Assemble a cutout from the bytes that the range requests of `plan_reads` returned.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    window : Window
        Window that was planned.
    rows : iterable of (RowRead, buffer)
        Requests and their bytes, in any order.
    fill_value : float, optional
        Value of pixels beyond the frame.
    """
    overlap = window.overlap(layout.n_rows, layout.n_columns)
    shape = (layout.n_planes, layout.n_cadences, window.n_rows, window.n_columns)
    planes = np.empty(shape, dtype=">f4") if overlap.whole else np.full(shape, fill_value, dtype=">f4")
    inside, columns = overlap.inside
    for read, data in rows:
        pixels = read_floats(layout, data).reshape(read.n_rows, overlap.shape[1], layout.n_cadences, layout.n_planes)
        first = inside.start + read.first_row
        planes[:, :, first : first + read.n_rows, columns] = pixels.transpose(3, 2, 0, 1)
    aperture = np.zeros((window.n_rows, window.n_columns), dtype=np.int32)
    aperture[inside, columns] = 1
    return Cutout(window, planes, aperture)
