"""Forms of lists: which one a file has, by its first bytes, its media type and its name."""

from __future__ import annotations

import bz2
import codecs
import lzma
import re
import zlib
from typing import Literal, TypeAlias, get_args

from tessera.errors import InvalidInputError

Form: TypeAlias = Literal["csv", "ecsv", "votable", "fits", "parquet", "json", "text"]
"""Form of a list. A text has a name or a position on each line, or columns below a line with their names."""
FORMS: tuple[Form, ...] = get_args(Form)

START_BYTES = 4096
"""Number of bytes from the beginning of a file that `find_form` needs."""
LISTS = "a list as CSV, ECSV, VOTable, FITS, Parquet, JSON, or text with one target per line"
"""What is allowed, for errors."""

_ENDS: dict[str, Form] = {
    "csv": "csv", "tsv": "csv", "ecsv": "ecsv", "vot": "votable", "votable": "votable", "xml": "votable",
    "fits": "fits", "fit": "fits", "fts": "fits", "parquet": "parquet", "parq": "parquet", "pq": "parquet",
    "json": "json", "txt": "text", "dat": "text", "lst": "text", "list": "text",
}  # fmt: skip
_TYPES: dict[str, Form] = {
    "text/csv": "csv", "application/csv": "csv", "text/tab-separated-values": "csv", "text/x-ecsv": "ecsv",
    "application/x-votable+xml": "votable", "text/xml": "votable", "application/xml": "votable",
    "application/fits": "fits", "image/fits": "fits", "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet", "application/parquet": "parquet", "application/json": "json",
    "text/json": "json",
}  # fmt: skip
_MARKS: tuple[tuple[Form, re.Pattern[bytes]], ...] = (
    ("parquet", re.compile(rb"PAR1|PARE")),
    ("fits", re.compile(rb"SIMPLE  =")),
    ("ecsv", re.compile(rb"\s*# %ECSV ")),
    ("votable", re.compile(rb"\s*<(\?xml|!--|!DOCTYPE\s+VOTABLE|(\w+:)?VOTABLE[\s>])", re.IGNORECASE)),
    ("json", re.compile(rb'\s*(\{\s*["}]|\[\s*([\[\]{"]|-?\d))')),
)
_OTHERS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"PK\x03\x04"), "a zip archive or a spreadsheet"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "a spreadsheet"),
    (re.compile(rb"%PDF"), "a PDF document"),
    (re.compile(rb"\x89PNG|GIF8|\xff\xd8\xff"), "a picture"),
    (re.compile(rb"\x89HDF"), "an HDF5 file"),
    (re.compile(rb"SQLite format 3"), "a database"),
    (re.compile(rb"ARROW1"), "an Arrow file"),
    (re.compile(rb"\s*<(!doctype\s+html|html)", re.IGNORECASE), "a web page"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "a file packed with zstd"),
)
_PACKED = re.compile(r"\.(gz|bz2|xz)$")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
"""Byte order marks, and the encodings that they say."""


def find_form(name: str = "", content_type: str = "", start: bytes = b"", argument: str = "targets") -> Form:
    """Find the form of a list.

    Parameters
    ----------
    name : str, optional
        Name of the file; empty if it has none.
    content_type : str, optional
        Media type that the sender gives, such as ``text/csv; charset=utf-8``.
    start : bytes, optional
        The first `START_BYTES` bytes, or the whole file if it is shorter. They may be packed with gzip, bzip2 or xz.
    argument : str, optional
        Name of the caller's argument, for errors.

    Returns
    -------
    str
        The form. What the bytes say counts before the media type, and that before the name. ``text`` if nothing says
        it.

    Raises
    ------
    InvalidInputError
        When the bytes are those of something that is no list.
    """
    plain = _unpack_start(start)
    if (encoding := find_encoding(plain)) != "utf-8":
        plain = plain.decode(encoding, "ignore").encode()
    for pattern, words in _OTHERS:
        if pattern.match(plain):
            raise InvalidInputError(argument, words, LISTS)
    for form, pattern in _MARKS:
        if pattern.match(plain):
            return form
    if b"\0" in plain:
        raise InvalidInputError(argument, "a file with bytes that are no text", LISTS)
    media = content_type.partition(";")[0].strip().lower()
    return _TYPES.get(media) or form_of_name(name) or "text"


def form_of_name(name: str) -> Form | None:
    """Form that the end of a file's name says; None if it says none."""
    return _ENDS.get(_PACKED.sub("", name.lower()).rpartition(".")[2]) if "." in name else None


def find_encoding(start: bytes) -> str:
    """Encoding that the byte order mark of a text says, of which at least 4 bytes are given; UTF-8 without a mark."""
    return next((encoding for bom, encoding in _BOMS if start.startswith(bom)), "utf-8")


def _unpack_start(start: bytes) -> bytes:
    """First bytes of a file that may be packed; as they are if they are not, or are damaged."""
    try:
        if start.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(start, START_BYTES)
        if start.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(start, START_BYTES)
        if start.startswith(b"\xfd7zXZ"):
            return lzma.LZMADecompressor(memlimit=1 << 28).decompress(start, START_BYTES)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return start
    return start
