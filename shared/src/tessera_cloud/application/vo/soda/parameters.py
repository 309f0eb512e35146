"""Reads the parameters of SODA 1.0: which files, and what of them.

The values of parameters have the forms of DALI. Each combination of an ID, a shape, a time and a band is one result.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, TypeAlias, TypeVar

from tessera.errors import InvalidInputError
from tessera.sky.shapes.parse import parse_shape
from tessera_cloud.application.vo.identifiers import ALLOWED
from tessera_cloud.contracts import Asked
from tessera_cloud.errors import MultiValuedError, TooLargeError, UsageError

Interval: TypeAlias = tuple[float, float]
Form: TypeAlias = Literal["", "fits", "zip"]

MOST_RESULTS = 10
"""Largest number of results of a request."""
SHAPES = ("CIRCLE", "POLYGON", "POS")
"""Parameters that are shapes."""
MEDIA: Mapping[str, tuple[Form, str]] = {
    "application/fits": ("fits", "application/fits"),
    "image/fits": ("fits", "image/fits"),
    "fits": ("fits", "application/fits"),
    "application/zip": ("zip", "application/zip"),
    "zip": ("zip", "application/zip"),
}
"""Values of RESPONSEFORMAT, each with the kind of file and the media type of the answer."""
_FORMATS = "application/fits (for one file), application/zip"
_STOKES = ("I", "Q", "U", "V", "RR", "LL", "RL", "LR", "XX", "YY", "XY", "YX", "POLI", "POLA")
"""Polarization states of ObsCore 1.1."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE | re.ASCII)
_Value = TypeVar("_Value")


class SodaShape(Asked):
    """A shape on the sky.

    Parameters
    ----------
    parameter : str
        Parameter that gave it: CIRCLE, POLYGON or POS.
    text : str
        The shape as `tessera.sky.shapes.parse.parse_shape` reads it as POS.
    """

    parameter: str
    text: str


class SodaRequest(Asked):
    """A request, as its parameters say.

    Parameters
    ----------
    ids : tuple of str
        Identifiers, as the client wrote them.
    shapes : tuple of SodaShape
        Shapes, each for results of its own; at least one.
    times : tuple of (float, float)
        Intervals of time, MJD in UTC; -inf and inf where they are open. Empty for all times.
    bands : tuple of (float, float)
        Intervals of wavelength in metres, in the same form. Empty for all.
    polarizations : tuple of str
        Polarization states, as one filter. Empty for all.
    form : {'', 'fits', 'zip'}
        Kind of the answer; empty for what fits the number of files.
    media : str
        Media type of the answer; empty for that of its kind.
    run : str
        RUNID of the client; it changes nothing.
    """

    ids: tuple[str, ...]
    shapes: tuple[SodaShape, ...]
    times: tuple[Interval, ...] = ()
    bands: tuple[Interval, ...] = ()
    polarizations: tuple[str, ...] = ()
    form: Form = ""
    media: str = ""
    run: str = ""


def parse_soda(parameters: Mapping[str, Sequence[str]]) -> SodaRequest:
    """Parse the parameters of a request.

    Parameters
    ----------
    parameters : mapping
        Name in lower case to all values. Unknown names are ignored, and blank values count as none.

    Raises
    ------
    UsageError
        If a parameter is wrong or missing. The message names it, its value and what is allowed.
    MultiValuedError
        If a parameter that may be given once is given several times.
    TooLargeError
        If there is no shape, or more than `MOST_RESULTS` results.

    References
    ----------
    IVOA: SODA 1.0, section 3; DALI 1.2, sections 3 and 4.
    """
    given = {name: [value.strip() for value in values if value.strip()] for name, values in parameters.items()}
    ids = _each(given.get("id", ()), str)
    if not ids:
        raise UsageError.about("ID", None, ALLOWED)
    _check_results(given)
    shapes = tuple(shape for name in SHAPES for shape in _each(given.get(name.lower(), ()), partial(_shape, name)))
    if not shapes:
        message = (
            "CIRCLE, POLYGON and POS are missing, and a whole file is too large; "
            "allowed: at least one of them. /datalink/links?ID= has the addresses of whole files"
        )
        raise TooLargeError(message, parameter="CIRCLE", allowed="at least one of CIRCLE, POLYGON and POS")
    form, media = _format(_once(given, "RESPONSEFORMAT"))
    return SodaRequest(
        ids=ids,
        shapes=shapes,
        times=_each(given.get("time", ()), lambda text: _interval("TIME", text, "MJD (UTC)")),
        bands=_each(given.get("band", ()), lambda text: _interval("BAND", text, "wavelengths in metres")),
        polarizations=_each(given.get("pol", ()), _polarization),
        form=form,
        media=media,
        run=_once(given, "RUNID"),
    )


def _check_results(given: Mapping[str, Sequence[str]]) -> None:
    """Refuse too many combinations of different texts, before the texts are parsed."""
    n_shapes = sum(len(set(given.get(name.lower(), ()))) for name in SHAPES)
    n_results = math.prod(
        max(1, n) for n in (n_shapes, *(len(set(given.get(name, ()))) for name in ("id", "time", "band")))
    )
    if n_results > MOST_RESULTS:
        value, allowed = f"{n_results:,} combinations", f"at most {MOST_RESULTS} in one request"
        message = f"ID, shapes, TIME and BAND have {value}; allowed: {allowed}"
        raise TooLargeError(message, parameter="ID", value=value, allowed=allowed)


def _each(texts: Sequence[str], parse: Callable[[str], _Value]) -> tuple[_Value, ...]:
    """Different values, in their order."""
    return tuple(dict.fromkeys(parse(text) for text in texts))


def _once(given: Mapping[str, Sequence[str]], name: str) -> str:
    """Value of a parameter that may be given once."""
    values = given.get(name.lower(), ())
    if len(values) > 1:
        message = f"{name} is given {len(values)} times; allowed: once"
        raise MultiValuedError(message, parameter=name, value=", ".join(values), allowed="once")
    return values[0] if values else ""


def _shape(parameter: str, text: str) -> SodaShape:
    try:
        return SodaShape(parameter=parameter, text=str(parse_shape(text, parameter)))
    except InvalidInputError as error:
        raise UsageError(str(error), parameter=parameter, value=text, allowed=error.allowed) from error


def _interval(parameter: str, text: str, unit: str) -> Interval:
    """Both ends of an interval; one number is an interval of length 0."""
    words = text.split()
    if 1 <= len(words) <= 2 and all(map(_NUMBER.fullmatch, words)):
        first, last = float(words[0]), float(words[-1])
        if first <= last and first < math.inf and last > -math.inf:
            return first + 0.0, last + 0.0
    allowed = f"two numbers, {unit}, the first not above the second; -Inf and +Inf for open ends"
    raise UsageError.about(parameter, text, allowed)


def _polarization(text: str) -> str:
    if text.upper() not in _STOKES:
        raise UsageError.about("POL", text, ", ".join(_STOKES))
    return text.upper()


def _format(text: str) -> tuple[Form, str]:
    if not text:
        return "", ""
    known = MEDIA.get(text.partition(";")[0].strip().lower())
    if known is None:
        raise UsageError.about("RESPONSEFORMAT", text, _FORMATS)
    return known
