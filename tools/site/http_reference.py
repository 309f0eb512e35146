"""Writes the pages of the reference of the HTTP API, from its OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Document = dict[str, Any]
_LIMITS = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))


def write_pages(document: Document, folder: Path) -> None:
    """Write a page for each group of operations, and one of the shapes of bodies and answers.

    Parameters
    ----------
    document : dict
        OpenAPI document, version 3.1.
    folder : Path
        Folder of the pages. It is made if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tags = [(tag["name"], tag["description"]) for tag in document["tags"]]
    for tag, about in tags:
        (folder / f"{file_of(tag)}.md").write_text(page(document, tag, about), encoding="utf-8")
    (folder / "shapes.md").write_text(_shapes(document), encoding="utf-8")
    rows = [f"| [{tag}]({file_of(tag)}.md) | {about} | {_links(document, tag)} |" for tag, about in tags]
    names = [*(file_of(tag) for tag, _ in tags), "shapes"]
    (folder / "index.md").write_text(
        "\n".join(
            [
                "# HTTP operations",
                "",
                f"{document['info']['description']} A running service has the same as `/openapi.json` and `/docs`.",
                "",
                *["| group | about | operations |", "| --- | --- | --- |", *rows],
                *["", "[Shapes](shapes.md) are the objects of bodies and answers.", ""],
                *["```{toctree}", ":hidden:", "", *names, "```", ""],
            ]
        ),
        encoding="utf-8",
    )


def file_of(tag: str) -> str:
    """Name of the page of a group, without its end."""
    return re.sub(r"\W+", "-", tag.lower())


def operations_of(document: Document, tag: str) -> Iterator[tuple[str, str, Document]]:
    """Path, method and declaration of each operation of a group."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield path, method.upper(), operation


def page(document: Document, tag: str, about: str) -> str:
    """The operations of a group."""
    found = (_operation(*each) for each in operations_of(document, tag))
    return "\n".join([f"# {tag}", "", about, "", *found])


def _links(document: Document, tag: str) -> str:
    return "<br>".join(
        f"[`{method} {path}`]({file_of(tag)}.md#{operation['operationId']})"
        for path, method, operation in operations_of(document, tag)
    )


def _operation(path: str, method: str, operation: Document) -> str:
    lines = [f"({operation['operationId']})=", f"## `{method} {path}`", "", f"{operation['summary']}.", ""]
    lines += [operation.get("description", ""), ""]
    if "security" in operation:
        lines += ["Only signed requests are answered.", ""]
    lines += _table(
        ("parameter", "type", "meaning"),
        (_field(each["name"], each["schema"], each["required"], each) for each in operation.get("parameters", [])),
    )
    content = operation.get("requestBody", {}).get("content", {})
    bodies = ((f"`{kind}`", _type(each["schema"])) for kind, each in content.items())
    lines += _table(("body", "shape"), bodies)
    answers = ((status, answer["description"], _content(answer)) for status, answer in operation["responses"].items())
    return "\n".join([*lines, *_table(("status", "answer", "content"), answers)])


def _content(answer: Document) -> str:
    found = answer.get("content", {}).items()
    return ", ".join(
        f"`{kind}`" + (f": {_type(each['schema'])}" if "$ref" in str(each) else "") for kind, each in found
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    found = ["| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *found, ""] if found else []


def _field(name: str, schema: Document, required: bool, about: Document) -> tuple[str, str, str]:
    text = [about.get("description") or schema.get("description", "")]
    if schema.get("default") not in (None, ""):
        text.append(f"Default: `{_written(schema['default'])}`.")
    examples = [example for example in schema.get("examples", ()) if not isinstance(example, dict | list)]
    text += [
        f"Example: `{_written(example)}`." for example in examples[:1] if example not in (None, schema.get("default"))
    ]
    return f"`{name}`" + (" (required)" if required else ""), _type(schema), " ".join(filter(None, text))


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _type(schema: Document) -> str:
    """Short text of a schema."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](shapes.md#shape-{name.lower()})"
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(_type(each) for each in schema[union])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items') or {'anyOf': schema.get('prefixItems', [{}])[:1]})}"
    limits = [f"{word} {schema[key]}" for key, word in _LIMITS if isinstance(schema.get(key), int | float)]
    return " ".join([str(schema.get("type", "any")), *limits])


def _shapes(document: Document) -> str:
    lines = ["# Shapes", "", "Objects of bodies and answers, in JSON.", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        required = schema.get("required", ())
        fields = (
            _field(field, inner, field in required, inner) for field, inner in schema.get("properties", {}).items()
        )
        lines += [f"(shape-{name.lower()})=", f"## {name}", "", schema.get("description", ""), ""]
        lines += _table(("field", "type", "meaning"), fields)
        lines += ["```json", json.dumps(schema["examples"][0], indent=2), "```", ""] if schema.get("examples") else []
    return "\n".join(lines)
