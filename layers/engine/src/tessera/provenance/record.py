"""The record of a product: what it was made of, by which version, on which request, and what its data are.

The record is canonical JSON: keys in order, no blanks, ASCII, numbers as Python writes them. So equal records are equal
texts, and the SHA-256 of the text names the record. Numbers that JSON does not have are null (NaN) and texts (inf).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from tessera.errors import ProvenanceError
from tessera.io.locations import file_name, scheme_of, shown
from tessera.provenance.signing import sign_text

FORMAT = 1
"""Number of the form of records. A reader refuses others."""
Kind: TypeAlias = Literal[
    "target pixel file",
    "moving target pixel file",
    "image cutout",
    "ASDF image cutout",
    "light curves",
    "light curve of a list",
    "light curve",
    "stitched light curve",
    "preview",
    "preview frames",
    "preview picture",
    "image picture",
    "cube",
    "segment table",
    "reference frame",
    "list of changes",
    "cotrending vectors",
]
"""Kinds of products."""


def canonical_json(value: Any) -> str:
    """Text of a value of JSON that is the same for equal values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.replace("\x7f", r"\u007f")  # FITS and YAML do not allow it


def sha256_text(text: str) -> str:
    """SHA-256 of a text, as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def to_number(value: float) -> float | str | None:
    """A number as records have it: null for NaN, and a text for infinity."""
    value = float(value)
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else repr(value)


def from_number(value: float | str | None) -> float:
    """Read what `to_number` wrote."""
    return math.nan if value is None else float(value)


@dataclass(frozen=True)
class Origin:
    """The file that a product was made from.

    Parameters
    ----------
    location : str
        URL without secrets. Of a local file only its name, because folders are the matter of their owner.
    size : int
        Size in bytes.
    etag : str, optional
        ETag, without quotation marks; empty where the place has none.
    digest : str, optional
        SHA-256 of what tells it from others besides its pixels: of a cube, its headers, times and names of frames.
    build : str, optional
        Id of the build that made it; empty if a service of ours did not.
    """

    location: str
    size: int
    etag: str = ""
    digest: str = ""
    build: str = ""

    @classmethod
    def of(cls, location: object, size: int, etag: str = "", digest: str = "", build: str = "") -> Self:
        """Describe a file at a location as users write it."""
        text = shown(location)
        text = text if scheme_of(text) not in ("", "file") else file_name(text)
        return cls(text, size, etag.strip('"'), digest, build)

    @property
    def is_local(self) -> bool:
        """Whether only the name is known."""
        return not scheme_of(self.location)


@dataclass(frozen=True)
class Record:
    """What a product was made of.

    Parameters
    ----------
    kind : str
        Kind of the product; see `Kind`.
    engine : str
        Version of this software.
    source : mapping
        What it was made from; see `Origin`.
    request : mapping
        What was asked for, complete: the source and the request decide every byte of the data.
    data : mapping
        Checksums of the data. Their meaning depends on the format; docs/explanation/provenance.md lists them.
    signature : str, optional
        Signature of the text, of a record that was read with one; no part of the record.
    """

    kind: Kind
    engine: str
    source: Mapping[str, Any]
    request: Mapping[str, Any]
    data: Mapping[str, Any]
    signature: str = field(default="", compare=False)

    @property
    def document(self) -> dict[str, Any]:
        """The record as a document of JSON."""
        return {
            "record": FORMAT,
            "kind": self.kind,
            "engine": self.engine,
            "source": self.source,
            "request": self.request,
            "data": self.data,
        }

    @property
    def text(self) -> str:
        """Canonical JSON."""
        return canonical_json(self.document)

    @property
    def sha256(self) -> str:
        """SHA-256 of the text."""
        return sha256_text(self.text)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Record:
        """The record of a document, as other records name it."""
        return cls(**{name: value for name, value in document.items() if name != "record"})

    @property
    def named(self) -> dict[str, str]:
        """The text, its SHA-256, and its signature if this process signs, by name, as formats hold them."""
        signature = sign_text(self.text)
        return {"record": self.text, "sha256": self.sha256} | ({"signature": signature} if signature else {})

    @property
    def origin(self) -> Origin:
        """The source, of a product that was made from one file.

        Raises
        ------
        ProvenanceError
            When the record does not name it.
        """
        try:
            return Origin(**self.source)
        except TypeError as error:
            raise ProvenanceError(f"the record of provenance does not name one source: {error}") from error

    @property
    def origins(self) -> list[Origin]:
        """All sources: one, or those of the cutouts that the product was made of; none if the record names none."""
        try:
            sources = [each["source"] for each in self.source["cutouts"]] if "cutouts" in self.source else [self.source]
            found = dict.fromkeys(Origin(**source) for source in sources)
        except (TypeError, LookupError):
            return []
        return [origin for origin in found if isinstance(origin.location, str)]

    @classmethod
    def read(cls, text: object, sha256: object, signature: object = None) -> Record:
        """Read the text of a record with its SHA-256 and its signature, if any, as a product holds them.

        Raises
        ------
        ProvenanceError
            When the text was changed, or `parse` raises it.
        """
        if not isinstance(text, str) or sha256_text(text) != sha256:
            raise ProvenanceError("the record of provenance was changed: its SHA-256 is another one")
        return replace(cls.parse(text), signature=str(signature or ""))

    @classmethod
    def parse(cls, text: str) -> Record:
        """Read the text of a record.

        Raises
        ------
        ProvenanceError
            When it is no record, is not canonical, or has another form.
        """
        try:
            document = json.loads(text)
            number = document.pop("record")
            record = cls(**document)
            for value in (record.source, record.request, record.data):
                value.keys()
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ProvenanceError(f"the record of provenance cannot be read: {error}") from error
        if number != FORMAT:
            raise ProvenanceError(f"the record of provenance has form {number}; {FORMAT} is needed")
        if record.kind not in get_args(Kind):
            raise ProvenanceError(f"the record of provenance is of a {record.kind!r}, which this version does not know")
        if record.text != text:
            raise ProvenanceError("the record of provenance is not canonical JSON; it was changed")
        return record


def digest_facts(header: bytes, series: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of a header and of arrays by name, whatever types the arrays are stored with."""
    digest = hashlib.sha256(header)
    for name in sorted(series):
        values = series[name]
        kind = values.dtype.kind
        digest.update(f"{name} {kind} {len(values)}\n".encode())
        if kind in "SU":
            digest.update(b"\n".join(np.asarray(values, "S").tolist()))
        else:
            digest.update(np.asarray(values, "<f8" if kind == "f" else "<i8").tobytes())
    return digest.hexdigest()
