"""Five hundred clients wait for a job on real processes, and do not slow it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import requests

from tessera_cloud.http.cutouts.wait_routes import WAIT_SECONDS
from tests.api.conftest import NOISE, Service, sky
from tests.support.coroutines import run_coroutine

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("api-stack")]
CLIENTS = 500
ARRIVAL_SECONDS = 3.0


@pytest.fixture
def crowded(service: Service) -> Iterator[Service]:
    """An account of 20 concurrent executions, 6 of which are reserved for clients that wait."""
    limits = service.stack.limits
    limits.account, limits.reserved = 20, {"WaitForJobFunction": 6}
    yield service
    limits.account, limits.reserved = None, {}


def begin(service: Service, width: int) -> dict[str, Any]:
    ra, dec = sky(NOISE, (120, 120), 60, 60)
    body: dict[str, Any] = {"position": {"ra": ra, "dec": dec}, "size": [102, width]}
    answer = requests.post(f"{service.stack.url}/v1/jobs", json=body, timeout=30)
    assert answer.status_code == 202
    document: dict[str, Any] = answer.json()
    return document


def seconds_of(job: dict[str, Any], began: float) -> float:
    """Time until a job has ended."""
    while (found := requests.get(job["url"], timeout=30).json())["status"] in ("queued", "running"):
        assert time.monotonic() < began + 60
        time.sleep(0.2)
    assert found["status"] == "succeeded"
    return time.monotonic() - began


async def wait(job: dict[str, Any]) -> Counter[str]:
    """What many clients get that follow redirections as TESSCut's do."""
    connector = aiohttp.TCPConnector(limit=CLIENTS)

    async def ask(session: aiohttp.ClientSession, number: int) -> str:
        await asyncio.sleep(number * ARRIVAL_SECONDS / CLIENTS)
        async with session.get(job["wait_url"], max_redirects=30) as answer:
            if "/results/" in answer.url.path:
                return "archive"
            said = (await answer.json(content_type=None))["msg"]
            return f"{answer.status} {said.partition(',')[0]}"

    async with aiohttp.ClientSession(connector=connector) as session:
        return Counter(await asyncio.gather(*(ask(session, number) for number in range(CLIENTS))))


def test_waiting_clients_do_not_slow_the_job_they_wait_for(crowded: Service) -> None:
    alone = seconds_of(begin(crowded, 101), time.monotonic())
    job, began = begin(crowded, 103), time.monotonic()

    async def both() -> tuple[Counter[str], float]:
        ending = asyncio.create_task(asyncio.to_thread(seconds_of, job, began))
        return await wait(job), await ending

    answers, seconds = run_coroutine(both())
    assert seconds < alone + WAIT_SECONDS / 2, "the job waited for clients to be let go"
    assert answers.total() == CLIENTS
    assert answers["archive"] > 0
    assert {answer.split(" ", 1)[0] for answer in answers} <= {"archive", "200", "503"}, answers
