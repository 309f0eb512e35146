"""Words for what a parameter may be, from its JSON schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple["str | int", ...]
PLAIN = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
"""Texts that are numbers. Python also takes ``1_000`` and digits of other scripts for numbers."""
_NUMERIC = {"integer", "number"}
_NOUNS = {"integer": "whole numbers", "number": "numbers", "string": "texts"}


class Shape:
    """The JSON schema of a query string or a body.

    Parameters
    ----------
    schema : dict
        Schema with its definitions below ``$defs``.
    """

    def __init__(self, schema: Schema) -> None:
        self._whole = schema

    def _choices(self, schema: Schema) -> list[Schema]:
        """Schemas that a value may have: references are followed, alternatives are taken apart, null is left out."""
        if "$ref" in schema:
            return self._choices(self._whole["$defs"][str(schema["$ref"]).rsplit("/", 1)[-1]])
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return [each for choice in schema[union] for each in self._choices(choice)]
        return [] if schema.get("type") == "null" else [schema]

    def at(self, place: Sequence[str | int]) -> list[Schema]:
        """Schemas of the value at a place, such as ``("position", "ra")``; empty if there is no such place."""
        found = self._choices(self._whole)
        for piece in place:
            found = [each for schema in found for inner in _inside(schema, piece) for each in self._choices(inner)]
        return found

    def names(self, place: Sequence[str | int]) -> list[str]:
        """Names of the fields of the object at a place."""
        return list(dict.fromkeys(name for schema in self.at(place) for name in schema.get("properties", {})))

    def allowed(self, place: Sequence[str | int]) -> str:
        """Words for all values that are allowed at a place."""
        return ", or ".join(dict.fromkeys(_words(schema) for schema in self.at(place))) or "another value"

    def choices(self, place: Sequence[str | int]) -> list[str]:
        """Words of which the value at a place is one; empty if it may be something else."""
        found = [
            schema.get("enum") or [schema[name] for name in ("const",) if name in schema] for schema in self.at(place)
        ]
        return [str(word) for words in found for word in words]

    def is_exact(self, place: Sequence[str | int]) -> bool:
        """Whether the list at a place has one length only."""
        return any("minItems" in each and each["minItems"] == each.get("maxItems") for each in self.at(place))

    def misread(self, given: object, *, in_json: bool) -> Iterator[tuple[Place, object]]:
        """Places and values that pydantic would take for others.

        For numbers it takes true, and texts such as ``1_000``; for true and false, numbers and texts such as ``yes``.
        In a query string all values are texts. There, it may read the second kind.
        """
        return self._misread(given, self._choices(self._whole), (), in_json=in_json)

    def _misread(
        self, value: object, schemas: list[Schema], place: Place, *, in_json: bool
    ) -> Iterator[tuple[Place, object]]:
        kinds = {schema.get("type") for schema in schemas}
        if isinstance(value, bool):
            if kinds & _NUMERIC and "boolean" not in kinds:
                yield place, value
        elif in_json and kinds == {"boolean"} and value is not None:
            yield place, value
        elif isinstance(value, str):
            if kinds and kinds <= _NUMERIC and not PLAIN.fullmatch(value):
                yield place, value
        elif isinstance(value, dict | list):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            for piece, item in pairs:
                inner = [
                    each for schema in schemas for found in _inside(schema, piece) for each in self._choices(found)
                ]
                if inner:
                    yield from self._misread(item, inner, (*place, piece), in_json=in_json)

    def items(self, place: Sequence[str | int]) -> str:
        """Name of the items of the list at a place: ``numbers``."""
        return next((_noun(schema) for schema in self.at(place) if schema.get("type") == "array"), "items")


def _inside(schema: Schema, piece: str | int) -> list[Schema]:
    if isinstance(piece, str):
        return [schema["properties"][piece]] if piece in schema.get("properties", {}) else []
    items: list[Schema] = schema.get("prefixItems", [])
    return items[piece : piece + 1] or ([schema["items"]] if isinstance(schema.get("items"), dict) else [])


def _noun(schema: Schema) -> str:
    first = (schema.get("prefixItems") or [schema.get("items") or {}])[0]
    title = str(schema.get("title", ""))  # pydantic gives fields a title in capitals
    return title if title.islower() else _NOUNS.get(first.get("type", ""), "items")


def singular(items: str, number: int | None) -> str:
    """Name of the items for a number of them: without its s if there is one."""
    return items.removesuffix("s") if number == 1 else items


def _number(value: float) -> str:
    return f"{value:,.12g}"


def _words(schema: Schema) -> str:
    if "const" in schema or "enum" in schema:
        return " or ".join(str(word) for word in schema.get("enum", [schema.get("const")]) if word != "")
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _number_words("a whole number" if kind == "integer" else "a number", schema)
    if kind == "boolean":
        return "true or false"
    if kind == "string":
        return _counted("a text", "characters", schema.get("minLength"), schema.get("maxLength"))
    if kind == "array":
        return _counted("a list", _noun(schema), schema.get("minItems"), schema.get("maxItems"))
    required = schema.get("required", [])
    names = ", ".join(required[:-1]) + (" and " if required[1:] else "") + "".join(required[-1:])
    return f"an object with {names}" if names else "an object"


def _number_words(noun: str, schema: Schema) -> str:
    low, high, above = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    if low is not None and high is not None:
        return f"{noun} from {_number(low)} to {_number(high)}"
    limits = [] if above is None else [f"above {_number(above)}"]
    limits += [] if low is None else [f"at least {_number(low)}"]
    limits += [] if high is None else [f"at most {_number(high)}"]
    return f"{noun} {' and '.join(limits)}".strip()


def _counted(noun: str, items: str, low: int | None, high: int | None) -> str:
    if low is None and high is None:
        return noun
    if low == high:
        return f"{noun} of {low:,} {singular(items, low)}"
    if high is None:
        return f"{noun} of at least {low:,} {items}"
    return f"{noun} of {f'{low:,} to' if low else 'at most'} {high:,} {items}"
