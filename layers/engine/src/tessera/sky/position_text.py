"""Parse positions that people write: degrees, sexagesimal angles, units, labels and names of frames.

These texts are one position: ``88.95 -75.39``, ``88.95, -75.39``, ``05:55:48 -75:23:28``, ``05 55 48 -75 23 28``,
``5h55m48s -75d23m28s``, ``J055548.4-752328``, ``RA=88.95 Dec=-75.39``, ``5.93h -75.39d`` and
``galactic 287.6 -29.8``. Right ascension is in hours if it is sexagesimal without a unit; everything else without a
unit is in degrees.
"""

from __future__ import annotations

import math
import re
import unicodedata

from tessera.errors import InvalidInputError

POSITIONS = "a position such as '88.95 -75.39' (degrees), '05:55:48.4 -75:23:28' or '5h55m48.4s -75d23m28s'"
"""What is allowed, for errors."""
_SKY = "a longitude from -360 to 360 degrees and a latitude from -90 to 90 degrees"
_SEXAGESIMAL_LIMITS = "hours from 0 to 24 or degrees, then whole minutes and seconds, both below 60"
_ONE_UNIT = f"both angles in degrees, or both sexagesimal, or units: {POSITIONS}"

_SAME = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u2032\u2018\u2019", "'")
    | dict.fromkeys("\u2033\u201c\u201d", '"')
    | dict.fromkeys("\u00ba\u02da", "\u00b0")
)
"""Signs that look like others and mean the same."""
_FRAMES = {
    "icrs": "",
    "j2000": "",
    "j2000.0": "",
    "fk5": "fk5",
    "fk4": "fk4",
    "b1950": "fk4",
    "b1950.0": "fk4",
    "galactic": "galactic",
    "gal": "galactic",
    "supergalactic": "supergalactic",
    "ecliptic": "barycentricmeanecliptic",
    "ecl": "barycentricmeanecliptic",
    "barycentricmeanecliptic": "barycentricmeanecliptic",
    "barycentrictrueecliptic": "barycentrictrueecliptic",
}
"""Words for frames, each with astropy's name; empty for ICRS."""
_FRAME = "|".join(sorted(map(re.escape, _FRAMES), key=len, reverse=True))
_BEFORE = re.compile(rf"\(?({_FRAME})\)?(?:\s*[:,]\s*|\s+)(?=[^\s])", re.IGNORECASE)
_AFTER = re.compile(rf"[\s,]+\(?({_FRAME})\)?", re.IGNORECASE)
_LONGITUDES = r"r\.?a\.?|alpha|glon|lon|lambda|l"
_LATITUDES = r"declination|decl\.?|dec\.?|de|delta|glat|lat|beta|b"
_LABELLED = re.compile(
    rf"(?P<first>{_LONGITUDES}|{_LATITUDES})(?![a-z])\s*[=:]?\s*(?P<one>.+?)[\s,;]*"
    rf"(?<![a-z])(?P<second>{_LONGITUDES}|{_LATITUDES})(?![a-z])\s*[=:]?\s*(?P<two>.+)",
    re.IGNORECASE,
)
_LATITUDE = re.compile(_LATITUDES, re.IGNORECASE)
_IMPLIED = {"l": "galactic", "b": "galactic", "glon": "galactic", "glat": "galactic"}
"""Labels that only one frame has."""

_FLAGS = re.IGNORECASE | re.ASCII
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_HOURS = r"hourangles?|hours?|hrs?|h"
_DEGREES = r"degrees?|deg|d|°"
_MINUTES = r"arcminutes?|arcmin|minutes?|mins?|m|'"
_SECONDS = r"arcseconds?|arcsec|seconds?|secs?|s|\"|''"
_PLAIN = re.compile(
    rf"(?P<number>[+-]?\s*{_NUMBER}(?:e[+-]?\d+)?)\s*(?P<unit>{_HOURS}|{_DEGREES}|radians?|rad)?", _FLAGS
)
_PARTS = re.compile(
    rf"(?P<sign>[+-]?)\s*(?P<whole>\d+)(?P<unit>\s*(?:{_HOURS}|{_DEGREES})\s*|\s*:\s*|\s+)"
    rf"(?P<minutes>{_NUMBER})(?:\s*(?:{_MINUTES}|:)\s*|\s+|$|(?=(?:{_HOURS}|{_DEGREES})$))"
    rf"(?:(?P<seconds>{_NUMBER})\s*(?:{_SECONDS})?)?\s*(?P<end>{_HOURS}|{_DEGREES})?",
    _FLAGS,
)
_COMPACT = re.compile(r"j?(\d{2})(\d{2})(\d{2}(?:\.\d*)?)\s*([+-]\d{2})(\d{2})(\d{2}(?:\.\d*)?)", _FLAGS)
_JOINED = re.compile(rf"(?<=[\d.])\s+(?=(?:{_HOURS}|{_DEGREES}|{_MINUTES}|{_SECONDS}|radians?|rad)(?![a-z]))", _FLAGS)
_STARTS = re.compile(rf"{_NUMBER}(?:{_HOURS}|{_DEGREES})(?![a-z])", _FLAGS)
_SIGN = re.compile(r"(?<!^)(?<!\de)[+-]", _FLAGS)
"""A sign inside a text, but not that of an exponent."""


def parse_position(text: str, argument: str = "position") -> tuple[float, float] | None:
    """Parse a position.

    Parameters
    ----------
    text : str
        Text that a user wrote.
    argument : str, optional
        Name of the caller's argument, for the error.

    Returns
    -------
    (float, float) or None
        Right ascension from 0 to 360 and declination, ICRS degrees. None if the text is not a position, for example
        because it is a name.

    Raises
    ------
    InvalidInputError
        When the text is a position that is not on the sky, or that can be read in two ways.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text.translate(_SAME)).split()).strip("()[]{} ,;")
    try:
        return _parse(plain)
    except _NoPositionError as error:
        raise InvalidInputError(argument, text, str(error)) from None


class _NoPositionError(ValueError):
    """A text has two angles, but they are no position; the message says what is allowed."""


def _parse(plain: str) -> tuple[float, float] | None:
    frame, plain = _take_frame(plain)
    if match := _COMPACT.fullmatch(plain):
        pieces = match.groups()
        pair: tuple[str, str] | None = (":".join(pieces[:3]), ":".join(pieces[3:]))
    elif match := _LABELLED.fullmatch(plain):
        pair = _labelled(match)
        frame = _IMPLIED.get(match["first"].lower()) if frame is None else frame
    else:
        pair = _split(plain)
    if pair is None:
        return None
    lon, lat = (_angle(piece) for piece in pair)
    if lon is None or lat is None:
        return None
    if lon[1] == "" and lat[1] == "sexagesimal":
        raise _NoPositionError(_ONE_UNIT)
    return _to_icrs(frame or "", _longitude(frame or "", *lon), _latitude(*lat))


def _take_frame(text: str) -> tuple[str | None, str]:
    """The frame that a text names, or None, and the text without its name."""
    if (match := _BEFORE.match(text)) and not text[match.end() :].lower().startswith(tuple(_FRAMES)):
        return _FRAMES[match[1].lower()], text[match.end() :].strip("()[]{} ,;")
    for match in _AFTER.finditer(text):
        if match.end() == len(text):
            return _FRAMES[match[1].lower()], text[: match.start()].strip("()[]{} ,;")
    return None, text


def _labelled(match: re.Match[str]) -> tuple[str, str] | None:
    """Longitude and latitude of a text with labels, in this order; None if both have the same label."""
    latitudes = [bool(_LATITUDE.fullmatch(match[name])) for name in ("first", "second")]
    pair = match["one"].strip(), match["two"].strip()
    return pair if latitudes == [False, True] else pair[::-1] if latitudes == [True, False] else None


def _split(text: str) -> tuple[str, str] | None:
    """Split a text into two angles: at a comma or semicolon, at a sign, at a second unit, or in the middle."""
    for separator in ";,":
        if text.count(separator) == 1:
            one, _, two = text.partition(separator)
            return one.strip(), two.strip()
    joined = _JOINED.sub("", text)
    signs = [match.start() for match in _SIGN.finditer(joined)]
    starts = [match.start() for match in _STARTS.finditer(joined)]
    if len(signs) == 1:
        return joined[: signs[0]].strip(), joined[signs[0] :].strip()
    if not signs and len(starts) == 2 and not joined[: starts[0]].strip("+-"):
        return joined[: starts[1]].strip(), joined[starts[1] :].strip()
    words = joined.split()
    half = len(words) // 2
    if signs or len(words) not in (2, 4, 6):
        return None
    return " ".join(words[:half]), " ".join(words[half:])


def _angle(text: str) -> tuple[float, str] | None:
    """Number and unit of an angle: 'h', 'd', 'rad', or without a unit '' or 'sexagesimal'; None if it is not one."""
    text = _JOINED.sub("", text)
    if match := _PLAIN.fullmatch(text):
        return float(match["number"].replace(" ", "")), _unit(match["unit"] or "")
    match = _PARTS.fullmatch(text)
    if match is None:
        return None
    unit = _unit(match["unit"].strip(" :") or match["end"] or "") or "sexagesimal"
    minutes, seconds = float(match["minutes"]), float(match["seconds"] or 0)
    whole_minutes = minutes.is_integer() or match["seconds"] is None
    if not whole_minutes or minutes >= 60 or seconds >= 60 or (unit == "h" and int(match["whole"]) > 24):
        raise _NoPositionError(_SEXAGESIMAL_LIMITS)
    value = int(match["whole"]) + minutes / 60 + seconds / 3600
    return (-value if match["sign"] == "-" else value), unit


def _unit(text: str) -> str:
    lower = text.lower()
    return "rad" if lower.startswith("rad") else "d" if lower == "°" else lower[:1]


def _longitude(frame: str, value: float, unit: str) -> float:
    hours = unit == "h" or (unit == "sexagesimal" and frame in ("", "fk5", "fk4"))
    degrees = value * 15 if hours else math.degrees(value) if unit == "rad" else value
    if not -360 <= degrees <= 360:
        raise _NoPositionError(_SKY)
    return degrees % 360.0


def _latitude(value: float, unit: str) -> float:
    degrees = math.degrees(value) if unit == "rad" else value
    if unit == "h" or not -90 <= degrees <= 90:
        raise _NoPositionError(_SKY)
    return degrees


def _to_icrs(frame: str, lon: float, lat: float) -> tuple[float, float]:
    if not frame:
        return lon, lat
    from astropy.coordinates import SkyCoord  # noqa: PLC0415 - the import is slow, and few texts name a frame

    sky = SkyCoord(lon, lat, unit="deg", frame=frame).icrs
    return float(sky.ra.deg), float(sky.dec.deg)
