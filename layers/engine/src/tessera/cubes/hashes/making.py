"""Make the record of a cube. It is begun when the frames are known, and ended when the headers are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tessera import __version__
from tessera.fits.headers import header_end
from tessera.provenance.fits_files import format_provenance
from tessera.provenance.record import Record


def begin_record(product: str, hashes: Iterable[Mapping[str, str]], *, location: str = "", build: str = "") -> Record:
    """Make the record of a cube whose headers are not known yet.

    Parameters
    ----------
    product : str
        Kind of the frames.
    hashes : iterable of mapping
        ``name`` of each frame, and its ``etag`` or its ``sha256``.
    location : str, optional
        Where the frames were, if they were in a bucket.
    build : str, optional
        Id of the build, if a service of ours built the cube.
    """
    frames = sorted((dict(each) for each in hashes), key=lambda each: each["name"])
    source = {"location": location, "build": build, "frames": frames}
    return Record("cube", __version__, source, {"product": product}, {})


def format_record(record: Record | None, head: bytes, info: bytes) -> bytes:
    """Format the table with a record that was begun; no bytes without one. All headers of a cube give equal lengths.

    Parameters
    ----------
    record : Record or None
        Result of `begin_record`.
    head, info : bytes
        See `digest_headers`.
    """
    if record is None:
        return b""
    return format_provenance(replace(record, data=digest_headers(head, info)))


def digest_headers(head: bytes, info: bytes) -> dict[str, Any]:
    """What the record of a cube says of its data.

    Parameters
    ----------
    head : bytes
        The two headers in front of the array.
    info : bytes
        The info table.
    """
    return {"headers_sha256": hashlib.sha256(head + info[: header_end(info)]).hexdigest()}
