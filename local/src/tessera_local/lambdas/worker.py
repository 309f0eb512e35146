"""One Lambda execution environment: a process of the real runtime client, and its private Runtime API."""

import asyncio
import contextlib
import errno
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from aiohttp import web

from tessera_local.lambdas.sandbox import FREEZES
from tessera_local.lambdas.scratch import Scratch
from tessera_local.template.deployed import Function

RESPONSE_LIMIT = 6_291_556
"""Largest synchronous response in bytes, as AWS states it: 6 MiB and 100 bytes."""
INIT_SECONDS = 60.0
"""Longest start in seconds. AWS allows 10 s; a busy laptop that compiles astropy's bytecode needs more."""
POLL_SECONDS = 0.05
_MIB = 1 << 20


@dataclass(frozen=True)
class Outcome:
    """Result of an invocation: the payload, and the kind of error if it is one."""

    payload: bytes
    function_error: str | None = None

    @classmethod
    def failure(cls, error_type: str, message: str) -> "Outcome":
        """Build the payload that AWS sends if the environment, not the handler, reports the error."""
        payload = {"errorType": error_type, "errorMessage": message, "stackTrace": []}
        return cls(json.dumps(payload).encode(), "Unhandled")

    @property
    def error_type(self) -> str | None:
        """Name of the error; None if there is none."""
        return str(json.loads(self.payload).get("errorType")) if self.function_error else None

    @property
    def error_message(self) -> str:
        """Message of the error; empty if there is none."""
        return str(json.loads(self.payload).get("errorMessage", "")) if self.function_error else ""


@dataclass
class _Invocation:
    request_id: str
    payload: bytes
    outcome: "asyncio.Future[Outcome]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def finish(self, outcome: Outcome) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class Worker:
    """A process that serves one invocation at a time, and stands still between them.

    Parameters
    ----------
    function
        Function to run.
    command
        Program and arguments of the runtime client; the name of the handler is added.
    environment
        Variables in addition to those that Lambda sets.
    log
        File for the output of the process.
    temporary
        Folder in which the process gets a temporary folder of its own; None for that of the system.
    """

    def __init__(
        self,
        function: Function,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        temporary: Path | None = None,
    ) -> None:
        self.function = function
        self.dead = False
        self.idle_since = 0.0
        self.is_watched = False
        self.peak_mb = 0.0
        self._command, self._environment, self._log = command, environment, log
        self._scratch = Scratch(temporary, function.name)
        self._process: asyncio.subprocess.Process | None = None
        self._measured: psutil.Process | None = None
        self._pending: asyncio.Queue[_Invocation] = asyncio.Queue()
        self._current: _Invocation | None = None
        self._polled = asyncio.Event()
        self._failure: Outcome | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int:
        """Process id; 0 before the start."""
        return self._process.pid if self._process else 0

    async def start(self) -> Outcome | None:
        """Start the process and wait until it asks for work; returns the error if it does not."""
        self._api = web.AppRunner(
            self._runtime_api(), access_log=None, handler_cancellation=True, shutdown_timeout=0.05
        )
        await self._api.setup()
        site = web.TCPSite(self._api, "127.0.0.1", 0)
        await site.start()
        host, port = self._api.addresses[0][:2]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                self.function.handler,
                cwd=self.function.directory,
                env=self._variables(f"{host}:{port}"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._tasks = [asyncio.create_task(self._watch_exit(self._process)), asyncio.create_task(self._watch_limits())]
        try:
            await asyncio.wait_for(self._polled.wait(), INIT_SECONDS)
        except TimeoutError:
            self._failure = Outcome.failure("Sandbox.Timedout", f"Init did not end in {INIT_SECONDS:.0f} seconds")
            self.kill()
        return self._failure

    async def invoke(self, request_id: str, payload: bytes) -> Outcome:
        """Run one invocation under the function's timeout, memory and size of the temporary folder."""
        if self.dead:
            return self._exit_error(request_id)
        self._current = invocation = _Invocation(request_id, payload)
        self.peak_mb = 0.0
        self._pending.put_nowait(invocation)
        self._signal(signal.SIGCONT)
        try:
            outcome = await asyncio.wait_for(asyncio.shield(invocation.outcome), self.function.timeout_seconds)
            return self._kill_if_full() or outcome
        except TimeoutError:
            self.kill()
            message = f"Task timed out after {self.function.timeout_seconds:.2f} seconds"
            return Outcome.failure("Sandbox.Timedout", f"RequestId: {request_id} Error: {message}")
        finally:
            self._sample_memory()
            self._current = None

    def kill(self) -> None:
        """Kill the process and its children. From now on it counts as dead."""
        self.dead = True
        self._signal(signal.SIGKILL)

    async def close(self) -> None:
        """Kill the process, wait for its end, and release the port."""
        self.kill()
        if self._process:
            await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await self._api.cleanup()
        self._scratch.remove()

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _variables(self, runtime_api: str) -> dict[str, str]:
        function = self.function
        paths = [function.directory, *function.layers]
        return {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONUNBUFFERED": "1",
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": str(function.directory),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            **function.environment,
            **self._environment,
            "HOME": str(self._scratch.folder),
            "TMPDIR": str(self._scratch.folder),
        }

    def _runtime_api(self) -> web.Application:
        app = web.Application(client_max_size=0)
        base = "/2018-06-01/runtime"
        app.router.add_get(f"{base}/invocation/next", self._serve_next)
        app.router.add_post(f"{base}/invocation/{{request_id}}/response", self._take_response)
        app.router.add_post(f"{base}/invocation/{{request_id}}/error", self._take_error)
        app.router.add_post(f"{base}/init/error", self._take_init_error)
        return app

    async def _serve_next(self, _request: web.Request) -> web.Response:
        self._polled.set()
        if FREEZES and self._pending.empty():
            self._signal(signal.SIGSTOP)
        invocation = await self._pending.get()
        deadline_ms = int((time.time() + self.function.timeout_seconds) * 1000)
        return web.Response(
            body=invocation.payload,
            content_type="application/json",
            headers={
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": self.function.arn,
            },
        )

    async def _take_response(self, request: web.Request) -> web.Response:
        payload = await request.read()
        if len(payload) > RESPONSE_LIMIT:
            message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
            self._finish(request, Outcome.failure("Function.ResponseSizeTooLarge", message))
            self.kill()  # after the 413 the runtime client would end itself, possibly while it has other work
            return web.json_response({"errorType": "RequestEntityTooLarge"}, status=413)
        self._finish(request, Outcome(payload))
        return web.json_response({"status": "OK"}, status=202)

    async def _take_error(self, request: web.Request) -> web.Response:
        self._finish(request, Outcome(await request.read(), "Unhandled"))
        return web.json_response({"status": "OK"}, status=202)

    async def _take_init_error(self, request: web.Request) -> web.Response:
        self._failure = Outcome(await request.read(), "Unhandled")
        self.dead = True
        self._polled.set()
        return web.json_response({"status": "OK"}, status=202)

    def _finish(self, request: web.Request, outcome: Outcome) -> None:
        if self._current and self._current.request_id == request.match_info["request_id"]:
            self._current.finish(outcome)

    async def _watch_exit(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        self.dead = True
        if self._current:
            self._current.finish(self._exit_error(self._current.request_id))
        if not self._polled.is_set():
            self._failure = self._exit_error("init")
            self._polled.set()

    async def _watch_limits(self) -> None:
        while not self.dead:
            if self._sample_memory() > self.function.memory_mb:
                self.kill()
            if self._current:
                self._kill_if_full()
            await asyncio.sleep(POLL_SECONDS if self._current or not self._polled.is_set() else 0.5)

    def _sample_memory(self) -> float:
        with contextlib.suppress(psutil.Error):
            if self._measured is None:
                self._measured = psutil.Process(self.pid)
            self.peak_mb = max(self.peak_mb, self._measured.memory_info().rss / _MIB)
        return self.peak_mb

    def _kill_if_full(self) -> Outcome | None:
        """End the invocation if the temporary folder has more than its size; returns the error."""
        used, most_mb = self._scratch.used_bytes(self.pid), self.function.temporary_mb
        if used <= most_mb * _MIB:
            return None
        message = f"[Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}: {used} bytes in /tmp of {most_mb} MB"
        outcome = Outcome.failure("OSError", message)
        if self._current:
            self._current.finish(outcome)
        self.kill()
        return outcome

    def _exit_error(self, request_id: str) -> Outcome:
        code = self._process.returncode if self._process else None
        if code is not None and code >= 0:
            reason = f"exit status {code}"
        else:
            reason = "signal: killed" if code in (None, -signal.SIGKILL) else f"signal: {signal.Signals(-code).name}"
        return Outcome.failure(
            "Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {reason}"
        )
