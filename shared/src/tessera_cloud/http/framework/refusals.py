"""Tells users what is wrong with a query string or a body that does not fit the declaration of the operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ValidationError

from tessera_cloud.errors import UsageError
from tessera_cloud.http.framework.allowed import Shape, singular
from tessera_cloud.http.framework.meant import meant, nearest

Place: TypeAlias = list["str | int"]
_LENGTHS = {
    "string_too_short": ("at least", "min_length"),
    "string_too_long": ("at most", "max_length"),
    "too_short": ("at least", "min_length"),
    "too_long": ("at most", "max_length"),
}
"""Words and limits for values that are too short or too long. Other errors repeat all that is allowed."""
FORM: Final = "form"
"""Type of the errors of texts of another form; see `forms.TextForm`."""
TOGETHER: Final = "together"
"""Type of the errors of parameters that do not go together; see `forms.together`."""


@cache
def _shape(model: type[BaseModel]) -> Shape:
    return Shape(model.model_json_schema())


def check_written(model: type[BaseModel], given: object, *, in_json: bool) -> None:
    """Check that numbers are written as numbers, and in JSON true and false as such.

    Not as numbers: ``true``, ``1_000`` and digits of other scripts. Not as true or false: ``"yes"``, ``"true"`` and 1.

    Raises
    ------
    UsageError
        Naming the parameter, its value and what is allowed.
    """
    shape = _shape(model)
    for place, value in shape.misread(given, in_json=in_json):
        raise UsageError.about(".".join(map(str, place)), value, shape.allowed(place))


def check_names(model: type[BaseModel], names: Iterable[str]) -> None:
    """Check names of parameters of MAST's protocols: one that means another parameter is refused.

    MAST's services ignore parameters that they do not know, and clients send such ones. But ``sectors`` instead of
    ``sector`` would give cutouts that nobody wanted.

    Raises
    ------
    UsageError
        Naming the parameter, those that are known, and the one that was probably meant.
    """
    known = list(model.model_fields)
    for name in names:
        if name not in known and model.model_config.get("extra") != "allow" and meant(name, known):
            raise unknown_parameter(name, known)


def check_no_query(names: Iterable[str], *, has_body: bool) -> None:
    """Check that a request has no query string, where the operation has none.

    Raises
    ------
    UsageError
        Naming the first parameter.
    """
    for name in names:
        raise UsageError.unknown(name or "''", "fields of the body" if has_body else "no parameters")


def unknown_parameter(name: str, known: Sequence[str], where: str = "") -> UsageError:
    """Error of a parameter that the operation does not have: it lists those that it has."""
    near = meant(name, known)
    allowed = ", ".join(known) + (f"; did you mean {near}?" if near else "")
    return UsageError.unknown(where or name, allowed)


def to_usage_error(error: ValidationError, model: type[BaseModel], given: object, whole: str) -> UsageError:
    """Choose one complaint of pydantic, and say it in our words: the parameter, its value and what is allowed.

    Parameters that do not exist come first, because they tell why others are missing. A field that takes several types
    has a complaint for each; the one about its `type`, or the one that leads deepest into the value, counts.

    Parameters
    ----------
    error : ValidationError
        Complaints of pydantic.
    model : type
        Model of the query or the body.
    given : object
        The query as a mapping, or the content of the body.
    whole : {'query', 'body'}
        Name of the whole, for complaints about no single parameter.
    """
    errors = error.errors(include_url=False)
    unknown = [each for each in errors if each["type"] == "extra_forbidden" and len(each["loc"]) == 1]
    start = (unknown or errors)[0]["loc"][:1]
    about_one = [each for each in errors if each["loc"][:1] == start]
    places = [_place(each["loc"], given, each["type"]) for each in about_one]
    kinds = [each["type"] for each in about_one]
    types = [at for at, kind in zip(places, kinds, strict=True) if kind == "literal_error" and at[-1] == "type"]
    place = types[0] if types else max(places, key=len)
    return _said(about_one[places.index(place)], place, _shape(model), places.count(place), whole)


def _said(first: Any, place: Place, shape: Shape, n_choices: int, whole: str) -> UsageError:
    kind, where, limits = first["type"], ".".join(map(str, place)) or whole, first.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_parameter(str(place[-1]), shape.names(place[:-1]), where if str(place[-1]) else "''")
    if kind == TOGETHER:
        return UsageError(first["msg"], parameter=limits["parameter"], allowed=limits["allowed"])
    if kind == "missing" and isinstance(first["loc"][-1], str):
        return UsageError.about(where, None, shape.allowed(place))
    if kind in ("value_error", FORM):
        allowed = first["msg"].removeprefix("Value error, ")
    elif kind in _LENGTHS and n_choices == 1 and not shape.is_exact(place):
        words, name = _LENGTHS[kind]
        items = "characters" if kind.startswith("string") else shape.items(place)
        allowed = f"{words} {limits[name]:,} {singular(items, limits[name])}"
    else:
        near = nearest(first["input"], shape.choices(place))
        allowed = (shape.allowed(place) if place else "a JSON object") + (f"; did you mean {near}?" if near else "")
    if first["input"] is None:
        return UsageError(f"{where} is null; allowed: {allowed}", parameter=where, value="null", allowed=allowed)
    return UsageError.about(where, first["input"], allowed)


def _place(pieces: Sequence[str | int], given: object, kind: str) -> Place:
    """Names that lead to what is wrong, as the user wrote it: without pydantic's names for types."""
    names: Place = []
    inside = given
    for piece in pieces:
        if isinstance(inside, Mapping) and piece in inside:
            names, inside = [*names, piece], inside[piece]
        elif isinstance(inside, Sequence) and not isinstance(inside, str) and isinstance(piece, int):
            names, inside = [*names, piece], inside[piece] if piece < len(inside) else None
    if kind != "missing":
        return names
    if isinstance(pieces[-1], int):  # the list is too short
        return [*names[: len(names) - 1]] if names[-1:] == [pieces[-1]] else names
    return names if names[-1:] == [pieces[-1]] else [*names, pieces[-1]]
