"""Surroundings of ingest: a clock, a bucket that sends notifications, a queue, and builds that take time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import quote_plus

from tessera_cloud import keys
from tessera_cloud.application.ingest.ccds import IngestPorts
from tessera_cloud.application.ingest.rules import CcdState
from tessera_cloud.application.ingest.sweeps import IngestLog, send_sweeps, take_messages
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.names import CubeId
from tessera_cloud.ports import ObjectInfo
from tessera_cloud.testing.memory_state import MemoryExecutions, MemoryQueue, MemoryState
from tests.support.builds import SETTINGS
from tests.support.catalogs import ListedStore, read_catalog

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:CubeBuild"
HOUR = 3600.0
DAY = 24 * HOUR
CCDS = [f"s0001-{camera}-{ccd}" for camera in range(1, 5) for ccd in range(1, 5)]


@cache
def _frames_of(ccd: str) -> list[ObjectInfo]:
    return [frame.info for frame in read_catalog("s0001-spoc") if f"-s0001-{ccd}-" in frame.key]


def some(n: int, ccd: str = "1-1", first: int = 0) -> list[ObjectInfo]:
    """Frames of one CCD of sector 1."""
    return _frames_of(ccd)[first : first + n]


def small_sector(n: int = 3) -> list[ObjectInfo]:
    """A few frames of each CCD."""
    return [info for ccd in CCDS for info in some(n, ccd.removeprefix("s0001-"))]


def ccds_of(started: list[str]) -> list[str]:
    """CCDs of the executions, each as often as it was built."""
    return sorted("-".join(name.split("-")[:3]) for name in started)


def notification(*frame_keys: str, bucket: str = SETTINGS.ffi_bucket, name: str = "ObjectCreated:Put") -> str:
    """Notification that S3 sends to a queue."""
    records = [
        {
            "eventSource": "aws:s3",
            "eventName": name,
            "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/")}},
        }
        for key in frame_keys
    ]
    return json.dumps({"Records": records})


@dataclass
class World:
    """Surroundings of ingest. Only `advance` and `run_until` move the time.

    Parameters
    ----------
    stable_seconds, grow_seconds, max_builds
        Settings of ingest.
    build_seconds : float
        Time that an execution takes before it publishes its cube, in seconds.
    ends : callable
        Returns the final status of an execution by its name.
    error : callable
        Returns the error of an execution that failed, by its name.
    schedule_seconds : float
        Time between two runs of the schedule, in seconds.
    """

    stable_seconds: int = int(DAY)
    grow_seconds: int = 0
    max_builds: int = 100
    build_seconds: float = HOUR
    ends: Callable[[str], str] = lambda name: "SUCCEEDED"
    error: Callable[[str], str] = lambda name: ""
    schedule_seconds: float = 6 * HOUR
    now: float = 1_000_000.0
    log: IngestLog = field(default_factory=IngestLog)
    arrivals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = ListedStore(clock=self.clock)
        self.state = MemoryState(self.clock)
        self.queue = MemoryQueue(self.clock)
        self.executions = MemoryExecutions(self.clock)
        self.next_schedule = self.now + self.schedule_seconds
        self.ports = IngestPorts(
            self.store,
            self.state,
            self.queue,
            self.executions,
            replace(
                SETTINGS,
                cube_build_machine=MACHINE,
                stable_seconds=self.stable_seconds,
                grow_seconds=self.grow_seconds,
                max_builds=self.max_builds,
            ),
        )

    def clock(self) -> float:
        return self.now

    def put(self, infos: Iterable[ObjectInfo], *, tell: bool = True) -> None:
        """Add or replace frames, and with `tell` send notifications."""
        for info in infos:
            self.store.listed[info.key] = info
            if tell:
                self.arrivals.append(notification(info.key))

    def remove(self, infos: Iterable[ObjectInfo]) -> None:
        """Delete frames, and send notifications."""
        for info in infos:
            del self.store.listed[info.key]
            self.arrivals.append(notification(info.key, name="ObjectRemoved:Delete"))

    def take(self, bodies: Iterable[str], has_time: Callable[[], bool] = lambda: True) -> list[str]:
        """Give a batch of messages to ingest, and return the bodies that must arrive again."""
        messages = {str(number): body for number, body in enumerate(bodies)}
        failed = take_messages(messages, ports=self.ports, clock=self.clock, has_time=has_time, log=self.log)
        return [messages[number] for number in failed]

    def turn(self) -> None:
        """Do all that is due now: end builds, run the schedule, and pass on messages in batches of a thousand."""
        for (machine, name), execution in list(self.executions.executions.items()):
            if execution.status == "RUNNING" and self.now >= execution.started + self.build_seconds:
                self.end_build(machine, name)
        if self.now >= self.next_schedule:
            self.next_schedule += self.schedule_seconds
            send_sweeps(ports=self.ports, now=self.now)
        bodies, self.arrivals = [*self.arrivals, *self.queue.take()], []
        for start in range(0, len(bodies), 1000):
            self.arrivals += self.take(bodies[start : start + 1000])

    def end_build(self, machine: str, name: str) -> None:
        """End an execution, and publish its cube."""
        status = self.ends(name)
        if status == "SUCCEEDED":
            request = self.executions.executions[machine, name].request
            assert request is not None
            self.publish(request, name)
        self.executions.end(machine, name, status, error=self.error(name) if status == "FAILED" else "")

    def publish(self, request: Any, name: str) -> None:
        product = request["product"]
        ccd = f"s{request['sector']:04d}-{request['camera']}-{request['ccd']}"
        cube_id = CubeId.parse(ccd if product == "SPOC" else f"tica-{ccd}")
        build_id = name.removeprefix(f"{cube_id}-").partition("-")[0]
        current = keys.current(cube_id)
        grows = request.get("grow", False) and (SETTINGS.cube_bucket, current) in self.store.objects
        cube = PublishedCube(
            obs_id=cube_id.obs_id,
            sequence_number=request["sector"],
            s_region="",
            t_min=0.0,
            t_max=1.0,
            n_cadences=1,
            build_id=build_id,
            bucket=SETTINGS.cube_bucket,
            key=keys.cube(cube_id, build_id),
            size=1,
            etag="e",
            segments=("a", "b") if grows else (),
        )
        self.store.write(SETTINGS.cube_bucket, current, cube.model_dump_json().encode())

    def advance(self, seconds: float, step: float = 60.0) -> None:
        """Move the time."""
        stop = self.now + seconds
        while self.now < stop:
            self.now = min(stop, self.now + step)
            self.turn()

    @property
    def started(self) -> list[str]:
        """Names of all executions."""
        return [name for _, name in self.executions.executions]

    def ccd(self, name: str) -> CcdState:
        """Record of a CCD."""
        item = self.state.get("ccd", name)
        assert item is not None
        return CcdState.model_validate(item.value)
