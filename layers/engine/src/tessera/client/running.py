"""Make methods of clients from operations: with and without asyncio, under the same names and signatures."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from tessera.client.wire.steps import Steps
from tessera.client.wire.transport import AsyncTransport, Transport

Parameters = ParamSpec("Parameters")
Operations = TypeVar("Operations")
Result = TypeVar("Result")
Opened = TypeVar("Opened")


class Blocking:
    """Something whose operations are carried out in this thread."""

    _transport: Transport
    _operations: Any


class Waiting:
    """Something whose operations are carried out in the event loop."""

    _transport: AsyncTransport
    _operations: Any


def blocking(
    operation: Callable[Concatenate[Operations, Parameters], Steps[Result]],
) -> Callable[Concatenate[Blocking, Parameters], Result]:
    """Return the method that carries out an operation."""

    @wraps(operation)
    def method(self: Blocking, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return self._transport.run(operation(self._operations, *args, **kwargs))

    _sign(method)
    return method


def waiting(
    operation: Callable[Concatenate[Operations, Parameters], Steps[Result]],
) -> Callable[Concatenate[Waiting, Parameters], Coroutine[Any, Any, Result]]:
    """Return the coroutine that carries out an operation."""

    @wraps(operation)
    async def method(self: Waiting, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return await self._transport.run(operation(self._operations, *args, **kwargs))

    _sign(method)
    return method


def opening(
    operation: Callable[Concatenate[Operations, Parameters], Steps[Result]],
    view: Callable[[Transport, Result], Opened],
) -> Callable[Concatenate[Blocking, Parameters], Opened]:
    """Return the method that finds or begins work, such as a job, and returns a view of it."""

    @wraps(operation)
    def method(self: Blocking, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Opened:
        return view(self._transport, self._transport.run(operation(self._operations, *args, **kwargs)))

    _sign(method, view.__name__)
    return method


def opening_later(
    operation: Callable[Concatenate[Operations, Parameters], Steps[Result]],
    view: Callable[[AsyncTransport, Result], Opened],
) -> Callable[Concatenate[Waiting, Parameters], Coroutine[Any, Any, Opened]]:
    """Return the coroutine that finds or begins work, such as a job, and returns a view of it."""

    @wraps(operation)
    async def method(self: Waiting, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Opened:
        return view(self._transport, await self._transport.run(operation(self._operations, *args, **kwargs)))

    _sign(method, view.__name__)
    return method


def _sign(method: Callable[..., object], result: str = "") -> None:
    """Let help and documentation show the result of a method instead of steps."""
    signature = inspect.signature(method)
    result = result or str(signature.return_annotation).removeprefix("Steps[").removesuffix("]")
    method.__signature__ = signature.replace(return_annotation=result)  # type: ignore[attr-defined] # inspect reads it
    method.__annotations__ = method.__annotations__ | {"return": result}
