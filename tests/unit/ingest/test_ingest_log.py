"""What people and alarms hear of ingest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tessera_cloud.application.ingest.ccds import CcdReport
from tessera_cloud.application.ingest.manifests import Change
from tessera_cloud.application.ingest.messages import Sweep
from tessera_cloud.application.ingest.rules import Action, CcdState, Rest, Start, Wait
from tessera_cloud.application.ingest.sweeps import IngestLog
from tessera_cloud.errors import TransientError
from tessera_cloud.ingest_log import write_log
from tessera_cloud.names import CubeId

CUBE = CubeId.parse("tica-s0027-1-4")
STATE = CcdState(
    hash="0123456789ab" + "c" * 52, n_frames=5, total_bytes=50, first_seen=0.0, last_seen=1.0, execution="the-name"
)


class Told:
    """Log records and metrics of one log."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
        self._caplog, self._capsys = caplog, capsys

    def write(self, log: IngestLog) -> tuple[dict[str, dict[str, Any]], dict[str, float]]:
        write_log(log)
        lines = [json.loads(line) for line in self._capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
        names = [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in lines]
        metrics = {name: sum(line[name][0] for line in lines if name in line) for name in names}
        return {record.message: vars(record) for record in self._caplog.records}, metrics


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Told:
    return Told(caplog, capsys)


def report(action: Action, **more: Any) -> IngestLog:
    return IngestLog(reports=[CcdReport(CUBE, action, STATE, **more)])


@pytest.mark.parametrize(
    ("action", "message", "level", "metric"),
    [
        (Start(1), "build started", "INFO", "BuildsStarted"),
        (Wait(5.0), "waiting", "INFO", None),
        (Rest("gave up"), "no cube after several builds", "ERROR", "BuildsGivenUp"),
    ],
)
def test_each_outcome_is_one_line_that_names_the_cube(
    told: Told, action: Action, message: str, level: str, metric: str | None
) -> None:
    lines, metrics = told.write(report(action))
    line = lines[message]
    assert line["levelname"] == level
    about = [line[name] for name in ("product", "sector", "camera", "ccd", "build_id", "frames", "bytes")]
    assert about == ["TICA", 27, 1, 4, "0123456789ab", 5, 50]
    assert metrics == ({metric: 1} if metric else {})


def test_nothing_is_written_of_a_cube_that_is_served(told: Told) -> None:
    lines, metrics = told.write(report(Rest("published")))
    assert list(lines) == ["batch done"]
    assert metrics == {}


def test_many_names_are_counted_and_the_first_are_shown(told: Told) -> None:
    names = tuple(f"frame-{number:03d}" for number in range(300))
    lines, metrics = told.write(report(Wait(1.0), change=Change(added=names, removed=names, replaced=names[:30])))
    line = lines["frames removed or replaced"]
    assert (line["levelname"], line["n_removed"], line["n_replaced"]) == ("WARNING", 300, 30)
    assert (line["removed"], line["replaced"]) == (names[:20], names[:20])
    assert metrics == {"FramesRemoved": 300, "FramesReplaced": 30}


def test_frames_that_are_added_are_no_news(told: Told) -> None:
    lines, metrics = told.write(report(Wait(1.0), change=Change(added=("a",))))
    assert "frames removed or replaced" not in lines
    assert metrics == {}


def test_errors_are_told_and_counted(told: Told) -> None:
    log = IngestLog(errors=["TransientError: the queue is away"], listed=[Sweep("TICA", 27)])
    log.reports.append(CcdReport(CUBE, Wait(5.0), None, error=TransientError("the table is away")))
    lines, metrics = told.write(log)
    assert lines["check failed"]["error"] == "TransientError: the table is away"
    assert lines["messages will arrive again"]["error"] == "TransientError: the queue is away"
    assert lines["batch done"]["listed"] == ["TICA/s0027"]
    assert metrics == {"IngestErrors": 2, "SectorListings": 1}


def test_junk_and_strays_are_told(told: Told) -> None:
    log = IngestLog(junk=["junk"] * 30, strays={Sweep("SPOC", 1): ("a", "b")})
    lines, _ = told.write(log)
    assert (lines["messages dropped"]["n"], len(lines["messages dropped"]["beginnings"])) == (30, 20)
    assert (lines["frames in the wrong place"]["sweep"], lines["frames in the wrong place"]["n"]) == ("SPOC/s0001", 2)
