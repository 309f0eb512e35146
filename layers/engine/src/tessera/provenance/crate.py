"""The description of an archive: ro-crate-metadata.json, a Research Object Crate (RO-Crate 1.1) with terms of W3C PROV.

It names each file with its size and SHA-256, and says which source it was made from. A file's own record says the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from tessera import __version__
from tessera.provenance.passing import PassingFile, passing_file
from tessera.provenance.record import Origin

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CRATE = "ro-crate-metadata.json"
"""Name of the description in an archive. RO-Crate demands it."""
MOST_BYTES = 5000
"""Bytes by which one more file lengthens a description, at most."""
NO_DAY = date(1980, 1, 1)
"""Day of archives of which no day is known, as their members have it."""
SOFTWARE = "#tessera"
"""Identifier of Tessera in a description."""
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
_SOFTWARE = {
    "@id": SOFTWARE,
    "@type": "SoftwareApplication",
    "name": "Tessera",
    "version": __version__,
}
_LICENCE = {
    "@id": "https://archive.stsci.edu/publishing/data-use",
    "@type": "CreativeWork",
    "name": "Data use policy of MAST",
    "description": "The terms of the archive that the pixels come from hold. Those of TESS come from MAST.",
}
_MEDIA = {"fits": "application/fits", "json": "application/json", "png": "image/png", "jpg": "image/jpeg"}
_FRAME_BYTES = 3000
"""Bytes of a description without files, at most."""


def _id_of(location: str) -> str:
    """Identifier of a source. What has no address is no file of the archive, so it gets an identifier of its own."""
    return quote(location, safe=":/?&=%") if "://" in location else f"#{quote(location)}"


class Crate:
    """The description of an archive in the making. Equal files have equal descriptions.

    Parameters
    ----------
    day : date, optional
        Day on which the archive is made. It counts only if no file has a DATE.

    Attributes
    ----------
    n_bytes : int
        Bytes of the description of all files so far, at most.
    """

    def __init__(self, day: date = NO_DAY) -> None:
        self._day = day.isoformat()
        self._dates: set[str] = set()
        self._sums: dict[str, str] = {}
        self._entities: list[str] = []
        self._sources: set[str] = set()
        self._files: list[Entity] = []
        self._actions: list[Entity] = []
        self.n_bytes = _FRAME_BYTES

    def describe(
        self, members: Iterable[Member], origins: Mapping[str, Sequence[Origin]] | None = None
    ) -> Iterator[Member]:
        """Let the members of an archive pass, and add the description as the last one.

        Parameters
        ----------
        members : iterable of (str, iterable of buffers, int)
            See `tessera.io.deflate.zip_pieces`.
        origins : mapping, optional
            Name of a file without a record to what it was made from.
        """
        known = origins or {}
        for name, pieces, n_bytes in members:
            yield name, self.watch(name, pieces, known.get(name, ())), n_bytes
        content = self.content
        yield CRATE, [content], len(content)

    def watch(
        self, name: str, pieces: Iterable[ReadableBuffer], origins: Sequence[Origin] = ()
    ) -> Iterator[ReadableBuffer]:
        """Let the pieces of a file pass, and describe it after the last one.

        Parameters
        ----------
        name : str
            Its name in the archive.
        pieces : iterable of buffers
            Its content.
        origins : sequence of Origin, optional
            What it was made from, if it has no record.
        """
        digest, n_bytes = hashlib.sha256(), 0
        passing = passing_file(name)
        for piece in pieces:
            view = memoryview(piece).cast("B")
            digest.update(view)
            n_bytes += len(view)
            passing.feed(view)
            yield piece
        self._sums[name] = digest.hexdigest()
        self._describe(name, n_bytes, passing, origins)

    def sha256(self, name: str) -> str:
        """SHA-256 of a file that has passed, in hexadecimal digits."""
        return self._sums[name]

    def _describe(self, name: str, n_bytes: int, passing: PassingFile, origins: Sequence[Origin]) -> None:
        file: Entity = {
            "@id": quote(name),
            "@type": "File",
            "name": name,
            "contentSize": str(n_bytes),
            "encodingFormat": _MEDIA.get(name.rpartition(".")[2], "application/octet-stream"),
            "sha256": self._sums[name],
        }
        self._dates |= {passing.date} - {""}
        kind, told = "", "The file has no record."
        if (record := passing.record) is not None:
            kind, origins = f", a {record.kind}", record.origins
            told = f"The file has its record, whose SHA-256 is {record.sha256}."
        action = self._action(file, origins, kind, told) if origins else None
        self._add(file, self._files)
        if action is not None:
            self._add(action, self._actions)

    def _action(self, file: Entity, origins: Sequence[Origin], kind: str, told: str) -> Entity:
        """What made a file; its sources are added, too."""
        found = [{"@id": self._source(origin)} for origin in origins]
        sources, name = found[0] if len(found) == 1 else found, f"#making-{file['@id']}"
        file |= {"wasDerivedFrom": sources, "wasGeneratedBy": {"@id": name}}
        return {
            "@id": name,
            "@type": ["CreateAction", "prov:Activity"],
            "name": f"making of {file['name']}{kind}",
            "description": told,
            "instrument": {"@id": SOFTWARE},
            "object": sources,
            "result": {"@id": file["@id"]},
        }

    def _source(self, origin: Origin) -> str:
        """Identifier of a source, which is added if it is new."""
        source = _id_of(origin.location)
        if source not in self._sources:
            self._sources.add(source)
            facts = {"bytes": origin.size, "ETag": origin.etag, "digest": origin.digest, "build": origin.build}
            known = "; ".join(f"{name} {value}" for name, value in facts.items() if value)
            about = {"name": origin.location, "description": f"source{': ' if known else ''}{known}"}
            self._add({"@id": source, "@type": "CreativeWork", **about})
        return source

    def _add(self, entity: Entity, listed: list[Entity] | None = None) -> None:
        text = json.dumps(entity)
        self._entities.append(text)
        self.n_bytes += len(text) + 2
        if listed is not None:
            listed.append({"@id": entity["@id"]})
            self.n_bytes += len(json.dumps(listed[-1])) + 2

    @property
    def content(self) -> bytes:
        """The description of all files so far: one line for each entity."""
        head: Entity = {
            "@id": CRATE,
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        }
        root: Entity = {
            "@id": "./",
            "@type": "Dataset",
            "name": "Files made by Tessera",
            "description": f"{len(self._files)} files, and what each was made from.",
            "datePublished": max(self._dates, default=self._day),
            "license": {"@id": _LICENCE["@id"]},
            "hasPart": self._files,
            "mentions": self._actions,
        }
        first, last = [head, root], [_SOFTWARE, _LICENCE]
        lines = [*map(json.dumps, first), *self._entities, *map(json.dumps, last)]
        graph = ",\n".join(lines)
        return f'{{"@context": {json.dumps(_CONTEXT)},\n"@graph": [\n{graph}\n]}}\n'.encode()
