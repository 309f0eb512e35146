"""Turns names and written positions into ICRS degrees."""

from __future__ import annotations

from dataclasses import replace

from tessera.errors import InvalidInputError
from tessera.sky.position_text import POSITIONS, parse_position
from tessera.targets.places import NamedPlace
from tessera.tess.star import Star, tic_number
from tessera_cloud.application.backend import HasNames, HasStars, HasTargets
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.targets.body_names import body_name
from tessera_cloud.application.targets.passages import SEARCH_HOURS, find_path
from tessera_cloud.errors import NotFoundError, UnknownTargetError, UsageError

COORDINATES = "coordinates"
_ALLOWED = f"a name that is known, or {POSITIONS}"


def resolve_name(name: str, backend: HasNames) -> NamedPlace:
    """Find the position of a name, or parse a written position.

    Raises
    ------
    NotFoundError
        If no resolver knows the name.
    UsageError
        If the text is a position that is not on the sky, or that can be read in two ways.
    """
    text = name.strip()
    try:
        position = parse_position(text)
    except InvalidInputError as error:
        raise UsageError.about("name", name, error.allowed) from error
    if position is not None:
        return NamedPlace(text, *position, COORDINATES)
    found = backend.names.find(text) if text else None
    if found is None:
        raise NotFoundError.about("name", name, _ALLOWED)
    return found


def find_star(name: str, place: NamedPlace, backend: HasStars) -> Star | None:
    """What is known about the star of a name; None if the name is a written position.

    Parameters
    ----------
    name : str
        Name as the user wrote it. Only a number in the TESS Input Catalog is looked up there.
    place : NamedPlace
        Place of the name, from `resolve_name`.
    backend : HasStars
        The catalogue.
    """
    if place.source == COORDINATES:
        return None
    tic = tic_number(name)
    known = None if tic is None else backend.stars.find(tic)
    return replace(known or Star(tic=tic), name=place.name)


def resolve_moving(name: str, backend: HasTargets) -> str:
    """Find the full name of a body of the solar system.

    Raises
    ------
    NotFoundError
        If JPL Horizons does not know the name.
    UsageError
        If several bodies have the name, or if the text cannot be a name.
    """
    if not name.strip():
        raise NotFoundError.about("name", name, "the name, number or designation of a body of the solar system")
    name, cubes = body_name(name, "name"), current_index(backend).cubes
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
