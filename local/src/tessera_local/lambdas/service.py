"""Lambda on one machine: the real Invoke API in front of pools of worker processes.

The limits of AWS are enforced: timeout, memory, size of request, response and temporary folder, one request per worker,
code that cannot be changed, no work between invocations, and concurrency: beyond it a request is refused with 429, and
an event waits. A machine has fewer processors than AWS, so each function also has a largest number of workers. Beyond
that, a request waits.
"""

import asyncio
import json
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from tessera_local.lambdas import sandbox
from tessera_local.lambdas.concurrency import RETRY_SECONDS, Concurrency, ThrottledError
from tessera_local.lambdas.worker import Outcome, Worker
from tessera_local.template.deployed import Function

REQUEST_LIMIT = 6_291_456
EVENT_LIMIT = 1 << 20
EVENT_PAUSES = (2.0, 4.0)
"""Times before an event that failed is tried again, in seconds. On AWS they are one and two minutes."""
RUNTIME_CLIENT = (sys.executable, "-P", sandbox.__file__, "awslambdaric")


@dataclass(frozen=True)
class Report:
    """Contents of Lambda's REPORT line of one invocation."""

    function: str
    request_id: str
    duration_ms: float
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None
    error: str | None


@dataclass(frozen=True)
class DeadLetter:
    """An event that failed for the last time, as Lambda sends it to a queue."""

    body: str
    request_id: str
    error: str

    @property
    def attributes(self) -> dict[str, dict[str, str]]:
        """Attributes of the message."""
        return {
            "RequestID": {"DataType": "String", "StringValue": self.request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": "200"},
            "ErrorMessage": {"DataType": "String", "StringValue": self.error[:1024] or "Unhandled"},
        }


class _Pool:
    """Workers of one function. A semaphore limits the number of busy ones."""

    def __init__(self, function: Function, concurrency: int) -> None:
        self.function = function
        self.slots = asyncio.Semaphore(concurrency)
        self.workers: list[Worker] = []
        self.idle: list[Worker] = []


class LambdaService:
    """Functions by name, invoked in this process or over HTTP.

    Parameters
    ----------
    functions
        Functions by name.
    home
        Folder whose subfolder ``logs/`` gets the logs, and ``tmp/workers/`` the temporary folders of workers.
    concurrency
        Largest number of busy workers by function; ``default_concurrency`` for functions that are not named.
    environment
        Variables that every function gets in addition to its own.
    idle_seconds
        Time after which a worker without work is ended, as Lambda does.
    on_dead_letter
        Is called in another thread with the ARN of a queue and the message for it, if an event fails for the last time.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        home: Path,
        *,
        concurrency: Mapping[str, int] | None = None,
        default_concurrency: int = 4,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = RUNTIME_CLIENT,
        idle_seconds: float = 60.0,
        on_dead_letter: Callable[[str, DeadLetter], object] | None = None,
    ) -> None:
        workers = concurrency or {}
        reserved = {name: each.reserved for name, each in functions.items() if each.reserved is not None}
        self.limits = Concurrency(reserved=reserved)
        self._pools = {
            name: _Pool(function, workers.get(name, default_concurrency)) for name, function in functions.items()
        }
        self._logs = home / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._temporary = home / "tmp" / "workers"
        shutil.rmtree(self._temporary, ignore_errors=True)  # what is left of a stack that was killed
        self._temporary.mkdir(parents=True)
        self._environment, self._command = dict(environment or {}), command
        self._idle_seconds = idle_seconds
        self._on_dead_letter = on_dead_letter
        self._closing = asyncio.Event()
        self._background: set[asyncio.Task[object]] = set()
        self.reports: list[Report] = []

    def application(self) -> web.Application:
        """The Invoke API as an aiohttp application."""
        app = web.Application(client_max_size=0)
        app.router.add_post("/2015-03-31/functions/{name:.+}/invocations", self._handle)
        return app

    def pids(self, function: str) -> list[int]:
        """Process ids of the living workers of a function."""
        return [worker.pid for worker in self._pools[function].workers if not worker.dead]

    async def invoke(
        self, name: str, payload: bytes, request_id: str | None = None, *, queued: bool = False
    ) -> Outcome:
        """Run one invocation when a worker is free.

        Raises
        ------
        ThrottledError
            If the concurrency is used up and the invocation is not queued.
        """
        pool, request_id = self._pools[name], request_id or str(uuid.uuid4())
        async with self.limits.slot(name, queued=queued), pool.slots:
            started = time.monotonic()
            worker, init_ms, failure = self._take_idle(pool), None, None
            if worker is None:
                worker, failure = await self._start_worker(pool)
                init_ms = (time.monotonic() - started) * 1000
                started = time.monotonic()
            outcome = failure or await worker.invoke(request_id, payload)
            self._report(worker, request_id, time.monotonic() - started, init_ms, outcome)
            if worker.dead or failure:
                self._retire(pool, worker)
            else:
                self._let_idle(pool, worker)
            return outcome

    async def deliver(self, name: str, payload: bytes, request_id: str | None = None) -> Outcome:
        """Run an event: it waits for its turn, and is tried again if it fails. In the end, a queue may get it."""
        function, request_id = self._pools[name].function, request_id or str(uuid.uuid4())
        outcome = await self.invoke(name, payload, request_id, queued=True)
        for pause in EVENT_PAUSES[: function.retries]:
            if not outcome.function_error or await self._is_closing_within(pause):
                return outcome
            outcome = await self.invoke(name, payload, request_id, queued=True)
        if outcome.function_error and function.dead_letters and self._on_dead_letter:
            letter = DeadLetter(payload.decode(), request_id, outcome.error_message)
            await asyncio.to_thread(self._on_dead_letter, function.dead_letters, letter)
        return outcome

    async def stop_retries(self) -> None:
        """Try no event again from now on."""
        self._closing.set()

    async def close(self) -> None:
        """End every worker."""
        await self.stop_retries()
        workers = [worker for pool in self._pools.values() for worker in pool.workers]
        for worker in workers:
            worker.kill()
        await asyncio.gather(*(worker.close() for worker in workers), *self._background, return_exceptions=True)

    async def _is_closing_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _take_idle(self, pool: _Pool) -> Worker | None:
        """Living worker that was used last, so that a quiet pool uses one warm worker."""
        while pool.idle:
            worker = pool.idle.pop()
            if not worker.dead:
                return worker
            self._retire(pool, worker)
        return None

    def _let_idle(self, pool: _Pool, worker: Worker) -> None:
        """Keep a worker for the next request, and end it if none comes in time."""
        worker.idle_since = time.monotonic()
        pool.idle.append(worker)
        if not worker.is_watched:
            self._watch_idle(pool, worker, self._idle_seconds)

    def _watch_idle(self, pool: _Pool, worker: Worker, seconds: float) -> None:
        """Look at an idle worker later. One timer for it is enough: one for each request would fill the memory."""
        worker.is_watched = True
        asyncio.get_running_loop().call_later(seconds, self._end_idle, pool, worker)

    def _end_idle(self, pool: _Pool, worker: Worker) -> None:
        worker.is_watched = False
        if worker not in pool.idle:
            return
        left = worker.idle_since + self._idle_seconds - time.monotonic()
        if left > 0:
            self._watch_idle(pool, worker, left)
            return
        pool.idle.remove(worker)
        self._retire(pool, worker)

    def _retire(self, pool: _Pool, worker: Worker) -> None:
        pool.workers.remove(worker)
        self._in_background(worker.close())

    async def _start_worker(self, pool: _Pool) -> tuple[Worker, Outcome | None]:
        log = self._logs / f"{pool.function.name}.log"
        worker = Worker(pool.function, self._command, self._environment, log, self._temporary)
        pool.workers.append(worker)
        return worker, await worker.start()

    def _report(self, worker: Worker, request_id: str, seconds: float, init_ms: float | None, outcome: Outcome) -> None:
        report = Report(
            function=worker.function.name,
            request_id=request_id,
            duration_ms=round(seconds * 1000, 2),
            memory_mb=worker.function.memory_mb,
            max_memory_mb=round(worker.peak_mb),
            init_ms=init_ms and round(init_ms, 2),
            error=outcome.error_type,
        )
        self.reports.append(report)
        with (self._logs / "reports.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(report)) + "\n")

    async def _handle(self, request: web.Request) -> web.Response:
        name = function_name(request.match_info["name"])
        request_id = str(uuid.uuid4())
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        payload = await request.read() or b"{}"
        if name not in self._pools:
            return _refuse(404, "ResourceNotFoundException", f"Function not found: {name}")
        if len(payload) > (EVENT_LIMIT if kind == "Event" else REQUEST_LIMIT):
            return _refuse(413, "RequestTooLargeException", f"{len(payload)} byte payload is too large for {kind}")
        if not _is_json(payload):
            return _refuse(400, "InvalidRequestContentException", "Could not parse request body into json")
        return await self._run(name, payload, request_id, kind)

    async def _run(self, name: str, payload: bytes, request_id: str, kind: str) -> web.Response:
        headers = {"x-amzn-RequestId": request_id, "X-Amz-Executed-Version": "$LATEST"}
        if kind == "DryRun":
            return web.Response(status=204, headers=headers)
        if kind == "Event":
            self._in_background(self.deliver(name, payload, request_id))
            return web.Response(status=202, headers=headers)
        try:
            outcome = await self.invoke(name, payload, request_id)
        except ThrottledError as error:
            return _throttle(str(error))
        if outcome.function_error:
            headers["X-Amz-Function-Error"] = outcome.function_error
        return web.Response(body=outcome.payload, content_type="application/json", headers=headers)

    def _in_background(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def function_name(name_or_arn: str) -> str:
    """Name of a function from a name, a partial or full ARN, with or without a qualifier."""
    parts = name_or_arn.split(":")
    return parts[parts.index("function") + 1] if "function" in parts else parts[0]


def _is_json(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except ValueError:
        return False
    return True


def _refuse(status: int, kind: str, message: str) -> web.Response:
    return web.json_response({"Type": "User", "Message": message}, status=status, headers={"x-amzn-ErrorType": kind})


def _throttle(reason: str) -> web.Response:
    headers = {"x-amzn-ErrorType": "TooManyRequestsException", "Retry-After": str(RETRY_SECONDS)}
    document = {"Reason": reason, "Type": "User", "message": "Rate Exceeded."}
    return web.json_response(document, status=429, headers=headers)
