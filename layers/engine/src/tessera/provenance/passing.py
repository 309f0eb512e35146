"""What files say of themselves, while their pieces pass: their date, and their record."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tessera.errors import ProvenanceError
from tessera.extras import MissingPackageError
from tessera.fits.headers import BLOCK, CARD, LARGEST_HEADER, header_end
from tessera.provenance.asdf_files import split_asdf
from tessera.provenance.fits_files import NAME, data_bytes, read_provenance
from tessera.provenance.jpeg_files import split_jpeg
from tessera.provenance.png_files import read_png
from tessera.provenance.record import Record

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_DATE = re.compile(rb"DATE    = '(\d{4}-\d\d-\d\d)")
_TABLE = f"EXTNAME = '{NAME}".encode()


class PassingFile:
    """Takes the pieces of a file, which here has neither a date nor a record.

    Attributes
    ----------
    date : str
        Day of creation; empty if the file does not say it.
    """

    date = ""

    def feed(self, piece: ReadableBuffer) -> None:
        """Take the next piece."""

    @property
    def record(self) -> Record | None:
        """The record of the file; None if it has none that can be read. `tessera verify` says what is wrong with it."""
        try:
            return self._read()
        except (ProvenanceError, MissingPackageError):
            return None

    def _read(self) -> Record | None:
        return None


class _WholeFile(PassingFile):
    """A file that is kept in memory, because its record may be anywhere."""

    def __init__(self) -> None:
        self._content = bytearray()

    def feed(self, piece: ReadableBuffer) -> None:
        self._content += piece


class _PassingAsdf(_WholeFile):
    def _read(self) -> Record | None:
        return split_asdf(bytes(self._content))[1]


class _PassingPng(_WholeFile):
    def _read(self) -> Record | None:
        return read_png(bytes(self._content))[1]


class _PassingJpeg(_WholeFile):
    def _read(self) -> Record | None:
        return split_jpeg(bytes(self._content))[1]


def passing_file(name: str) -> PassingFile:
    """What takes the pieces of a file of this name."""
    kinds = {"fits": PassingFits, "asdf": _PassingAsdf, "png": _PassingPng, "jpg": _PassingJpeg}
    return kinds.get(name.rpartition(".")[2], PassingFile)()


class PassingFits(PassingFile):
    """Takes the pieces of a FITS file: its date is the DATE of the primary header, without its time."""

    def __init__(self) -> None:
        self.date = ""
        self._header, self._table = bytearray(), bytearray()
        self._skip, self._n_headers, self._broken = 0, 0, False

    def feed(self, piece: ReadableBuffer) -> None:
        """Take the next piece."""
        view = memoryview(piece).cast("B")
        while len(view) and not self._broken:
            if self._skip:
                step = min(self._skip, len(view))
                self._skip -= step
                if self._table:
                    self._table += view[:step]
            else:
                step = min(BLOCK - len(self._header) % BLOCK, len(view))
                self._header += view[:step]
                if len(self._header) % BLOCK == 0:
                    self._end_block()
            view = view[step:]

    def _end_block(self) -> None:
        if header_end(self._header[-BLOCK:]) is None:
            self._broken = len(self._header) > LARGEST_HEADER
            return
        header = bytes(self._header)
        self._header.clear()
        try:
            self._skip = data_bytes(header)
        except ValueError:
            self._broken = True
            return
        self._table = bytearray(header) if _TABLE in header else bytearray()
        if not self._n_headers:
            places = (found for found in _DATE.finditer(header) if found.start() % CARD == 0)
            self.date = next((found[1].decode() for found in places), "")
        self._n_headers += 1

    def _read(self) -> Record | None:
        found = read_provenance(self._table) if self._table else None
        return None if found is None else found.record
