"""Cut the windows of a cube into bands that a task can do, so that few pixels are read twice."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from tessera.bulk.plan.costs import REQUEST_BYTES, BandLimits, ReadCosts
from tessera.bulk.plan.runs import Runs, Windows, find_runs
from tessera.bulk.plan.sightings import Floats, Ints
from tessera.cubes.layout import CubeLayout

_ROOM = 1.06
"""How much larger parts may get than their share, because their borders are read twice."""
_GAP_SHARE = 0.2
"""Share of the targets within which a gap without windows is a better place for a cut than the exact share."""


@dataclass(frozen=True)
class Load:
    """What some windows of a cube demand of a task, as multiples of what a task can do.

    Parameters
    ----------
    work : float
        Of bytes, targets or time; the largest one. Any cut lowers it.
    memory : float
        Of memory. Only a cut between columns lowers it.
    """

    work: float
    memory: float


def kept_bytes(per_row: Ints, heights: Ints, layout: CubeLayout) -> int:
    """Bytes of pixels that a reader keeps at most, if it goes from row to row and drops what no window needs.

    Parameters
    ----------
    per_row : ndarray of int, shape (n_rows,)
        Pixels that are read in each row of the frame.
    heights : ndarray of int, shape (n_windows,)
        Rows of the windows. The highest one decides.
    layout : CubeLayout
        Shape of the cube.
    """
    height = int(heights.max(initial=1))
    read = np.concatenate([np.zeros(height, np.int64), np.cumsum(per_row)])
    return int((read[height:] - read[:-height]).max(initial=0)) * layout.pixel_bytes


@dataclass(frozen=True)
class Cutter:
    """Cuts the windows of one cube.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    windows : Windows
        All windows of the cube.
    make, write : ndarray of float64, shape (n_windows,)
        Seconds in which a task makes and writes the results of each window.
    limits : BandLimits
        What a task can do.
    costs : ReadCosts
        How long reading takes.
    pace : float
        Requests per second of a task.
    """

    layout: CubeLayout
    windows: Windows
    make: Floats
    write: Floats
    limits: BandLimits
    costs: ReadCosts
    pace: float = math.inf

    def bands(self) -> list[Ints]:
        """Places of the windows of each band, ascending. Every window is in one band.

        The largest bands that a task may have are used only if too much would be read twice with bands of the usual
        size.
        """
        everything = np.arange(len(self.windows))
        bands = self.cut(everything)
        if len(bands) > 1 and shared_pixels(self.layout, self.windows, bands)[0] > self.limits.most_extra:
            return replace(self, limits=self.limits.largest).cut(everything)
        return bands

    def cut(self, places: Ints) -> list[Ints]:
        """Cut some windows until a task can do each part."""
        load = self._load(places)
        if len(places) < 2 or max(load.work, load.memory) <= 1:
            return [places]
        parts = max(2, math.ceil(max(load.work * _ROOM, load.memory)))
        low, high = self._halves(places, (parts // 2) / parts, by_columns=load.memory > 1)
        return [*self.cut(low), *self.cut(high)]

    def _load(self, places: Ints) -> Load:
        """Load of some windows. First without looking where windows share pixels, because that is often enough."""
        windows, limits = self.windows.take(places), self.limits
        make, write = float(self.make[places].sum()), float(self.write[places].sum())
        least = max(len(places) / limits.targets, (make + write) / limits.seconds)
        rough, largest = (
            int(values) * self.layout.pixel_bytes for values in (windows.areas.sum(), windows.areas.max())
        )
        may_keep = limits.kept(largest)
        read = self._seconds(rough, int(windows.heights.sum()))
        if rough <= min(may_keep, limits.n_bytes) and read + write <= limits.seconds:
            return Load(least, rough / may_keep)
        runs = find_runs(windows, self.layout)
        n_bytes = runs.n_pixels * self.layout.pixel_bytes
        kept = kept_bytes(runs.per_row(self.layout.n_rows), windows.heights, self.layout)
        read = min(self._seconds(n_bytes, len(runs.row)), self._scan_seconds(windows, runs, may_keep))
        return Load(max(least, n_bytes / limits.n_bytes, (read + write) / limits.seconds), kept / may_keep)

    def _seconds(self, n_bytes: int, n_requests: float) -> float:
        return self.costs.seconds(n_bytes, n_requests, self.pace)

    def _scan_seconds(self, windows: Windows, runs: Runs, may_keep: int) -> float:
        """Time for reading whole rows; infinite if a task cannot keep them."""
        width = int(runs.stop.max() - runs.first.min()) * self.layout.pixel_bytes
        if width * int(windows.heights.max()) > may_keep:
            return math.inf
        n_rows = len(np.unique(runs.row))
        return self._seconds(n_rows * width, n_rows * math.ceil(width / REQUEST_BYTES))

    def _halves(self, places: Ints, share: float, *, by_columns: bool) -> tuple[Ints, Ints]:
        """Two parts of some windows, the first with about `share` of them.

        The cut is between rows wherever that is possible. The parts then share few pixels, even if each reads its rows
        whole. It is between columns where memory demands that; and where the windows are on more columns than rows, and
        a cut between rows would let the parts share more than `most_extra`. If a request costs as much as half a row,
        a cut between columns would not help: each part would read the rows of both.
        """
        windows = self.windows.take(places)
        n_rows, n_columns = np.ptp(windows.first_row), np.ptp(windows.first_column)
        few = n_rows * min(share, 1 - share) * self.limits.most_extra < int(windows.heights.max()) - 1
        whole = self.costs.gap_bytes(self.pace) >= self.layout.row_bytes / 2 and n_rows > 0
        if n_columns and (by_columns or (few and not whole and n_columns > n_rows)):
            first, stop = windows.first_column, windows.stop_column
        else:
            first, stop = windows.first_row, windows.stop_row
        order = np.argsort(first, kind="stable")
        at = _cut_at(first[order], stop[order], share)
        return np.sort(places[order[:at]]), np.sort(places[order[at:]])


def _cut_at(first: Ints, stop: Ints, share: float) -> int:
    """How many windows are before a cut: the share, or the nearest number before a gap that no window crosses."""
    n = len(first)
    wanted = min(max(round(n * share), 1), n - 1)
    gaps = np.flatnonzero(first[1:] >= np.maximum.accumulate(stop)[:-1]) + 1
    near = gaps[np.abs(gaps - wanted) <= _GAP_SHARE * n]
    if len(near):
        return int(near[np.argmin(np.abs(near - wanted))])
    steps = np.flatnonzero(first[1:] > first[:-1]) + 1  # windows that begin together stay together
    return int(steps[np.argmin(np.abs(steps - wanted))]) if len(steps) else wanted


def shared_pixels(layout: CubeLayout, windows: Windows, bands: list[Ints]) -> tuple[float, int]:
    """Share of the pixels of a cube's windows that bands read a second time, and the pixels, each counted once."""
    once = find_runs(windows, layout).n_pixels
    if len(bands) == 1:
        return 0.0, once
    read = sum(find_runs(windows.take(band), layout).n_pixels for band in bands)
    return (read - once) / max(once, 1), once
