"""The signature of a segment table: a record of the table and of the records of its segments, which is signed.

A table that is not signed has no record: the records of its segments say what they were made of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable

from tessera import __version__
from tessera.cubes.segments.table import SegmentTable
from tessera.errors import ProvenanceError
from tessera.provenance.record import Kind, Record
from tessera.provenance.signing import signs

KIND: Kind = "segment table"
_FIELD = "provenance"


def table_text(table: SegmentTable, records: Callable[[], Iterable[Record | None]]) -> bytes:
    """Text of the file of a segment table, with a signed record if this process signs records.

    Parameters
    ----------
    table : SegmentTable
        The table.
    records : callable
        Returns the record of each segment, None for one without a record. It is called only if they are needed.
    """
    plain = table.to_json()
    if not signs():
        return plain
    named = [
        {"name": segment.name, "record": "" if record is None else record.sha256}
        for segment, record in zip(table.segments, records(), strict=True)
    ]
    record = Record(KIND, __version__, {"segments": named}, {}, _digest(plain))
    return _text(json.loads(plain) | {_FIELD: record.named})


def _text(about: dict[str, object]) -> bytes:
    return json.dumps(about, indent=1).encode()


def _digest(plain: bytes) -> dict[str, str]:
    return {"sha256": hashlib.sha256(plain).hexdigest()}


def read_table_record(data: bytes, records: Iterable[Record | None]) -> Record | None:
    """The record of a segment table; None if it has none.

    Parameters
    ----------
    data : bytes
        Text of the file.
    records : iterable of (Record or None)
        Record of each segment.

    Raises
    ------
    ProvenanceError
        When the record was changed, or is not that of the table and of its segments.
    """
    about = json.loads(data)
    named = about.pop(_FIELD, None)
    if named is None:
        return None
    if not isinstance(named, dict):
        raise ProvenanceError("the record of provenance of the segment table cannot be read")
    record = Record.read(*(named.get(name) for name in ("record", "sha256", "signature")))
    if record.data != _digest(_text(about)):
        raise ProvenanceError("the record is of another segment table: its SHA-256 differs")
    found = ["" if each is None else each.sha256 for each in records]
    listed = record.source.get("segments")
    if record.kind != KIND or not isinstance(listed, list):
        raise ProvenanceError("the record of the segment table is that of something else")
    if [each.get("record") if isinstance(each, dict) else None for each in listed] != found:
        raise ProvenanceError("the record of the segment table is of segments with other records")
    return record
