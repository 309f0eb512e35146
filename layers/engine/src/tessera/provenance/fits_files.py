"""The record in FITS files: a table with one row, PROVENANCE, behind all other HDUs.

What stands in front of it has the bytes that the file has without it. The checksum of the data is the SHA-256 of the
headers in front of it. Each header has the DATASUM of its data, so a change of any card or of any pixel is noticed. A
DATASUM is easily kept on purpose, so a record that is signed also has the SHA-256 of all bytes in front of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tessera.errors import ProvenanceError
from tessera.fits.checksum import ones_complement_add, ones_complement_sum
from tessera.fits.hdus import format_hdu, table_cards
from tessera.fits.headers import (
    BLOCK,
    CARD,
    Card,
    Header,
    HeaderSyntaxError,
    header_end,
    padded,
    parse_card,
    parse_header,
)
from tessera.provenance.record import Record
from tessera.provenance.signing import signs

NAME = "PROVENANCE"
"""EXTNAME of the table."""


def data_bytes(header: bytes) -> int:
    """Size of the data unit with its padding. The cards that say it are the first ones of every header."""

    def cards(first: int, last: int) -> list[Card]:
        texts = (header[CARD * number : CARD * (number + 1)].decode("ascii") for number in range(first, last))
        return [parse_card(text) for text in texts]

    known = cards(0, 3)
    n_axes = known[-1].value
    known += cards(3, 5 + n_axes) if isinstance(n_axes, int) else []
    return padded(Header(tuple(known), len(header), header).data_bytes)


class FitsDigest:
    """Takes the pieces of a FITS file as they pass, and hashes its headers.

    Parameters
    ----------
    whole : bool, optional
        Whether all bytes are hashed, too; by default, if this process signs records.
    """

    def __init__(self, *, whole: bool | None = None) -> None:
        self._digest, self._header, self._skip = hashlib.sha256(), bytearray(), 0
        self._whole = hashlib.sha256() if (signs() if whole is None else whole) else None

    def feed(self, piece: Any) -> None:
        """Take the next piece."""
        view = memoryview(piece).cast("B")
        if self._whole is not None:
            self._whole.update(view)
        while len(view):
            if self._skip:
                step = min(self._skip, len(view))
                self._skip -= step
            else:
                step = min(BLOCK - len(self._header) % BLOCK, len(view))
                self._header += view[:step]
                self._end_header()
            view = view[step:]

    def _end_header(self) -> None:
        if len(self._header) % BLOCK == 0 and header_end(self._header[-BLOCK:]) is not None:
            self._digest.update(self._header)
            self._skip = data_bytes(bytes(self._header))
            self._header.clear()

    @property
    def data(self) -> dict[str, Any]:
        """What a record says of the data. It has the same length for all files."""
        found = {"headers_sha256": self._digest.hexdigest()}
        return found if self._whole is None else found | {"sha256": self._whole.hexdigest()}


def digest_fits(content: Any, *, whole: bool | None = None) -> dict[str, Any]:
    """What a record says of the data of a FITS file in memory; see `FitsDigest`."""
    digest = FitsDigest(whole=whole)
    digest.feed(content)
    return digest.data


def format_provenance(record: Record) -> bytes:
    """Format the table with a record, and with its signature if this process signs records."""
    columns = {name.upper(): text for name, text in record.named.items()}
    cards = table_cards(sum(map(len, columns.values())), 1, len(columns))
    for number, (name, text) in enumerate(columns.items(), 1):
        cards += [(f"TTYPE{number}", name, ""), (f"TFORM{number}", f"{len(text)}A", "")]
    cards.append(("EXTNAME", NAME, "what this file was made of, as JSON"))
    return format_hdu(cards, "".join(columns.values()).encode("ascii"))


def add_provenance(pieces: Iterable[bytes], describe: Callable[[dict[str, Any]], Record]) -> Iterator[bytes]:
    """Let the pieces of a FITS file pass, and add its record.

    Parameters
    ----------
    pieces : iterable of bytes
        The file without its record.
    describe : callable
        Makes the record, given what it says of the data.
    """
    digest = FitsDigest()
    for piece in pieces:
        digest.feed(piece)
        yield piece
    yield format_provenance(describe(digest.data))


@dataclass(frozen=True)
class FitsProvenance:
    """The record of a FITS file.

    Parameters
    ----------
    record : Record
        The record.
    n_bytes : int
        Size of what stands in front of its table.
    """

    record: Record
    n_bytes: int


def read_hdus(content: Any) -> Iterator[tuple[Header, int]]:
    """Headers of a FITS file in memory, and where each begins.

    Raises
    ------
    ProvenanceError
        When a header cannot be read, or the file ends early.
    """
    start = 0
    while start < len(content):
        end = start
        while True:
            block = bytes(content[end : end + BLOCK])
            end += BLOCK
            if len(block) < BLOCK:
                raise ProvenanceError(f"the file ends inside the header that begins at byte {start:,}")
            if header_end(block) is not None:
                break
        try:
            header = parse_header(bytes(content[start:end]))
            size = padded(header.data_bytes)
        except (HeaderSyntaxError, TypeError) as error:
            raise ProvenanceError(f"the header that begins at byte {start:,} cannot be read: {error}") from error
        if end + size > len(content):
            raise ProvenanceError(f"the file ends inside the data of the header that begins at byte {start:,}")
        yield header, start
        start = end + size


def read_provenance(content: Any) -> FitsProvenance | None:
    """Read the record of a FITS file in memory; None if it has none.

    Raises
    ------
    ProvenanceError
        When the file or its record is damaged.
    """
    header, start = max(read_hdus(content), key=lambda item: item[1])
    if header.get("EXTNAME") != NAME:
        return None
    place, texts = start + header.n_bytes, {}
    for number in range(1, header.integer("TFIELDS") + 1):
        length = int(str(header.get(f"TFORM{number}")).removesuffix("A") or 1)
        texts[header.get(f"TTYPE{number}")] = bytes(content[place : place + length]).decode("ascii", "replace")
        place += length
    return FitsProvenance(Record.read(texts.get("RECORD"), texts.get("SHA256"), texts.get("SIGNATURE")), start)


def split_record(content: bytes) -> tuple[bytes, bytes]:
    """Split what begins with a table and ends with a record; the second part is empty if no record follows the table.

    Only the first cards of the table are read: a cube has hundreds of them.
    """
    end = header_end(content)
    try:
        place = len(content) if end is None else end + data_bytes(content[:end])
        followers = [header for header, _ in read_hdus(content[place:])] if 0 < place < len(content) else []
    except (HeaderSyntaxError, ProvenanceError, TypeError, ValueError, LookupError):
        return content, b""
    if len(followers) != 1 or followers[0].get("EXTNAME") != NAME:
        return content, b""
    return content[:place], content[place:]


def data_problems(content: Any) -> list[str]:
    """Which checksums of the HDUs of a FITS file in memory do not fit, one sentence each."""
    problems = []
    for header, start in read_hdus(content):
        place, name = start + header.n_bytes, header.get("EXTNAME") or "the primary HDU"
        found = ones_complement_sum(content[place : place + padded(header.data_bytes)])
        if (said := header.get("DATASUM")) is not None and str(said) != str(found):
            problems.append(f"DATASUM of {name} is {said}, its data give {found}")
        total = ones_complement_add(found, ones_complement_sum(content[start:place]))
        if header.get("CHECKSUM") is not None and total not in (0, 0xFFFFFFFF):
            problems.append(f"CHECKSUM of {name} is wrong")
    return problems
