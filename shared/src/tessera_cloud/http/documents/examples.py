"""Examples of schemas, composed of the examples of their fields."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def lift(fields: dict[str, Schema]) -> dict[str, Schema]:
    """Copy description and examples of an alternative, such as `int` of `int | None`, to its field."""
    for field in fields.values():
        for choice in field.get("anyOf", ()):
            for name in ("description", "examples"):
                if name in choice and "$ref" not in choice:
                    field.setdefault(name, choice[name])
    return fields


def _example(field: Schema, shapes: dict[str, Schema]) -> Any:
    if "examples" in field:
        return field["examples"][0]
    if "$ref" in field:
        return _shape_example(shapes[str(field["$ref"]).rsplit("/", 1)[-1]], shapes)
    if "anyOf" in field:
        return _example(field["anyOf"][0], shapes)
    return [_example(field["items"], shapes)] if field.get("type") == "array" else None


def _shape_example(shape: Schema, shapes: dict[str, Schema]) -> Schema:
    if "examples" not in shape:
        fields = lift(shape["properties"])
        shape["examples"] = [{name: _example(field, shapes) for name, field in fields.items()}]
    example: Schema = shape["examples"][0]
    return example


def add_examples(shapes: dict[str, Schema]) -> dict[str, Schema]:
    """Add an example to each schema of a document that has none.

    A field without an example gets null. A test lists such fields.
    """
    for shape in shapes.values():
        _shape_example(shape, shapes)
        lift(shape["properties"])
    return shapes
