"""Turns names and written positions into ICRS degrees."""

from __future__ import annotations

import re

from tessera_cloud.application.backend import HasNames, HasTargets
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.targets.passages import SEARCH_HOURS, find_path
from tessera_cloud.errors import NotFoundError, UnknownTargetError, UsageError
from tessera_cloud.ports import NamedPlace

COORDINATES = "coordinates"
_ALLOWED = "a name that is known, or a position such as 88.95 -75.39, 05:55:48.4 -75:23:28 or 5h55m48.4s -75d23m28s"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_DEGREES = re.compile(rf"({_NUMBER})\s*(?:d|deg|°)?\s*[,;\s]\s*({_NUMBER})\s*(?:d|deg|°)?", re.ASCII)
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\u2032": "'", "\u2033": '"', "\u2019": "'"})
_ANGLE = r"\d{1,3}\s*[:hd°\s]\s*\d{1,2}\s*(?:[:m'\s]\s*\d{0,2}(?:\.\d*)?)?\s*(?:s|\"|'')?"
_SEXAGESIMAL = re.compile(rf"([+-]?{_ANGLE})\s*[,;\s]\s*([+-]?{_ANGLE})|([+-]?{_ANGLE})([+-]{_ANGLE})", re.ASCII)
_COMPACT = re.compile(r"J?(\d{2})(\d{2})(\d{2}(?:\.\d+)?)([+-]\d{2})(\d{2})(\d{2}(?:\.\d+)?)", re.ASCII)
_PREFIX = re.compile(r"(?:icrs|j2000|fk5)\b[:,\s]*", re.IGNORECASE)
_LABELS = re.compile(r"(?:ra|dec)\s*[=:]?\s*", re.IGNORECASE)


def _checked(text: str, ra: float, dec: float) -> tuple[float, float]:
    if not (-360 <= ra <= 360 and -90 <= dec <= 90):
        raise UsageError.about("name", text, "right ascension from -360 to 360 and declination from -90 to 90 degrees")
    return ra % 360.0, dec


def _angles(ra: str, dec: str) -> tuple[float, float]:
    """Sexagesimal angles in degrees. Right ascension is in hours unless its text says degrees."""
    from astropy.coordinates import Angle  # noqa: PLC0415 - the import is slow, and few requests need it

    hours = "d" not in ra and "°" not in ra
    return float(Angle(ra, "hourangle" if hours else "deg").deg), float(Angle(dec, "deg").deg)


def parse_position(text: str) -> tuple[float, float] | None:
    """Parse a position in degrees; None if the text is not a position.

    Raises
    ------
    UsageError
        If the text is a position that is not on the sky.
    """
    plain = " ".join(text.translate(_SIGNS).split())
    plain = _LABELS.sub("", _PREFIX.sub("", plain, count=1)).strip()
    if match := _DEGREES.fullmatch(plain):
        return _checked(text, float(match[1]), float(match[2]))
    if match := _COMPACT.fullmatch(plain):
        ra, dec = ":".join(match.groups()[:3]), ":".join(match.groups()[3:])
    elif match := _SEXAGESIMAL.fullmatch(plain):
        ra, dec = (piece.strip() for piece in match.groups() if piece is not None)
    else:
        return None
    try:
        found = _angles(ra, dec)
    except ValueError as error:
        raise UsageError.about("name", text, "minutes and seconds below 60, and a declination of -90 to 90") from error
    return _checked(text, *found)


def resolve_name(name: str, backend: HasNames) -> NamedPlace:
    """Find the position of a name, or parse a written position.

    Raises
    ------
    NotFoundError
        If no resolver knows the name.
    """
    text = name.strip()
    position = parse_position(text)
    if position is not None:
        return NamedPlace(text, *position, COORDINATES)
    found = backend.names.find(text) if text else None
    if found is None:
        raise NotFoundError.about("name", name, _ALLOWED)
    return found


def resolve_moving(name: str, backend: HasTargets) -> str:
    """Find the full name of a body of the solar system.

    Raises
    ------
    NotFoundError
        If JPL Horizons does not know the name.
    UsageError
        If several bodies have the name.
    """
    if not name.strip():
        raise NotFoundError.about("name", name, "the name, number or designation of a body of the solar system")
    cubes = current_index(backend).cubes
    if not cubes:
        raise NotFoundError("there are no cubes that may have seen it", parameter="name", value=name)
    newest = max(cubes, key=lambda cube: cube.t_max)
    span = (newest.t_max - 1.0, newest.t_max)
    store, bucket = backend.store, backend.settings.result_bucket
    try:
        path = find_path(name, None, span, SEARCH_HOURS, ephemerides=backend.ephemerides, store=store, bucket=bucket)
    except UnknownTargetError as error:
        raise NotFoundError.about("name", name, "a name, number or designation that JPL Horizons knows") from error
    return path.target
