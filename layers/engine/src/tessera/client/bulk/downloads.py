"""Load the products of a list to a folder: several at a time, going on where an earlier run ended, and checked."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

from tessera.client.bulk.records import BulkFile
from tessera.client.wire.exchange import exchange
from tessera.client.wire.failures import DamagedAnswerError, ServiceError
from tessera.client.wire.steps import Send, Service, Steps, work
from tessera.errors import InvalidInputError
from tessera.io.files import publish, write_pieces
from tessera.io.outputs import check_space, create_folder, lock_output
from tessera.io.partials import beside, take_lock
from tessera.io.sources import Location

MARK = "list.json"
"""File in the folder that says which list it is of."""
_PIECE = 1 << 20
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=+-]*", re.ASCII)
_LONGEST_NAME = 500
_NO_RANGE = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
_EXPIRED = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)

Renew = Callable[[BulkFile], Steps[str]]
"""Asks for a new link to a file."""


def check_products_folder(folder: Path, argument: str = "output_dir") -> None:
    """Refuse a folder that has files of something else than a list of a service.

    Raises
    ------
    InvalidInputError
        When it has.
    """
    if not (folder / MARK).exists() and folder.exists() and any(not _is_hidden(item) for item in folder.iterdir()):
        raise InvalidInputError(argument, str(folder), "a folder that is empty, or has products of the same list")


def _is_hidden(item: Path) -> bool:
    return item.name.startswith(".")


@contextmanager
def folder_of(output_dir: Location, job: str, service: str) -> Iterator[Path]:
    """Take the folder of the products of a list until the end of the block.

    Raises
    ------
    InvalidInputError
        When it cannot be written, has files of something else, or another run is writing to it.
    """
    folder = create_folder(output_dir)
    mark = folder / MARK
    about = {"service": service, "id": job}
    with lock_output("output_dir", mark):
        check_products_folder(folder)
        if mark.exists() and (found := _read_mark(mark)) != job:
            allowed = f"another folder for the list {job}, because this one has {found or 'a file of something else'}"
            raise InvalidInputError("output_dir", str(folder), allowed)
        if not mark.exists():
            write_pieces(mark, [json.dumps(about).encode()])
        yield folder


def _read_mark(mark: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(mark.read_bytes())["id"])
    return ""


def fetch_file(file: BulkFile, folder: Path, service: Service, renew: Renew) -> Steps[Path]:
    """Load one product, unless it is there already.

    Raises
    ------
    DamagedAnswerError
        When its name is not that of a file below the folder, or its content has another checksum.
    InvalidInputError
        When the disk has too little space, or another run is writing the file.
    """
    path = folder / _checked_name(file.name, service)
    if (yield from work(lambda: _is_there(path, file))):
        return path
    descriptor, partial = yield from work(lambda: _open_partial(path, file))
    try:
        for _ in range(2):  # what an earlier run left may be of something else
            yield from _load(descriptor, file, service, renew)
            size, sha256 = yield from work(lambda: _digest(descriptor))
            if size == file.size and file.sha256 in ("", sha256):
                yield from work(lambda: publish(descriptor, partial, path, file.size))
                return path
            os.ftruncate(descriptor, 0)
        raise DamagedAnswerError(f"{service.address} sends {file.name} with another size or checksum than it says")
    finally:
        os.close(descriptor)


def _checked_name(name: str, service: Service) -> Path:
    parts = name.split("/")
    if len(name) > _LONGEST_NAME or not all(map(_PART.fullmatch, parts)):
        short = name if len(name) < 80 else f"{name[:77]}..."
        raise DamagedAnswerError(f"{service.address} has the product {short!r}, which is not written anywhere")
    return Path(*parts)


def _is_there(path: Path, file: BulkFile) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return os.fstat(descriptor).st_size == file.size and _digest(descriptor) == (file.size, file.sha256)
    except OSError:  # a folder
        return False
    finally:
        os.close(descriptor)


def _open_partial(path: Path, file: BulkFile) -> tuple[int, Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = beside(path, "download")
    descriptor = take_lock(partial)
    if descriptor is None:
        raise InvalidInputError("output_dir", str(path), "a path that no other run is writing")
    size = os.fstat(descriptor).st_size
    if size > file.size or not file.sha256:  # without a checksum, nobody knows what an earlier run left
        size = 0
        os.ftruncate(descriptor, 0)
    check_space("output_dir", path, file.size - size)
    return descriptor, partial


def _load(descriptor: int, file: BulkFile, service: Service, renew: Renew) -> Steps[None]:
    """Add what is missing to a file."""
    url = file.url
    for is_last in (False, True):
        with os.fdopen(os.dup(descriptor), "r+b") as content:
            if content.seek(0, os.SEEK_END) == file.size:
                return
            try:
                (yield from exchange(Send("GET", url, most=file.size, into=content), service)).close()
            except ServiceError as error:
                if is_last or error.status not in (*_EXPIRED, _NO_RANGE):
                    raise
                if error.status == _NO_RANGE:
                    content.truncate(0)
            else:
                return
        url = yield from renew(file)


def _digest(descriptor: int) -> tuple[int, str]:
    """Size and SHA-256 of a file."""
    found, size = hashlib.sha256(), 0
    while piece := os.pread(descriptor, _PIECE, size):
        found.update(piece)
        size += len(piece)
    return size, found.hexdigest()
