"""Cut the bands of a list in several processes. A process that is killed costs no band: another one does it again."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.work.band import lost_band
from tessera.bulk.work.order import KnownCube, ListOrder
from tessera.bulk.work.records import BandRecord, RunFolder
from tessera.provenance.signing import current_key

TRIES = 3
"""Number of processes that may end while they work on one band. Then the band has failed."""
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from tessera.bulk.work.worker import main; main()"
OnTarget: TypeAlias = Callable[[int, int], object]
"""Function that hears of each target: the number of the band, and the number of its targets that are done."""


class _Worker:
    """A process, and the band that it works on."""

    def __init__(self, answers: SimpleQueue[tuple[_Worker, Any]]) -> None:
        command = [sys.executable, "-c", _PROGRAM, *(str(Path(place).resolve()) for place in sys.path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - ours
        self.band: StoredBand | None = None
        Thread(target=self._listen, args=(answers,), daemon=True).start()

    def _listen(self, answers: SimpleQueue[tuple[_Worker, Any]]) -> None:
        assert self._process.stdout is not None
        with suppress(EOFError, pickle.UnpicklingError, ValueError):
            while True:
                answers.put((self, pickle.load(self._process.stdout)))  # noqa: S301 - it comes from our own process
        answers.put((self, None))

    def give(self, band: StoredBand, known: KnownCube, order: bytes = b"") -> None:
        """Give the process its next band, the first time after the order and the key that signs records."""
        assert self._process.stdin is not None
        self.band = band
        with suppress(BrokenPipeError):  # the process is gone, as the next answer says
            self._process.stdin.write(order + pickle.dumps((band.to_bytes(), known)))
            self._process.stdin.flush()

    def end(self) -> int:
        """End the process at once, and return its exit status."""
        self._process.kill()
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        return status


def cut_bands(
    order: ListOrder,
    cubes: Mapping[str, KnownCube],
    bands: Sequence[StoredBand],
    n_processes: int,
    on_target: OnTarget,
) -> Generator[BandRecord]:
    """Cut bands, and yield the record of each as soon as it is written.

    Parameters
    ----------
    order : ListOrder
        What is made, and where.
    cubes : mapping
        Cubes by the ids that the bands have.
    bands : sequence of StoredBand
        The bands.
    n_processes : int
        Number of processes; with 1, the work is done in this one.
    on_target : callable
        Called after each target.

    Raises
    ------
    OSError
        When a file cannot be written.
    RuntimeError
        When no process can be started.
    """
    if min(n_processes, len(bands)) < 2:
        for band in bands:
            yield order.cut(band, cubes[band.cube], partial(on_target, band.number))
        return
    yield from _Team(order, cubes, bands, on_target).work(min(n_processes, len(bands)))


class _Team:
    """Processes that work on bands."""

    def __init__(
        self, order: ListOrder, cubes: Mapping[str, KnownCube], bands: Sequence[StoredBand], on_target: OnTarget
    ) -> None:
        self._order, self._cubes, self._on_target = order, cubes, on_target
        self._content = pickle.dumps((order, current_key()))
        self._waiting = deque(bands)
        self._answers: SimpleQueue[tuple[_Worker, Any]] = SimpleQueue()
        self._workers: list[_Worker] = []
        self._lost: Counter[int] = Counter()
        self._can_start = False

    def work(self, n_processes: int) -> Iterator[BandRecord]:
        try:
            self._start(n_processes)
            while self._workers:
                worker, answer = self._answers.get()
                yield from self._hear(worker, *(("ended", None) if answer is None else answer))
        finally:
            for worker in self._workers:
                worker.end()

    def _start(self, number: int) -> None:
        """Start some processes, all before the first gets its order, because each needs a moment to listen."""
        workers = [_Worker(self._answers) for _ in range(min(number, len(self._waiting)))]
        self._workers += workers
        for worker in workers:
            self._give(worker, self._content)

    def _give(self, worker: _Worker, order: bytes = b"") -> None:
        band = self._waiting.popleft()
        worker.give(band, self._cubes[band.cube], order)

    def _hear(self, worker: _Worker, kind: str, value: Any) -> Iterator[BandRecord]:
        if worker not in self._workers:
            return
        if kind == "ready":
            self._can_start = True
        elif kind == "target" and worker.band is not None:
            self._on_target(worker.band.number, value)
        elif kind == "band":
            yield value
            self._next(worker)
        elif kind == "error":
            raise value
        elif kind == "ended":
            yield from self._replace(worker)

    def _next(self, worker: _Worker) -> None:
        if self._waiting:
            self._give(worker)
        else:
            self._workers.remove(worker)
            worker.end()

    def _replace(self, worker: _Worker) -> Iterator[BandRecord]:
        """Let another process do the band of one that ended; or give the band up, which then has a reason."""
        self._workers.remove(worker)
        status, band = worker.end(), worker.band
        assert band is not None
        self._lost[band.number] += 1
        if self._lost[band.number] < TRIES:
            self._waiting.appendleft(band)
        elif not self._can_start:
            raise RuntimeError(
                f"the processes that work on a list do not start; the last one ended with status {status}"
            )
        else:
            record = BandRecord.of(lost_band(band, f"its process ended {TRIES} times (status {status})"))
            RunFolder(self._order.folder).keep(record)
            yield record
        self._start(1)
