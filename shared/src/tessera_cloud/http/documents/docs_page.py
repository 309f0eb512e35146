"""The OpenAPI document as a page: plain HTML without scripts and without files from other servers."""

from __future__ import annotations

import re
from html import escape
from typing import Any

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b2330;background:#fff}
h1,h2,h3{line-height:1.2}h2{margin-top:3rem;border-bottom:1px solid #c8d0da}h3{margin:2rem 0 .5rem;font-size:1rem}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}pre{background:#f2f5f8;padding:.6rem;overflow-x:auto}
.method{display:inline-block;min-width:3.5rem;font-weight:700}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #e3e8ee}
nav a{margin-right:1rem}.note{color:#5a6675}
@media(prefers-color-scheme:dark){body{color:#e4e9f0;background:#12161c}pre{background:#1c232c}a{color:#8ab4f8}
h2,th,td{border-color:#323b47}.note{color:#9aa6b5}}
"""


def _prose(text: str) -> str:
    """A description, with the words in backticks as code."""
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


_LIMITS = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"))


def _row(name: str, schema: dict[str, Any], text: str, required: bool) -> str:
    about = _prose(text or str(schema.get("description", "")))
    default = schema.get("default")
    if default not in (None, ""):
        about += f" <span class=note>default <code>{escape(str(default))}</code></span>"
    must = "required" if required else ""
    return f"<tr><td><code>{escape(name)}</code><td>{_type(schema)}<td class=note>{must}<td>{about}"


def _parameters(operation: dict[str, Any]) -> str:
    found = operation.get("parameters", [])
    rows = [_row(each["name"], each["schema"], each.get("description", ""), each["required"]) for each in found]
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _body(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    kinds = " or ".join(f"<code>{escape(kind)}</code>" for kind in content)
    shapes = {_type(each["schema"]) for each in content.values()}
    return f"<p>Body: {kinds}, {', '.join(sorted(shapes))}</p>" if content else ""


def _answers(operation: dict[str, Any]) -> str:
    rows = []
    for status, answer in operation["responses"].items():
        shapes = ", ".join(
            _type(each["schema"]) if "$ref" in str(each["schema"]) else f"<code>{escape(kind)}</code>"
            for kind, each in answer.get("content", {}).items()
        )
        rows.append(f"<tr><td>{status}<td>{_prose(answer['description'])}<td>{shapes}")
    return f"<table>{''.join(rows)}</table>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    signed = " <span class=note>signed requests only</span>" if "security" in operation else ""
    return (
        f"<h3 id={escape(operation['operationId'])}><span class=method>{method.upper()}</span>"
        f"<code>{escape(path)}</code>{signed}</h3><p>{_prose(operation['summary'])}. "
        f"{_prose(operation.get('description', ''))}</p>{_parameters(operation)}{_body(operation)}{_answers(operation)}"
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [_row(each, inner, "", each in required) for each, inner in schema.get("properties", {}).items()]
    about = _prose(str(schema.get("description", "")))
    return (
        f'<h3 id="schema-{escape(name)}"><code>{escape(name)}</code></h3><p>{about}</p><table>{"".join(rows)}</table>'
    )


def _examples(base: str) -> str:
    calls = (
        f'curl "{base}/tesscut/api/v0.1/sector?ra=88.9515&dec=-75.3911"',
        f'curl -L -OJ "{base}/tesscut/api/v0.1/astrocut?ra=88.9515&dec=-75.3911&y=5&x=5&sector=1"',
        f'curl -L -OJ "{base}/v1/cutouts?ra=88.9515&dec=-75.3911&size=5&layout=slim"',
    )
    return f"<pre>{escape(chr(10).join(calls))}</pre>"


def render(document: dict[str, Any]) -> str:
    """Format an OpenAPI document as a page."""
    info, base = document["info"], str(document["servers"][0]["url"])
    chapters = []
    for tag, about in ((each["name"], each["description"]) for each in document["tags"]):
        operations = [
            _operation(path, method, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if tag in operation["tags"]
        ]
        chapters.append(f'<h2 id="{escape(tag)}">{escape(tag)}</h2><p>{escape(about)}</p>{"".join(operations)}')
    tags = "".join(f'<a href="#{escape(each["name"])}">{escape(each["name"])}</a>' for each in document["tags"])
    schemas = "".join(_schema(name, each) for name, each in document["components"]["schemas"].items())
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(info['title'])}: the API</title><style>{_STYLE}</style><h1>{escape(info['title'])}</h1>"
        f"<p>{escape(info['description'])} Version {escape(info['version'])}; "
        f'<a href="{escape(base)}/openapi.json">OpenAPI 3.1</a>.</p><nav>{tags}</nav>{_examples(base)}'
        f"{''.join(chapters)}<h2>Shapes</h2>{schemas}</html>"
    )
