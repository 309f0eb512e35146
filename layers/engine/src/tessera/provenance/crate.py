"""The description of an archive: ro-crate-metadata.json, a Research Object Crate (RO-Crate 1.1) with terms of W3C PROV.

It names each file with its size and SHA-256, and says which source it was made from. A file's own record says the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from tessera import __version__
from tessera.fits.headers import BLOCK
from tessera.provenance.fits_files import FitsProvenance, read_provenance

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CRATE = "ro-crate-metadata.json"
"""Name of the description in an archive. RO-Crate demands it."""
Entity: TypeAlias = dict[str, Any]
Member: TypeAlias = "tuple[str, Iterable[ReadableBuffer], int]"
_CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {
        "prov": "http://www.w3.org/ns/prov#",
        "wasDerivedFrom": {"@id": "prov:wasDerivedFrom", "@type": "@id"},
        "wasGeneratedBy": {"@id": "prov:wasGeneratedBy", "@type": "@id"},
        "sha256": "https://w3id.org/ro/terms/workflow-run#sha256",
    },
]
_PROFILE = "https://w3id.org/ro/crate/1.1"
_SOFTWARE = {"@id": "#tessera", "@type": "SoftwareApplication", "name": "Tessera", "version": __version__}
_LICENCE = {
    "@id": "https://archive.stsci.edu/publishing/data-use",
    "@type": "CreativeWork",
    "name": "Data use policy of MAST",
    "description": "TESS data are in the public domain; cite the mission when you publish.",
}
_MEDIA = {"fits": "application/fits", "json": "application/json", "png": "image/png", "jpg": "image/jpeg"}
_TABLE_START = b"XTENSION= 'BINTABLE'"
_LONGEST_TABLE = 1 << 22
"""Bytes at the end of a file in which its record is looked for. Those of moving targets have 60 bytes per position."""


def _read_end(end: bytes) -> FitsProvenance | None:
    """The record at the end of a FITS file, given its last bytes; None if it has none."""
    start = end.rfind(_TABLE_START)
    while start >= 0 and (len(end) - start) % BLOCK:
        start = end.rfind(_TABLE_START, 0, start)
    return None if start < 0 else read_provenance(end[start:])


def _id_of(location: str) -> str:
    """Identifier of a source. What has no address is no file of the archive, so it gets an identifier of its own."""
    return quote(location, safe=":/?&=%") if "://" in location else f"#{quote(location)}"


class Crate:
    """The description of an archive in the making.

    Parameters
    ----------
    day : date
        Day on which the archive is made.
    """

    def __init__(self, day: date) -> None:
        self._day = day
        self._files: list[Entity] = []
        self._others: dict[str, Entity] = {}

    def describe(self, members: Iterable[Member]) -> Iterator[Member]:
        """Let the members of an archive pass, and add the description as the last one.

        Parameters
        ----------
        members : iterable of (str, iterable of buffers, int)
            See `tessera.io.deflate.zip_pieces`.
        """
        for name, pieces, n_bytes in members:
            yield name, self.watch(name, pieces), n_bytes
        content = self.content
        yield CRATE, [content], len(content)

    def watch(self, name: str, pieces: Iterable[ReadableBuffer]) -> Iterator[ReadableBuffer]:
        """Let the pieces of a file pass, and describe it after the last one.

        Parameters
        ----------
        name : str
            Its name in the archive.
        pieces : iterable of buffers
            Its content.

        Raises
        ------
        ProvenanceError
            If its record is damaged.
        """
        digest, n_bytes, end = hashlib.sha256(), 0, bytearray()
        for piece in pieces:
            view = memoryview(piece).cast("B")
            digest.update(view)
            n_bytes += len(view)
            end += view[-_LONGEST_TABLE:]
            if len(end) > 2 * _LONGEST_TABLE:
                del end[:-_LONGEST_TABLE]
            yield piece
        self._describe(name, n_bytes, digest.hexdigest(), bytes(end[-_LONGEST_TABLE:]))

    def _describe(self, name: str, n_bytes: int, sha256: str, end: bytes) -> None:
        suffix = name.rpartition(".")[2]
        file: Entity = {
            "@id": quote(name),
            "@type": "File",
            "name": name,
            "contentSize": str(n_bytes),
            "encodingFormat": _MEDIA.get(suffix, "application/octet-stream"),
            "sha256": sha256,
        }
        self._files.append(file)
        found = _read_end(end) if suffix == "fits" else None
        if found is not None:
            self._add_origin(file, found)

    def _add_origin(self, file: Entity, found: FitsProvenance) -> None:
        origin = found.record.origin
        source, action = _id_of(origin.location), f"#making-{file['@id']}"
        facts = {"ETag": origin.etag, "digest": origin.digest, "build": origin.build}
        told = "; ".join(f"{name} {value}" for name, value in facts.items() if value)
        self._others[source] = {
            "@id": source,
            "@type": "CreativeWork",
            "name": origin.location,
            "description": f"source of {origin.size} bytes" + (f"; {told}" if told else ""),
        }
        self._others[action] = {
            "@id": action,
            "@type": ["CreateAction", "prov:Activity"],
            "name": f"making of {file['name']}, a {found.record.kind}",
            "description": f"The table PROVENANCE of the file has its record, whose SHA-256 is {found.record.sha256}.",
            "instrument": {"@id": _SOFTWARE["@id"]},
            "object": {"@id": source},
            "result": {"@id": file["@id"]},
        }
        file |= {"wasDerivedFrom": {"@id": source}, "wasGeneratedBy": {"@id": action}}

    @property
    def content(self) -> bytes:
        """The description of all files so far."""
        head: Entity = {
            "@id": CRATE,
            "@type": "CreativeWork",
            "conformsTo": {"@id": _PROFILE},
            "about": {"@id": "./"},
        }
        actions = [{"@id": name} for name in self._others if name.startswith("#making-")]
        root: Entity = {
            "@id": "./",
            "@type": "Dataset",
            "name": "Cutouts made by Tessera",
            "description": f"{len(self._files)} files with pixels of TESS, and what each was made from.",
            "datePublished": self._day.isoformat(),
            "license": {"@id": _LICENCE["@id"]},
            "hasPart": [{"@id": file["@id"]} for file in self._files],
            "mentions": actions,
        }
        graph = [head, root, *self._files, *self._others.values(), _SOFTWARE, _LICENCE]
        return json.dumps({"@context": _CONTEXT, "@graph": graph}, indent=1).encode()
