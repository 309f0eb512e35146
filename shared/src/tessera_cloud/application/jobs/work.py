"""Kinds of work that jobs do. Each kind has a queue of its own, and a state machine that makes its jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tessera_cloud.settings import Settings

QueueName: TypeAlias = Literal["queue", "lists"]
"""Name of the record of a queue: of jobs that cut a target from cubes, and of lists of targets."""
DAY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work.

    Parameters
    ----------
    queue : str
        Name of the queue.
    machine : str
        ARN of the state machine.
    max_jobs : int
        Largest number of jobs that run at the same time.
    client_jobs : int
        Largest number of jobs of one client that run or wait.
    kept_days : int
        Days for which results and records are kept.
    noun : str
        What a job is called in sentences for users.
    """

    queue: QueueName
    machine: str
    max_jobs: int
    client_jobs: int
    kept_days: int
    noun: str

    @property
    def kept_seconds(self) -> int:
        """Time for which results and records are kept, in seconds."""
        return self.kept_days * DAY_SECONDS

    @property
    def known_ids(self) -> str:
        """Which ids are known, in words."""
        return f"the id of a {self.noun} of the last {'24 hours' if self.kept_days == 1 else f'{self.kept_days} days'}"


def cutouts(settings: Settings, machine: str = "") -> Work:
    """Cutouts of one target. A function that a state machine calls gets its ARN as input; others know it."""
    machine = machine or settings.cutout_job_machine
    return Work("queue", machine, settings.max_jobs, settings.client_jobs, 1, "job")


def lists(settings: Settings, machine: str = "") -> Work:
    """Lists of targets. A function that a state machine calls gets its ARN as input; others know it."""
    bulk = settings.bulk
    return Work("lists", machine or bulk.machine, bulk.max_jobs, settings.client_jobs, bulk.kept_days, "list")


def work_of(queue: QueueName, settings: Settings, machine: str = "") -> Work:
    """The kind of work that has a queue."""
    return lists(settings, machine) if queue == "lists" else cutouts(settings, machine)
