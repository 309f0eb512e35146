"""The canary looks at a service over HTTP, and its alarms ring for what its handler prints."""

from __future__ import annotations

import dataclasses
import io
import json
import threading
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import numpy as np
import pytest

from tessera_cloud.adapters.web import fetch
from tessera_cloud.application.canary import checksum
from tessera_cloud.testing.memory_state import MemoryState
from tests.support.alarms import Sample, Watch, emitted
from tests.support.api import DEC, N_CADENCES, RA, Answered, Api, store_of_cubes
from tests.support.handlers import sample_event
from tests.support.metrics import every
from tests.support.service import listening
from tests.support.wsgi import application
from tests.template.documents import load

HOUR, DAY = 3600.0, 86_400.0
TARGET = {"ra": RA, "dec": DEC, "sector": 1, "cadences": N_CADENCES[1], "began": 1320, "ended": 1400}
WATCH = Watch(load("stacks/canary.yaml")["Resources"], {"ServiceName": "tessera"})


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class Service:
    """A service on a port, whose answers a test can replace."""

    def __init__(self, api: Api) -> None:
        self._right = application(api)
        self.answers: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        if path in self.answers:
            status, body = self.answers[path]
            start(status, [("Content-Type", "application/json")])
            return [body]
        return self._right(environ, start)


@dataclasses.dataclass
class Canary:
    """The handler, its service and what it printed."""

    api: Api
    service: Service
    url: str
    capsys: pytest.CaptureFixture[str]

    def run(self, **changes: Any) -> dict[str, Any]:
        services = self.api.handlers.services
        target = json.dumps(TARGET | changes)
        settings = dataclasses.replace(services.settings, canary_url=self.url, canary_target=target)
        self.api.handlers.services = dataclasses.replace(services, settings=settings)
        found: dict[str, Any] = self.api.handlers.invoke("canary", sample_event("canary"))
        return found

    def samples(self, at: float) -> list[Sample]:
        return [sample for sample in emitted(self.capsys.readouterr().out, at) if sample.name.startswith("Canary")]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Api, Service, str]]:
    api = Api(store_of_cubes())
    service = Service(api)
    with make_server("127.0.0.1", 0, service, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield api, service, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def canary(
    served: tuple[Api, Service, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Canary:
    api, service, url = served
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tessera")
    service.answers.clear()
    service.asked.clear()
    api.handlers.state = MemoryState()
    return Canary(api, service, url, capsys)


def test_a_service_that_cuts_right_passes_and_its_checksum_is_remembered(canary: Canary) -> None:
    first = canary.run()

    assert (first["outcome"], first["reason"]) == ("passed", "")
    assert canary.run() == first
    assert canary.run(sha256=first["sha256"])["outcome"] == "passed"
    assert {sample.value for sample in canary.samples(0)} == {0.0}


def test_other_pixels_than_in_the_first_run_fail(canary: Canary) -> None:
    item = canary.run()
    other = "0" * 64

    assert canary.run(sha256=other) == {
        "outcome": "failed",
        "reason": f"the pixels have the checksum {item['sha256']}; it has to be {other}",
        "sha256": item["sha256"],
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cadences": 1282}, "the pixels have the shape (5, 3, 3); it has to be (1282, 3, 3)"),
        ({"ended": 1321}, "they have to lie within 1320 and 1321"),
        ({"ra": 10.0, "dec": 60.0}, "answered no archive, but "),
    ],
)
def test_another_shape_other_times_and_no_cutout_fail(canary: Canary, changes: dict[str, Any], reason: str) -> None:
    found = canary.run(**changes)

    assert found["outcome"] == "failed"
    assert reason in found["reason"]


@pytest.mark.parametrize("path", ["/v1/health", "/tesscut/api/v0.1/astrocut"])
@pytest.mark.parametrize("answer", [("503 Busy", b'{"msg": "busy"}'), ("200 OK", b"<html>"), ("200 OK", b"null")])
def test_errors_and_nonsense_fail(canary: Canary, path: str, answer: tuple[str, bytes]) -> None:
    canary.service.answers[path] = answer

    assert canary.run()["outcome"] == "failed"
    assert {sample.value for sample in canary.samples(0)} == {1.0}


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_that_ends_too_early_fails(canary: Canary, share: float) -> None:
    query = f"ra={RA}&dec={DEC}&x=3&y=3&sector=1"
    _, archive = fetch(f"{canary.url}/tesscut/api/v0.1/astrocut?{query}", 35.0)
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        (file,) = (members.read(name) for name in members.namelist())
    damaged = io.BytesIO()
    with zipfile.ZipFile(damaged, "w") as members:
        members.writestr("cutout.fits", file[: int(share * len(file))])
    canary.service.answers["/tesscut/api/v0.1/astrocut"] = ("200 OK", damaged.getvalue())

    assert canary.run()["outcome"] == "failed"
    assert {sample.value for sample in canary.samples(0)} == {1.0}


def test_a_service_that_does_not_answer_at_all_fails(canary: Canary) -> None:
    canary.url = "http://127.0.0.1:9"

    assert "http://127.0.0.1:9/v1/health does not answer" in canary.run()["reason"]


def test_a_paused_service_is_asked_for_no_cutout_and_does_not_fail(canary: Canary) -> None:
    canary.service.answers["/v1/health"] = ("200 OK", b'{"cubes": 2, "paused": {"reason": "budget"}}')

    assert canary.run()["outcome"] == "paused"
    assert canary.service.asked == ["/v1/health"]
    assert {sample.value for sample in canary.samples(0)} == {0.0}


def test_the_checksum_is_of_the_pixels_alone_and_does_not_depend_on_byte_order() -> None:
    flux = np.arange(12, dtype=">f4").reshape(3, 2, 2)

    assert checksum(flux) == checksum(flux.astype("<f4")) == checksum(flux[:, ::-1][:, ::-1])
    assert checksum(flux) != checksum(flux + 1)


def test_the_alarms_ring_for_failures_in_a_row_and_for_a_dead_canary_only(canary: Canary) -> None:
    canary.run()
    (passed,) = canary.samples(0)
    canary.run(cadences=1)
    (failed,) = canary.samples(0)

    def at(sample: Sample, times: Iterable[float]) -> list[Sample]:
        return [dataclasses.replace(sample, at=time) for time in times]

    fine = at(passed, every(6 * HOUR, 0, 7 * DAY))
    once = at(failed, [3 * DAY + 1])
    assert WATCH.rung([*fine, *once], HOUR, 7 * DAY) == {}
    assert set(WATCH.rung([*fine, *once, *at(failed, [3 * DAY + 6 * HOUR])], HOUR, 7 * DAY)) == {"CanaryFailedAlarm"}
    dead = WATCH.rung(at(passed, every(6 * HOUR, 0, 3 * DAY)), HOUR, 7 * DAY)
    assert set(dead) == {"CanarySilentAlarm"}
    assert DAY <= dead["CanarySilentAlarm"][0] - 3 * DAY <= DAY + 3 * HOUR


def test_a_cutout_behind_a_redirection_is_compared(canary: Canary) -> None:
    to_service = canary.url
    with listening(lambda asked: Answered(303, {"location": to_service + asked.target}, b"")) as front:
        canary.url = front.url

        assert canary.run()["outcome"] == "passed"
        assert len(front.lines) == 2


def test_redirections_without_end_are_no_answer(canary: Canary) -> None:
    with listening(lambda asked: Answered(303, {"location": asked.target}, b"")) as front:
        canary.url = front.url

        assert "/v1/health does not answer: " in canary.run()["reason"]
        assert len(front.lines) == 4


def test_a_request_that_fails_is_not_repeated(canary: Canary) -> None:
    with listening(lambda _: None) as front:
        canary.url = front.url

        assert "/v1/health does not answer: " in canary.run()["reason"]
        assert len(front.lines) == 1
