"""References in a repository of icechunk, which refuses to read a cube that was replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tessera.arrays.references import Referenced
from tessera.arrays.zarr_metadata import PIXELS
from tessera.errors import InvalidInputError
from tessera.extras import import_extra
from tessera.io.buckets import Bucket
from tessera.io.locations import scheme_of

_READABLE = "a local path, s3:// or https://, which are what icechunk reads"
_SIMPLE = f"{_READABLE}, without a port, blanks, percent signs, and characters beyond ASCII"
_ROWS_AT_ONCE = 64


def write_repository(cube: Referenced, folder: Path, done: Callable[[], object]) -> None:
    """Write a new repository with one commit.

    Parameters
    ----------
    cube : Referenced
        The cube.
    folder : Path
        An empty folder.
    done : callable
        Is called after each row.

    Raises
    ------
    InvalidInputError
        When icechunk cannot read the place of the cube.
    MissingPackageError
        When icechunk is not installed.
    OSError
        When the repository cannot be written.
    """
    icechunk = import_extra("icechunk", "References of icechunk")
    try:
        _write(icechunk, cube, folder, done)
    except icechunk.IcechunkError as error:
        reason = " ".join(str(error).partition("|")[0].split()).removeprefix("x ")
        raise OSError(f"the references of {cube.pixels.cube.name} cannot be written: {reason}") from error


def _write(icechunk: Any, cube: Referenced, folder: Path, done: Callable[[], object]) -> None:
    prefix, store = _container(icechunk, cube.url)
    config = icechunk.RepositoryConfig.default()
    config.set_virtual_chunk_container(icechunk.VirtualChunkContainer(prefix, store))
    repository = icechunk.Repository.create(icechunk.local_filesystem_storage(str(folder)), config)
    session = repository.writable_session("main")
    _write_documents(cube, session.store)
    version = _version(cube)
    for first in range(0, cube.layout.n_rows, _ROWS_AT_ONCE):
        rows = range(first, min(first + _ROWS_AT_ONCE, cube.layout.n_rows))
        chunks = [
            icechunk.VirtualChunkSpec([row, chunk, 0, 0], cube.url, place, cube.chunk_bytes, **version)
            for row in rows
            for chunk, place in cube.row(row)
        ]
        if session.store.set_virtual_refs(PIXELS, chunks):  # it returns what it did not take
            raise InvalidInputError("location", cube.url, _SIMPLE)
        for _ in rows:
            done()
    session.commit(f"Chunks of {cube.pixels.cube.name}")


def _write_documents(cube: Referenced, store: Any) -> None:
    from zarr.core.buffer import default_buffer_prototype  # noqa: PLC0415 - icechunk brings zarr
    from zarr.core.sync import sync  # noqa: PLC0415 - same

    buffer = default_buffer_prototype().buffer
    for key, text in cube.group.documents.items():
        sync(store.set(key, buffer.from_bytes(text)))
    for name, values in cube.group.small.items():
        sync(store.set(f"{name}/c/0", buffer.from_bytes(values.tobytes())))


def _container(icechunk: Any, url: str) -> tuple[str, Any]:
    """Beginning of the addresses that icechunk may read, and how it reads them."""
    scheme, (base, mark, path) = scheme_of(url), url.partition("://")
    place = path.partition("/")[0]
    if scheme == "file":
        if "%" in path:  # icechunk takes it, and later looks for another file
            raise InvalidInputError("location", url, _SIMPLE)
        parent = path.rpartition("/")[0]
        return f"{base}{mark}{parent}/", icechunk.local_filesystem_store(parent)
    if scheme in ("http", "https"):
        return f"{base}{mark}{place}/", icechunk.http_store()
    if scheme == "s3":
        bucket = Bucket.named(place)
        known = dict(bucket.environment)
        endpoint = known.get("AWS_ENDPOINT_URL_S3") or known.get("AWS_ENDPOINT_URL")
        region = bucket.region or known.get("AWS_REGION") or known.get("AWS_DEFAULT_REGION") or "us-east-1"
        options: dict[str, Any] = {"region": region, "anonymous": not bucket.signed}
        if endpoint:
            options |= {"endpoint_url": endpoint, "allow_http": True, "s3_compatible": True, "force_path_style": True}
        return f"{base}{mark}{place}/", icechunk.s3_store(**options)
    raise InvalidInputError("location", url, _READABLE)


def _version(cube: Referenced) -> dict[str, Any]:
    """What a reader compares: the ETag, or the time of the last change, to whole seconds."""
    source = cube.pixels.file.source
    if etag := getattr(source, "etag", ""):
        return {"etag_checksum": etag}
    if path := getattr(source, "path", None):
        changed = datetime.fromtimestamp(int(path.stat().st_mtime), UTC) + timedelta(seconds=1)
        return {"last_updated_at_checksum": changed}
    return {}
