"""Objects on a disk: their bytes in files that never change, and a database that says which object has which files.

Each write makes a new file, so a reader never sees a half-written object. Completing an upload gives the files of its
parts to the object, without a copy. The database commits each change before it is answered. So after ``kill -9`` the
next start sees every answered change. A file that no object has is removed a minute later, or at the next start.
"""

import json
import logging
import os
import sqlite3
import time
import uuid
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

LOG = logging.getLogger(__name__)
GRACE_SECONDS = 60.0
"""Time that a file outlives its object, for readers that have begun."""
_TABLES = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS settings (bucket TEXT, name TEXT, body BLOB NOT NULL, PRIMARY KEY (bucket, name));
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT, key TEXT, size INTEGER NOT NULL, etag TEXT NOT NULL, modified INTEGER NOT NULL,
  headers TEXT NOT NULL, segments TEXT NOT NULL, PRIMARY KEY (bucket, key));
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, started INTEGER NOT NULL, headers TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (
  upload TEXT, number INTEGER, size INTEGER NOT NULL, etag TEXT NOT NULL, modified INTEGER NOT NULL,
  segments TEXT NOT NULL, PRIMARY KEY (upload, number));
"""
_COLUMNS = "key, size, etag, modified, headers, segments"
_CACHED = 1000


class StoreError(RuntimeError):
    """The objects of a folder cannot be used. The message has the reason."""


class Segment(NamedTuple):
    """A file that never changes, by its name and its size in bytes."""

    name: str
    size: int


class Span(NamedTuple):
    """Bytes of a file."""

    path: Path
    offset: int
    length: int

    def read(self) -> bytes:
        """The bytes."""
        with self.path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), self.length, self.offset)


@dataclass(frozen=True)
class Stored:
    """An object, or a part of an upload."""

    key: str
    size: int
    etag: str
    """Without quotation marks."""
    modified: int
    """In seconds since 1970."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of its answers, in lower case."""
    segments: tuple[Segment, ...] = ()

    @cached_property
    def starts(self) -> list[int]:
        """First byte of each segment."""
        return list(accumulate((segment.size for segment in self.segments[:-1]), initial=0))


class Upload(NamedTuple):
    """An upload in parts that is not complete."""

    id: str
    bucket: str
    key: str
    started: int
    headers: dict[str, str]


class DiskStore:
    """Buckets, objects and uploads of a folder.

    Raises
    ------
    StoreError
        If the folder has a database that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "segments"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._found: dict[tuple[str, str], Stored] = {}
        self._bucket_names: set[str] = set()
        self._doomed: dict[str, float] = {}
        self._released: list[Segment] = []
        path = folder / "objects.db"
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_TABLES)
            self._check()
            self._bucket_names.update(name for name, _ in self.buckets())
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path} cannot be read ({error}); delete {folder} to start with empty buckets") from error

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    # -- buckets -----------------------------------------------------------------------------------------------------

    def buckets(self) -> list[tuple[str, int]]:
        """Names of the buckets, and when they were created in seconds since 1970."""
        return self._db.execute("SELECT name, created FROM buckets ORDER BY name").fetchall()

    def has_bucket(self, bucket: str) -> bool:
        """Whether a bucket is there."""
        return bucket in self._bucket_names

    def create_bucket(self, bucket: str) -> None:
        """Create a bucket, unless it is there."""
        self._db.execute("INSERT OR IGNORE INTO buckets VALUES (?, ?)", (bucket, int(time.time())))
        self._bucket_names.add(bucket)

    def delete_bucket(self, bucket: str) -> None:
        """Remove an empty bucket with its settings."""
        with self._changing():
            self._db.execute("DELETE FROM settings WHERE bucket = ?", (bucket,))
            self._db.execute("DELETE FROM buckets WHERE name = ?", (bucket,))
        self._bucket_names.discard(bucket)

    def setting(self, bucket: str, name: str) -> bytes | None:
        """Document of a setting of a bucket; None if it has none."""
        row = self._db.execute("SELECT body FROM settings WHERE bucket = ? AND name = ?", (bucket, name)).fetchone()
        return bytes(row[0]) if row else None

    def set(self, bucket: str, name: str, body: bytes | None) -> None:
        """Keep the document of a setting, or remove it."""
        self._db.execute("DELETE FROM settings WHERE bucket = ? AND name = ?", (bucket, name))
        if body is not None:
            self._db.execute("INSERT INTO settings VALUES (?, ?, ?)", (bucket, name, body))

    # -- objects -----------------------------------------------------------------------------------------------------

    def find(self, bucket: str, key: str) -> Stored | None:
        """The object of a key."""
        if found := self._found.get((bucket, key)):
            return found
        query = f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND key = ?"  # noqa: S608 - our own names
        row = self._db.execute(query, (bucket, key)).fetchone()
        if row is None:
            return None
        if len(self._found) >= _CACHED:
            self._found.clear()
        found = self._found[bucket, key] = _stored(row)
        return found

    def listing(self, bucket: str, first: str = "") -> Iterator[Stored]:
        """Objects of the keys from `first` on, in their order."""
        query = f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND key >= ? ORDER BY key"  # noqa: S608 - see above
        return map(_stored, self._db.execute(query, (bucket, first)))

    def put(self, bucket: str, item: Stored) -> None:
        """Make an object the content of its key."""
        with self._changing():
            self._remove(bucket, item.key)
            row = (item.key, item.size, item.etag, item.modified, json.dumps(dict(item.headers)))
            self._db.execute(
                f"INSERT INTO objects (bucket, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - see above
                (bucket, *row, json.dumps(item.segments)),
            )

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object."""
        with self._changing():
            self._remove(bucket, key)

    def _remove(self, bucket: str, key: str) -> None:
        if old := self.find(bucket, key):
            self._db.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))
            self._released += old.segments
            del self._found[bucket, key]

    # -- uploads -----------------------------------------------------------------------------------------------------

    def begin_upload(self, bucket: str, key: str, headers: Mapping[str, str]) -> str:
        """Begin an upload, and return its id."""
        upload = uuid.uuid4().hex
        row = (upload, bucket, key, int(time.time()), json.dumps(dict(headers)))
        self._db.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?)", row)
        return upload

    def upload(self, upload_id: str) -> Upload | None:
        """The upload of an id."""
        row = self._db.execute("SELECT * FROM uploads WHERE id = ?", (upload_id,)).fetchone()
        return _upload(row) if row else None

    def uploads(self, bucket: str) -> list[Upload]:
        """Uploads of a bucket, by key and time."""
        rows = self._db.execute("SELECT * FROM uploads WHERE bucket = ? ORDER BY key, started, id", (bucket,))
        return [_upload(row) for row in rows]

    def parts(self, upload_id: str) -> dict[int, Stored]:
        """Parts of an upload by number, in order."""
        query = "SELECT number, '', size, etag, modified, '{}', segments FROM parts WHERE upload = ? ORDER BY number"
        return {row[0]: _stored(row[1:]) for row in self._db.execute(query, (upload_id,))}

    def put_part(self, upload_id: str, number: int, part: Stored) -> None:
        """Make a part the content of its number."""
        place = (upload_id, number)
        with self._changing():
            for (old,) in self._db.execute("SELECT segments FROM parts WHERE upload = ? AND number = ?", place):
                self._released += _segments(old)
            row = (*place, part.size, part.etag, part.modified, json.dumps(part.segments))
            self._db.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)", row)

    def end_upload(self, upload_id: str, made: tuple[str, Stored] | None = None) -> None:
        """Forget an upload; put the object that was made of its parts, with its bucket, in the same step."""
        kept = set(made[1].segments) if made else set()
        with self._changing():
            for part in self.parts(upload_id).values():
                self._released += (segment for segment in part.segments if segment not in kept)
            self._db.execute("DELETE FROM parts WHERE upload = ?", (upload_id,))
            self._db.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
            if made:
                self.put(*made)

    # -- bytes -------------------------------------------------------------------------------------------------------

    def share(self, segments: Iterable[Segment]) -> tuple[Segment, ...]:
        """Segments of the same bytes for another object, without a copy."""
        made = []
        for segment in segments:
            name = f"segment-{uuid.uuid4().hex}"
            os.link(self.folder / segment.name, self.folder / name)
            made.append(Segment(name, segment.size))
        return tuple(made)

    def new_path(self) -> Path:
        """Path of a segment that is not there yet."""
        return self.folder / f"segment-{uuid.uuid4().hex}"

    def spans(self, item: Stored, first: int, last: int) -> list[Span]:
        """Where the bytes of an object from `first` to `last` are.

        Raises
        ------
        EOFError
            If a file is shorter than it was.
        """
        found = []
        while first <= last:
            index = bisect_right(item.starts, first) - 1
            segment, start = item.segments[index], item.starts[index]
            count = min(segment.size - (first - start), last + 1 - first)
            path = self.folder / segment.name
            if path.stat().st_size != segment.size:
                raise EOFError(f"{path} has no longer {segment.size:,} bytes")
            found.append(Span(path, first - start, count))
            first += count
        return found

    def doom(self, segments: Iterable[Segment]) -> None:
        """Let segments be removed, after the readers that have begun."""
        self._doomed |= dict.fromkeys((segment.name for segment in segments), time.monotonic())

    def sweep(self, older_than: float) -> None:
        """Remove segments that were doomed before a time of `time.monotonic`."""
        for name in [name for name, since in self._doomed.items() if since < older_than]:
            (self.folder / name).unlink(missing_ok=True)
            del self._doomed[name]

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change the database by all statements of the block or by none, and then doom the segments it released."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            self._found.clear()
            self._released.clear()
            raise
        self.doom(self._released)
        self._released.clear()

    # -- start -------------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Drop objects whose bytes are lost, and remove segments that nothing has."""
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(self.folder)}
        needed: set[str] = set()
        for bucket, key, text in self._db.execute("SELECT bucket, key, segments FROM objects").fetchall():
            segments = _segments(text)
            if all(sizes.get(segment.name) == segment.size for segment in segments):
                needed.update(segment.name for segment in segments)
            else:
                LOG.error("%s/%s lost its bytes and is dropped", bucket, key)
                self._db.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))
        for upload, number, text in self._db.execute("SELECT upload, number, segments FROM parts").fetchall():
            segments = _segments(text)
            if all(sizes.get(segment.name) == segment.size for segment in segments):
                needed.update(segment.name for segment in segments)
            else:
                LOG.error("part %d of upload %s lost its bytes and is dropped", number, upload)
                self._db.execute("DELETE FROM parts WHERE upload = ? AND number = ?", (upload, number))
        for name in sizes.keys() - needed:
            (self.folder / name).unlink()


def _segments(text: str) -> tuple[Segment, ...]:
    return tuple(Segment(*segment) for segment in json.loads(text))


def _stored(row: Any) -> Stored:
    key, size, etag, modified, headers, segments = row
    return Stored(key, size, etag, modified, json.loads(headers), _segments(segments))


def _upload(row: Any) -> Upload:
    upload, bucket, key, started, headers = row
    return Upload(upload, bucket, key, started, json.loads(headers))
