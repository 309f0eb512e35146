"""Convert values of pixels to grey levels, with intervals and stretches of `astropy.visualization`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.checks import check_choice
from tessera.errors import InputWarning, InvalidInputError

STRETCHES = {
    "asinh": "AsinhStretch",
    "sinh": "SinhStretch",
    "sqrt": "SqrtStretch",
    "log": "LogStretch",
    "linear": "LinearStretch",
}
"""Name of a stretch to its class in `astropy.visualization`."""


def check_stretch(stretch: object) -> str:
    """Return the name of a stretch in lower case, or raise `InvalidInputError` if it is unknown."""
    message = f"Stretch {str(stretch)[:80]} is not recognized."
    return check_choice("stretch", stretch, STRETCHES, message, any_case=True)


def check_limits(
    argument: str, limits: Any, lowest: float = -math.inf, highest: float = math.inf
) -> tuple[float, float]:
    """Return a pair of limits as numbers.

    Raises
    ------
    InvalidInputError
        When `limits` is not two numbers within `lowest` and `highest`, the lower one first.
    """
    allowed = "two numbers, the lower one first" + (f", from {lowest} to {highest}" if math.isfinite(lowest) else "")
    if isinstance(limits, (str, bytes)):
        raise InvalidInputError(argument, limits, allowed)
    try:
        low, high = (float(limit) for limit in limits)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(argument, limits, allowed) from error
    if not (lowest <= low <= high <= highest):
        raise InvalidInputError(argument, limits, allowed)
    return low, high


def normalize_img(
    img_arr: NDArray[Any],
    stretch: str = "asinh",
    minmax_percent: Sequence[float] | None = None,
    minmax_value: Sequence[float] | None = None,
    invert: bool = False,
) -> NDArray[np.uint8]:
    """Convert the values of an image to grey levels.

    Parameters
    ----------
    img_arr : ndarray
        The image, of any shape: numbers or bool. Masked values count as pixels without a value, as NaN does.
    stretch : {'asinh', 'sinh', 'sqrt', 'log', 'linear'}, optional
        Function from values to levels.
    minmax_percent : (float, float), optional
        Percentiles of the values that become black and white. Values beyond these limits are clipped.
    minmax_value : (float, float), optional
        Values that become black and white; by default the smallest and the largest value.
    invert : bool, optional
        Whether bright pixels become dark. Pixels without a value are then white; otherwise they are black.

    Returns
    -------
    ndarray of uint8
        Levels from 0 to 255, in the shape of the image. An image without finite values, or with only one value, is
        black, or white with `invert`.

    Raises
    ------
    InvalidInputError
        When the image is empty or not of real numbers, the stretch is unknown or the limits are not allowed.
    """
    from astropy import visualization  # noqa: PLC0415 - it loads matplotlib if that is installed

    image = _real_numbers(img_arr)
    if minmax_value is None and np.abs(image[np.isfinite(image)]).max(initial=0.0) > np.finfo(np.float64).max / 2:
        image = image / 4  # so that the difference of its limits is finite
    scale = getattr(visualization, STRETCHES[check_stretch(stretch)])()
    if minmax_percent is not None:
        if minmax_value is not None:
            message = "Both minmax_percent and minmax_value are set, minmax_value will be ignored."
            warnings.warn(message, InputWarning, stacklevel=2)
        interval = visualization.AsymmetricPercentileInterval(*check_limits("minmax_percent", minmax_percent, 0, 100))
    elif minmax_value is not None:
        interval = visualization.ManualInterval(*check_limits("minmax_value", minmax_value))
    else:
        interval = visualization.MinMaxInterval()
    if np.isfinite(image).any():
        with np.errstate(all="ignore"):
            levels = np.nan_to_num(255 * (scale + interval)(image), nan=0).astype(np.uint8)
    else:
        levels = np.zeros(image.shape, np.uint8)
    return np.asarray(255 - levels if invert else levels, np.uint8)


def _real_numbers(img_arr: Any) -> NDArray[np.float64]:
    """Return an image as float64, in which the range of every other type fits; masked pixels are NaN."""
    try:
        image = np.ma.asarray(img_arr)
    except (TypeError, ValueError) as error:
        raise InvalidInputError("img_arr", img_arr, "an image of real numbers or bool") from error
    if image.size == 0:
        raise InvalidInputError("img_arr", img_arr, "an image with pixels", "Input image array is empty.")
    if image.dtype.kind not in "buif":
        raise InvalidInputError("img_arr", img_arr, "an image of real numbers or bool")
    return np.where(np.ma.getmaskarray(image), np.nan, np.ma.getdata(image).astype(np.float64))
