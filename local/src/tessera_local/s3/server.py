"""The process of S3: ``python -m tessera_local.s3.server PORT FOLDER ADDRESS_OF_QUEUES``.

Standard input is a leash: when it closes, because the parent stops or dies, the process ends.
"""

import asyncio
import gc
import logging
import os
import sys
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from tessera_local.s3.disk_store import GRACE_SECONDS, DiskStore, StoreError
from tessera_local.s3.notices import Notices
from tessera_local.s3.operations.buckets import Buckets
from tessera_local.s3.operations.listings import Listings
from tessera_local.s3.operations.objects import Objects
from tessera_local.s3.operations.uploads import Uploads
from tessera_local.s3.protocol import origins
from tessera_local.s3.protocol.answers import NotModified, S3Error
from tessera_local.s3.protocol.calls import Call
from tessera_local.s3.protocol.signatures import check_signature

LOG = logging.getLogger(__name__)
Operation = Callable[[Call], Awaitable[web.StreamResponse]]
_SETTINGS = ("lifecycle", "cors", "notification", "policy")
_BUFFER_BYTES = 1 << 18
_LINE_LIMIT = 32 << 10


class ObjectServer:
    """S3 over HTTP.

    Parameters
    ----------
    store
        Objects.
    notices
        What tells queues of changes.
    access_key, secret_key
        Credentials that sign addresses in advance.
    """

    def __init__(self, store: DiskStore, notices: Notices, access_key: str, secret_key: str) -> None:
        self._store = store
        self._credentials = access_key, secret_key
        self._operations = _operations(store, notices)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        path = request.raw_path.partition("?")[0]
        call = None
        try:
            call = Call.of(request)
            answer = await self._answer(call)
        except S3Error as error:
            answer = error.answer(path)
        except NotModified:
            answer = web.Response(status=HTTPStatus.NOT_MODIFIED)
        except (OSError, EOFError) as error:
            if isinstance(error, ConnectionError):
                raise
            LOG.exception("%s %s failed", request.method, path)
            answer = S3Error("InternalError", str(error)).answer(path)
        if not answer.prepared:
            if answer.status >= HTTPStatus.BAD_REQUEST and not request.content.is_eof():
                answer.force_close()  # the client may keep a body back that this server would wait for
            answer.headers["x-amz-request-id"] = uuid.uuid4().hex[:16].upper()
            if call and "Origin" in request.headers and request.method != "OPTIONS":
                origins.allow(call, self._store, answer)
        return answer

    async def _answer(self, call: Call) -> web.StreamResponse:
        method, kind, chosen = call.operation
        if (
            kind != "service"
            and (method, kind, chosen) != ("PUT", "bucket", "")
            and not self._store.has_bucket(call.bucket)
        ):
            raise S3Error("NoSuchBucket", f"The specified bucket does not exist: {call.bucket}")
        if method == "OPTIONS":
            return await origins.preflight(call, self._store)
        check_signature(call, *self._credentials)
        operation = self._operations.get((method, kind, chosen))
        if operation is None or ("partNumber" in call.query and chosen != "uploadId"):
            raise S3Error(
                "NotImplemented", f"{method} of a {kind} with {sorted(call.query)} is not implemented on one machine."
            )
        return await operation(call)


def _operations(store: DiskStore, notices: Notices) -> dict[tuple[str, str, str], Operation]:
    """Operations by method, kind of resource, and the parameter that chooses."""
    buckets, listings = Buckets(store), Listings(store)
    objects, uploads = Objects(store, notices), Uploads(store, notices)
    found: dict[tuple[str, str, str], Operation] = {
        ("GET", "service", ""): listings.buckets,
        ("GET", "bucket", ""): listings.objects,
        ("GET", "bucket", "uploads"): listings.uploads,
        ("GET", "bucket", "location"): buckets.locate,
        ("PUT", "bucket", ""): buckets.create,
        ("HEAD", "bucket", ""): buckets.head,
        ("DELETE", "bucket", ""): buckets.delete,
        ("POST", "bucket", "delete"): objects.delete_many,
        ("GET", "object", ""): objects.get,
        ("HEAD", "object", ""): objects.get,
        ("PUT", "object", ""): objects.put,
        ("DELETE", "object", ""): objects.delete,
        ("POST", "object", "uploads"): uploads.begin,
        ("PUT", "object", "uploadId"): uploads.put_part,
        ("POST", "object", "uploadId"): uploads.complete,
        ("GET", "object", "uploadId"): uploads.list_parts,
        ("DELETE", "object", "uploadId"): uploads.abort,
    }
    for name in _SETTINGS:
        found |= {("GET", "bucket", name): buckets.get_setting, ("PUT", "bucket", name): buckets.put_setting}
        found["DELETE", "bucket", name] = buckets.delete_setting
    return found


async def serve(port: int, folder: Path, queues: str, ended: Callable[[], Awaitable[object]]) -> None:
    """Serve a folder on the loopback address until `ended` returns."""
    store = DiskStore(folder)
    notices = Notices(store, queues)
    server = ObjectServer(store, notices, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    runner = web.ServerRunner(
        web.Server(
            server.handle, auto_decompress=False, access_log=None, max_line_size=_LINE_LIMIT, read_bufsize=_BUFFER_BYTES
        ),
        shutdown_timeout=0.05,
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    gc.freeze()  # what is there by now stays
    tasks = [asyncio.create_task(notices.send()), asyncio.create_task(_sweep(store))]
    try:
        await ended()
    finally:
        for task in tasks:
            task.cancel()
        await runner.cleanup()
        store.close()


async def _sweep(store: DiskStore) -> None:
    while True:
        await asyncio.sleep(GRACE_SECONDS / 4)
        store.sweep(time.monotonic() - GRACE_SECONDS)


async def _leash() -> None:
    """Wait until standard input closes."""
    loop, closed = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(closed.set)

    threading.Thread(target=wait, name="leash", daemon=True).start()
    await closed.wait()


def main() -> int:
    """Run the process, and return its exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    port, folder, queues = sys.argv[1:]
    try:
        asyncio.run(serve(int(port), Path(folder), queues, _leash))
    except StoreError as error:
        print(f"tessera: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
