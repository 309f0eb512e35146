"""What a list on this machine has done so far: a folder beside the products, with a record of each band that ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tessera.bulk.products.folder import ProductFile
from tessera.bulk.status import format_status
from tessera.bulk.work.band import BandOutcome
from tessera.errors import InvalidInputError
from tessera.io.files import write_pieces

STATE = ".tessera"
"""Folder of the records, in the folder of the results."""
_REQUEST = "request.json"


@dataclass(frozen=True)
class BandRecord:
    """Record of a band that ended.

    Parameters
    ----------
    number, n_ok, n_failed, n_requests, n_bytes, files, reason
        See `tessera.bulk.work.band.BandOutcome`.
    statuses : bytes
        Its rows of the status table, as `tessera.bulk.status.format_status` writes them.
    """

    number: int
    n_ok: int
    n_failed: int
    n_requests: int
    n_bytes: int
    files: tuple[ProductFile, ...]
    reason: str
    statuses: bytes

    @classmethod
    def of(cls, outcome: BandOutcome) -> BandRecord:
        """Record of an outcome."""
        counts = (outcome.n_ok, outcome.n_failed, outcome.n_requests, outcome.n_bytes)
        return cls(outcome.number, *counts, outcome.files, outcome.reason, format_status(outcome.statuses))

    def to_bytes(self) -> bytes:
        """Write the record as JSON."""
        return json.dumps(asdict(self) | {"statuses": self.statuses.decode()}).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> BandRecord:
        """Read what `to_bytes` wrote."""
        values: dict[str, Any] = json.loads(data)
        files = tuple(ProductFile(**each) for each in values["files"])
        return cls(**values | {"files": files, "statuses": values["statuses"].encode()})


@dataclass(frozen=True)
class RunFolder:
    """Folder of the results of a list.

    Parameters
    ----------
    path : Path
        The folder.
    """

    path: Path

    def begin(self, digest: str) -> None:
        """Take the folder for a request, whose digest decides all products.

        Raises
        ------
        InvalidInputError
            When the folder has results of another request, or other files.
        """
        request = self.path / STATE / _REQUEST
        allowed = "an empty folder, or the folder of the same list, options, cubes and version of tessera"
        if request.exists() and _digest_of(request) == digest:
            return
        if self.path.exists() and (any(item.name != STATE for item in self.path.iterdir()) or self._bands.exists()):
            raise InvalidInputError("output_dir", str(self.path), allowed)
        request.parent.mkdir(parents=True, exist_ok=True)
        write_pieces(request, [json.dumps({"digest": digest}).encode()])

    def keep(self, record: BandRecord) -> None:
        """Write the record of a band, after all its files."""
        path = self._record(record.number)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_pieces(path, [record.to_bytes()])

    def records(self, n_bands: int) -> Iterator[BandRecord]:
        """Records of the bands that are done: not of those that failed as a whole, and of those that lack a file."""
        for number in range(n_bands):
            try:
                record = BandRecord.from_bytes(self._record(number).read_bytes())
            except (OSError, ValueError, LookupError, TypeError):
                continue
            if not record.reason and all(self._has(file) for file in record.files):
                yield record

    def _has(self, file: ProductFile) -> bool:
        path = self.path / file.name
        return path.is_file() and path.stat().st_size == file.size

    @property
    def _bands(self) -> Path:
        return self.path / STATE / "bands"

    def _record(self, number: int) -> Path:
        return self._bands / f"{number:05d}.json"


def _digest_of(request: Path) -> str:
    try:
        return str(json.loads(request.read_bytes())["digest"])
    except (ValueError, LookupError, TypeError):
        return ""
