"""Apertures that users name or give."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.checks import did_you_mean
from tessera.errors import InvalidInputError, InvalidValueError
from tessera.lightcurves.photometry import Mask, PixelSeries, median_frame, parse_aperture, threshold_aperture

if TYPE_CHECKING:
    from tessera.cubes.window_pixels import Cutout

MaskChoice: TypeAlias = "str | Sequence[Sequence[int]] | NDArray[Any]"
"""One of `WORDS`, hexadecimal digits, or an array."""
WORDS = ("default", "threshold", "pipeline", "all")
_DIGITS = re.compile(r"[0-9a-fA-F]+")


def choose_mask(
    mask: object,
    series: PixelSeries,
    quality: NDArray[np.integer[Any]],
    target: tuple[float, float],
    pipeline: Mask | None,
) -> Mask:
    """Return the aperture that a user named or gave.

    Parameters
    ----------
    mask : str or array
        See `tessera.TargetPixels.to_lightcurve`.
    series : PixelSeries
        Pixels of the target.
    quality : ndarray of int, shape (n_cadences,)
        Quality bits.
    target : (float, float)
        Row and column of the target in the pixels.
    pipeline : ndarray of bool, shape (n_rows, n_columns), or None
        Aperture of the mission's pipeline.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_columns)
        True for pixels in the aperture.

    Raises
    ------
    InvalidInputError
        When `mask` is not an aperture of these pixels.
    """
    n_rows, n_columns = series.known.shape
    if not isinstance(mask, str):
        return _given(mask, series)
    if mask not in WORDS and _DIGITS.fullmatch(mask):
        try:
            return parse_aperture(mask, n_rows, n_columns, "mask")
        except InvalidValueError as error:
            raise InvalidInputError("mask", mask, error.allowed) from error
    word = _check_word(mask, "mask")
    if word == "all":
        return np.ones((n_rows, n_columns), np.bool_)
    if word == "pipeline" and pipeline is None:
        allowed = "default, threshold, all, or an array; the file has no aperture of the mission's pipeline"
        raise InvalidInputError("mask", mask, allowed)
    if word != "threshold" and pipeline is not None:
        return pipeline
    row, column = (math.floor(place + 0.5) for place in target)
    return threshold_aperture(median_frame(series, quality), row, column)


def cutout_mask(mask: str, cutout: Cutout, quality: NDArray[np.integer[Any]], target: tuple[float, float]) -> Mask:
    """Return the aperture that a text names in a cutout. That takes little memory, however many cadences there are.

    Parameters
    ----------
    mask : str
        ``default`` or ``threshold``, ``all``, or hexadecimal digits.
    cutout : Cutout
        Pixels of all cadences.
    quality : ndarray of int, shape (n_cadences,)
        Quality bits of all cadences.
    target : (float, float)
        Row and column of the target on the frame; the centre of the first pixel is 0.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_columns)
        True for pixels in the aperture.

    Raises
    ------
    InvalidValueError
        When the digits are not an aperture of these pixels.
    """
    window = cutout.window
    if mask not in WORDS:
        return parse_aperture(mask, *window.shape)
    if mask == "all":
        return np.ones(window.shape, np.bool_)
    flux, known = cutout.planes[0], cutout.aperture > 0
    lines = (np.ascontiguousarray(flux[:, row].T, np.float32)[np.newaxis] for row in range(window.n_rows))
    medians = [median_frame(PixelSeries(line, None, known[:1]), quality)[0] for line in lines]
    row, column = (math.floor(place + 0.5) for place in target)
    return threshold_aperture(np.stack(medians), row - window.first_row, column - window.first_column)


def check_mask_text(mask: str, argument: str) -> None:
    """Refuse a text that is neither the name of an aperture nor hexadecimal digits, before the work.

    Raises
    ------
    InvalidInputError
        When it is neither.
    """
    if not _DIGITS.fullmatch(mask):
        _check_word(mask, argument)


def _check_word(mask: str, argument: str) -> str:
    if mask not in WORDS:
        allowed = f"{', '.join(map(repr, WORDS))}, or hexadecimal digits{did_you_mean(mask, WORDS)}"
        raise InvalidInputError(argument, mask, allowed)
    return mask


def _given(mask: object, series: PixelSeries) -> Mask:
    n_rows, n_columns = series.known.shape
    allowed = f"{', '.join(WORDS)}, hexadecimal digits, or {n_rows} x {n_columns} pixels that are True or False"
    try:
        array = np.asarray(mask)
    except ValueError as error:  # rows of different lengths
        raise InvalidInputError("mask", mask, allowed) from error
    if array.shape != series.known.shape or not np.isin(array, (0, 1)).all():
        raise InvalidInputError("mask", mask, allowed)
    chosen = array.astype(np.bool_)
    if not (chosen & series.known).any():
        raise InvalidInputError("mask", mask, "an array with at least one pixel on the frame")
    return chosen
