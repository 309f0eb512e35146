"""The OpenAPI document as a page. All text is in it; the files of `site` add the look, and the forms to try requests.

``tokens.css``, ``base.css``, ``dom.js`` and ``theme.js`` are copies of files of the web page, which need not be at the
address of the API. ``make openapi`` copies them.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tessera_cloud.http.documents.operation_parts import operation_part, prose, shape_part

SITE = Path(__file__).with_name("site")
TYPES = {".js": "text/javascript; charset=UTF-8", ".css": "text/css; charset=UTF-8"}
"""Content types of the files of the page, by suffix."""
_STYLES = ("tokens.css", "base.css", "docs.css")
_BRAND = (
    '<svg viewBox="0 0 20 20" width="22" height="22" aria-hidden="true"><path d="M1 1h8v8H1z" class="t1"/>'
    '<path d="M11 1h8v8h-8z" class="t2"/><path d="M1 11h8v8H1z" class="t3"/><path d="M13 13h4v4h-4z" class="t4"/></svg>'
)
_THEME = (
    '<button type="button" id="theme" class="icon" aria-label="Use dark colours"><svg viewBox="0 0 20 20" width="18" '
    'height="18" aria-hidden="true"><path d="M10 2a8 8 0 1 0 0 16zM10 2a8 8 0 0 1 0 16" fill="none" '
    'stroke="currentColor" stroke-width="1.6"/><path d="M10 2a8 8 0 0 0 0 16z" fill="currentColor"/></svg></button>'
)
_Operations = list[tuple[str, str, dict[str, Any]]]


def _examples(base: str) -> str:
    calls = (
        f'curl "{base}/tesscut/api/v0.1/sector?ra=88.9515&dec=-75.3911"',
        f'curl -L -OJ "{base}/tesscut/api/v0.1/astrocut?ra=88.9515&dec=-75.3911&y=5&x=5&sector=1"',
        f'curl -L -OJ "{base}/v1/cutouts?ra=88.9515&dec=-75.3911&size=5&layout=slim"',
    )
    return f'<pre tabindex="0" role="region" aria-label="Examples">{escape(chr(10).join(calls))}</pre>'


def _chapters(document: dict[str, Any]) -> Iterator[tuple[str, str, _Operations]]:
    """Name, description and operations of each group."""
    for tag in document["tags"]:
        operations = [
            (path, method, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if tag["name"] in operation["tags"]
        ]
        yield tag["name"], tag["description"], operations


def _anchor(name: str) -> str:
    return escape(name.lower().replace(" ", "-"))


def _breakable(path: str) -> str:
    """A path that may go on in another line after each slash."""
    return escape(path).replace("/", "/<wbr>")


def _contents(chapters: list[tuple[str, str, _Operations]]) -> str:
    groups = []
    for name, _, operations in chapters:
        links = "".join(
            f'<li id="to-{escape(each["operationId"])}"><a href="#{escape(each["operationId"])}">'
            f'<span class="method {method}">{method.upper()}</span> <span>{_breakable(path)}</span></a></li>'
            for path, method, each in operations
        )
        groups.append(f'<li class="part"><a href="#{_anchor(name)}">{escape(name)}</a><ul>{links}</ul></li>')
    shapes = '<li><a href="#shapes">Shapes of bodies</a></li>'
    return f'<nav class="contents" aria-label="Operations"><ul>{"".join(groups)}{shapes}</ul></nav>'


def _head(title: str, base: str) -> str:
    styles = "".join(f'<link rel="stylesheet" href="{base}/docs/{name}">' for name in _STYLES)
    return (
        f'<!doctype html><html lang="en" data-base="{base}"><head><meta charset="utf-8"><title>API · {title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<meta name="description" content="All operations of {title}, with forms to try them and code to copy.">'
        f'<link rel="icon" href="data:,">{styles}<script src="{base}/docs/main.js" type="module"></script></head>'
    )


def _top(title: str, base: str) -> str:
    views = f'<a href="{base}/?view=list">Lists</a><a href="{base}/?view=builds">Builds</a>'
    if urlsplit(base).path:  # the address of a stage, where the web page is not
        views = ""
    return (
        '<a class="skip" href="#content">Skip to the content</a><header class="top">'
        f'<a class="brand" href="{base}/" aria-label="{title}, start">{_BRAND}<span>{title}</span></a>'
        '<form id="search" role="search"><label for="filter" class="hidden">Filter the operations</label>'
        '<input id="filter" type="search" placeholder="Filter the operations" autocomplete="off" spellcheck="false">'
        '<output id="count" class="quiet" for="filter"></output></form>'
        f'<nav aria-label="Views"><a href="{base}/">Explore</a>{views}'
        f'<a href="{base}/docs" aria-current="page">API</a>{_THEME}</nav></header>'
    )


def render(document: dict[str, Any]) -> str:
    """Format an OpenAPI document as a page."""
    info, base = document["info"], escape(str(document["servers"][0]["url"]))
    title, chapters = escape(info["title"]), list(_chapters(document))
    parts = "".join(
        f'<section class="chapter"><h2 id="{_anchor(name)}">{escape(name)}</h2><p>{prose(about)}</p>'
        f"{''.join(operation_part(*each) for each in operations)}</section>"
        for name, about, operations in chapters
    )
    shapes = "".join(shape_part(name, each) for name, each in document["components"]["schemas"].items())
    return (
        f"{_head(title, base)}<body>{_top(title, base)}"
        f'<main id="content" class="docs" tabindex="-1">{_contents(chapters)}<div class="text">'
        f"<h1>{title}: the API</h1><p>{prose(info['description'])}</p>"
        f'<p class="quiet">Version {escape(info["version"])}. Programs read this document as '
        f'<a href="{base}/openapi.json">OpenAPI 3.1</a>.</p>{_examples(str(document["servers"][0]["url"]))}'
        f'{parts}<section><h2 id="shapes">Shapes of bodies</h2>{shapes}</section></div></main>'
        f'<footer><p><a href="{base}/">Tessera</a> · <a href="{base}/openapi.json">OpenAPI</a></p></footer>'
        "</body></html>"
    )
