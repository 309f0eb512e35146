"""Carry out the steps of operations with httpx, with and without asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from tessera import __version__
from tessera.checks import check_integer, check_number
from tessera.client.wire.address import Address, read_address
from tessera.client.wire.failures import DamagedAnswerError, ServiceError, UnreachableServiceError
from tessera.client.wire.steps import Answer, Result, Send, Service, Step, Steps, Together, Wait
from tessera.errors import InvalidInputError
from tessera.extras import import_extra
from tessera.io.failures import network_reason
from tessera.io.locations import shown
from tessera.narrator import Narrator
from tessera.progress import Stop

if TYPE_CHECKING:
    import httpx

CONNECTIONS = 64
"""Largest number of requests that one client sends at the same time."""
_PIECE = 1 << 18


def make_service(
    url: str, *, retries: int, patience: float, verbose: bool, clock: Callable[[], float] = time.monotonic
) -> Service:
    """Check the arguments of a client.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    """
    retries = check_integer("retries", retries, 0, 100)
    seconds = check_seconds("patience", patience, "a number of seconds from 0 to 86400", smallest=0.0)
    return Service(read_address(url), retries, seconds, clock, Narrator("tessera.client", verbose=verbose))


def check_seconds(argument: str, value: object, allowed: str, smallest: float) -> float:
    """Return a number of seconds up to a day, or raise `InvalidInputError`."""
    seconds = check_number(argument, value, allowed)
    if not smallest <= seconds <= 86400:
        raise InvalidInputError(argument, value, allowed)
    return seconds


def _settings(timeout: float) -> dict[str, Any]:
    """Arguments of both clients of httpx."""
    httpx = import_extra("httpx", "clients of a service")
    seconds = check_seconds("timeout", timeout, "a number of seconds from 0.001 to 86400", smallest=0.001)
    return {
        "timeout": httpx.Timeout(seconds, connect=min(seconds, 15.0)),
        "limits": httpx.Limits(max_connections=CONNECTIONS),
        "headers": {"User-Agent": f"tessera/{__version__}", "Accept": "application/json, application/zip, */*"},
        "follow_redirects": False,
    }


@contextmanager
def _environment(address: Address) -> Iterator[None]:
    """Name what is wrong with the proxies and certificates of the environment."""
    try:
        yield
    except (ValueError, ImportError, OSError) as error:
        said = f"{address} cannot be asked, because the proxy or the certificates of the environment cannot be used"
        raise UnreachableServiceError(f"{said}: {error}") from error


@contextmanager
def _failures(request: Send) -> Iterator[None]:
    """Turn errors of httpx into ours."""
    httpx = import_extra("httpx", "clients of a service")
    try:
        yield
    except httpx.HTTPError as error:
        raise UnreachableServiceError(f"{shown(request.url)} {_reason(error, httpx)}{_through(request.url)}") from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise DamagedAnswerError(f"{shown(request.url)} is no address: {error}") from error
    except RuntimeError as error:  # what httpx raises without a class of its own
        allowed = "clients are used before they are closed, and asynchronous ones in one event loop"
        raise ServiceError(f"{shown(request.url)} cannot be asked: {allowed}") from error


def _reason(error: Exception, httpx: Any) -> str:
    kinds: list[tuple[Any, str]] = [
        (httpx.ConnectTimeout, "cannot be reached in time"),
        (httpx.TimeoutException, "does not answer in time"),
        (httpx.ProxyError, "cannot be reached through the proxy"),
        (httpx.ConnectError, "cannot be reached"),
        (httpx.DecodingError, "sends an answer that cannot be unpacked"),
        (httpx.RemoteProtocolError, "sends an answer that is not whole"),
    ]
    words = next((words for kind, words in kinds if isinstance(error, kind)), "broke the connection")
    said = (isinstance(error, httpx.ConnectError) and network_reason(str(error))) or str(error)
    return f"{words}: {said}" if said else words


def _through(url: str) -> str:
    """Names the proxy of the environment that requests for a URL go through; empty if there is none."""
    parts, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return f" (through the proxy {shown(proxy)})" if proxy and not proxy_bypass(parts.hostname or "") else ""


def _answer(response: httpx.Response, request: Send) -> Answer:
    return Answer(
        response.status_code,
        {name.lower(): value for name, value in response.headers.items()},
        request,
        shown(request.url),
    )


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces that are read beside the event loop."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def _check_stop(stop: Event | None) -> None:
    if stop is not None and stop.is_set():
        raise Stop(None)


class Transport:
    """Carries out steps in this thread.

    Parameters
    ----------
    address : Address
        Address of the service, for errors.
    timeout : float
        Longest time in seconds between two signs of life of the service.
    sleep : callable
        Waits for a number of seconds.
    """

    def __init__(self, address: Address, timeout: float, sleep: Callable[[float], object] = time.sleep) -> None:
        settings = _settings(timeout)
        with _environment(address):
            self._http: httpx.Client = import_extra("httpx", "clients of a service").Client(**settings)
        self._sleep = sleep

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def run(self, steps: Steps[Result], stop: Event | None = None) -> Result:
        """Carry out an operation, and return its result.

        Parameters
        ----------
        steps : Steps
            The operation.
        stop : Event, optional
            Ends the operation, with `tessera.progress.Stop`, at its next step or piece of an answer.
        """
        given: Any = None
        error: Exception | None = None
        try:
            while True:
                step = steps.throw(error) if error else steps.send(given)
                given, error = None, None
                _check_stop(stop)
                try:
                    given = self._do(step, stop)
                except Exception as caught:  # noqa: BLE001 - the operation decides what an error means
                    error = caught
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            steps.close()

    def _do(self, step: Step, stop: Event | None) -> Any:
        if isinstance(step, Wait):
            pause = self._sleep if stop is None or self._sleep is not time.sleep else stop.wait
            return pause(step.seconds)
        if isinstance(step, Together):
            return self._together(step, stop)
        return self._send(step, stop) if isinstance(step, Send) else step.function()

    def _together(self, step: Together, stop: Event | None) -> list[Any]:
        """Carry out operations in threads. After an error or Ctrl-C, each ends at its next step or piece."""
        ended = Event() if stop is None else stop
        with ThreadPoolExecutor(step.most, "tessera-client") as pool:
            futures = [pool.submit(self.run, steps, ended) for steps in step.operations]
            try:
                for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                    future.result()
                return [future.result() for future in futures]
            except BaseException:
                ended.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _send(self, request: Send, stop: Event | None) -> Answer:
        content = None if request.body is None else request.body.pieces()
        given: dict[str, Any] = {"json": request.document, "content": content, "headers": request.headers}
        with _failures(request), self._http.stream(request.method, request.url, **given) as response:
            answer = _answer(response, request)
            try:
                for piece in response.iter_bytes(_PIECE):
                    _check_stop(stop)
                    answer.write(piece)
            except BaseException:
                answer.close()
                raise
            return answer


class AsyncTransport:
    """Carries out steps in the event loop; see `Transport`."""

    def __init__(
        self, address: Address, timeout: float, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        settings = _settings(timeout)
        with _environment(address):
            self._http: httpx.AsyncClient = import_extra("httpx", "clients of a service").AsyncClient(**settings)
        self._sleep = sleep

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def run(self, steps: Steps[Result]) -> Result:
        """Carry out an operation, and return its result."""
        given: Any = None
        error: Exception | None = None
        try:
            while True:
                step = steps.throw(error) if error else steps.send(given)
                given, error = None, None
                try:
                    given = await self._do(step)
                except Exception as caught:  # noqa: BLE001 - the operation decides what an error means
                    error = caught
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            steps.close()

    async def _do(self, step: Step) -> Any:
        if isinstance(step, Wait):
            return await self._sleep(step.seconds)
        if isinstance(step, Together):
            return await self._together(step)
        return await self._send(step) if isinstance(step, Send) else await asyncio.to_thread(step.function)

    async def _together(self, step: Together) -> list[Any]:
        """Carry out operations in tasks. An error ends the others."""
        places = asyncio.Semaphore(step.most)

        async def run(steps: Steps[Any]) -> Any:
            async with places:
                return await self.run(steps)

        tasks = [asyncio.create_task(run(steps)) for steps in step.operations]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, request: Send) -> Answer:
        content = None if request.body is None else _in_threads(request.body.pieces())
        given: dict[str, Any] = {"json": request.document, "content": content, "headers": request.headers}
        with _failures(request):
            async with self._http.stream(request.method, request.url, **given) as response:
                answer = _answer(response, request)
                try:
                    async for piece in response.aiter_bytes(_PIECE):
                        answer.write(piece)
                except BaseException:
                    answer.close()
                    raise
                return answer
