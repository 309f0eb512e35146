"""Writes a VOTable row by row, so that an answer of any length needs little memory."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from tessera_cloud.http.vo.votable.elements import Cell, Descriptor, Field, Info, Param, Table

_Element: TypeAlias = Any
"""An element of lxml, which has no types."""
NAMESPACE = "http://www.ivoa.net/xml/VOTable/v1.3"
_VERSION = "1.4"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow."""


class Sink(Protocol):
    """A file that is written."""

    def write(self, data: bytes, /) -> Any:
        """Add bytes to the file."""


def xml_text(text: str) -> str:
    """Text with a question mark for each character that XML does not allow."""
    return text if text.isprintable() else _NOT_XML.sub("?", text)


def write_votable(
    out: Sink,
    table: Table | None,
    infos: Sequence[Info] = (),
    descriptors: Sequence[Descriptor] = (),
    last: Iterable[Info] = (),
) -> None:
    """Write a VOTable with one result, in the serialization TABLEDATA.

    Parameters
    ----------
    out : file
        File to which it is written.
    table : Table or None
        Table of the result; None for an answer without a table, such as an error.
    infos : sequence of Info, optional
        Remarks before the table.
    descriptors : sequence of Descriptor, optional
        Services that work on rows of the table.
    last : iterable of Info, optional
        Remarks after the table. They are asked for after the last row, so they may depend on the rows.
    """
    from lxml import etree  # noqa: PLC0415 - not all answers are tables

    with etree.xmlfile(out, encoding="UTF-8") as document:
        document.write_declaration()
        with document.element("VOTABLE", {"version": _VERSION}, nsmap={None: NAMESPACE}):
            with document.element("RESOURCE", {"type": "results"}):
                _write(document, [_info(info) for info in infos])
                if table is not None:
                    _write_table(document, table)
                _write(document, (_info(info) for info in last))
            _write(document, (_descriptor(each) for each in descriptors))


def votable_bytes(
    table: Table | None, infos: Sequence[Info] = (), descriptors: Sequence[Descriptor] = (), last: Iterable[Info] = ()
) -> bytes:
    """VOTable as bytes; see `write_votable`."""
    out = io.BytesIO()
    write_votable(out, table, infos, descriptors, last)
    return out.getvalue()


def _write(document: Any, elements: Iterable[_Element]) -> None:
    for element in elements:
        element.tail = "\n"
        document.write(element)


def _write_table(document: Any, table: Table) -> None:
    with document.element("TABLE", {"name": table.name} if table.name else {}):
        _write(document, (_field(field) for field in table.fields))
        with document.element("DATA"), document.element("TABLEDATA"):
            _write(document, _rows(table.rows))


def _rows(rows: Iterable[Sequence[Cell]]) -> Iterator[_Element]:
    from lxml.etree import Element, SubElement  # noqa: PLC0415 - not all answers are tables

    for cells in rows:
        row = Element("TR")
        for cell in cells:
            SubElement(row, "TD").text = None if cell is None else _cell_text(cell)
        yield row


def _cell_text(cell: str | float | Sequence[float]) -> str:
    if isinstance(cell, str):
        return xml_text(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return repr(cell) if math.isfinite(cell) else ""
    return " ".join(map(repr, cell))


def _new(tag: str, attributes: dict[str, str] | None = None) -> _Element:
    from lxml import etree  # noqa: PLC0415 - not all answers are tables

    return etree.Element(tag, {name: xml_text(value) for name, value in (attributes or {}).items()})


def _add(parent: _Element, tag: str, attributes: dict[str, str] | None = None, text: str = "") -> _Element:
    from lxml import etree  # noqa: PLC0415 - not all answers are tables

    child = etree.SubElement(parent, tag, {name: xml_text(value) for name, value in (attributes or {}).items()})
    child.text = xml_text(text) or None
    return child


def _field(field: Field) -> _Element:
    made = _new("FIELD", field.attributes)
    if field.description:
        _add(made, "DESCRIPTION", text=field.description)
    return made


def _info(info: Info) -> _Element:
    made = _new("INFO", {"name": info.name, "value": info.value})
    made.text = xml_text(info.text) or None
    return made


def _add_param(parent: _Element, param: Param) -> None:
    given = param.field.attributes | {"value": param.value} | ({"ref": param.ref} if param.ref else {})
    made = _add(parent, "PARAM", given)
    if param.field.description:
        _add(made, "DESCRIPTION", text=param.field.description)
    limits = {"MIN": param.minimum, "MAX": param.maximum}
    if param.options or any(limits.values()):
        values = _add(made, "VALUES")
        for tag, limit in limits.items():
            if limit:
                _add(values, tag, {"value": limit})
        for option in param.options:
            _add(values, "OPTION", {"value": option})


def _descriptor(described: Descriptor) -> _Element:
    kind = "adhoc:this" if described.itself else "adhoc:service"
    given = {"type": "meta", "utype": kind, "name": described.name} | ({"ID": described.id} if described.id else {})
    made = _new("RESOURCE", given)
    if described.description:
        _add(made, "DESCRIPTION", text=described.description)
    for param in described.params:
        _add_param(made, param)
    group = _add(made, "GROUP", {"name": "inputParams"})
    for param in described.inputs:
        _add_param(group, param)
    return made
