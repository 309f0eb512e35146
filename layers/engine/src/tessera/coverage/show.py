"""Tables of a search as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from tessera.coverage.rows import SearchRow
from tessera.io.locations import file_name, shown

MOST_ROWS = 40
"""Largest number of rows that are shown of a long table."""
HEADINGS = ("target", "product", "sector", "camera", "ccd", "start", "end", "cadence", "row", "column", "edge", "cube")
"""Columns of a search that is shown."""
_RIGHT = frozenset({"sector", "camera", "ccd", "cadence", "row", "column", "edge"})
_CELL = "padding:2px 8px;white-space:nowrap;text-align:{}"


def cells(row: SearchRow, *, whole: bool) -> tuple[str, ...]:
    """Texts of a row: with `whole`, the whole address of the cube, otherwise its name."""
    numbers = tuple("-" if value is None else str(value) for value in (row.sector, row.camera, row.ccd))
    pixel = tuple("-" if value is None else f"{value:.1f}" for value in (row.row, row.column, row.edge))
    cadence = "-" if row.cadence is None else f"{row.cadence:g} s"
    cube = shown(row.cube) if whole else file_name(row.cube)
    return (row.target.name, row.product, *numbers, row.start[:10] or "-", row.end[:10] or "-", cadence, *pixel, cube)


def text_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table with aligned columns."""
    table = [tuple(headings), *(tuple(map(_printable, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(map(_aligned, row, widths, headings)).rstrip() for row in table]


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _aligned(text: str, width: int, heading: str) -> str:
    return text.rjust(width) if heading in _RIGHT else text.ljust(width)


def html_table(headings: Sequence[str], rows: Iterable[Sequence[str]], title: str, notes: Iterable[str] = ()) -> str:
    """Table as HTML for notebooks."""
    sides = ["right" if heading in _RIGHT else "left" for heading in headings]

    def line(tag: str, row: Sequence[str]) -> str:
        parts = (
            f'<{tag} style="{_CELL.format(side)}">{escape(text)}</{tag}>' for text, side in zip(row, sides, strict=True)
        )
        return f"<tr>{''.join(parts)}</tr>"

    body = "".join(line("td", row) for row in rows)
    table = f"<table><thead>{line('th', headings)}</thead><tbody>{body}</tbody></table>" if body else ""
    below = "".join(f"<div>{escape(note)}</div>" for note in notes)
    return f'<div style="overflow-x:auto"><div><b>{escape(title)}</b></div>{table}{below}</div>'
