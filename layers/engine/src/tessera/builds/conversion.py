"""Convert the pixels of unusual frames (64-bit floats, integers, scaled values) to the 32-bit floats of a cube."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.frame_checks import PixelFormat
from tessera.cubes.layout import CubeLayout

_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_SMALL_INTEGERS = (8, 16)


def to_words(data: Any, form: PixelFormat) -> NDArray[np.uint32]:
    """Convert pixels of a frame to the words of a cube.

    The arithmetic is that of astropy. Values are rounded to the nearest 32-bit float, and values that are too large for
    one become infinite.

    Parameters
    ----------
    data : buffer
        Bytes of the pixels in the frame.
    form : PixelFormat
        How they are stored.

    Returns
    -------
    ndarray of uint32, shape (n_pixels,)
        Big-endian 32-bit floats, as words.
    """
    raw = np.frombuffer(data, _TYPES[form.bitpix])
    if form.plain:
        return raw.view(np.uint32)
    with np.errstate(over="ignore", invalid="ignore"):
        values: NDArray[Any] = raw
        if form[1:] != PixelFormat()[1:]:
            values = raw.astype(np.float32 if form.bitpix in (*_SMALL_INTEGERS, -32) else np.float64)
            values = values if form.scale == 1 else values * values.dtype.type(form.scale)
            values = values if form.zero == 0 else values + values.dtype.type(form.zero)
            if form.blank is not None:
                values[raw == form.blank] = np.nan
        return values.astype(">f4").view(np.uint32)


def cube_words(layout: CubeLayout, data: Any) -> NDArray[np.uint32]:
    """Convert pixels of a cube to words; see `to_words`.

    Returns
    -------
    ndarray of uint32, shape (n_pixels, n_cadences, n_planes)
    """
    words = to_words(data, PixelFormat(-8 * layout.word))
    return words.reshape(-1, layout.n_cadences, layout.n_planes)
