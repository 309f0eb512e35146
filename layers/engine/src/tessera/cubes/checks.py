"""Read what is behind the array of a cube, and find damage in its headers, its info table and the size of its file."""

from __future__ import annotations

import re

from tessera.cubes.frames import ReadBytes
from tessera.errors import CubeFormatError
from tessera.fits.checksum import ones_complement_add, ones_complement_sum
from tessera.fits.headers import Header, HeaderSyntaxError, header_end, padded, parse_header
from tessera.provenance.fits_files import split_record

MAX_INFO_BYTES = 256 << 20
"""Largest info table in bytes. The longest sectors have tables of 25 MB."""
MAX_INFO_VALUES = 20_000_000
"""Largest number of values in an info table. The longest sectors have 2 million."""
MAX_COLUMNS = 999
"""Largest number of columns of a FITS table."""
_ALL_ONES = 0xFFFFFFFF
_WRONG = "its CHECKSUM is wrong (with check=False, damaged cubes are read nevertheless)"
_CHECKSUM = re.compile("[0-9A-Za-z]{16}")
_DATASUM = re.compile(r"\d{1,10}")


def has_sums(header: Header) -> bool:
    """Whether a header has CHECKSUM and DATASUM.

    MAST's and astrocut's cubes have none. But their headers may have the DATASUM of a frame, and the comment of the
    frames' CHECKSUM card.
    """
    found = _CHECKSUM.fullmatch(str(header.get("CHECKSUM"))), _DATASUM.fullmatch(str(header.get("DATASUM")))
    return all(found)


def sums_hold(header: Header, data_sum: int) -> bool:
    """Whether header and data add up to what CHECKSUM promises.

    Parameters
    ----------
    header : Header
        Header with a CHECKSUM.
    data_sum : int
        Ones-complement sum of the data.
    """
    return ones_complement_add(ones_complement_sum(header.text), data_sum) == _ALL_ONES


def check_headers(name: str, primary: Header, image: Header) -> None:
    """Check the two headers in front of the array. The pixels are not read; their sum is taken from its card.

    Raises
    ------
    CubeFormatError
        When a header is damaged.
    """
    for what, header in (("the primary header", primary), ("the header of the image", image)):
        if has_sums(header) and not sums_hold(header, int(str(header.get("DATASUM")))):
            raise CubeFormatError(f"{name}: {what} is damaged: {_WRONG}")


def read_table(name: str, file_size: int, read: ReadBytes, table_offset: int, *, check: bool = True) -> bytes:
    """Read the info table of a cube, in one request, and check its size and its checksum.

    Parameters
    ----------
    name, file_size, read, check
        See `tessera.cubes.reader.read_cube`.
    table_offset : int
        Position of its first byte in the file: the end of the padded array.

    Returns
    -------
    bytes
        Header and data.

    Raises
    ------
    CubeFormatError
        When the file is too short or too long, or the table is damaged.
    """
    hdu, _ = read_end(name, file_size, read, table_offset)
    if check:
        check_table(name, hdu)
    return hdu


def read_end(name: str, file_size: int, read: ReadBytes, table_offset: int) -> tuple[bytes, bytes]:
    """Read everything behind the array of a cube, in one request: the info table, and the table with its record.

    The second one is empty if there is none. Other bytes behind the info table count as a part of it, so that its check
    finds them.

    Parameters
    ----------
    name, file_size, read, table_offset
        See `read_table`.

    Raises
    ------
    CubeFormatError
        When the file is too short or too long.
    """
    size = file_size - table_offset
    if not 0 < size <= MAX_INFO_BYTES:
        raise CubeFormatError(
            f"{name}: {file_size:,} bytes, the info table would begin at {table_offset:,} and have 1 to "
            f"{MAX_INFO_BYTES:,} bytes"
        )
    return split_record(read(table_offset, size))


def check_table(name: str, hdu: bytes) -> Header:
    """Check the info table: where it ends, and its checksum; see `check_end`. Its header is returned.

    Raises
    ------
    CubeFormatError
        When the file is too short or too long, or the table is damaged.
    """
    header = check_end(name, hdu)
    if has_sums(header) and not sums_hold(header, ones_complement_sum(memoryview(hdu)[header.n_bytes :])):
        raise CubeFormatError(f"{name}: the info table is damaged: {_WRONG}")
    return header


def check_end(name: str, hdu: bytes) -> Header:
    """Check that the file ends where the info table ends, and return the table's header.

    Parameters
    ----------
    name : str
        Name of the cube, for errors.
    hdu : bytes
        Everything after the array.

    Raises
    ------
    CubeFormatError
        When the file is too short or too long.
    """
    header = read_table_header(name, hdu)
    expected = header.n_bytes + padded(check_table_size(name, header))
    if len(hdu) != expected:
        raise CubeFormatError(f"{name}: the info table has {expected:,} bytes, and the file has {len(hdu):,} for it")
    return header


def read_table_header(name: str, hdu: bytes) -> Header:
    """Parse the header of the info table.

    Raises
    ------
    CubeFormatError
        When it is not the header of a table.
    """
    end = header_end(hdu)
    if end is None:
        raise CubeFormatError(f"{name}: the header of the info table does not end")
    try:
        return parse_header(bytes(hdu[:end]))
    except HeaderSyntaxError as reason:
        raise CubeFormatError(f"{name}: info table: {reason}") from reason


def check_table_size(name: str, header: Header) -> int:
    """Return the size of a table's data in bytes, without padding.

    Raises
    ------
    CubeFormatError
        When the header does not describe a table, or a table that is too large.
    """
    try:
        shape = [header.integer(keyword) for keyword in ("NAXIS", "NAXIS1", "NAXIS2", "TFIELDS")]
    except HeaderSyntaxError as reason:
        raise CubeFormatError(f"{name}: info table: {reason}") from reason
    n_axes, row_bytes, n_rows, n_columns = shape
    size = row_bytes * n_rows
    plain = [header.get(keyword) for keyword in ("XTENSION", "BITPIX", "PCOUNT", "GCOUNT")] == ["BINTABLE", 8, 0, 1]
    small = size <= MAX_INFO_BYTES and n_columns <= MAX_COLUMNS and n_rows * n_columns <= MAX_INFO_VALUES
    if not plain or n_axes != 2 or min(shape) < 1 or not small:
        found = f"a {header.get('XTENSION')} with NAXIS, NAXIS1, NAXIS2, TFIELDS = {shape}"
        limits = f"{MAX_INFO_BYTES:,} bytes, {MAX_COLUMNS} columns and {MAX_INFO_VALUES:,} values"
        raise CubeFormatError(
            f"{name}: the info table is {found:.80}; allowed is a BINTABLE without heap, of up to {limits}"
        )
    return size
