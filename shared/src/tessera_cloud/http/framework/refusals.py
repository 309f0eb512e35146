"""What users are told about a query string or a body that does not fit the declaration of the operation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from tessera_cloud.errors import UsageError

_ALLOWED = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} items",
    "too_long": "at most {max_length} items",
    "literal_error": "{expected}",
    "finite_number": "a finite number",
}
"""What pydantic's types of errors mean for the user."""
_TYPES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
"""The same for values of another type; a field that takes several types has one such error for each."""


def to_usage_error(error: ValidationError, model: type[BaseModel], given: object, whole: str) -> UsageError:
    """The first complaint of pydantic as an error that names parameter, value and what is allowed.

    A field that takes several types has a complaint for each; the one that leads deepest into what was given counts.
    For a value of the wrong form or type it repeats the description and the example of the parameter.

    Parameters
    ----------
    error : ValidationError
        What pydantic complains about.
    model : type
        Shape of the query or the body.
    given : object
        The query as a mapping, or the content of the body; None where it is not JSON.
    whole : {'query', 'body'}
        What is named where no single parameter is wrong.
    """
    errors = error.errors(include_url=False)
    about_one = [each for each in errors if each["loc"][:1] == errors[0]["loc"][:1]]
    places = [_place(each["loc"], given, each["type"]) for each in about_one]
    place = max(places, key=len)
    first = about_one[places.index(place)]
    where = ".".join(map(str, place)) or whole
    if first["type"] == "missing":
        return UsageError.about(where, None, "a value")
    if first["type"] == "extra_forbidden":
        message = f"{where} is not a parameter of this operation"
        return UsageError(message, parameter=where, value=str(first["input"])[:200])
    if first["type"] == "json_invalid":
        return UsageError(f"the body is not JSON: {first['msg']}", parameter="body", allowed="a JSON object")
    value = first["input"]
    shown = value if isinstance(value, str | int | float) else json.dumps(value, default=str)[:200]
    several = places.count(place) > 1 and first["type"] in _TYPES
    if where in model.model_fields and (several or first["type"] == "string_pattern_mismatch"):
        field = model.model_fields[where]
        return UsageError.about(
            where, shown, f"{str(field.description).rstrip('.')}; example: {(field.examples or ['none'])[0]}"
        )
    return UsageError.about(where, shown, _allowed(first["type"], first["msg"], first.get("ctx", {})))


def _allowed(kind: str, message: str, limits: Mapping[str, Any]) -> str:
    """What is allowed, in plain words; pydantic's words where it complains about something else."""
    words = _ALLOWED.get(kind) or _TYPES.get(kind) or message.removeprefix("Value error, ")
    if kind not in _ALLOWED:
        return words
    return words.format(**{name: f"{value:,.12g}" if isinstance(value, int | float) else value
                           for name, value in limits.items()})  # fmt: skip


def _place(pieces: Sequence[str | int], given: object, kind: str) -> list[str | int]:
    """Names that lead to what is wrong, as the user wrote it: without pydantic's names for types."""
    names: list[str | int] = []
    inside = given
    for piece in pieces:
        if isinstance(inside, Mapping) and piece in inside:
            names, inside = [*names, piece], inside[piece]
        elif isinstance(inside, Sequence) and not isinstance(inside, str) and isinstance(piece, int):
            names, inside = [*names, piece], inside[piece] if piece < len(inside) else None
    if kind == "missing" and names[-1:] != list(pieces[-1:]):
        names.append(pieces[-1])
    return names
