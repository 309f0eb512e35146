"""Parses parameters of Zcut and Hapcut, in the spellings of MAST's clients."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import get_args

from tessera_cloud.application.images.order import Form, ImageLook, ImageRequest, Pair, Stretch
from tessera_cloud.errors import UsageError
from tessera_cloud.http.framework.allowed import PLAIN
from tessera_cloud.http.tesscut.parameters import one_value, parse_position

Parameters = Mapping[str, Sequence[str]]
_FORMS: dict[str, Form] = {"fits": "fits", "jpg": "jpg", "jpeg": "jpg", "png": "png"}
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")
_WORD = re.compile(r"[^\[\](),\s]+")


def _one(parameters: Parameters, name: str) -> str:
    return (one_value(parameters, name) or "").strip()


def _pair(parameters: Parameters, name: str) -> Pair | None:
    """Two numbers: ``[0.5, 99.5]``, ``0.5,99.5``, or given twice."""
    words = _WORD.findall(" ".join(parameters.get(name, ())))
    if not words:
        return None
    if len(words) != 2 or not all(map(PLAIN.fullmatch, words)):
        raise UsageError.about(name, " ".join(words), "two numbers, such as 0.5,99.5")
    low, high = map(float, words)
    if not low < high or abs(low) + abs(high) == float("inf"):
        raise UsageError.about(name, " ".join(words), "two numbers, the first less than the second")
    return low, high


def _look(parameters: Parameters) -> ImageLook:
    stretch = _one(parameters, "stretch").lower() or "asinh"
    found: dict[str, Stretch] = {name: name for name in get_args(Stretch)}
    if stretch not in found:
        raise UsageError.about("stretch", stretch, ", ".join(found))
    invert = _one(parameters, "invert").lower()
    if invert not in (*_TRUE, *_FALSE):
        raise UsageError.about("invert", invert, "true, false")
    percent = _pair(parameters, "minmax_percent")
    if percent and not (percent[0] >= 0 and percent[1] <= 100):
        raise UsageError.about("minmax_percent", f"{percent[0]:g},{percent[1]:g}", "from 0 to 100")
    values = _pair(parameters, "minmax_value")
    if percent and values:
        allowed = "one of minmax_percent and minmax_value"
        message = f"minmax_percent and minmax_value are given; allowed: {allowed}"
        raise UsageError(message, parameter="minmax_value", allowed=allowed)
    return ImageLook(stretch=found[stretch], percent=percent, values=values, invert=invert in _TRUE)


def parse_image_request(parameters: Parameters) -> ImageRequest:
    """Parse the parameters of ``astrocut`` of either protocol.

    Raises
    ------
    UsageError
        If a parameter is wrong. The message names it, its value and what is allowed.
    """
    place = parse_position({name: parameters[name] for name in ("ra", "dec", "x", "y", "units") if name in parameters})
    given = _one(parameters, "format").lower() or "fits"
    if given not in _FORMS:
        raise UsageError.about("format", given, ", ".join(_FORMS))
    return ImageRequest(
        ra=place.ra,
        dec=place.dec,
        rows=place.size.rows,
        columns=place.size.columns,
        unit=place.size.unit,
        form=_FORMS[given],
        look=_look(parameters),
    )


def parse_surveys(parameters: Parameters) -> frozenset[str]:
    """Surveys that a request names; an empty set for all."""
    words = [word.strip() for text in parameters.get("survey", ()) for word in text.split(",")]
    return frozenset(word for word in words if word)
