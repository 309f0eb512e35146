"""Arithmetic of combining images that share a grid: pixels and headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.errors import InvalidInputError

Combine: TypeAlias = Callable[[Sequence[Any]], NDArray[Any]]
"""Makes one image of several, which come as arrays."""

_DROPPED = frozenset({"S_REGION", "CHECKSUM", "DATASUM", "EXTVER"})
_TEXT = ("COMMENT", "HISTORY", "")
_SHARED = re.compile(
    r"WCSAXES|CTYPE\d|CUNIT\d|CRVAL\d|CRPIX\d|CDELT\d|CROTA\d|(?:PC|CD)\d_\d|PV\d_\d+|LONPOLE|LATPOLE|RADESYS|RADECSYS"
    r"|EQUINOX|(?:A|B|AP|BP)_(?:ORDER|DMAX|\d_\d)|CPDIS\d|D2IMDIS\d|DP\d(?:\..*)?|D2IM\d(?:\..*)?"
)
"""Cards of the grid: images that are combined share it, however each of them says it."""


def image_of(item: Any) -> NDArray[Any]:
    """The array of an HDU, or an array as it is."""
    return np.asarray(item if isinstance(item, (np.ndarray, list)) else item.data)


def build_default_combine_function(template_hdu_arr: Sequence[Any], no_data_val: float = np.nan) -> Combine:
    """Make a function that gives the mean of the images that have data, pixel by pixel.

    Parameters
    ----------
    template_hdu_arr : sequence of ImageHDU or ndarray
        Images of one shape that tell which pixels have data.
    no_data_val : float, optional
        Value of a pixel without.

    Returns
    -------
    callable
        It takes as many images as there are templates. A pixel where no template has data is `no_data_val`, and one
        where all images are NaN is NaN.

    Raises
    ------
    InvalidInputError
        For no images, or images of different shapes.
    """
    templates = stack_images(template_hdu_arr)
    known = ~np.isnan(templates) if np.isnan(no_data_val) else templates != no_data_val
    n_known = known.sum(axis=0)

    def combine_function(cutout_hdu_arr: Sequence[Any]) -> NDArray[Any]:
        images = stack_images(cutout_hdu_arr)
        if len(images) != len(known):
            raise InvalidInputError("cutout_hdu_arr", f"{len(images)} images", f"{len(known)}, as many as templates")
        missing = np.isnan(images)
        combined: NDArray[Any] = np.where(known & ~missing, images, 0).sum(axis=0) / np.maximum(n_known, 1)
        combined[n_known == 0] = no_data_val
        combined[missing.all(axis=0)] = np.nan
        return combined

    return combine_function


def combine_mean(images: Sequence[Any]) -> NDArray[Any]:
    """The mean of the images that have data, pixel by pixel; NaN where none has."""
    return build_default_combine_function(images)(images)


def stack_images(items: Sequence[Any]) -> NDArray[np.float64]:
    """Images of one shape as an array, (images, rows, columns).

    Raises
    ------
    InvalidInputError
        For no images, or images of different shapes.
    """
    arrays = [image_of(item) for item in items]
    shapes = [array.shape for array in arrays]
    if not arrays or len(set(shapes)) > 1:
        raise InvalidInputError("images", shapes, "one image or more, all of one shape")
    return np.stack([array.astype(np.float64) for array in arrays])


def combine_headers(headers: Sequence[fits.Header], constant_only: bool = False) -> fits.Header:
    """Make one header of several.

    Parameters
    ----------
    headers : sequence of Header
        Of images on one grid.
    constant_only : bool, optional
        Leave out what varies.

    Returns
    -------
    Header
        Cards that are equal in all, and those of the first header that tell the grid. Of a card that varies, for each
        header (n, from 01 on) that has it: ``Fn_Km`` the keyword, ``Fn_Vm`` the value, ``Fn_Cm`` the comment. Every
        line of COMMENT and HISTORY once.
    """
    if len(headers) == 1:
        return headers[0].copy()
    combined, varying = fits.Header(), []
    for keyword in dict.fromkeys(keyword for header in headers for keyword in header):
        if keyword in _DROPPED or keyword in _TEXT:
            continue
        having = [header for header in headers if keyword in header]
        same = len(having) == len(headers) and all(_equal(header[keyword], headers[0][keyword]) for header in headers)
        if same or (keyword in headers[0] and _SHARED.fullmatch(keyword)):
            combined.append(headers[0].cards[keyword], end=True)
        elif not constant_only and not _SHARED.fullmatch(keyword):
            varying.append(keyword)
    combined.extend(_varying_cards(headers, varying))
    for keyword in ("COMMENT", "HISTORY"):
        for line in dict.fromkeys(line for header in headers for line in header.get(keyword, [])):
            combined.add_comment(line) if keyword == "COMMENT" else combined.add_history(line)
    return combined


def _varying_cards(headers: Sequence[fits.Header], keywords: Sequence[str]) -> list[tuple[str, Any, str]]:
    cards = []
    for number, keyword in enumerate(keywords, 1):
        for place, header in enumerate(headers, 1):
            if keyword in header:
                names = [f"F{place:02}_{letter}{number:02}" for letter in "KVC"]
                values = (keyword, header[keyword], header.comments[keyword])
                cards += list(zip(names, values, ("Keyword", "Value", "Comment"), strict=True))
    return cards


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other or (one != one and other != other))  # noqa: PLR0124 - NaN
