"""The asinh scale of Pan-STARRS stacks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray


def linear_flux(pixels: NDArray[Any], header: fits.Header) -> NDArray[Any]:
    """Convert the asinh scale of Pan-STARRS stacks to linear flux, and remove BSOFTEN and BOFFSET from the header.

    These two cards describe the scale.

    Source: Waters et al. 2020, ApJS 251, 4, equation 15.
    """
    if "BSOFTEN" not in header or "BOFFSET" not in header:
        return pixels
    softening, offset = float(header["BSOFTEN"]), float(header["BOFFSET"])
    scaled = pixels.astype(np.float64) * (0.4 * math.log(10))
    linear = offset + softening * 2 * np.sinh(scaled)
    for keyword in ("BSOFTEN", "BOFFSET"):
        del header[keyword]
    text = f"BSOFTEN = {softening!r} and BOFFSET = {offset!r}"
    header.add_history(f"Pixel values converted from asinh-scaled flux to linear flux with {text}.")
    return linear.astype(pixels.dtype if pixels.dtype.kind == "f" else np.float32)
