"""Lists of targets on one machine: `tessera.plan_list` and `tessera.cut_list`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tessera.bulk.asked import AskedList, GivenOptions, plan_asked
from tessera.bulk.options import DEFAULT_SIZE
from tessera.bulk.plan.price import BulkPlan
from tessera.bulk.products.finish import MANIFEST, STATUS, finish_products
from tessera.bulk.products.local import LocalFolder
from tessera.bulk.work.order import ListOrder
from tessera.bulk.work.records import BandRecord, RunFolder
from tessera.bulk.work.workers import cut_bands
from tessera.checks import check_integer
from tessera.errors import InvalidInputError
from tessera.io.outputs import check_folder, lock_output
from tessera.io.sources import Location
from tessera.progress import ProgressInput, check_progress, counting
from tessera.targets.names import MAST_RESOLVER

SMALL_BYTES, FILE_WORK = 1_000_000_000, 7
"""Bytes below which a list is cut in one process, because others would take longer to start; and how much more work
target pixel files are than light curves of the same bytes."""
PROCESS_BYTES = 2_000_000_000
"""Memory of a process that cuts bands."""
MOST_PROCESSES = 256


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
    flags: bool = False,
    detrend: str = "none",
    filesystem: Any = None,
    resolver: str = MAST_RESOLVER,
) -> BulkPlan:
    """Count what `tessera.cut_list` would do. No pixels are read.

    Parameters
    ----------
    targets, cubes, filesystem, resolver : optional
        See `tessera.cut_list`.
    outputs, size, sectors, product, aperture, background, layout, packing, best_only, epoch, flags, detrend : optional
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
    given = GivenOptions(
        outputs, size, sectors, product, aperture, background, layout, packing, best_only, epoch, flags, detrend
    )
    return plan_asked(targets, cubes, given, filesystem, resolver).plan


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
    flags: bool = False,
    detrend: str = "none",
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
    flags : bool, optional
        Whether files and light curves have Tessera's own flags, and none of the collateral pixels; see
        `tessera.CutoutOptions`.
    detrend : {'none', 'pld', 'cbv'}, optional
        What takes away from light curves what comes from the instrument; see `tessera.TargetPixels.to_lightcurve`.
        Cotrending vectors are beside each cube.
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
    given = GivenOptions(
        outputs, size, sectors, product, aperture, background, layout, packing, best_only, epoch, flags, detrend
    )
    asked = plan_asked(targets, cubes, given, filesystem, resolver)
    _check_plan(asked.plan)
    with lock_output("output_dir", folder) as real:
        run = RunFolder(real)
        run.begin(asked.digest())
        records = _cut(asked, run, processes, progress)
        return _finish(asked, folder, records)


def _check_plan(plan: BulkPlan) -> None:
    if plan.limits:
        first = plan.limits[0]
        what = "bytes of pixels in a window" if first.limit == "window_bytes" else first.limit
        raise InvalidInputError("targets", f"a list with {first.value:,} {what}", f"at most {first.allowed:,}")


def _cut(asked: AskedList, run: RunFolder, processes: int | None, progress: ProgressInput) -> list[BandRecord]:
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


def _finish(asked: AskedList, folder: Path, records: Sequence[BandRecord]) -> ListResult:
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
