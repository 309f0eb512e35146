"""Progress of long jobs: a bar, plain lines, or a function of the caller. This is the only place that shows it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Lock
from time import monotonic
from typing import Any, Self, TextIO, TypeAlias, TypeVar

from tessera.errors import InvalidInputError

ProgressInput: TypeAlias = "bool | Callable[[int, int], object] | None"
"""How a job shows its progress.

None and False show nothing. True shows a bar where stderr is a terminal or the program is a notebook, and tqdm is
installed; otherwise lines on stderr. A function is called with the numbers of finished items and of all items.
"""
SECONDS = 2.0
"""Shortest time between two plain lines."""
LONGEST_SILENCE = 60.0
"""Time after which a plain line comes although less than a twentieth of the job was done since the last one."""
_BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_noinv_fmt}]"
"""Form of bars: tqdm's own form, but always items per second and never seconds per item."""
Item = TypeVar("Item")
Result = TypeVar("Result")
_Show: TypeAlias = Callable[[int, int], object]


def check_progress(value: object) -> ProgressInput:
    """Return the option `progress` of a public function.

    Raises
    ------
    InvalidInputError
        When it is neither True, False, None nor a function.
    """
    if value is None or isinstance(value, bool) or callable(value):
        return value
    raise InvalidInputError("progress", value, "True, False, None, or a function of (done, total)")


class Stop(BaseException):
    """Ends the threads of a job that was interrupted, or whose function for the progress failed.

    It is no Exception, because an error of one item does not end a job, and this does.
    """

    def __init__(self, reason: BaseException | None) -> None:
        super().__init__()
        self.reason = reason


class Counter:
    """Counts the finished items of a job. Several threads may use it.

    Parameters
    ----------
    show : callable, optional
        Function that shows the count: ``show(done, total)``. It is never called by two threads at the same time.
    total : int, optional
        Number of items, if it is known.
    """

    def __init__(self, show: _Show | None = None, total: int = 0) -> None:
        self._show, self._lock = show, Lock()
        self._stopped: Stop | None = None
        self._parts: dict[object, int] = {}
        self.done, self.total = 0, total

    def __call__(self, done: int, total: int) -> None:
        """Set the number of finished items and of all items."""
        with self._lock:
            self._set(done, total)

    def add(self, number: int = 1) -> None:
        """Count more items as finished."""
        with self._lock:
            self._set(self.done + number, self.total)

    def reach(self, part: object, done: int, note: Callable[[], object] | None = None) -> None:
        """Count a part's items up to `done` of them. Items that are done a second time are not counted again.

        Parameters
        ----------
        part : hashable
            Part of the job, such as the number of a cube.
        done : int
            Number of its items that are finished.
        note : callable, optional
            Function that is called by one thread at a time, before the count is shown.
        """
        with self._lock:
            more = done - self._parts.get(part, 0)
            self._parts[part] = max(done, self._parts.get(part, 0))
            self._set(self.done + max(0, more), self.total, note)

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the pieces of one long item. After Ctrl-C, the thread ends at the next piece."""
        for item in items:
            if self._stopped is not None:
                raise Stop(self._stopped.reason)
            yield item

    def map(self, work: Callable[[Item], Result], items: Iterable[Item], n_threads: int) -> list[Result]:
        """Do the work in threads, which end soon after Ctrl-C: each when it counts its next item.

        Parameters
        ----------
        work : callable
            Function of one item.
        items : iterable
            Items.
        n_threads : int
            Number of threads.

        Returns
        -------
        list
            Results, in the order of the items.
        """
        with ThreadPoolExecutor(n_threads) as pool:
            try:
                return list(pool.map(work, items))
            except BaseException:
                self._stopped = self._stopped or Stop(None)
                raise

    def _set(self, done: int, total: int, note: Callable[[], object] | None = None) -> None:
        if self._stopped is not None:
            raise Stop(self._stopped.reason)
        self.done, self.total = done, total
        try:
            if note is not None:
                note()
            if self._show is not None:
                self._show(done, total)
        except BaseException as error:
            self._stopped = Stop(error)
            raise self._stopped from error


@contextmanager
def counting(progress: ProgressInput, unit: str, total: int = 0) -> Iterator[Counter]:
    """Show the progress of a job until the end of the block.

    Parameters
    ----------
    progress : bool, callable or None
        See `ProgressInput`.
    unit : str
        What one item is, such as "cutout".
    total : int, optional
        Number of items, if it is known.

    Yields
    ------
    Counter
        Call `add` after each item, or the counter itself with the number of finished items and of all items.

    Raises
    ------
    Exception
        Whatever the function of the caller raises.
    """
    with _showing(check_progress(progress), unit) as show:
        counter = Counter(show, total)
        try:
            yield counter
        except Stop as stop:
            raise stop.reason or KeyboardInterrupt from None


@contextmanager
def _showing(progress: ProgressInput, unit: str) -> Iterator[_Show | None]:
    if not isinstance(progress, bool):
        yield progress
    elif not progress:
        yield None
    elif (tqdm := _bars()) is None:
        yield Lines(unit)
    else:
        with _Bar(tqdm, unit) as bar:
            yield bar


def _is_terminal(stream: TextIO | None) -> bool:
    with suppress(ValueError):  # the stream is closed
        return stream is not None and stream.isatty()
    return False


def _is_notebook() -> bool:
    python = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(python, "config", ())


def _bars() -> Any:
    """The class tqdm, if somebody can see bars and it is installed, otherwise None."""
    if not (_is_terminal(sys.stderr) or _is_notebook()):
        return None
    with suppress(ImportError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without ipywidgets has bars of text
        from tqdm.auto import tqdm  # noqa: PLC0415 - only a terminal needs it, and it may be missing

        return tqdm
    return None


class _Bar:
    """A bar with rate and remaining time, which appears when the first item is counted, unless that is the last one."""

    def __init__(self, tqdm: Any, unit: str) -> None:
        self._tqdm, self._unit = tqdm, unit
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bar is not None:
            with suppress(OSError, ValueError):
                self._bar.close()

    def __call__(self, done: int, total: int) -> None:
        with suppress(OSError, ValueError):  # the terminal is gone
            if self._bar is None and done == total:
                return
            if self._bar is None:
                unit, form = f" {self._unit}", _BAR if total else None
                self._bar = self._tqdm(total=total or None, unit=unit, bar_format=form, **_width())
            if total and self._bar.total != total:
                self._bar.total = total
            self._bar.update(done - self._bar.n)
            if done == total:
                self._bar.refresh()


def _width() -> dict[str, Any]:
    """Options of tqdm for the width of bars. Some terminals, such as those of `script` in a pipe, have no width."""
    with suppress(OSError, ValueError):
        if _is_terminal(sys.stderr) and os.get_terminal_size(sys.stderr.fileno()).columns == 0:
            return {"ncols": 80}
    return {"dynamic_ncols": True}


class Lines:
    """Shows progress as lines on stderr: at most one in 2 s, about 20 in all, and one at the end.

    A job of less than 2 s has no line.

    Parameters
    ----------
    unit : str
        What one item is, such as "cutout".
    clock : callable, optional
        Seconds since any moment.
    """

    def __init__(self, unit: str, clock: Callable[[], float] = monotonic) -> None:
        self._unit, self._clock = unit, clock
        self._began = self._last = clock()
        self._first: int | None = None
        self._said = 0

    def __call__(self, done: int, total: int) -> None:
        """Print a line, if it is time for one."""
        now = self._clock()
        if self._first is None:
            self._first = max(0, done - 1)
        quiet = now - self._last
        due = quiet >= SECONDS and ((done - self._said) * 20 >= total or quiet >= LONGEST_SILENCE)
        if not due and not (done == total and now - self._began >= SECONDS):
            return
        self._last, self._said = now, done
        print_line(f"tessera: {self._text(done, total, now - self._began)}")

    def _text(self, done: int, total: int, seconds: float) -> str:
        counted = f"{done:,} of {total:,} {self._unit}s" if total else f"{done:,} {self._unit}s"
        new = done - (self._first or 0)
        if done >= total or not new:
            return f"{counted}, {_duration(seconds)}"
        rate, left = new / max(seconds, 1e-3), (total - done) * seconds / new
        return f"{counted} ({100 * done // total} %), {rate:.3g} per second, {_duration(left)} left"


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def print_line(text: str, stream: TextIO | None = None) -> None:
    """Print a line on stderr, or on another stream, above the bars that are shown. Nothing happens if nobody can read.

    Parameters
    ----------
    text : str
        The line, without its end.
    stream : text file, optional
        Where the line goes; by default stderr.
    """
    stream = sys.stderr if stream is None else stream
    if stream is None:  # a process without a console has none
        return
    shown = getattr(sys.modules.get("tqdm"), "tqdm", None)
    with suppress(OSError, ValueError):
        if shown is not None and getattr(shown, "_instances", None) and _is_terminal(stream):
            shown.write(text, file=stream)
        else:
            print(text, file=stream, flush=True)
