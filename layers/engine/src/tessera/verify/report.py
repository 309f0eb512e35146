"""What is found out about a product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from tessera.provenance.record import canonical_json

Status: TypeAlias = Literal["same", "different", "unknown", "unreadable"]
"""``same``: made again, every byte is equal. ``different``: something differs, and `problems` names it. ``unknown``:
nothing differs as far as it can be checked, but the product could not be made again. ``unreadable``: the product itself
cannot be read; `tessera.verify_product` raises an error instead."""


@dataclass(frozen=True)
class Problem:
    """One thing that differs.

    Parameters
    ----------
    what : {'pixel', 'value', 'card', 'checksum', 'record', 'signature', 'source', 'structure'}
        Kind of thing.
    text : str
        What differs, in one sentence.
    place : mapping, optional
        Where it is: of a pixel ``hdu``, ``column``, ``row``, ``cadence`` and ``plane``, counted from 0 on the frame and
        in the cube; of a card ``hdu`` and ``keyword``; of a value of a list ``field``, ``target``, ``list_row`` and
        ``cadence``.
    """

    what: Literal["pixel", "value", "card", "checksum", "record", "signature", "source", "structure"]
    text: str
    place: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verification:
    """What is found out about a product.

    Parameters
    ----------
    file : str
        The product, as it was given.
    status : {'same', 'different', 'unknown', 'unreadable'}
        Outcome; see `Status`.
    problems : sequence of Problem
        What differs. Of many pixels, the first ones are named, and the others are counted.
    notes : sequence of str
        What could not be checked, and why.
    record : mapping or None
        The record of the product; see docs/explanation/provenance.md.
    sha256 : str
        Name of the record; empty without one.
    signature : str
        Signature of the record; empty without one.
    signed_by : str
        Name of the key that signed the record, if that was checked and is right; else empty.
    members : sequence of Verification
        Of an archive, its files. Their names have that of the archive in front.
    """

    file: str
    status: Status
    problems: Sequence[Problem] = ()
    notes: Sequence[str] = ()
    record: dict[str, Any] | None = None
    sha256: str = ""
    signature: str = ""
    signed_by: str = ""
    members: Sequence[Verification] = ()

    @property
    def lines(self) -> list[str]:
        """What is found out, as lines of text."""
        said = {
            "same": "made again, and every byte is the same",
            "different": "it differs",
            "unknown": "it could not be made again",
            "unreadable": "it cannot be read",
        }
        if self.members:
            said["unknown"] = "not all of its files could be made again"
        lines = [f"{self.file}: {said[self.status]}"]
        lines += [f"{self.file}: its record is signed with the key {self.signed_by}"] if self.signed_by else []
        lines += [f"{self.file}: {problem.text}" for problem in self.problems]
        lines += [f"{self.file}: {note}" for note in self.notes]
        return lines + [line for member in self.members for line in member.lines]

    @property
    def json(self) -> str:
        """The same as a document of JSON."""
        return canonical_json(self.document)

    @property
    def document(self) -> dict[str, Any]:
        """The same as a mapping, as JSON has it."""
        problems = [{"what": item.what, "text": item.text, "place": item.place} for item in self.problems]
        return {
            "file": self.file,
            "status": self.status,
            "problems": problems,
            "notes": list(self.notes),
            "record": self.record,
            "sha256": self.sha256,
            "signature": self.signature,
            "signed_by": self.signed_by,
            "members": [member.document for member in self.members],
        }
