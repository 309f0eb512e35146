"""The record in ECSV files: lines of what the table says of itself. `Table.read` of astropy has them in its meta."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from tessera.provenance.record import Record

ECSV_START = b"# %ECSV"
"""First bytes of an ECSV file."""
_SCHEMA = b"# schema: "
"""Line behind what a table says of itself."""
_LIST = b"# meta: !!omap"
"""Line in front of it where it is a list of pairs, as astropy writes it."""
_LINE = re.compile(rb"^#(?:   | - )provenance_(\w+): ([^\n]*)\n", re.MULTILINE)


def digest_ecsv(content: bytes) -> dict[str, Any]:
    """What a record says of the data of an ECSV file without a record."""
    return {"sha256": hashlib.sha256(content).hexdigest()}


def add_ecsv_record(content: bytes, describe: Callable[[dict[str, Any]], Record]) -> bytes:
    """Add the record to an ECSV file. To YAML, the record is a mapping.

    Parameters
    ----------
    content : bytes
        The file without its record.
    describe : callable
        Makes the record, given what it says of the data.
    """
    before, schema, after = content.partition(_SCHEMA)
    start = "# - " if _LIST in before else "#   "
    named = describe(digest_ecsv(content)).named
    texts = {name: text if name == "record" else f"'{text}'" for name, text in named.items()}
    lines = "".join(f"{start}provenance_{name}: {text}\n" for name, text in texts.items())
    return before + lines.encode("ascii") + schema + after


def split_ecsv(content: bytes) -> tuple[Record | None, bytes]:
    """The record of an ECSV file, or None if it has none, and the file without it.

    Raises
    ------
    ProvenanceError
        When the record was changed.
    """
    before, schema, after = content.partition(_SCHEMA)
    named = {name.decode("ascii"): text.decode("ascii", "replace").strip("'") for name, text in _LINE.findall(before)}
    if not named:
        return None, content
    record = Record.read(*(named.get(name) for name in ("record", "sha256", "signature")))
    return record, _LINE.sub(b"", before) + schema + after
