"""Cutouts of chosen pairs of a cube and a target.

One bad item does not raise an error for the others: every pair has its own result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from threading import Event
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.cubes.read_ahead import MemoryBudget
from tessera.cubes.reader import Cube
from tessera.cubes.window_pixels import Cutout, blank_cutout, empty_cutout
from tessera.cutouts.batching import CUBES_AT_ONCE, PIXEL_BYTES, cut_cubes
from tessera.cutouts.cadences import middle_time, select_cadences
from tessera.cutouts.differences.reference_file import ReferenceFile, open_reference
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.cutouts.origin.recipe import TpfRecipe
from tessera.cutouts.origin.recorder import NoRecorder, TpfRecorder
from tessera.cutouts.output_names import OutputNames, check_replaceable
from tessera.cutouts.placing import find_window, window_shape, window_sides
from tessera.cutouts.results import CutoutOptions, CutoutResult, Size, Status
from tessera.cutouts.stars import Stars, read_stars
from tessera.errors import UNREADABLE, InvalidInputError, NoOverlapError
from tessera.inputs import parse_size
from tessera.io.files import FileGroup
from tessera.io.outputs import output_folder
from tessera.io.sources import Location, ReplacedError
from tessera.progress import Counter, ProgressInput, check_progress, counting
from tessera.sky.motion import Targets
from tessera.tess.star import Star
from tessera.tpf.fixed import TpfInMemory, TpfRequest, tpf_name
from tessera.windows import Side, Window

_Numbered: TypeAlias = tuple[int, Location]
"""A cube with its number in the batch."""
_Content: TypeAlias = "TpfInMemory | TpfRequest"
"""A file in memory, or what is written to a file, with arrays for the pixels."""
OnResult: TypeAlias = "Callable[[int, CutoutResult], object]"
"""Function that hears of each result of a batch, with its place in the list of results."""
_SENDING = 0.01
"""Most seconds to wait until the requests for the pixels of a target are sent."""
TARGETS_AHEAD = 8
"""Number of targets of one cube whose pixels are read ahead while earlier files are made, if memory allows."""


def cut_pairs(
    cubes: Sequence[Location],
    numbers: Sequence[Sequence[int]],
    targets: Targets,
    size: Size,
    *,
    options: CutoutOptions | None = None,
    output_dir: Location | None = None,
    stars: Stars | None = None,
    progress: ProgressInput = None,
    on_result: OnResult | None = None,
) -> list[list[CutoutResult]]:
    """Make target pixel files of chosen pairs of a cube and a target; see `tessera.make_cutouts`.

    Parameters
    ----------
    cubes : sequence of str or Path
        Cubes, in their file system.
    numbers : sequence
        For each cube, the numbers of its targets in `targets`.
    targets : Targets
        All targets.
    size, options, output_dir, stars, progress, on_result
        See `tessera.make_cutouts`. Results are numbered as if the lists for the cubes were one.

    Returns
    -------
    list of list of CutoutResult
        For each cube, one result for each of its targets.
    """
    sides = parse_size(size)
    options = CutoutOptions() if options is None else options
    if not isinstance(options, CutoutOptions):
        raise InvalidInputError("options", options, "CutoutOptions(...) or None")
    known = read_stars(stars, len(targets))
    check_progress(progress)
    _check_hook(on_result)
    folder, memory, names = output_folder(output_dir), MemoryBudget(PIXEL_BYTES), OutputNames(len(cubes))
    with counting(progress, "cutout", sum(map(len, numbers))) as counter:
        at_once = min(len(cubes), CUBES_AT_ONCE)
        batch = _Batch(numbers, targets, known, sides, options, folder, at_once, memory, names, counter, on_result)
        return cut_cubes(list(enumerate(cubes)), batch.cut_cube, batch.failed, counter)


def _check_hook(on_result: object) -> None:
    if on_result is not None and not callable(on_result):
        raise InvalidInputError("on_result", on_result, "a function of (number, result), or None")


@dataclass(frozen=True)
class _Place:
    """A target on a cube: its number, where it was given and where it is, and its window or why it has none."""

    number: int
    given: tuple[float, float]
    moved: tuple[float, float]
    window: Window | Exception


@dataclass(frozen=True)
class _Batch:
    chosen: Sequence[Sequence[int]]
    targets: Targets
    stars: list[Star | None]
    size: tuple[Side, Side]
    options: CutoutOptions
    folder: Path | None
    n_cubes: int
    memory: MemoryBudget
    names: OutputNames
    counter: Counter
    on_result: OnResult | None

    @cached_property
    def _first_numbers(self) -> list[int]:
        """For each cube, the number of its first result."""
        return [0, *accumulate(map(len, self.chosen))]

    def count(self, cube: int, done: int, result: CutoutResult) -> None:
        """Report that a cube has one more result, and `done` of them."""
        hook = self.on_result
        number = self._first_numbers[cube] + done - 1
        self.counter.reach(cube, done, None if hook is None else lambda: hook(number, result))

    def failed(self, cube: _Numbered, error: Exception) -> list[CutoutResult]:
        results = []
        for number in self.chosen[cube[0]]:
            reason = self.targets.why_unusable(number) or error
            place = float(self.targets.ra[number]), float(self.targets.dec[number])
            results.append(CutoutResult(str(cube[1]), *place, _status(reason), str(reason)))
        for number, result in enumerate(results, 1):
            self.count(cube[0], number, result)
        return results

    def cut_cube(self, cube: _Numbered) -> list[CutoutResult]:
        try:
            return self._cut(*cube)
        except BaseException:
            self.names.offer(cube[0], ())  # the other cubes wait for it
            raise

    def _cut(self, number: int, location: Location) -> list[CutoutResult]:
        options, first = self.options, self.chosen[number][: TARGETS_AHEAD + 1]

        def foresee(cube: Cube) -> list[Window]:
            return [place.window for place in self._places(cube, first) if isinstance(place.window, Window)]

        with (
            open_cube(
                location, check=options.check, tried_again=True, cache_dir=options.cache_dir, foresee=foresee
            ) as file,
            ThreadPoolExecutor(TARGETS_AHEAD) as pool,
        ):
            cadences = select_cadences(file.cube, options.time, options.cadences, options.quality_mask)
            shape = window_shape(file.cube, self.size)
            places = self._places(file.cube, self.chosen[number])
            windows = ((place.given, place.window) for place in places)
            wanted = [self._name(file.cube, at, window) for at, window in windows if isinstance(window, Window)]
            if len(wanted) < len(places):  # what is said of the others needs no pixels
                file.source.confirm()
            self.names.offer(number, wanted)
            n_bytes = shape[0] * shape[1] * file.cube.layout.pixel_bytes
            most = min(TARGETS_AHEAD + 1, len(places), PIXEL_BYTES // self.n_cubes // n_bytes)
            with (
                self.memory.taken(max(1, most) * n_bytes),
                self._reference(location, file) as reference,
                FileGroup() as group,
            ):
                recorder = TpfRecorder(location, file) if options.provenance else NoRecorder()
                work = _CubeWork(self, number, str(location), file, cadences, group, reference, recorder)
                results = list(work.results(pool, places, max(1, most)))
            return [_without_failed(result, group.failed) for result in results]

    def _name(self, cube: Cube, at: tuple[float, float], window: Window) -> str:
        return tpf_name(cube, *at, window.shape, difference=self.options.difference)

    def _reference(self, location: Location, file: CubeFile) -> AbstractContextManager[ReferenceFile | None]:
        return open_reference(location, file.cube) if self.options.difference else nullcontext()

    def _places(self, cube: Cube, numbers: Sequence[int]) -> list[_Place]:
        """Where targets are. All of this is in one thread, as two must not share a WCS."""
        given, moved = (self.targets.ra, self.targets.dec), self.targets.at(middle_time(cube))
        sides, places = window_sides(cube, self.size), []
        for number in numbers:
            old, new = ((float(ra[number]), float(dec[number])) for ra, dec in (given, moved))
            places.append(_Place(number, old, new, self._window(cube, number, new, sides)))
        return places

    def _window(
        self, cube: Cube, number: int, place: tuple[float, float], sides: tuple[float, float]
    ) -> Window | Exception:
        if reason := self.targets.why_unusable(number):
            return reason
        try:
            return find_window(cube, *place, sides, self.options.placement)
        except UNREADABLE as error:
            return error


def _status(error: Exception) -> Status:
    return "no overlap" if isinstance(error, NoOverlapError) else "error"


@dataclass(frozen=True)
class _CubeWork:
    """One open cube of a batch."""

    batch: _Batch
    number: int
    name: str
    file: CubeFile
    cadences: NDArray[np.intp] | None
    group: FileGroup
    reference: ReferenceFile | None
    recorder: NoRecorder

    def results(self, pool: Executor, places: list[_Place], at_once: int) -> Iterator[CutoutResult]:
        """Make the cutouts and count them. The pixels of `at_once` targets are read at the same time."""
        for number, result in enumerate(self._results(pool, places, at_once), 1):
            yield result
            self.batch.count(self.number, number, result)

    def _results(self, pool: Executor, places: list[_Place], at_once: int) -> Iterator[CutoutResult]:
        reading: deque[tuple[_Place, Future[_Content]]] = deque()
        names: Iterator[str] | None = None
        for place in places:
            reading.append((place, self._start(pool, place, alone=not reading)))
            if len(reading) == at_once:
                names = names or iter(self.batch.names.take(self.number))
                yield self._finish(*reading.popleft(), names)
        names = names or iter(self.batch.names.take(self.number))
        for item in reading:
            yield self._finish(*item, names)

    def _start(self, pool: Executor, place: _Place, *, alone: bool) -> Future[_Content]:
        """Let threads read the pixels of a target. What is around the pixels is made while they are under way.

        When nothing else is under way, requests are sent first: they would wait for this thread, which computes.
        """
        content: Future[_Content] = Future()
        if isinstance(place.window, Exception):
            content.set_exception(place.window)
            return content
        try:
            sent = Event()
            reading = pool.submit(self._read, place.window, content, sent.set)
            if alone and self.file.source.remote:
                sent.wait(_SENDING)
            content.set_result(self._content(place, place.window))
        except UNREADABLE as error:
            content.set_exception(error)
        except BaseException as error:
            content.set_exception(error)  # an interrupt, too: the threads wait for it
            raise
        return reading

    def _content(self, place: _Place, window: Window) -> _Content:
        layout, fill_value = self.file.cube.layout, self.batch.options.fill_value
        if self.batch.folder is None:
            request = self._request(place, blank_cutout(layout, window, fill_value))
            return TpfInMemory(request, self.recorder.n_bytes(self._recipe(place, window)))
        return self._request(place, empty_cutout(layout, window, fill_value))

    def _read(self, window: Window, content: Future[_Content], on_sent: Callable[[], object]) -> _Content:
        chosen = self.cadences if self.batch.folder is None else None
        self.file.read_into(window, lambda: content.result().planes, chosen, on_sent)
        if self.reference is not None:
            self.reference.read_window(window).subtract(content.result().planes)
        return content.result()

    def _finish(self, place: _Place, reading: Future[_Content], names: Iterator[str]) -> CutoutResult:
        file_name = next(names) if isinstance(place.window, Window) else ""
        try:
            content = reading.result()
            assert isinstance(place.window, Window)  # otherwise there is no content
            self.file.source.check_unchanged()
            result = CutoutResult(self.name, *place.given, "ok", self._remark(place.number), file_name)
            if isinstance(content, TpfInMemory):
                return replace(result, data=self.recorder.finish(content, self._recipe(place, place.window)))
            path = (self.batch.folder or Path()) / file_name
            check_replaceable(path, self.file.cube)
            return replace(
                result, path=self.group.write(path, self.recorder.pieces(content, self._recipe(place, place.window)))
            )
        except ReplacedError:
            raise
        except UNREADABLE as error:
            return CutoutResult(self.name, *place.given, _status(error), str(error))

    def _remark(self, number: int) -> str:
        unknown = np.isnan(self.batch.targets.pm_ra[number])
        return "its proper motion is masked or not finite, so the position is used as given" if unknown else ""

    def _request(self, place: _Place, cutout: Cutout) -> TpfRequest:
        file = self.file
        return self._recipe(place, cutout.window).tpf(file.cube, cutout, self.cadences, __version__, lambda: file.info)

    def _recipe(self, place: _Place, window: Window) -> TpfRecipe:
        options, targets = self.batch.options, self.batch.targets
        return TpfRecipe(
            window,
            *targets.catalogued(place.number),
            place.moved,
            options.layout,
            options.time,
            options.cadences,
            options.quality_mask,
            target_times=options.target_times,
            pos_corr=options.pos_corr,
            fill_value=options.fill_value,
            star=targets.with_motion(place.number, self.batch.stars[place.number]),
            reference=None if self.reference is None else self.reference.layout.facts,
            flags=options.flags,
        )


def _without_failed(result: CutoutResult, failed: Mapping[Path, OSError]) -> CutoutResult:
    """The result; an error if its file could not be flushed to the disk."""
    if result.path is None or result.path not in failed:
        return result
    return replace(result, status="error", reason=str(failed[result.path]), name="", path=None)
