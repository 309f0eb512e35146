"""The client waits for a service that is busy and tries again what may pass, for as long as it may and no longer."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event

import pytest

import tessera
from tessera.progress import Stop
from tests.support.api import Answered
from tests.support.coroutines import run_coroutine
from tests.support.service import Asked, Server, listening

HEALTHY = Answered(200, {"Content-Type": "application/json"}, b'{"status": "ok", "version": "1", "cubes": 7}')
BUSY = b'{"error": {"code": "busy", "message": "20 jobs run already"}}'


def busy(after: str, status: int = 503, headers: dict[str, str] | None = None) -> Answered:
    given = {"Retry-After": after} if after else {}
    return Answered(
        status, {"Content-Type": "application/json", "x-amzn-RequestId": "abc-1"} | given | (headers or {}), BUSY
    )


def in_turn(*answers: Answered | None) -> Callable[[Asked], Answered | None]:
    """Answer with one after the other, and with the last one from then on."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def ask(server: Server, **settings: float) -> tuple[object, list[float]]:
    """What a question gives, and the pauses before it."""
    pauses: list[float] = []
    with tessera.Client(server.url, sleep=pauses.append, **settings) as client:  # type: ignore[arg-type]
        try:
            return client.health().cubes, pauses
        except tessera.ServiceError as error:
            return error, pauses


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again_when_it_says(status: int) -> None:
    with listening(in_turn(busy("7", status), busy("2", status), HEALTHY)) as server:
        assert ask(server) == (7, [7.0, 2.0])


def test_a_date_is_compared_with_the_clock_of_the_service() -> None:
    date = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    with listening(in_turn(busy("Thu, 01 Jan 2026 00:01:30 GMT", headers=date), HEALTHY)) as server:
        assert ask(server) == (7, [90.0])


@pytest.mark.parametrize(
    "after", ["", "soon", "-5", "1e9", "Thu, 99 Jan 2026 00:01:30 GMT", "0", "Thu, 01 Jan 1970 00:00:00"]
)
def test_a_service_that_does_not_say_when_is_asked_at_growing_intervals(after: str) -> None:
    with listening(in_turn(busy(after), busy(""), busy(""), HEALTHY)) as server:
        assert ask(server) == (7, [0.5, 1.0, 2.0])


def test_patience_ends_before_the_pause_that_is_too_long() -> None:
    with listening(in_turn(busy("40"))) as server:
        error, pauses = ask(server, patience=100.0)
        assert pauses == [40.0, 40.0]
        assert isinstance(error, tessera.BusyServiceError)
        assert str(error) == (
            f"{server.url} is busy and asks to wait for 40 s more; patience is 100 s, of which 80 s are over: "
            "20 jobs run already (request abc-1)"
        )
        assert (error.status, error.code, error.request_id) == (503, "busy", "abc-1")


@pytest.mark.parametrize(("after", "said"), [("10000000000", "10,000,000,000"), ("9" * 400, "inf")])
def test_a_service_that_is_busy_for_long_is_not_asked_again(after: str, said: str) -> None:
    with listening(in_turn(busy(after))) as server:
        error, pauses = ask(server)
        assert pauses == []
        assert f"asks to wait for {said} s more" in str(error)


def test_a_service_that_says_now_for_ever_is_not_asked_for_ever() -> None:
    with listening(in_turn(busy("0"))) as server:
        error, pauses = ask(server, patience=5.0)
        assert isinstance(error, tessera.BusyServiceError)
        assert len(pauses) == 10


@pytest.mark.parametrize("passing", [None, Answered(502, {}, b""), Answered(504, {}, b"<html>")])
def test_what_passes_is_tried_again_for_requests_that_only_read(passing: Answered | None) -> None:
    with listening(in_turn(passing, passing, HEALTHY)) as server:
        assert ask(server) == (7, [0.5, 1.0])
    with listening(in_turn(passing)) as server:
        error, pauses = ask(server, retries=1)
        assert (type(error), pauses) == (
            tessera.UnreachableServiceError if passing is None else tessera.ServiceError,
            [0.5],
        )


@pytest.mark.parametrize("passing", [None, Answered(502, {}, b"")])
def test_what_changes_something_is_not_sent_twice(passing: Answered | None) -> None:
    with listening(in_turn(passing)) as server, tessera.Client(server.url) as client:
        with pytest.raises(tessera.ServiceError):
            client.job((1, 2), 5)
        assert server.lines == ["POST /v1/jobs"]


@pytest.mark.parametrize("status", [400, 404, 413, 500])
def test_an_error_is_not_tried_again(status: int) -> None:
    content = json.dumps(
        {"error": {"code": "x", "message": "ra is\n'a'\x1b[31m", "parameter": "ra", "value": "a", "allowed": "b"}}
    )
    with listening(in_turn(Answered(status, {}, content.encode()))) as server:
        error, pauses = ask(server)
        assert isinstance(error, tessera.ServiceError)
        assert (error.parameter, error.value, error.allowed, error.status) == ("ra", "a", "b", status)
        assert (len(server.asked), pauses) == (1, [])
        assert str(error).endswith(": ra is 'a'?[31m")


def test_the_asynchronous_client_is_as_patient() -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def health(url: str) -> int:
        async with tessera.AsyncClient(url, sleep=pause) as client:
            return (await client.health()).cubes

    with listening(in_turn(busy("3"), None, HEALTHY)) as server:
        assert run_coroutine(health(server.url)) == 7
    assert pauses == [3.0, 0.5]


def test_a_service_that_is_silent_or_not_there_is_named() -> None:
    with listening(in_turn(HEALTHY)) as server:
        url = server.url
    error, pauses = ask(Server(in_turn(None), url=url), retries=2)
    assert isinstance(error, tessera.UnreachableServiceError)
    assert str(error) == f"{url}/v1/health cannot be reached: its host refuses the connection"
    assert pauses == [0.5, 1.0]


def test_a_client_that_is_closed_or_in_another_event_loop_says_so() -> None:
    with listening(in_turn(HEALTHY)) as server:
        client, other = tessera.Client(server.url), tessera.AsyncClient(server.url)
        client.close()
        run_coroutine(other.close())
        with pytest.raises(tessera.ServiceError, match="cannot be asked: clients are used before they are closed"):
            client.health()
        with pytest.raises(tessera.ServiceError, match="cannot be asked: clients are used before they are closed"):
            run_coroutine(other.health())
        assert server.asked == []


def test_an_answer_is_not_loaded_to_its_end_when_the_work_is_stopped() -> None:
    stop = Event()

    def answer(_: Asked) -> Answered:
        stop.set()
        return HEALTHY

    with listening(answer) as server, tessera.Client(server.url) as client, pytest.raises(Stop):
        client._transport.run(client._operations.health(), stop)


def test_a_proxy_is_used_and_named_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(in_turn(HEALTHY)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert ask(Server(in_turn(None), url="http://service.example")) == (7, [])
        assert [each.target for each in proxy.asked] == ["http://service.example/v1/health"]
    error, _ = ask(Server(in_turn(None), url="http://service.example"), retries=0)
    assert str(error).endswith(f"(through the proxy {proxy.url})")


def test_verbose_speaks(capsys: pytest.CaptureFixture[str]) -> None:
    with listening(in_turn(busy("2"), None, HEALTHY)) as server:
        with tessera.Client(server.url, verbose=True, sleep=lambda _: None) as client:
            client.health()
        lines = [line.removesuffix(" [client]") for line in capsys.readouterr().err.splitlines()]
    health = f"{server.url}/v1/health"
    assert lines[0] == f"DEBUG: GET {health}: 503"
    assert lines[1] == f"DEBUG: {server.url} is busy; the next try is in 2 s"
    assert lines[2].startswith(f"DEBUG: {health} sends an answer that is not whole")
    assert lines[3] == f"DEBUG: GET {health}: 200"
