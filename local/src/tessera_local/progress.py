"""Output of the terminal: progress bars if a person looks, plain lines otherwise, and a table at the end."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO, TypeVar

from tqdm import tqdm

from tessera_local.lambdas.service import Report

T = TypeVar("T")


@dataclass
class Step:
    """A finished step: its name, its duration, and the amount that it moved."""

    name: str
    seconds: float = 0.0
    megabytes: float | None = None


class Progress:
    """Shows a person the progress, and keeps the duration of each step."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self.steps: list[Step] = []
        self._stream = stream
        self._bars = stream.isatty()

    def say(self, text: str) -> None:
        """Print one line."""
        tqdm.write(text, file=self._stream)
        self._stream.flush()

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step. The caller may add the amount that it moved."""
        self.say(f"- {name}")
        step, started = Step(name), time.monotonic()
        yield step
        step.seconds = time.monotonic() - started
        self.steps.append(step)

    @contextmanager
    def counter(self, unit: str) -> Iterator[Callable[[int, int], None]]:
        """Yield a function of (done, total) that shows the progress: a bar on a terminal, else a line per tenth."""
        said = 0
        with tqdm(unit=f" {unit}", file=self._stream, disable=not self._bars, leave=False) as bar:

            def show(done: int, total: int) -> None:
                nonlocal said
                bar.total = total or None
                bar.update(done - bar.n)
                tenth = done * 10 // total if total else 0
                if tenth > said and not self._bars:
                    self.say(f"  {done} of {total} {unit}")
                said = max(said, tenth)

            yield show

    def track(self, items: Iterable[T], total: int, unit: str) -> Iterator[T]:
        """Yield the items and count them."""
        with self.counter(unit) as show:
            for done, item in enumerate(items, 1):
                yield item
                show(done, total)

    def table(self, reports: Sequence[Report]) -> None:
        """Print the steps and, for each function, invocations, time and memory."""
        self.say("")
        self.say(f"{'step':44} {'seconds':>9} {'MB':>9} {'MB/s':>7}")
        for step in self.steps:
            self.say(_step_line(step))
        if reports:
            self.say("")
            self.say(
                f"{'function':28} {'calls':>6} {'failed':>6} {'seconds':>9} {'longest':>9} {'max MB':>8} {'of MB':>7}"
            )
        for function in sorted({report.function for report in reports}):
            self.say(_function_line([report for report in reports if report.function == function]))
        self.say("")


def _step_line(step: Step) -> str:
    if step.megabytes is None:
        return f"{step.name:44} {step.seconds:9.1f}"
    return f"{step.name:44} {step.seconds:9.1f} {step.megabytes:9.1f} {step.megabytes / max(step.seconds, 1e-3):7.1f}"


def _function_line(reports: Sequence[Report]) -> str:
    seconds = [report.duration_ms / 1000 for report in reports]
    failed = sum(report.error is not None for report in reports)
    memory = max(report.max_memory_mb for report in reports)
    first = reports[0]
    return (
        f"{first.function:28} {len(reports):6} {failed:6} {sum(seconds):9.2f} {max(seconds):9.2f}"
        f" {memory:8} {first.memory_mb:7}"
    )
