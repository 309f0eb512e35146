"""What the work on a list costs, before it begins."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tessera.bulk.options import ARCHIVE_BYTES, BulkOptions
from tessera.bulk.plan.costs import REQUEST_BYTES, PlanTerms
from tessera.bulk.plan.sightings import Floats
from tessera.bulk.plan.sizes import (
    catalogue_files,
    largest_window,
    make_seconds,
    result_bytes,
    union_bytes,
    write_seconds,
)
from tessera.bulk.plan.whole import TargetPlan
from tessera.bulk.target_rows import RowProblem

SHOWN_PROBLEMS = 100
"""Number of rows that were not understood that a plan shows."""
_OBJECTS_OF_A_BAND = 3
"""Objects that a band leaves beside its results: its description, its record and its rows of the status."""
_TRANSITIONS = 12
"""Transitions of a list, without its bands."""
_FILES_OF_A_LIST = 2
"""The status and the manifest."""
_DAYS = 30.0
"""Days of a month."""


@dataclass(frozen=True, slots=True)
class PlanLimit:
    """A limit that a plan exceeds.

    Parameters
    ----------
    limit : str
        Its name: ``usd``, ``bands``, ``result_files``, ``minutes``, ``window_bytes`` or ``task_seconds``.
    value, allowed : float
        Value of the plan, and the largest one that is allowed.
    """

    limit: str
    value: float
    allowed: float


@dataclass(frozen=True)
class BulkPlan:
    """What the work on a list is, and what it costs.

    Parameters
    ----------
    rows : int
        Rows of the list.
    targets : int
        Rows that were understood.
    n_problems : int
        The other rows.
    problems : tuple of RowProblem
        The first of them.
    n_on_no_cube : int
        Targets that are on no cube.
    cubes : int
        Cubes that are read.
    cutouts : int
        Targets times the cubes that each is on.
    duplicates : int
        Cutouts of targets that another CCD of the same sector sees better.
    bands, scans : int
        Bands, each the work of one task, and those of them that read whole rows.
    requests, bytes, union_bytes : int
        Range requests, the bytes that they read, and the bytes of all pixels of the windows of a cube counted once.
    tasks : int
        Tasks that run at the same time.
    task_seconds : float
        Time of all tasks, one after the other.
    minutes : float
        Time until the results are there, once the work begins.
    requests_per_second : float
        Range requests per second of all tasks together, on average.
    usd : float
        Dollars in all.
    usd_parts : mapping
        Dollars for ``compute``, ``requests``, ``results`` (writing them), ``workflow`` and ``storage``.
    result_bytes, result_files : int
        Size and number of the files, as far as that can be told before they are compressed.
    limits : tuple of PlanLimit
        Limits that are exceeded.
    hats_order : int
        HEALPix order of the partitions of the catalogue of light curves.
    """

    rows: int
    targets: int
    n_problems: int
    problems: tuple[RowProblem, ...]
    n_on_no_cube: int
    cubes: int
    cutouts: int
    duplicates: int
    bands: int
    scans: int
    requests: int
    bytes: int
    union_bytes: int
    tasks: int
    task_seconds: float
    minutes: float
    requests_per_second: float
    usd: float
    usd_parts: Mapping[str, float]
    result_bytes: int
    result_files: int
    limits: tuple[PlanLimit, ...] = ()
    hats_order: int = 0

    @property
    def allowed(self) -> bool:
        """Whether no limit is exceeded."""
        return not self.limits

    def to_dict(self) -> dict[str, Any]:
        """The plan as a document of plain values: numbers, texts, lists and dicts."""
        document = asdict(self)
        document["problems"] = [asdict(problem) for problem in self.problems]
        document["limits"] = [asdict(limit) for limit in self.limits]
        return document | {"usd_parts": dict(self.usd_parts), "allowed": self.allowed}


@dataclass
class _Tally:
    """What the bands of a plan are in all."""

    times: list[float]
    scans: int = 0
    requests: int = 0
    n_bytes: int = 0
    files: int = 0
    result: float = 0.0


def price_plan(target: TargetPlan) -> BulkPlan:
    """Count and price the work on a list.

    Parameters
    ----------
    target : TargetPlan
        The list, its cubes and its bands; see `tessera.bulk.plan.whole.plan_targets`.
    """
    terms = target.terms
    rows, sightings, cubes = target.rows, target.sightings, target.cubes
    tally = _count(target)
    tasks = min(len(tally.times), terms.costs.concurrency)
    seconds = max(_makespan(tally.times, tasks), tally.requests / terms.costs.requests_per_second)
    parts = _usd_parts(tally, terms)
    usd = sum(parts.values())
    return BulkPlan(
        rows=rows.n_given,
        targets=len(rows),
        n_problems=len(rows.problems),
        problems=rows.problems[:SHOWN_PROBLEMS],
        n_on_no_cube=len(sightings.unseen(len(rows))),
        cubes=len(np.unique(sightings.cube)),
        cutouts=len(sightings),
        duplicates=int((~sightings.best).sum()),
        bands=len(tally.times),
        scans=tally.scans,
        requests=tally.requests,
        bytes=tally.n_bytes,
        union_bytes=union_bytes(sightings, cubes),
        tasks=tasks,
        task_seconds=round(sum(tally.times), 1),
        minutes=round(seconds / 60, 1),
        requests_per_second=round(tally.requests / seconds, 1) if seconds else 0.0,
        usd=round(usd, 4),
        usd_parts={name: round(value, 4) for name, value in parts.items()},
        result_bytes=round(tally.result),
        result_files=tally.files + _FILES_OF_A_LIST,
        limits=_exceeded(tally, usd, seconds / 60, largest_window(sightings, cubes), terms),
        hats_order=target.hats_order,
    )


def _exceeded(tally: _Tally, usd: float, minutes: float, window: int, terms: PlanTerms) -> tuple[PlanLimit, ...]:
    limits = (
        PlanLimit("usd", round(usd, 2), terms.most_usd),
        PlanLimit("bands", len(tally.times), terms.most_bands),
        PlanLimit("result_files", tally.files + _FILES_OF_A_LIST, terms.most_files),
        PlanLimit("minutes", round(minutes, 1), terms.most_minutes),
        PlanLimit("window_bytes", window, terms.limits.window),
        PlanLimit("task_seconds", round(max(tally.times, default=0.0)), terms.task_seconds),
    )
    return tuple(limit for limit in limits if limit.value > limit.allowed)


def _count(target: TargetPlan) -> _Tally:
    tally, sightings, terms = _Tally([]), target.sightings, target.terms
    for band in target.bands:
        areas = sightings.n_rows[band.sightings].astype(np.int64) * sightings.n_columns[band.sightings]
        about = target.cubes[band.cube].layout, areas, target.options
        sizes = result_bytes(*about)
        read = terms.costs.seconds(band.n_bytes, band.n_requests, target.pace)
        made, wrote = (float(seconds(*about, terms.rates).sum()) for seconds in (make_seconds, write_seconds))
        tally.times.append(terms.rates.start + max(read, made) + wrote)
        tally.scans += band.scan
        tally.requests += band.n_requests
        tally.n_bytes += band.n_bytes
        tally.files += sum(_files(name, size, about[0].n_cadences, target.options) for name, size in sizes.items())
        tally.result += sum(float(size.sum()) for size in sizes.values())
    return tally


def _files(product: str, sizes: Floats, n_cadences: int, options: BulkOptions) -> int:
    """Number of files of a band for a product."""
    if product == "parquet":
        return catalogue_files(n_cadences, len(sizes))
    return len(sizes) if options.packing == "files" else max(1, math.ceil(float(sizes.sum()) / ARCHIVE_BYTES))


def _usd_parts(tally: _Tally, terms: PlanTerms) -> dict[str, float]:
    costs, prices, n_bands = terms.costs, terms.prices, len(tally.times)
    writes = _OBJECTS_OF_A_BAND * n_bands + tally.files + tally.result / REQUEST_BYTES
    return {
        "compute": sum(tally.times) * costs.usd_per_second + n_bands * prices.function_request,
        "requests": tally.requests * costs.usd_per_request + tally.n_bytes * costs.usd_per_byte,
        "results": writes * prices.put,
        "workflow": (n_bands + _TRANSITIONS) * prices.transition,
        "storage": tally.result / 1e9 * prices.gb_month * terms.kept_days / _DAYS,
    }


def _makespan(times: list[float], tasks: int) -> float:
    """Time until the last task has ended, if each task begins as soon as one of `tasks` places is free."""
    places = [0.0] * tasks
    for time in times:
        heapq.heapreplace(places, places[0] + time)
    return max(places, default=0.0)
