"""The end of a remote file, in advance."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tessera.io.sources import version_of
from tessera.io.stores.forks import Connections


class FileEnd:
    """The last bytes of a file, which are asked for together with the first ones, before its size is known.

    A range that is counted from the end reaches to the end. So two requests share the work: one reads the last half,
    and the other one is ended when it comes to that half. With one request, a first cutout takes a tenth longer.

    They are only an advance: if they do not come, or come from another version, they are asked for when they are read.

    Parameters
    ----------
    n_bytes : int
        Number of bytes, an even one; 0 to ask for none.
    """

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._answers: list[Future[tuple[Any, int, bytes]]] = []

    def ask(self, store: Any, key: str) -> None:
        """Ask for them, in threads."""
        if self._n_bytes and not Connections.lost:
            pool = ThreadPoolExecutor(2, "tessera-end")
            self._answers = [pool.submit(self._get, store, key, n) for n in (self._n_bytes, self._n_bytes // 2)]
            pool.shutdown(wait=False)

    def _get(self, store: Any, key: str, n_last: int) -> tuple[Any, int, bytes]:
        """First half of the bytes, or less, of the last `n_last` bytes, and where they begin."""
        from obstore import get  # noqa: PLC0415 - slow to import

        answer = get(store, key, options={"range": {"suffix": n_last}})
        half, data = self._n_bytes // 2, bytearray()
        for piece in answer.stream(min_chunk_size=64 << 10):
            data += piece
            if len(data) >= half:
                break
        return answer.meta, answer.range[0], bytes(data[:half])

    def after(self, stop: int, about: Any) -> bytes:
        """The bytes, if bytes up to `stop` need them and they are from the version that is read; none otherwise."""
        if not self._answers or stop <= about["size"] - self._n_bytes:
            return b""
        if any(answer.exception() is not None for answer in self._answers):
            return b""
        (first, start, data), (last, middle, end) = (answer.result() for answer in self._answers)
        whole = data[: middle - start] + end
        same = {version_of(about)} == {version_of(first), version_of(last)}
        return whole if same and len(whole) == min(self._n_bytes, about["size"]) else b""
