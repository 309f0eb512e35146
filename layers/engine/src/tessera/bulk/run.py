"""Lists of targets on one machine: `tessera.plan_list` and `tessera.cut_list`."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tessera import __version__
from tessera.bulk.lists.read import read_list
from tessera.bulk.options import DEFAULT_SIZE, BulkOptions, check_options
from tessera.bulk.plan.costs import LOCAL_COSTS, BandLimits, PlanTerms, ReadCosts
from tessera.bulk.plan.price import BulkPlan, price_plan
from tessera.bulk.plan.whole import TargetPlan, plan_targets
from tessera.bulk.products.finish import MANIFEST, STATUS, finish_products
from tessera.bulk.products.local import LocalFolder
from tessera.bulk.target_rows import TargetRows
from tessera.bulk.work.opening import OpenedCubes, open_cubes
from tessera.bulk.work.order import ListOrder
from tessera.bulk.work.records import BandRecord, RunFolder
from tessera.bulk.work.workers import cut_bands
from tessera.checks import check_integer
from tessera.cutouts.listing import list_cubes
from tessera.errors import InvalidInputError
from tessera.io.locations import local_path, shown
from tessera.io.outputs import check_folder, lock_output
from tessera.io.sources import Location
from tessera.progress import ProgressInput, check_progress, counting
from tessera.targets.names import MAST_RESOLVER, MastNames
from tessera.targets.tic import MastTic

SMALL_BYTES, FILE_WORK = 1_000_000_000, 7
"""Bytes below which a list is cut in one process, because others would take longer to start; and how much more work
target pixel files are than light curves of the same bytes."""
PROCESS_BYTES = 2_000_000_000
"""Memory of a process that cuts bands."""
MOST_PROCESSES = 256
_LIMITS = BandLimits(most_memory=1_600_000_000, n_bytes=4_000_000_000, seconds=math.inf, most_bytes=20_000_000_000)
_FEWEST, _FEWEST_FILES, _PARTS = 500, 100, 32
"""A list has about 32 bands, none of much fewer than 500 targets, or 100 with target pixel files. So several processes
have work, and little is repeated after an interruption. The number of processes does not change the bands: a list can
go on with another one."""


@dataclass(frozen=True)
class ListResult:
    """What `tessera.cut_list` made.

    Parameters
    ----------
    folder : Path
        Folder of the results.
    plan : BulkPlan
        The plan of the work.
    n_ok : int
        Targets on cubes that have products.
    n_failed : int
        Targets on cubes that have none. The status table says why.
    n_requests, n_bytes : int
        Reads of the cubes, and bytes that were read.
    status, manifest : Path
        ``status.csv``, with what became of each row of the list, and ``manifest.json``, with all files.
    unread : dict
        Cubes that cannot be read, and why. They are left out.
    """

    folder: Path
    plan: BulkPlan
    n_ok: int
    n_failed: int
    n_requests: int
    n_bytes: int
    status: Path
    manifest: Path
    unread: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Asked:
    """A list that was planned."""

    options: BulkOptions
    rows: TargetRows
    cubes: OpenedCubes
    planned: TargetPlan

    @cached_property
    def plan(self) -> BulkPlan:
        """The plan. Work on a machine of one's own has no price."""
        return replace(price_plan(self.planned), usd=0.0, usd_parts={})

    def digest(self) -> str:
        """Hash of all that decides the results."""
        rows, versions = self.rows, {name: known.version for name, known in self.cubes.known.items()}
        about = json.dumps([__version__, asdict(self.options), versions, rows.name, rows.sector_sets, rows.apertures])
        found = hashlib.sha256(about.encode())
        for name in ("row", "tic", "ra", "dec", "pm_ra", "pm_dec", "epoch", "n_rows", "n_columns", "sector_set"):
            found.update(np.ascontiguousarray(getattr(rows, name)).tobytes())
        found.update(rows.aperture.tobytes() + json.dumps([asdict(one) for one in rows.problems]).encode())
        return found.hexdigest()

    def document(self) -> dict[str, Any]:
        """What the manifest says about the request."""
        cubes = [{"cube": name, "location": shown(known.location)} for name, known in self.cubes.known.items()]
        unread = [{"cube": at, "reason": reason} for at, reason in self.cubes.unread.items()]
        plan = self.plan.to_dict()
        return {"order": asdict(self.options), "cubes": cubes, "unread_cubes": unread, "plan": plan}


def plan_list(
    targets: Any,
    cubes: Location | Sequence[Location],
    *,
    outputs: str | Sequence[str] = ("parquet",),
    size: int | tuple[int, int] = DEFAULT_SIZE,
    sectors: int | Sequence[int] | None = None,
    product: str | None = None,
    aperture: str = "default",
    background: bool = True,
    layout: str = "full",
    packing: str = "zip",
    best_only: bool = False,
    epoch: float | str | None = None,
    filesystem: Any = None,
    resolver: str = MAST_RESOLVER,
) -> BulkPlan:
    """Count what `tessera.cut_list` would do. No pixels are read.

    Parameters
    ----------
    targets, cubes, filesystem, resolver : optional
        See `tessera.cut_list`.
    outputs, size, sectors, product, aperture, background, layout, packing, best_only, epoch : optional
        See `tessera.cut_list`.

    Returns
    -------
    BulkPlan
        Rows, cubes, requests, bytes, and the size of the results. There is no price.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    OSError or CubeFormatError
        When the list or no cube can be read.
    """
    given = _Given(outputs, size, sectors, product, aperture, background, layout, packing, best_only, epoch)
    return _plan(targets, cubes, given, filesystem, resolver).plan


def cut_list(
    targets: Any,
    cubes: Location | Sequence[Location],
    output_dir: Location,
    *,
    outputs: str | Sequence[str] = ("parquet",),
    size: int | tuple[int, int] = DEFAULT_SIZE,
    sectors: int | Sequence[int] | None = None,
    product: str | None = None,
    aperture: str = "default",
    background: bool = True,
    layout: str = "full",
    packing: str = "zip",
    best_only: bool = False,
    epoch: float | str | None = None,
    processes: int | None = None,
    filesystem: Any = None,
    resolver: str = MAST_RESOLVER,
    progress: ProgressInput = None,
) -> ListResult:
    """Make light curves and target pixel files of a list of targets.

    The work can be interrupted. The same call goes on where it ended.

    Parameters
    ----------
    targets : str, Path, or a list or table of targets
        Path of a table (CSV, ECSV, VOTable, FITS, Parquet, JSON, text), a table of astropy or pandas, a SkyCoord, or
        names, positions and pairs of degrees; see docs/guide/lists.md.
    cubes : str, Path, or several of them
        Cubes: local paths, folders of cubes, ``s3://`` or ``https://`` URLs.
    output_dir : str or Path
        Folder of the results: an empty one, or that of the same call before.
    outputs : str or list of str, optional
        Products: ``parquet``, a catalogue of light curves; ``lightcurves``, a FITS file for each; and ``tpf``, target
        pixel files.
    size : int or (int, int), optional
        Rows and columns of a window in pixels, for rows of the list without a size.
    sectors : int or list of int, optional
        Sectors, for rows without sectors; all by default.
    product : {'SPOC', 'TICA'}, optional
        Kind of frames of all cubes; by default the kind that they have.
    aperture : str, optional
        Aperture, for rows without one: ``default`` as in previews, ``all``, or hexadecimal digits.
    background : bool, optional
        Whether the local background is subtracted from light curves.
    layout : {'full', 'slim'}, optional
        Layout of target pixel files; see `tessera.CutoutOptions`.
    packing : {'zip', 'files'}, optional
        Whether files of single targets are in archives.
    best_only : bool, optional
        Whether a target on two CCDs of a sector is cut from the better one only.
    epoch : float or str, optional
        Julian year of the positions, such as 2016.0, for rows that have a proper motion and no epoch.
    processes : int, optional
        Number of processes, each of which needs 2 GB of memory. By default one for each processor; for little work, and
        with 1, there is no other process.
    filesystem : fsspec file system, optional
        File system of the cubes; see docs/guide/locations.md.
    resolver : str, optional
        Address of the resolver that finds names; by default MAST's.
    progress : bool or callable, optional
        True shows a bar or lines on stderr. A function is called with (done, total) after each target.

    Returns
    -------
    ListResult
        Counts, and where the table of statuses is. A target that fails does not stop the others.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed, a window needs more memory than a process has, or the folder
        has other files.
    OSError or CubeFormatError
        When the list or no cube can be read, or a result cannot be written.
    """
    folder = check_folder(output_dir, "output_dir")
    check_progress(progress)
    if processes is not None:
        check_integer("processes", processes, 1, MOST_PROCESSES)
    given = _Given(outputs, size, sectors, product, aperture, background, layout, packing, best_only, epoch)
    asked = _plan(targets, cubes, given, filesystem, resolver)
    _check_plan(asked.plan)
    with lock_output("output_dir", folder) as real:
        run = RunFolder(real)
        run.begin(asked.digest())
        records = _cut(asked, run, processes, progress)
        return _finish(asked, folder, records)


class _Given(NamedTuple):
    """What a user wants, before it is checked."""

    outputs: object
    size: object
    sectors: object
    product: object
    aperture: object
    background: object
    layout: object
    packing: object
    best_only: object
    epoch: object

    def check(self) -> BulkOptions:
        """Check it. Without a kind of frames, it is that of the cubes, which is not known yet."""
        return check_options(**self._replace(product="SPOC" if self.product is None else self.product)._asdict())


def _plan(targets: Any, cubes: Any, given: _Given, filesystem: Any, resolver: str) -> _Asked:
    options, names = given.check(), MastNames(resolver)
    locations = list_cubes(cubes, filesystem)
    stars = MastTic() if resolver == MAST_RESOLVER else None  # another resolver is asked for all names
    rows = read_list(targets, options, names=names, stars=stars)
    opened = open_cubes(locations, None if given.product is None else options.product)
    options = replace(options, product=opened.product)
    return _Asked(
        options, rows, opened, plan_targets(rows, opened.sights, options, _terms(locations, len(rows), options))
    )


def _terms(locations: Sequence[Location], n_targets: int, options: BulkOptions) -> PlanTerms:
    remote = any(_is_remote(location) for location in locations)
    costs = replace(ReadCosts() if remote else LOCAL_COSTS, concurrency=os.cpu_count() or 1)
    least = _FEWEST_FILES if "tpf" in options.outputs else _FEWEST
    fewest = min(_LIMITS.targets, max(least, n_targets // _PARTS))
    return PlanTerms(costs=costs, limits=replace(_LIMITS, targets=fewest), most_bands=100_000, task_seconds=math.inf)


def _is_remote(location: Location) -> bool:
    try:
        return not local_path(os.fspath(location)).is_file()
    except (ValueError, OSError):
        return True


def _check_plan(plan: BulkPlan) -> None:
    if plan.limits:
        first = plan.limits[0]
        what = "bytes of pixels in a window" if first.limit == "window_bytes" else first.limit
        raise InvalidInputError("targets", f"a list with {first.value:,} {what}", f"at most {first.allowed:,}")


def _cut(asked: _Asked, run: RunFolder, processes: int | None, progress: ProgressInput) -> list[BandRecord]:
    bands = asked.planned.bands
    records = {record.number: record for record in run.records(len(bands))}
    left = [asked.planned.store(band.number) for band in bands if band.number not in records]
    n_bytes = sum(band.n_bytes for band in left) * (FILE_WORK if "tpf" in asked.options.outputs else 1)
    order, cubes = ListOrder(run.path, asked.options), asked.cubes.known
    with counting(progress, "target", asked.plan.cutouts) as counter:
        for number, record in records.items():
            counter.reach(number, record.n_ok + record.n_failed)
        with closing(cut_bands(order, cubes, left, _processes(processes, n_bytes), counter.reach)) as made:
            for record in made:
                records[record.number] = record
                counter.reach(record.number, record.n_ok + record.n_failed)
    return [records[band.number] for band in bands]


def _processes(wanted: int | None, n_bytes: int) -> int:
    """Number of processes: as many as are wanted, or as this machine has processors and memory for."""
    if wanted is not None:
        return wanted
    if n_bytes < SMALL_BYTES:
        return 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors, memory // PROCESS_BYTES, MOST_PROCESSES))


def _finish(asked: _Asked, folder: Path, records: Sequence[BandRecord]) -> ListResult:
    finish_products(
        LocalFolder(folder),
        rows=asked.rows,
        options=asked.options,
        fragments=[record.statuses for record in records],
        files=[file for record in records for file in record.files],
        document=asked.document(),
    )
    counts = (sum(getattr(one, name) for one in records) for name in ("n_ok", "n_failed", "n_requests", "n_bytes"))
    n_ok, n_failed, n_requests, n_bytes = counts
    paths = folder / STATUS, folder / MANIFEST
    return ListResult(folder, asked.plan, n_ok, n_failed, n_requests, n_bytes, *paths, asked.cubes.unread)
