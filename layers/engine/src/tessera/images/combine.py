"""Combine the pixels and the headers of images that share a grid."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.errors import InvalidInputError

Combine: TypeAlias = Callable[[Sequence[Any]], NDArray[Any]]
"""Function that makes one image of a list of images, given as arrays."""

_DROPPED = frozenset({"S_REGION", "CHECKSUM", "DATASUM", "EXTVER"})
_TEXT = ("COMMENT", "HISTORY", "")
_SHARED = re.compile(
    r"WCSAXES|CTYPE\d|CUNIT\d|CRVAL\d|CRPIX\d|CDELT\d|CROTA\d|(?:PC|CD)\d_\d|PV\d_\d+|LONPOLE|LATPOLE|RADESYS|RADECSYS"
    r"|EQUINOX|(?:A|B|AP|BP)_(?:ORDER|DMAX|\d_\d)|CPDIS\d|D2IMDIS\d|DP\d(?:\..*)?|D2IM\d(?:\..*)?"
)
"""Cards that describe the grid. Images that are combined share a grid, even if these cards differ."""


def image_of(item: Any) -> NDArray[Any]:
    """Return the array of an HDU, or an array as it is."""
    return np.asarray(item if isinstance(item, (np.ndarray, list)) else item.data)


def build_default_combine_function(template_hdu_arr: Sequence[Any], no_data_val: float = np.nan) -> Combine:
    """Make a function that returns the mean, pixel by pixel, of the images that have data.

    Parameters
    ----------
    template_hdu_arr : sequence of ImageHDU or ndarray
        Templates: images of the same shape that define which pixels have data.
    no_data_val : float, optional
        Value of a template's pixel that has no data.

    Returns
    -------
    callable
        Function of as many images as there are templates. A pixel in which no template has data becomes `no_data_val`.
        A pixel that is NaN in all images stays NaN.

    Raises
    ------
    InvalidInputError
        When there are no images, or images of different shapes.
    """
    templates = stack_images(template_hdu_arr)
    known = ~np.isnan(templates) if np.isnan(no_data_val) else templates != no_data_val
    n_known = known.sum(axis=0)

    def combine_function(cutout_hdu_arr: Sequence[Any]) -> NDArray[Any]:
        images = stack_images(cutout_hdu_arr)
        if len(images) != len(known):
            raise InvalidInputError("cutout_hdu_arr", f"{len(images)} images", f"{len(known)}, the number of templates")
        missing = np.isnan(images)
        combined: NDArray[Any] = np.where(known & ~missing, images, 0).sum(axis=0) / np.maximum(n_known, 1)
        combined[n_known == 0] = no_data_val
        combined[missing.all(axis=0)] = np.nan
        return combined

    return combine_function


def combine_mean(images: Sequence[Any]) -> NDArray[Any]:
    """Mean, pixel by pixel, of the images that are not NaN; NaN if all are."""
    return build_default_combine_function(images)(images)


def stack_images(items: Sequence[Any]) -> NDArray[np.float64]:
    """Stack images of the same shape.

    Returns
    -------
    ndarray of float64, shape (n_images, n_rows, n_columns)
        The images.

    Raises
    ------
    InvalidInputError
        When there are no images, or images of different shapes.
    """
    arrays = [image_of(item) for item in items]
    shapes = [array.shape for array in arrays]
    if not arrays or len(set(shapes)) > 1:
        raise InvalidInputError("images", shapes, "one image or more, all of one shape")
    return np.stack([array.astype(np.float64) for array in arrays])


def combine_headers(headers: Sequence[fits.Header], constant_only: bool = False) -> fits.Header:
    """Combine several headers into one.

    Parameters
    ----------
    headers : sequence of Header
        Headers of images that share a grid.
    constant_only : bool, optional
        Whether to leave out cards that differ between the headers.

    Returns
    -------
    Header
        Cards that are equal in all headers, and the first header's cards of the grid. A card that differs (number m,
        from 01) becomes three cards for each header n (from 01) that has it: keyword ``Fn_Km``, value ``Fn_Vm`` and
        comment ``Fn_Cm``. Each line of COMMENT and HISTORY appears once.
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
