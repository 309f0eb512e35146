"""Parts of the page of the API: an operation, and the shape of a body."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

_LIMITS = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"))


def prose(text: str) -> str:
    """A description as HTML, with the words in backticks as code."""
    return re.sub(r"`+([^`]+)`+", r"<code>\1</code>", escape(text))


def _type(schema: dict[str, Any]) -> str:
    """Short text of a schema."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(_type(each) for each in schema[union])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        inside = schema.get("items") or {"anyOf": schema.get("prefixItems", [{}])[:1]}
        return f"list of {_type(inside)}"
    limits = [f"{name} {schema[key]:g}" for key, name in _LIMITS if isinstance(schema.get(key), int | float)]
    return " ".join([escape(str(schema.get("type", "any"))), *limits])


def _row(name: str, schema: dict[str, Any], description: str, required: bool) -> str:
    about = prose(description or str(schema.get("description", "")))
    default = schema.get("default")
    if default not in (None, "", []):
        text = default if isinstance(default, str) else json.dumps(default)
        about += f' <span class="quiet">Default: <code>{escape(text)}</code>.</span>'
    must = ' <span class="quiet">required</span>' if required else ""
    return (
        f'<tr><th scope="row"><code>{escape(name)}</code>{must}</th><td class="type">{_type(schema)}</td>'
        f"<td>{about}</td></tr>"
    )


def _table(caption: str, rows: list[str]) -> str:
    if not rows:
        return ""
    return f'<table class="fields-table"><caption>{caption}</caption><tbody>{"".join(rows)}</tbody></table>'


def _parameters(operation: dict[str, Any]) -> str:
    found = operation.get("parameters", [])
    rows = [_row(each["name"], each["schema"], each.get("description", ""), each["required"]) for each in found]
    return _table("Parameters", rows)


def _body(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    rows = [
        f'<tr><th scope="row"><code>{escape(kind)}</code></th><td>{_type(each["schema"])}</td></tr>'
        for kind, each in content.items()
    ]
    return _table("Body", rows)


def _answers(operation: dict[str, Any]) -> str:
    rows = []
    for status, answer in operation["responses"].items():
        shapes = ", ".join(
            _type(each["schema"]) if "$ref" in str(each["schema"]) else f"<code>{escape(kind)}</code>"
            for kind, each in answer.get("content", {}).items()
        )
        about = prose(answer["description"])
        rows.append(f'<tr><th scope="row">{status}</th><td class="type">{shapes}</td><td>{about}</td></tr>')
    return f"<details><summary>Answers</summary>{_table('Answers by status', rows)}</details>"


def operation_part(path: str, method: str, operation: dict[str, Any]) -> str:
    """An operation as HTML: its text, its parameters, and a place for the form to try it."""
    name = escape(operation["operationId"])
    signed = '<p class="quiet">On AWS, requests must be signed by an operator.</p>' if "security" in operation else ""
    return (
        f'<article class="operation" id="{name}">'
        f'<h3><span class="method {method}">{method.upper()}</span> <code>{escape(path)}</code> '
        f'<a class="anchor" href="#{name}" aria-label="Link to {method.upper()} {escape(path)}">#</a></h3>'
        f"<p>{prose(operation['summary'])}. {prose(operation.get('description', ''))}</p>{signed}"
        f"{_parameters(operation)}{_body(operation)}{_answers(operation)}"
        f'<details class="try" data-operation="{name}"><summary>Try it, or copy the code</summary>'
        '<div class="trial"><noscript>This form needs JavaScript.</noscript></div></details></article>'
    )


def shape_part(name: str, schema: dict[str, Any]) -> str:
    """The shape of a body as HTML."""
    required = set(schema.get("required", ()))
    rows = [_row(each, inner, "", each in required) for each, inner in schema.get("properties", {}).items()]
    about = prose(str(schema.get("description", "")))
    title = f'<h3 id="schema-{escape(name)}"><code>{escape(name)}</code></h3>'
    return f'<article class="shape">{title}<p>{about}</p>{_table("Fields", rows)}</article>'
