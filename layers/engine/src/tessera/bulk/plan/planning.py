"""Plan the bands of a list and the ranges of bytes that each reads. Nothing is read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.bands import Band
from tessera.bulk.plan.costs import REQUEST_BYTES, PlanTerms, ReadCosts
from tessera.bulk.plan.cutting import Cutter, kept_bytes, shared_pixels
from tessera.bulk.plan.runs import Runs, Windows, find_runs
from tessera.bulk.plan.sightings import Ints, SightCube, Sightings
from tessera.bulk.plan.sizes import make_seconds, write_seconds
from tessera.cubes.layout import CubeLayout

_ROUNDS = 4
"""How often bands are cut again because of their pace. In the last round, it is the slowest one."""


@dataclass(frozen=True)
class _Spans:
    """Pixels that are read, as numbers from the first pixel of a frame, row by row; ascending and disjoint."""

    first: Ints
    stop: Ints

    @property
    def n_pixels(self) -> int:
        return int((self.stop - self.first).sum())

    @property
    def gaps(self) -> Ints:
        """Pixels between each span and the next one."""
        return self.first[1:] - self.stop[:-1]

    def per_row(self, layout: CubeLayout) -> Ints:
        """Pixels that are read of each row of the frame."""
        limits = np.arange(layout.n_rows + 1) * layout.n_columns
        before = np.searchsorted(self.first, limits)
        read = np.concatenate([[0], np.cumsum(self.stop - self.first)])[before]
        beyond = np.where(before > 0, self.stop[before - 1] - limits, 0)  # of a span that goes on in the next row
        return np.diff(read - np.maximum(beyond, 0))

    def merge(self, gaps: Ints) -> _Spans:
        """Read some of the gaps too, by their places."""
        kept = np.ones(len(self.first) + 1, np.bool_)
        kept[gaps + 1] = False
        return _Spans(self.first[kept[:-1]], self.stop[kept[1:]])


def plan_bands(
    sightings: Sightings, cubes: Sequence[SightCube], options: BulkOptions, terms: PlanTerms | None = None
) -> tuple[Band, ...]:
    """Plan all bands of a list.

    Each sighting is in one band. The bands of a cube are those that `tessera.bulk.plan.cutting` cuts. Gaps between
    ranges are read too, smallest gaps first, where that is cheaper than a request, as long as all that the bands of a
    cube read is at most `BandLimits.most_extra` more than each pixel of its windows once. A band reads whole rows if
    that costs less than its ranges.

    Parameters
    ----------
    sightings : Sightings
        Targets on cubes.
    cubes : sequence of SightCube
        The cubes.
    options : BulkOptions
        What is made; it decides the time of a target.
    terms : PlanTerms, optional
        Costs and limits.

    Returns
    -------
    tuple of Band
        Bands in the order of their numbers: by cube, and then by first row and column.
    """
    terms = PlanTerms() if terms is None else terms
    limits = np.searchsorted(sightings.cube, np.arange(len(cubes) + 1)).tolist()
    about = zip(cubes, limits[:-1], limits[1:], strict=True)
    seen = [_Cube(sightings, cube, start, stop, options, terms) for cube, start, stop in about]
    cuts = _cut(seen, terms.costs)
    pace = terms.costs.pace(sum(map(len, cuts)))
    bands = list[Band]()
    for number, (one, cut) in enumerate(zip(seen, cuts, strict=True)):
        for places, spans, union, scan in one.ranges(cut, pace) if cut else ():
            starts, stops = one.requests(spans)
            union_bytes = union * one.cube.layout.pixel_bytes
            bands.append(Band(len(bands), number, places + one.start, starts, stops, union_bytes, scan))
    return tuple(bands)


def _cut(cubes: Sequence[_Cube], costs: ReadCosts) -> list[list[Ints]]:
    """Bands of each cube, so that a task can do each at the pace that it has among all of them.

    More bands have a slower pace, until as many as may run at once. Bands that are too slow are cut again and again.
    """
    cuts = [cube.cutter().bands() if cube.stop > cube.start else [] for cube in cubes]
    pace = math.inf
    for rounds in range(_ROUNDS):
        n_tasks = sum(map(len, cuts)) if rounds < _ROUNDS - 1 else costs.concurrency
        if costs.pace(n_tasks) == pace:
            break
        pace = costs.pace(n_tasks)
        cuts = [
            [part for places in cut for part in cutter.cut(places)]
            for cut, cutter in zip(cuts, (cube.cutter(pace) for cube in cubes), strict=True)
        ]
    return cuts


@dataclass(frozen=True)
class _Cube:
    """The sightings of one cube: those from `start` to `stop`."""

    sightings: Sightings
    cube: SightCube
    start: int
    stop: int
    options: BulkOptions
    terms: PlanTerms

    def windows(self) -> Windows:
        return Windows.of(self.sightings, np.arange(self.start, self.stop), self.cube.layout)

    def cutter(self, pace: float = math.inf) -> Cutter:
        windows, terms = self.windows(), self.terms
        about = self.cube.layout, windows.areas, self.options, terms.rates
        times = make_seconds(*about), write_seconds(*about)
        return Cutter(self.cube.layout, windows, *times, terms.limits, terms.costs, pace)

    def ranges(self, cut: list[Ints], pace: float) -> Iterator[tuple[Ints, _Spans, int, bool]]:
        """For each band: its windows, the pixels that it reads, the pixels of its windows, and whether it scans."""
        layout, windows = self.cube.layout, self.windows()
        runs = [find_runs(windows.take(places), layout) for places in cut]
        once = shared_pixels(layout, windows, cut)[1] if len(cut) > 1 else runs[0].n_pixels
        room = int(once * (1 + self.terms.limits.most_extra)) - sum(one.n_pixels for one in runs)
        plain = [_spans(one, layout.n_columns) for one in runs]
        merged = self._merge(plain, room, pace)
        for places, one, few, more in zip(cut, runs, plain, merged, strict=True):
            some = windows.take(places)
            best, whole = (more if self._fits(more, some) else few), self._scan(one, pace)
            scan = self._is_better(whole, best, pace) and self._fits(whole, some)
            yield places, whole if scan else best, one.n_pixels, scan

    def _fits(self, spans: _Spans, windows: Windows) -> bool:
        """Whether a task can keep what it reads until the windows are complete."""
        layout = self.cube.layout
        largest = int(windows.areas.max()) * layout.pixel_bytes
        return kept_bytes(spans.per_row(layout), windows.heights, layout) <= self.terms.limits.kept(largest)

    def _merge(self, spans: list[_Spans], room: int, pace: float) -> list[_Spans]:
        """Read the smallest gaps of all bands too, up to `room` pixels."""
        worth = self._worth(pace)
        found = [np.flatnonzero(one.gaps <= worth) for one in spans]
        sizes = np.concatenate([one.gaps[places] for one, places in zip(spans, found, strict=True)])
        order = np.argsort(sizes, kind="stable")
        chosen = np.zeros(len(sizes), np.bool_)
        chosen[order[np.cumsum(sizes[order]) <= max(room, 0)]] = True
        of_band = np.split(chosen, np.cumsum([len(places) for places in found])[:-1])
        return [one.merge(places[some]) for one, places, some in zip(spans, found, of_band, strict=True)]

    def _worth(self, pace: float) -> float:
        """Pixels of the largest gap that is cheaper than a request."""
        return self.terms.costs.gap_bytes(pace) / self.cube.layout.pixel_bytes

    def _scan(self, runs: Runs, pace: float) -> _Spans:
        """The rows of a band, as wide as its widest."""
        n_columns, rows = self.cube.layout.n_columns, np.unique(runs.row)
        whole = _Spans(rows * n_columns + runs.first.min(), rows * n_columns + runs.stop.max())
        return whole.merge(np.flatnonzero(whole.gaps <= self._worth(pace)))

    def _is_better(self, whole: _Spans, best: _Spans, pace: float) -> bool:
        """Whether reading whole rows is cheaper, and short enough for a task."""
        costs, pixel = self.terms.costs, self.cube.layout.pixel_bytes
        reads = [(one.n_pixels * pixel, float(_pieces(one, pixel).sum()), pace) for one in (whole, best)]
        scan, ranges = (costs.seconds(*read) for read in reads)
        return costs.usd(*reads[0]) < costs.usd(*reads[1]) and scan <= max(ranges, self.terms.limits.seconds)

    def requests(self, spans: _Spans) -> tuple[Ints, Ints]:
        """Bytes of the file of each request: the first one, and the one after the last."""
        pixel, offset = self.cube.layout.pixel_bytes, self.cube.data_offset
        pieces = _pieces(spans, pixel)
        of_span = np.repeat(np.arange(len(pieces)), pieces)
        piece = np.arange(len(of_span)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        length = (spans.stop - spans.first)[of_span]
        first = spans.first[of_span] + piece * length // pieces[of_span]
        stop = spans.first[of_span] + (piece + 1) * length // pieces[of_span]
        return np.asarray(first * pixel + offset, np.int64), np.asarray(stop * pixel + offset, np.int64)


def _pieces(spans: _Spans, pixel_bytes: int) -> Ints:
    """Number of requests for each span, none of them too large."""
    most = max(1, REQUEST_BYTES // pixel_bytes)
    return np.asarray(-(-(spans.stop - spans.first) // most), np.int64)


def _spans(runs: Runs, n_columns: int) -> _Spans:
    """Runs as numbers of pixels. Runs that touch, at the ends of rows, become one."""
    spans = _Spans(runs.row * n_columns + runs.first, runs.row * n_columns + runs.stop)
    return spans.merge(np.flatnonzero(spans.gaps == 0))
