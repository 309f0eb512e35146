"""Elements of a VOTable: columns, parameters, remarks, tables, and descriptions of services."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

CONTENT_TYPE = "application/x-votable+xml"
Cell: TypeAlias = "str | int | float | bool | Sequence[float] | None"
"""Value of a column. None, and a number that is not finite, is an empty cell. An array is written with blanks."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or what is known of a parameter beside its value.

    Parameters
    ----------
    name : str
        Name.
    datatype : str, optional
        Type, such as ``char``, ``long`` or ``double``.
    arraysize : str, optional
        Number of values; ``*`` for any number, empty for one.
    unit, ucd, utype, xtype : str, optional
        Unit, kind of content, place in a data model, and form of the value.
    id : str, optional
        Name that references within the document have for it.
    description : str, optional
        Sentence for people.
    """

    name: str
    datatype: str = "char"
    arraysize: str = ""
    unit: str = ""
    ucd: str = ""
    utype: str = ""
    xtype: str = ""
    id: str = ""
    description: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of the element, without empty ones."""
        names = ("name", "datatype", "arraysize", "unit", "ucd", "utype", "xtype")
        given = {"ID": self.id} | {name: getattr(self, name) for name in names}
        return {name: value for name, value in given.items() if value}


def text_field(name: str, ucd: str = "", **others: str) -> Field:
    """Column of texts of any length."""
    return Field(name, "char", "*", ucd=ucd, **others)


def wide_fields(fields: Sequence[Field], rows: Iterable[Sequence[Cell]]) -> tuple[Field, ...]:
    """Columns for some rows. Texts with characters that are not ASCII need another type (VOTable 1.4, section 2.1).

    Parameters
    ----------
    fields : sequence of Field
        Columns.
    rows : iterable of sequences
        Values of each row, in the order of the columns.
    """
    wide = {number for row in rows for number, cell in enumerate(row) if isinstance(cell, str) and not cell.isascii()}
    return tuple(
        replace(field, datatype="unicodeChar") if number in wide else field for number, field in enumerate(fields)
    )


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter.

    Parameters
    ----------
    field : Field
        Name, type and meaning.
    value : str, optional
        Value; empty if clients choose it.
    ref : str, optional
        `Field.id` of a column that has the values.
    minimum, maximum : str, optional
        Limits of the value.
    options : tuple of str, optional
        Values that are allowed; empty if others are allowed too.
    """

    field: Field
    value: str = ""
    ref: str = ""
    minimum: str = ""
    maximum: str = ""
    options: tuple[str, ...] = ()


def text_param(name: str, value: str = "", **others: str) -> Param:
    """Parameter that is a text of any length."""
    return Param(text_field(name, **others), value)


@dataclass(frozen=True, slots=True)
class Info:
    """A remark about an answer.

    Parameters
    ----------
    name, value : str
        Name and value.
    text : str, optional
        Sentence for people.
    """

    name: str
    value: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Parameters
    ----------
    fields : tuple of Field
        Columns.
    rows : iterable of sequences
        Values of each row, in the order of the columns. Each row is written before the next one is asked for.
    name : str, optional
        Name.
    """

    fields: tuple[Field, ...]
    rows: Iterable[Sequence[Cell]] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Description of a service (DataLink 1.1, section 4).

    Parameters
    ----------
    name : str
        Short name.
    params : tuple of Param
        What the service is: accessURL, standardID and others.
    inputs : tuple of Param
        Parameters of the service.
    id : str, optional
        Name that references within the document have for it.
    description : str, optional
        Sentence for people.
    itself : bool, optional
        Whether it describes the service that gives the answer.
    """

    name: str
    params: tuple[Param, ...]
    inputs: tuple[Param, ...]
    id: str = ""
    description: str = ""
    itself: bool = False
