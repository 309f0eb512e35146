"""Read web addresses and objects in S3 by ranges of bytes, with obstore."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from tessera.errors import RemoteError
from tessera.io.buckets import Bucket, CredentialsError
from tessera.io.failures import HALF_RANGES, NO_RANGES, as_remote_error
from tessera.io.locations import S3, file_name, scheme_of, shown
from tessera.io.ranges import ByteRange
from tessera.io.sources import FIRST_BYTES, Answers, FirstAnswer, LocalFile, ReplacedError, version_of
from tessera.io.stores.ahead import RequestsAhead
from tessera.io.stores.end import FileEnd
from tessera.io.stores.forks import LOST, Connections

CLIENT: Any = {"allow_http": True, "timeout": "60s", "user_agent": "tessera"}
"""Options of the connections. A request may take a minute."""
RETRIES: Any = {"max_retries": 6, "retry_timeout": timedelta(seconds=60)}
"""A request that may succeed later is sent up to six times more, with growing pauses: about six seconds in all."""

_PLAIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)+", re.IGNORECASE)


class RemoteFile:
    """An object in S3 or on a web server. All reads return the version that the first read returned, or fail.

    Parameters
    ----------
    url : str
        ``s3://bucket/key``, ``http://...`` or ``https://...``. See `tessera.io.buckets` for credentials.
    answers, n_end_bytes
        See `tessera.io.sources.open_source`.

    Raises
    ------
    RemoteError
        When the URL is not valid. The file is accessed by the first read.
    """

    remote = True

    def __init__(self, url: str, answers: Answers | None = None, n_end_bytes: int = 0) -> None:
        self.url, self._shown = url, shown(url)
        self.name = file_name(url)
        self._bucket: Bucket | None = None
        with as_remote_error(url):
            if scheme_of(url) in S3:
                bucket, _, self._key = url.partition("://")[2].partition("/")
                if not self._key or self._key.endswith("/"):
                    raise RemoteError(self._shown, "it names no object; write s3://bucket/key")
                self._bucket = Bucket.named(bucket)
            else:
                self._store, self._key = _open_web(url)
        self._about: Any = None
        self._start = b""
        self._answers, self._sure = answers, False
        self._end, self._ahead = FileEnd(n_end_bytes), RequestsAhead()
        self._whole: LocalFile | None = None
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """See `Source.size`. It comes with the first bytes, which most readers need next."""
        return int(self._known()["size"])

    @property
    def version(self) -> str:
        """See `Source.version`."""
        return version_of(self._known())

    @property
    def etag(self) -> str:
        """ETag of the version that is read, as the server wrote it; empty if it sends none."""
        return str(self._known().get("e_tag") or "")

    @property
    def key(self) -> tuple[Any, ...] | None:
        """See `Source.key`. A server that has only times, or weak ETags, may replace a file without another version."""
        strong = _is_strong(self._known().get("e_tag")) and self._whole is None
        return (*self._place, self.version) if strong else None

    @property
    def _place(self) -> tuple[Any, ...]:
        """Where the file is, and with which credentials it is read."""
        return self.url, self._bucket

    def confirm(self) -> None:
        """See `Source.confirm`. Bytes that came in advance are let go."""
        self._known()
        self._end = FileEnd(0)
        if not self._sure and self._whole is None:
            self._request(0, 1)

    def _known(self) -> Any:
        with self._lock:
            if self._about is None and not self._resume():
                self._start = self._first_bytes()
                self._keep()
            if len(self._start) != min(FIRST_BYTES, self._about["size"]):
                raise RemoteError(self._shown, f"only {len(self._start):,} bytes were received")
        return self._about

    def _resume(self) -> bool:
        """Go on with an earlier answer, if there is one."""
        known = None if self._answers is None else self._answers.get(self._place)
        if known is None:
            return False
        if self._bucket is not None:
            self._open(self._bucket)
        self._about, self._start = known.about, known.start
        return True

    def _keep(self) -> None:
        if self._answers is not None and _is_strong(self._about.get("e_tag")) and self._whole is None:
            self._answers.put(self._place, FirstAnswer(self._about, self._start))

    def _replaced(self) -> ReplacedError:
        if self._answers is not None:
            self._answers.forget(self._place)
        return ReplacedError(self._shown, "replaced")

    def _first_bytes(self) -> bytes:
        try:
            if self._bucket is not None:
                self._open(self._bucket)
            self._end.ask(self._store, self._key)
            return bytes(self._request(0, FIRST_BYTES))
        except RemoteError as error:
            if self._bucket is not None:
                return self._with_other_access(self._bucket, error)
            if error.status not in (NO_RANGES, HALF_RANGES):
                raise
        from tessera.io.temporary import download  # noqa: PLC0415 - few files are downloaded

        self._whole = download(self.url)
        self._about = {"size": self._whole.size, "e_tag": self._whole.version}
        return self._whole.read(0, min(FIRST_BYTES, self._whole.size))

    def _open(self, bucket: Bucket) -> None:
        with as_remote_error(self.url):
            try:
                self._store = bucket.open()
            except CredentialsError as error:
                raise RemoteError(self._shown, str(error), 401) from None

    def _with_other_access(self, bucket: Bucket, refused: RemoteError) -> bytes:
        """Try again in the bucket's own region, and without credentials; see `Bucket.others`."""
        for other in bucket.others(refused.status):
            try:
                self._open(other)
                data = bytes(self._request(0, FIRST_BYTES))
            except RemoteError as error:
                if not other.anonymous or error.status not in (400, 401, 403):
                    refused = error
                continue
            other.prefer()
            self._bucket = other
            return data
        advice = f"; {bucket.advice}" if refused.status == 403 and not bucket.signed else ""
        raise type(refused)(self._shown, f"{refused.reason}{advice}", refused.status)

    def _request(self, start: int, length: int) -> Any:
        with self._receiving():
            answer = self._ahead.take(start, length) or self._ask(start, length)
            data = answer.bytes()
        self._about, self._sure = self._about or answer.meta, True
        return data

    @contextmanager
    def _receiving(self) -> Iterator[None]:
        """Raise an error of ours instead of any other while a request is sent and its answer is received.

        If the first request of a file that was opened with an earlier answer is refused, that answer is forgotten: the
        server or the rights may have changed, and the next attempt finds out how the file is read now.
        """
        from obstore.exceptions import PreconditionError  # noqa: PLC0415 - slow to import, and local files do not need it

        try:
            with as_remote_error(self.url):
                try:
                    yield
                except PreconditionError:
                    raise self._replaced() from None
        except RemoteError as error:
            if self._about is None or self._sure or not 0 < (error.status or 0) < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            raise self._replaced() from None

    def expect(self, ranges: Iterable[ByteRange], pool: Executor) -> None:
        """See `Source.expect`."""
        if self._whole is None:
            self._ahead.send(ranges, lambda start, length: pool.submit(self._ask, start, length))

    def _ask(self, start: int, length: int) -> Any:
        """Send a request. The answer is about the version that is read; its bytes are still to come."""
        from obstore import get  # noqa: PLC0415 - see above

        if Connections.lost:
            raise RemoteError(self._shown, LOST)
        Connections.used = True
        options: Any = {"range": (start, start + length)}
        etag = None if self._about is None else self._about.get("e_tag")
        if _is_strong(etag):  # a weak ETag never matches
            options["if_match"] = etag
        answer = get(self._store, self._key, options=options)
        if self._about is not None and version_of(answer.meta) != version_of(self._about):
            raise self._replaced()
        return answer

    def read(self, start: int, length: int) -> bytes:
        """See `Source.read`."""
        return bytes(self.read_buffer(start, length))

    def read_buffer(self, start: int, length: int) -> Any:
        """See `Source.read_buffer`."""
        if start + length <= len(self._start):
            return self._start[start : start + length]
        if self._about is None:
            self._known()
            return self.read_buffer(start, length)
        if self._whole is not None:
            return self._whole.read_buffer(start, length)
        end = self._end.read(start, start + length, self._about)
        head = length - len(end)
        data = self._request(start, head) if head else b""
        data = bytes(data) + end if end else data
        if len(data) != length:
            raise RemoteError(self._shown, f"{len(data):,} of {length:,} bytes from byte {start:,} were received")
        return data

    def read_pieces(self, start: int, length: int, at_least: int) -> Iterator[Any]:
        """See `Source.read_pieces`."""
        self._known()
        if length <= at_least or self._whole is not None or self._end.reaches(start + length, self._about):
            yield self.read_buffer(start, length)
            return
        received = 0
        with self._receiving():
            answer = self._ahead.take(start, length) or self._ask(start, length)
            for piece in answer.stream(min_chunk_size=at_least):
                received += len(piece)
                if received <= length:
                    yield piece
        self._sure = True
        if received != length:
            raise RemoteError(self._shown, f"{received:,} of {length:,} bytes from byte {start:,} were received")

    def read_into(self, start: int, out: Any) -> None:
        """See `Source.read_into`."""
        view = memoryview(out).cast("B")
        view[:] = memoryview(self.read_buffer(start, len(view))).cast("B")

    def check_unchanged(self) -> None:
        """See `Source.check_unchanged`.

        Every request already checked the ETag. Without an ETag, times count only whole seconds, so the first bytes are
        read once more: a FITS file whose pixels change has other headers, too, if it has checksums or a date.
        """
        if self._about is None or self._about.get("e_tag") or self._whole is not None:
            return
        if bytes(self._request(0, FIRST_BYTES)) != self._start:
            raise self._replaced()

    def close(self) -> None:
        """See `Source.close`."""
        self._ahead.drop()
        if self._whole is not None:
            self._whole.close()


def _is_strong(etag: str | None) -> bool:
    """Whether an ETag differs for each content of a file."""
    return bool(etag) and not str(etag).startswith("W/")


def _open_web(url: str) -> tuple[Any, str]:
    """Open a web address, and return obstore's store and the key in it.

    Files of one folder share their connections. A URL with other characters than those of file names is its own store,
    because a key has no query, and obstore encodes the percent signs of a key.
    """
    if not url.partition("://")[2].split("/")[0]:
        raise RemoteError(shown(url), "it names no host")
    if _PLAIN.fullmatch(url) and "/./" not in url and "/../" not in url:
        base, _, key = url.rpartition("/")
        return _web_store(base), key
    return _web_store(url), ""


@lru_cache(maxsize=64)
def _web_store(base: str) -> Any:
    """Open a folder or a file on the web. The cache keeps it, so that its connections are used again."""
    from obstore.store import HTTPStore  # noqa: PLC0415 - see RemoteFile

    scheme, _, rest = base.partition("://")
    host, slash, path = rest.partition("/")
    user, _, name = host.rpartition("@")
    client = CLIENT
    if user:
        login = base64.b64encode(unquote(user).encode()).decode()
        client = {**CLIENT, "default_headers": {"authorization": f"Basic {login}"}}
    url = f"{scheme.lower()}://{name}{slash}{path}".partition("#")[0]
    return HTTPStore.from_url(url, client_options=client, retry_config=RETRIES)
