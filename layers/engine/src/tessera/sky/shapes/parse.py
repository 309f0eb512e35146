"""Parse the shapes that the IVOA's parameters POS, CIRCLE and POLYGON have as values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tessera.errors import InvalidInputError
from tessera.sky.shapes.circle import Circle
from tessera.sky.shapes.polygon import NotSimpleError, Polygon
from tessera.sky.shapes.shape import Shape
from tessera.sky.shapes.sky_range import Range

MOST_CORNERS = 1_000
"""Largest number of corners of a polygon."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?|nan", re.IGNORECASE | re.ASCII)
_FORMS = {
    "CIRCLE": "ra dec radius",
    "RANGE": "ra1 ra2 dec1 dec2",
    "POLYGON": "ra1 dec1 ra2 dec2 ra3 dec3 ...",
}
_RA = "ra from -360 to 720"
_DEC = "dec from -90 to 90"
_FINITE = "finite numbers in degrees; only a RANGE may have -Inf and +Inf"


class _BadShapeError(ValueError):
    """A text is no shape; the message says what is allowed."""


def parse_shape(text: str, parameter: str = "POS") -> Shape:
    """Parse the value of a parameter.

    Parameters
    ----------
    text : str
        With POS ``CIRCLE ra dec radius``, ``RANGE ra1 ra2 dec1 dec2`` or ``POLYGON ra1 dec1 ra2 dec2 ra3 dec3 ...``, in
        degrees, ICRS. The parameters CIRCLE and POLYGON have the numbers alone.

        * The names of shapes are in upper or lower case.
        * Right ascension is from -360 to 720, so that ranges and polygons may cross 0 in each way of writing it. A
          RANGE whose `ra1` is greater than its `ra2` crosses 0, as DALI 1.2 says: ``RANGE 359 1 -1 1`` is two
          degrees wide.
        * A RANGE may begin at -Inf and end at +Inf: right ascension 0 and 360, declination -90 and 90. Equal limits are
          a line or a point.
        * The corners of a POLYGON are in either order: it is the smaller of the two parts of the sky. The first
          corner may be repeated at the end.

    parameter : str, optional
        Name of the parameter, in upper or lower case. Another name than CIRCLE and POLYGON is like POS.

    Returns
    -------
    Shape
        A `Circle`, `Range` or `Polygon`.

    Raises
    ------
    InvalidInputError
        When the text is no shape. The error names the parameter, the value and what is allowed.

    References
    ----------
    IVOA: DALI 1.2 (xtypes circle, range, polygon and shape), SODA 1.0 (POS, CIRCLE, POLYGON), SIA 2.0 (POS).
    """
    try:
        name, words = _split(text, parameter)
        numbers = _read_numbers(name, words)
        if name == "RANGE":
            return _range(numbers)
        return _circle(numbers) if name == "CIRCLE" else _polygon(numbers)
    except (_BadShapeError, NotSimpleError) as error:
        raise InvalidInputError(parameter, text, str(error)) from None


def _split(text: str, parameter: str) -> tuple[str, list[str]]:
    """Name of the shape and the words after it."""
    words = text.split()
    name = parameter.upper()
    if name in ("CIRCLE", "POLYGON"):
        return name, words
    if not words or words[0].upper() not in _FORMS:
        raise _BadShapeError(", ".join(f"{shape} {form}" for shape, form in _FORMS.items()) + ", in degrees")
    return words[0].upper(), words[1:]


def _read_numbers(name: str, words: Sequence[str]) -> list[float]:
    n_words, form = len(words), _FORMS[name]
    right = n_words >= 6 and n_words % 2 == 0 if name == "POLYGON" else n_words == len(form.split())
    if not right or not all(map(_NUMBER.fullmatch, words)):
        least = ", at least three pairs" if name == "POLYGON" else ""
        raise _BadShapeError(f"the numbers {form} of a {name} in degrees, separated by blanks{least}")
    return [float(word) for word in words]


def _check_position(ra: float, dec: float) -> None:
    if not (math.isfinite(ra) and math.isfinite(dec)):
        raise _BadShapeError(_FINITE)
    if not (-360.0 <= ra <= 720.0 and -90.0 <= dec <= 90.0):
        raise _BadShapeError(f"{_RA}, {_DEC}")


def _circle(numbers: Sequence[float]) -> Circle:
    ra, dec, radius = numbers
    _check_position(ra, dec)
    if not 0.0 < radius <= 180.0:
        raise _BadShapeError("a radius greater than 0 and at most 180 degrees")
    return Circle(_turned(ra), dec + 0.0, radius)


def _turned(ra: float) -> float:
    """Right ascension, at least 0 and below 360. -1e-20 is 0."""
    return ra % 360.0 % 360.0


def _range(numbers: Sequence[float]) -> Range:
    if any(map(math.isnan, numbers)):
        raise _BadShapeError("numbers, -Inf or +Inf")
    dec1, dec2 = _closed(numbers[2:], -90.0, 90.0, "dec")
    if not -90.0 <= dec1 <= dec2 <= 90.0:
        raise _BadShapeError(f"{_DEC}, dec1 not above dec2")
    ra1, ra2 = _closed(numbers[:2], 0.0, 360.0, "ra")
    if not all(-360.0 <= ra <= 720.0 for ra in (ra1, ra2)):
        raise _BadShapeError(_RA)
    first = _turned(ra1)
    width = ra2 - ra1 if ra1 <= ra2 else (ra2 - ra1) % 360.0
    if width >= 360.0:
        return Range(0.0, 360.0, dec1 + 0.0, dec2 + 0.0)
    return Range(first, first + width, dec1 + 0.0, dec2 + 0.0)


def _closed(pair: Sequence[float], least: float, most: float, axis: str) -> tuple[float, float]:
    """Both limits, with the ends of the axis in place of -Inf and +Inf."""
    low, high = pair
    if low == math.inf or high == -math.inf:
        raise _BadShapeError(f"-Inf only as {axis}1, +Inf only as {axis}2")
    closed = least if math.isinf(low) else low, most if math.isinf(high) else high
    if (math.isinf(low) or math.isinf(high)) and not all(least <= value <= most for value in closed):
        raise _BadShapeError(f"{axis} from {least:g} to {most:g} beside -Inf or +Inf")
    return closed


def _polygon(numbers: Sequence[float]) -> Polygon:
    corners = list(zip(numbers[::2], numbers[1::2], strict=True))
    for ra, dec in corners:
        _check_position(ra, dec)
    turned = [(_turned(ra) if abs(dec) < 90.0 else 0.0, dec + 0.0) for ra, dec in corners]
    kept = [corner for corner, after in zip(turned, [*turned[1:], turned[0]], strict=True) if corner != after]
    if not 3 <= len(set(kept)) <= len(kept) <= MOST_CORNERS:
        raise _BadShapeError(f"a POLYGON with at least 3 different corners, at most {MOST_CORNERS:,}")
    if len(set(kept)) < len(kept):
        raise _BadShapeError("a POLYGON with each corner once; the first may be repeated at the end")
    polygon = Polygon(tuple(kept))
    polygon.check()
    return polygon
