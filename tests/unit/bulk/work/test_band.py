"""One band from bytes to files: bad cubes cost their band, bad folders end the work, and memory stays bounded."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from weakref import finalize

import numpy as np
import pytest

from tessera.bulk.options import check_options
from tessera.bulk.plan.costs import BandLimits, PlanTerms
from tessera.bulk.plan.sightings import SightCube
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.plan.whole import plan_targets
from tessera.bulk.products.local import LocalFolder
from tessera.bulk.target_rows import TargetRows
from tessera.bulk.work.band import BandOutcome, cut_band
from tessera.bulk.work.making import make_band
from tessera.bulk.work.order import KnownCube, ListOrder
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.io.sources import Location
from tests.support.sparse import FULL, sparse_cube
from tests.support.target_lists import rows_of, sky_of
from tests.support.web import Site, serve

REPLACED = "was replaced while it was read"
OPTIONS = check_options(outputs=["parquet", "tpf"])


@pytest.fixture
def rows(field_cube: Path, everywhere: Any) -> TargetRows:
    return rows_of(*sky_of(field_cube, everywhere[:33]))


def band_of(file: CubeFile, rows: TargetRows, terms: PlanTerms | None = None) -> StoredBand:
    return plan_targets(rows, [SightCube.of(file.cube)], OPTIONS, terms).store(0)


def cut(cube: Path, rows: TargetRows, folder: Path, read: Callable[..., Any] | None = None) -> BandOutcome:
    with open_cube(cube) as file:
        band = band_of(file, rows)
        return cut_band(band, file.cube, read or file.source.read_buffer, LocalFolder(folder), OPTIONS)


def test_the_same_band_gives_the_same_files(field_cube: Path, rows: TargetRows, tmp_path: Path) -> None:
    one, two = (cut(field_cube, rows, tmp_path / name) for name in ("one", "two"))
    assert one == two
    assert (one.n_ok, one.n_failed, one.reason) == (33, 0, "")
    assert len(one.statuses) == 66
    assert {file.name.rpartition(".")[2] for file in one.files} == {"parquet", "zip"}
    for file in one.files:
        assert (tmp_path / "one" / file.name).read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_a_cube_that_cannot_be_read_costs_its_band(field_cube: Path, rows: TargetRows, tmp_path: Path) -> None:
    with open_cube(field_cube) as file:
        band, calls = band_of(file, rows), []
        read = file.source.read_buffer

        def failing(start: int, length: int) -> Any:
            calls.append(start)
            if len(calls) == len(band.starts):
                raise OSError("the disk is broken")
            return read(start, length)

        outcome = cut_band(band, file.cube, failing, LocalFolder(tmp_path / "out"), OPTIONS)
    assert (outcome.n_ok, outcome.n_failed, outcome.files) == (0, 33, ())
    assert outcome.reason == "the disk is broken"
    assert outcome.n_requests == len(band.starts)
    assert outcome.n_bytes == band.n_bytes - int(band.stops[-1] - band.starts[-1])
    assert [(each.row, each.status, each.reason) for each in outcome.statuses] == [
        (row, "error", "the disk is broken") for row in range(1, 34)
    ]
    assert not list((tmp_path / "out").rglob("*.zip"))


def test_other_errors_of_the_reader_end_the_work(field_cube: Path, rows: TargetRows, tmp_path: Path) -> None:
    class LaterError(Exception):
        """A request that may succeed later."""

    def later(_start: int, _length: int) -> Any:
        raise LaterError

    with pytest.raises(LaterError):
        cut(field_cube, rows, tmp_path / "out", later)


def test_a_folder_that_cannot_be_written_ends_the_work(field_cube: Path, rows: TargetRows, tmp_path: Path) -> None:
    (tmp_path / "files").write_text("no folder")
    with pytest.raises(OSError, match="files"):
        cut(field_cube, rows, tmp_path)


# ---------------------------------------------------------------- cubes that change after the plan


def order_of(cube: Path, folder: Path, location: Location | None = None) -> tuple[ListOrder, StoredBand, KnownCube]:
    with open_cube(location or cube) as file:
        known = KnownCube(location or cube, file.source.version, file.cube.to_sidecar())
        sky = sky_of(cube, [(20, 20), (40, 30)])
        return ListOrder(folder, OPTIONS), band_of(file, rows_of(*sky)), known


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda cube: cube.unlink(), "cannot be read: there is no such file", id="gone"),
        pytest.param(
            lambda cube: cube.write_bytes(cube.read_bytes() + b"x"), "was replaced while it was read", id="longer"
        ),
        pytest.param(
            lambda cube: cube.write_bytes(cube.read_bytes()[:60_000]), "was replaced while it was read", id="cut"
        ),
    ],
)
def test_a_cube_that_changed_after_the_plan_costs_its_band(
    field_cube: Path, tmp_path: Path, change: Callable[[Path], object], reason: str
) -> None:
    cube = tmp_path / field_cube.name
    shutil.copyfile(field_cube, cube)
    order, band, known = order_of(cube, tmp_path / "out")
    change(cube)
    record = order.cut(band, known)
    assert (record.n_ok, record.n_failed, record.n_requests, record.files) == (0, 2, 0, ())
    assert record.reason == f"{cube} {reason}"
    assert record.statuses.count(b"error") == 2


def test_a_cube_that_changes_during_the_work_costs_its_band(field_cube: Path, tmp_path: Path) -> None:
    cube = tmp_path / field_cube.name
    shutil.copyfile(field_cube, cube)
    order, band, known = order_of(cube, tmp_path / "out")

    def touch(done: int) -> None:
        if done == 1:
            with cube.open("r+b") as file:
                file.seek(30_000)
                file.write(b"other")

    assert order.cut(band, known, touch).reason == f"{cube} was changed while it was read"
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_the_reason_of_a_cube_that_was_replaced_has_no_signature(field_cube: Path, tmp_path: Path) -> None:
    signed = f"/{field_cube.name}?X-Amz-Signature=hidden"
    with serve(Site({signed: field_cube.read_bytes()})) as site:
        order, band, known = order_of(field_cube, tmp_path / "out", f"{site.base}{signed}")
        site.files[signed] += b"x"
        record = order.cut(band, known)
        shown = f"{site.base}/{field_cube.name}?X-Amz-Signature=..."
    assert record.reason == f"{shown} was replaced while it was read"
    assert b"hidden" not in record.to_bytes()


# ---------------------------------------------------------------- memory


class Held:
    """Bytes of a reader's answers that somebody holds."""

    def __init__(self, file: CubeFile) -> None:
        self._file, self._lock = file, threading.Lock()
        self.now = self.most = 0

    def read(self, start: int, length: int) -> Any:
        data = np.frombuffer(self._file.source.read(start, length), np.uint8).copy()
        self._add(length)
        finalize(data, self._add, -length)
        return data

    def _add(self, n_bytes: int) -> None:
        with self._lock:
            self.now += n_bytes
            self.most = max(self.most, self.now)


def test_a_band_holds_no_more_than_its_plan_allows_and_what_is_read_ahead(tmp_path: Path) -> None:
    cube = sparse_cube(tmp_path, 100)
    places = np.random.default_rng(2).uniform((0, 0), (FULL[0] - 1, FULL[1] - 1), (1500, 2))
    rows, ahead = rows_of(*sky_of(cube, places), size=9), 500_000
    limits = BandLimits(memory=400_000)
    with open_cube(cube) as file, ThreadPoolExecutor(8) as pool:
        plan = plan_targets(rows, [SightCube.of(file.cube)], OPTIONS, PlanTerms(limits=limits))
        assert len(plan.bands) > 1  # a band of the whole width would need more
        held, n_targets = Held(file), 0
        for number in range(2):
            for made in make_band(plan.store(number), file.cube, held.read, OPTIONS, pool=pool, ahead=ahead):
                assert made.status in ("ok", "no overlap")
                n_targets += 1
        assert held.now == 0
    assert n_targets == len(plan.bands[0].sightings) + len(plan.bands[1].sightings)
    assert ahead < held.most <= limits.memory + ahead + 100_000  # and the request that is used at the moment
