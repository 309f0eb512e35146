"""A cube as a store of Zarr: no file beside the cube, because the bytes of a chunk follow from its number."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any, NoReturn

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype

from tessera.arrays.pixels import CubePixels
from tessera.arrays.zarr_metadata import DOCUMENT, PIXELS, describe_cube, n_chunks
from tessera.io.locations import shown

_CHUNK = re.compile(rf"{PIXELS}/c/(0|[1-9]\d*)/(0|[1-9]\d*)/0/0")


class CubeStore(Store):
    """A cube as a read-only store of Zarr; see `tessera.open_zarr_store`.

    Parameters
    ----------
    pixels : CubePixels
        The open cube, which `close` closes.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = True
    supports_consolidated_metadata = True

    def __init__(self, pixels: CubePixels) -> None:
        super().__init__(read_only=True)
        self.pixels = pixels
        self._group = describe_cube(self.pixels.cube, shown(self.pixels.location))
        self._waiting: list[tuple[int, int, asyncio.Future[Any]]] = []

    def __eq__(self, value: object) -> bool:
        return (
            isinstance(value, CubeStore)
            and value.pixels.location == self.pixels.location
            and value.pixels.version == self.pixels.version
        )

    __hash__ = None  # type: ignore[assignment] # as other stores

    def __str__(self) -> str:
        return f"cube://{shown(self.pixels.location)}"

    def __repr__(self) -> str:
        return f"CubeStore({shown(self.pixels.location)!r})"

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs."""
        return self.__dict__ | {"_waiting": []}

    def with_read_only(self, read_only: bool = False) -> CubeStore:
        """Return the store itself, which cannot be written."""
        if not read_only:
            self._refuse()
        return self

    def close(self) -> None:
        """Close the file of the cube."""
        super().close()
        self.pixels.close()

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return a document or a chunk, or a range of its bytes; None if there is no such key."""
        data = self._known(key)
        place = _CHUNK.fullmatch(key) if data is None else None
        if place is not None and self._has(row := int(place[1]), chunk := int(place[2])):
            data = await self._chunk(row, chunk)
        return None if data is None else prototype.buffer.from_bytes(_part(data, byte_range))

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return ranges of several keys."""
        return list(await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges)))

    def _known(self, key: str) -> bytes | None:
        """Document, or the only chunk of a coordinate."""
        name, _, rest = key.partition("/")
        if rest == "c/0" and name in self._group.small:
            return self._group.small[name].tobytes()
        return self._group.documents.get(key)

    def _has(self, row: int, chunk: int) -> bool:
        layout = self.pixels.cube.layout
        return row < layout.n_rows and chunk < n_chunks(layout, self._group.chunk_columns)

    async def _chunk(self, row: int, chunk: int) -> bytes:
        """Bytes of a chunk. All chunks that are asked for before the event loop goes on are planned together."""
        loop = asyncio.get_running_loop()
        wanted: asyncio.Future[bytes] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._send)
        self._waiting.append((row, chunk, wanted))
        return await wanted

    def _send(self) -> None:
        waiting, self._waiting = sorted(self._waiting, key=lambda item: item[:2]), []
        group: list[tuple[int, int, asyncio.Future[Any]]] = []
        for item in waiting:
            if group and (item[0], item[1]) not in ((group[-1][0], group[-1][1]), (group[-1][0], group[-1][1] + 1)):
                self._read(group)
                group = []
            group.append(item)
        self._read(group)

    def _read(self, group: list[tuple[int, int, asyncio.Future[Any]]]) -> None:
        row, first, last = group[0][0], group[0][1], group[-1][1]
        task = asyncio.ensure_future(asyncio.to_thread(self._columns, row, first, last + 1))

        def answer(done: asyncio.Future[bytes]) -> None:
            size = self._group.chunk_columns * self.pixels.cube.layout.pixel_bytes
            error = done.exception()
            for _, chunk, wanted in group:
                if wanted.cancelled():
                    continue
                if error is not None:
                    wanted.set_exception(error)
                else:
                    wanted.set_result(done.result()[(chunk - first) * size :][:size].ljust(size, b"\0"))

        task.add_done_callback(answer)

    def _columns(self, row: int, first: int, stop: int) -> bytes:
        """Bytes of some adjacent chunks, without padding."""
        columns, layout = self._group.chunk_columns, self.pixels.cube.layout
        n_columns = min(stop * columns, layout.n_columns) - first * columns
        place = layout.row_range(row, first * columns, n_columns)
        return self.pixels.read_bytes(self.pixels.cube.data_offset + place.start, place.length)

    async def exists(self, key: str) -> bool:
        """Whether there is a key."""
        place = _CHUNK.fullmatch(key)
        return self._known(key) is not None or (place is not None and self._has(int(place[1]), int(place[2])))

    async def list(self) -> AsyncIterator[str]:
        """All keys: half a million for a full-size cube."""
        for key in self._group.documents:
            yield key
        for name in self._group.small:
            yield f"{name}/c/0"
        layout = self.pixels.cube.layout
        for row in range(layout.n_rows):
            for chunk in range(n_chunks(layout, self._group.chunk_columns)):
                yield f"{PIXELS}/c/{row}/{chunk}/0/0"

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """All keys that begin with a text."""
        async for key in self.list():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Names directly below a prefix."""
        folder = prefix.strip("/")
        names = [PIXELS, *self._group.small]
        if not folder:
            found = [DOCUMENT, *names]
        elif folder in names:
            found = [DOCUMENT, "c"]
        else:
            start = f"{folder}/"
            keys = {key[len(start) :].partition("/")[0]: None async for key in self.list_prefix(start)}
            found = list(keys)
        for name in found:
            yield name

    async def set(self, key: str, value: Buffer) -> None:  # noqa: ARG002 - the signature of zarr
        """Refuse to write."""
        self._refuse()

    async def delete(self, key: str) -> None:  # noqa: ARG002 - same
        """Refuse to delete."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ValueError(f"{self} cannot be written: it is a cube that is only read")


def _part(data: bytes, byte_range: ByteRequest | None) -> bytes:
    if isinstance(byte_range, RangeByteRequest):
        return data[byte_range.start : byte_range.end]
    if isinstance(byte_range, OffsetByteRequest):
        return data[byte_range.offset :]
    if isinstance(byte_range, SuffixByteRequest):
        return data[max(0, len(data) - byte_range.suffix) :]
    return data
