"""The queue of jobs: the order in which they start, and the size of its record."""

from __future__ import annotations

import json
import time

from tessera_cloud.application.jobs import queue
from tessera_cloud.application.jobs.queue import JobQueue, Place


def test_turns_go_round_the_clients() -> None:
    running = [Place(job="r", attempt=1, created=0.0, clients=("greedy",), started=1.0)]
    waiting = [Place(job=f"g{n}", attempt=1, created=0.0, clients=("greedy",)) for n in range(3)]
    waiting += [Place(job=f"{who}{n}", attempt=1, created=0.0, clients=(who,)) for who in "ab" for n in range(2)]
    queued = JobQueue(places=(*running, *waiting))
    assert [place.job for place in queued.in_turn()] == ["a0", "b0", "g0", "a1", "b1", "g1", "g2"]
    assert [queued.turn(name) for name in ("a0", "g2", "r", "nobody")] == [1, 7, 0, 0]


def test_a_job_that_two_clients_want_has_the_turn_of_the_luckier_one() -> None:
    places = [Place(job="r", attempt=1, created=0.0, clients=("greedy",), started=1.0)]
    places += [Place(job="g", attempt=1, created=0.0, clients=("greedy",))]
    places += [Place(job="both", attempt=1, created=0.0, clients=("greedy", "honest"))]
    assert [place.job for place in JobQueue(places=tuple(places)).in_turn()] == ["both", "g"]


def test_the_longest_queue_fits_into_a_record_and_is_put_in_turn_at_once() -> None:
    places = [
        Place(
            job=f"{number:032x}",
            attempt=1,
            created=1.7e9 + number / 7,
            clients=tuple(f"{number:08x}{client:08x}" for client in range(queue.MOST_CLIENTS)),
            started=1.7e9 + number / 7 if number < 1000 else None,
        )
        for number in range(1000 + queue.MOST_WAITING)
    ]
    queued = JobQueue(places=tuple(places))
    assert len(json.dumps(queued.model_dump(mode="json"))) < 400_000
    began = time.process_time()
    assert queued.turn(places[-1].job) == queue.MOST_WAITING
    assert time.process_time() - began < 0.05
