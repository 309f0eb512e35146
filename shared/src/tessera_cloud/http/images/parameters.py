"""Parses parameters of cutouts of images in our own API, and checks them against the dataset."""

from __future__ import annotations

import re
from typing import Literal

from tessera_cloud.application.images.datasets import Dataset
from tessera_cloud.application.images.order import ImageLook, ImageRequest, Pair
from tessera_cloud.errors import UsageError
from tessera_cloud.http.images.models import ImageCutoutQuery

_DEGREES = {"d": 1.0, "m": 1 / 60, "s": 1 / 3600}
MOST_DEGREES, MOST_SIDE = 58.0, 10_000
_SIZE = re.compile(r"([\d.]+)(?:,([\d.]+))?(px|d|m|s)?")


def _size(text: str) -> tuple[float, float, Literal["px", "d"]]:
    """Rows, columns and unit of a text."""
    match = _SIZE.fullmatch(text)
    assert match is not None
    unit = match[3] or "px"
    rows, columns = (float(each) * _DEGREES.get(unit, 1.0) for each in (match[1], match[2] or match[1]))
    most = MOST_SIDE if unit == "px" else MOST_DEGREES
    if not (0 < rows <= most and 0 < columns <= most):
        raise UsageError.about("size", text, f"more than 0, at most {MOST_SIDE:,} pixels or {MOST_DEGREES:g} degrees")
    return rows, columns, "px" if unit == "px" else "d"


def _pair(name: str, text: str | None) -> Pair | None:
    if text is None:
        return None
    low, high = map(float, text.split(","))
    if not low < high or (name == "percent" and not (low >= 0 and high <= 100)):
        limits = " from 0 to 100" if name == "percent" else ""
        raise UsageError.about(name, text, f"two numbers{limits}, the first less than the second")
    return low, high


def _bands(query: ImageCutoutQuery, dataset: Dataset) -> tuple[str, ...]:
    bands = tuple(query.bands.split(",")) if query.bands else ()
    known = list(dataset.bands)
    if len(set(bands)) < len(bands) or not set(bands) <= set(known):
        allowed = f"{', '.join(known)}, each once" if known else "nothing, because the dataset has no bands"
        raise UsageError.about("bands", query.bands, allowed)
    return bands


def to_image_request(query: ImageCutoutQuery, dataset: Dataset) -> ImageRequest:
    """Convert a query to a request for cutouts of a dataset.

    Raises
    ------
    UsageError
        If a parameter is wrong. The message names it, its value and what is allowed.
    """
    rows, columns, unit = _size(query.size)
    if query.format == "asdf" and dataset.kind != "asdf":
        raise UsageError.about("format", query.format, "fits, png, jpg, because the dataset has FITS files")
    percent, values = _pair("percent", query.percent), _pair("values", query.values)
    return ImageRequest(
        ra=query.ra % 360.0,
        dec=query.dec,
        rows=rows,
        columns=columns,
        unit=unit,
        form=query.format,
        full=query.full,
        combine=bool(query.combine),
        bands=_bands(query, dataset),
        look=ImageLook(stretch=query.stretch, percent=percent, values=values, invert=query.invert),
    )
