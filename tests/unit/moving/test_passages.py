"""Which cubes a moving target crosses, among all of sectors 1 to 80."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tessera.moving.ephemeris import Ephemeris
from tessera.sky.footprint import sky_box
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.targets.passages import find_passages
from tessera_cloud.application.targets.path import MJD, Path
from tessera_cloud.contracts import PublishedCube
from tests.support.paths import DATA

RA, DEC = 107.18696, -70.50919


@pytest.fixture(scope="module")
def index() -> FootprintIndex:
    table = json.loads((DATA / "tess_ffi_footprints.json").read_text(encoding="utf-8"))
    same: dict[str, Any] = {"n_cadences": 1, "build_id": "", "bucket": "b", "key": "k", "size": 1, "etag": ""}
    names = ("obs_id", "sequence_number", "s_region", "t_min", "t_max")
    rows = zip(*(table[name] for name in names), strict=True)
    return FootprintIndex.of(PublishedCube(**dict(zip(names, row, strict=True)), **same) for row in rows)


def path(days: Any, ra: Any, dec: Any) -> Path:
    columns = np.broadcast_arrays(days, ra, dec)
    return Path(target="x", observer="TESS", places=tuple(zip(*(column.tolist() for column in columns), strict=True)))


def test_what_stands_still_is_seen_by_the_ccds_that_see_the_place(index: FootprintIndex) -> None:
    still = path(np.arange(58000, 61000, 5.0) + MJD, RA, DEC)
    expected = [cube.obs_id for cube in index.find(sky_box(RA, DEC, 0, 0))]
    assert len(expected) == 35
    assert [cube.obs_id for cube in find_passages(still, index)] == expected


def test_only_the_dates_of_the_path_count(index: FootprintIndex) -> None:
    sector_27 = next(cube for cube in index.cubes if cube.obs_id == "tess-s0027-4-2")
    short = path(np.linspace(sector_27.t_min + 3, sector_27.t_min + 3.2, 5) + MJD, RA, DEC)
    assert [cube.obs_id for cube in find_passages(short, index)] == ["tess-s0027-4-2"]


def test_a_cube_of_a_few_minutes_is_found(index: FootprintIndex) -> None:
    sector_27 = next(cube for cube in index.cubes if cube.obs_id == "tess-s0027-4-2")
    brief = FootprintIndex.of([sector_27.model_copy(update={"t_max": sector_27.t_min + 0.002})])
    still = path(sector_27.t_min + np.array([0.0005, 0.0015]) + MJD, RA, DEC)
    assert len(find_passages(still, brief)) == 1


def test_the_path_is_interpolated_once_for_all_cubes(index: FootprintIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, at = [], Ephemeris.at

    def counted(self: Ephemeris, days: Any, *more: Any) -> Any:
        asked.append(len(days))
        return at(self, days, *more)

    monkeypatch.setattr(Ephemeris, "at", counted)
    assert find_passages(path(np.arange(58000, 61000, 5.0) + MJD, RA, DEC), index)
    assert len(asked) == 1
