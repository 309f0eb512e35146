"""Read the parts of a cube's info table that a cutout needs: a few columns and one row.

This module uses numpy, which is ten times as fast as a general table reader. `tessera.cubes.info_table` builds tables
and reads all of their cards.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.checks import check_table_size, read_table_header
from tessera.errors import CubeFormatError
from tessera.fits.headers import Header, HeaderSyntaxError

_DTYPES = {"D": ">f8", "E": ">f4", "J": ">i4", "K": ">i8", "I": ">i2", "B": "u1"}
_FORM = re.compile(r"(\d{0,6})([A-Z])")


@dataclass(frozen=True)
class InfoRows:
    """An info table.

    Parameters
    ----------
    rows : structured ndarray, shape (n_cadences,)
        Rows of the table, in the types of the file.
    nulls : dict
        Name of a column to the integer that marks its missing values.
    """

    rows: NDArray[Any]
    nulls: dict[str, int]

    def __contains__(self, keyword: object) -> bool:
        return keyword in (self.rows.dtype.names or ())

    def column(self, keyword: str, dtype: str) -> NDArray[Any]:
        """A column of numbers in another type.

        Raises
        ------
        CubeFormatError
            When the table has no such column.
        """
        if keyword not in self:
            raise CubeFormatError(f"the info table has no column {keyword}")
        return np.asarray(self.rows[keyword]).astype(dtype)

    def integers(self, keyword: str) -> NDArray[np.int32]:
        """A column of integers of 32 bits. It is 0 where the card is missing.

        Raises
        ------
        CubeFormatError
            When a value is something else.
        """
        if keyword not in self:
            return np.zeros(len(self.rows), "<i4")
        values = np.asarray(self.rows[keyword])
        if values.dtype.kind not in "iuf":
            raise CubeFormatError(f"the column {keyword} of the info table has texts; integers are needed")
        missing = np.isnan(values) if values.dtype.kind == "f" else values == self.nulls.get(keyword)
        known = np.where(missing, 0, values)
        if not ((known >= -(2**31)) & (known < 2**31)).all():
            raise CubeFormatError(f"the column {keyword} of the info table has values of more than 32 bits")
        return known.astype("<i4")

    def texts(self, keyword: str) -> NDArray[np.bytes_]:
        """A column of text, without trailing blanks. All texts are empty if the table has no such column."""
        if keyword not in self:
            return np.zeros(len(self.rows), "S1")
        return np.char.rstrip(np.asarray(self.rows[keyword]).astype("S"))

    def cards(self, cadence: int) -> dict[str, Any]:
        """Cards of one frame; missing ones are left out."""
        cards: dict[str, Any] = {}
        for name, item in zip(self.rows.dtype.names or (), self.rows[cadence].item(), strict=True):
            value = item.decode("ascii", "replace").rstrip() if isinstance(item, bytes) else item
            missing = isinstance(value, float) and math.isnan(value)
            if not missing and (name not in self.nulls or value != self.nulls[name]):
                cards[name] = value
        return cards


def table_columns(header: Header) -> tuple[np.dtype[Any], dict[str, int]]:
    """Type of a row, and the integers that mark missing values, by column.

    Raises
    ------
    HeaderSyntaxError
        When it is not the header of a table of single values and text.
    """
    values = {card.keyword: card.value for card in reversed(header.cards)}
    fields, nulls = [], {}
    for number in range(1, header.integer("TFIELDS") + 1):
        name, form, null = (values.get(f"{keyword}{number}") for keyword in ("TTYPE", "TFORM", "TNULL"))
        match = _FORM.fullmatch(str(form).strip())
        if match is None or (match[2] != "A" and (match[2] not in _DTYPES or match[1] not in ("", "1"))):
            raise HeaderSyntaxError(f"TFORM{number} is {form!r}; a single number or text is needed")
        fields.append((str(name), f"S{match[1] or 1}" if match[2] == "A" else _DTYPES[match[2]]))
        if isinstance(null, int):
            nulls[str(name)] = null
    row = np.dtype(fields)
    if row.itemsize != header.integer("NAXIS1"):
        raise HeaderSyntaxError(f"NAXIS1 is {header.get('NAXIS1')}; the columns have {row.itemsize} bytes")
    return row, nulls


def parse_info_rows(name: str, hdu: bytes, header: Header | None = None) -> InfoRows:
    """Read the third HDU of a cube.

    Parameters
    ----------
    name : str
        Name of the cube, for errors.
    hdu : bytes
        Header and data of the HDU.
    header : Header, optional
        Its header, if it is parsed already.

    Raises
    ------
    CubeFormatError
        When the HDU is not a binary table of single values and text, or is truncated.
    """
    header = header or read_table_header(name, hdu)
    try:
        check_table_size(name, header)
        dtype, nulls = table_columns(header)
        return InfoRows(np.frombuffer(hdu, dtype, header.integer("NAXIS2"), header.n_bytes), nulls)
    except (HeaderSyntaxError, ValueError) as reason:
        raise CubeFormatError(f"{name}: {reason}") from reason
