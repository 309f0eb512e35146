"""Operations that are carried out at the same time, with and without asyncio."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tessera.client.wire.address import read_address
from tessera.client.wire.steps import Steps, Together, wait, work
from tessera.client.wire.transport import AsyncTransport, Transport
from tests.support.coroutines import run_coroutine

ADDRESS = read_address("http://127.0.0.1:1")


def _run(steps: Steps[Any], *, with_asyncio: bool) -> Any:
    if not with_asyncio:
        transport = Transport(ADDRESS, 1.0)
        try:
            return transport.run(steps)
        finally:
            transport.close()

    async def run() -> Any:
        transport = AsyncTransport(ADDRESS, 1.0)
        try:
            return await transport.run(steps)
        finally:
            await transport.close()

    return run_coroutine(run())


def _together(operations: list[Steps[Any]], most: int) -> Steps[Any]:
    return (yield Together(operations, most))


@pytest.mark.parametrize("with_asyncio", [False, True])
def test_the_results_are_in_the_order_of_the_operations(*, with_asyncio: bool) -> None:
    first = threading.Event()

    def slow() -> Steps[str]:
        assert (yield from work(lambda: first.wait(10)))
        return "slow"

    def fast() -> Steps[str]:
        yield from work(first.set)
        return "fast"

    assert _run(_together([slow(), fast(), fast()], 2), with_asyncio=with_asyncio) == ["slow", "fast", "fast"]


@pytest.mark.parametrize("with_asyncio", [False, True])
def test_the_first_error_ends_an_operation_that_would_take_long(*, with_asyncio: bool) -> None:
    ended = []

    def slow() -> Steps[None]:
        for _ in range(400):
            yield from wait(0.05)
        ended.append("slow")

    def broken() -> Steps[None]:
        yield from wait(0.01)
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="the disk is full"):
        _run(_together([slow(), broken(), slow()], 2), with_asyncio=with_asyncio)
    assert ended == []
