"""The coverage as tools read it, and its agreement with what the service answers for positions.

The cubes are those of MAST's footprint file. The handlers run in this process, so no stack is needed.
"""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.time import Time
from mocpy import MOC, STMOC
from numpy.typing import NDArray

from tessera.sky.footprint import find_distances
from tessera.sky.sphere import unit_vectors
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.index.served import parse_published
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, Api
from tests.support.paths import DATA

pytestmark = pytest.mark.slow

N_POSITIONS = 10_000
CELL = 0.09
"""Longest diagonal of a cell of order 10, in degrees."""
SOURCE, PLACE = "stpubdata/tess/public/mast/", "tess/public/footprints/tess_ffi_footprint_cache.json"
MAST = (DATA / "tess_ffi_footprints.json").read_bytes()
needs_stilts = pytest.mark.skipif(
    shutil.which("stilts") is None, reason="stilts is not installed: apt-get install stilts"
)


@pytest.fixture(scope="module")
def api() -> Api:
    """A service that knows MAST's footprints only, with their coverage."""
    settings = dataclasses.replace(
        API_SETTINGS, cube_sources=(SOURCE,), published_footprints=f"stpubdata/{PLACE}", index_seconds=1e9
    )
    api = Api(MemoryStore({("stpubdata", PLACE): MAST}), settings)
    api.handlers.invoke("write_coverage", {})
    return api


@pytest.fixture(scope="module")
def index() -> FootprintIndex:
    return parse_published(MAST, SOURCE)


@pytest.fixture(scope="module")
def positions() -> NDArray[np.float64]:
    """Right ascensions and declinations in degrees, uniform on the sky; shape (n, 2)."""
    random = np.random.default_rng(17)
    ra = random.uniform(0.0, 360.0, N_POSITIONS)
    return np.column_stack([ra, np.degrees(np.arcsin(random.uniform(-1.0, 1.0, N_POSITIONS)))])


def file_of(api: Api, name: str) -> bytes:
    """A file as a client gets it, also if it is sent to the results."""
    answer = api.get(f"/v1/coverage/SPOC/{name}")
    if answer.status != 303:
        assert answer.status == 200
        return answer.content
    results = {key: data for (bucket, key), data in api.store.objects.items() if bucket == API_SETTINGS.result_bucket}
    (key,) = (key for key in results if key in answer.location)
    return results[key]


def sectors_of(api: Api) -> list[int]:
    listed = api.get("/v1/coverage").json()["coverage"]
    return [item["sector"] for item in listed if item["product"] == "SPOC" and item["sector"]]


def test_the_mocs_of_all_sectors_agree_with_the_sector_service(
    api: Api, index: FootprintIndex, positions: NDArray[np.float64]
) -> None:
    """What `/sector` finds at 10,000 random positions is in the MOC of the sector, and nothing else but at its edge."""
    ra, dec = positions.T
    distances = find_distances(index.vectors, unit_vectors(ra, dec), CELL)
    of_cube = np.array([cube.sequence_number for cube in index.cubes])
    found = [json.loads(api.get("/tesscut/api/v0.1/sector", ra=x, dec=y).content)["results"] for x, y in positions]
    answered = [{int(row["sector"]) for row in rows} for rows in found]
    n_inside = n_edge = 0
    for sector in sectors_of(api):
        moc = MOC.from_fits(io.BytesIO(file_of(api, f"s{sector:04d}.fits")))
        covered = moc.contains_lonlat(ra * units.deg, dec * units.deg)
        seen = np.array([sector in sectors for sectors in answered])
        near = (distances[of_cube == sector] > -CELL).any(axis=0)
        assert not (seen & ~covered).any(), sector
        assert not (covered & ~seen & ~near).any(), sector
        n_inside, n_edge = n_inside + int(seen.sum()), n_edge + int((covered & ~seen).sum())
    assert n_inside > 30_000
    assert n_edge < 0.05 * n_inside


def test_the_moc_of_everything_is_what_any_sector_covers(api: Api, positions: NDArray[np.float64]) -> None:
    place = [column * units.deg for column in positions.T]
    everything = MOC.from_fits(io.BytesIO(file_of(api, "all.fits"))).contains_lonlat(*place)
    each = [
        MOC.from_fits(io.BytesIO(file_of(api, f"s{sector:04d}.fits"))).contains_lonlat(*place)
        for sector in sectors_of(api)
    ]
    np.testing.assert_array_equal(everything, np.any(each, axis=0))


def test_the_space_time_moc_has_each_position_while_its_sector_was_observed(
    api: Api, index: FootprintIndex, positions: NDArray[np.float64]
) -> None:
    """At the middle of each sector, it is the MOC of that sector: no two sectors were observed at the same time."""
    both = STMOC.from_fits(io.BytesIO(file_of(api, "all-st.fits")))
    lon, lat = (column * units.deg for column in positions[:1000].T)
    for sector in sectors_of(api)[::8]:
        cube = next(cube for cube in index.cubes if cube.sequence_number == sector)
        middle = Time(np.full(1000, (cube.t_min + cube.t_max) / 2), format="mjd", scale="utc")
        space = MOC.from_fits(io.BytesIO(file_of(api, f"s{sector:04d}.fits")))
        np.testing.assert_array_equal(both.contains(middle, lon, lat), space.contains_lonlat(lon, lat))


@pytest.mark.parametrize("name", ["all", "s0001", "s0080"])
def test_json_and_fits_are_the_same_coverage(api: Api, name: str) -> None:
    assert MOC.from_json(json.loads(file_of(api, f"{name}.json"))) == MOC.from_fits(
        io.BytesIO(file_of(api, f"{name}.fits"))
    )
    assert STMOC.from_json(json.loads(file_of(api, f"{name}-st.json"))) == STMOC.from_fits(
        io.BytesIO(file_of(api, f"{name}-st.fits"))
    )


@pytest.mark.parametrize("name", ["all.fits", "s0001.fits", "all-st.fits", "s0001-st.fits"])
def test_astropy_finds_no_fault_with_the_fits_files(api: Api, name: str, recwarn: pytest.WarningsRecorder) -> None:
    with fits.open(io.BytesIO(file_of(api, name)), memmap=False) as file:
        file.verify("exception")
        assert len(file) == 2
        assert file[1].header["MOCVERS"] == "2.0"
    assert [str(warning.message) for warning in recwarn] == []


@needs_stilts
def test_stilts_finds_the_same_positions_in_a_moc(api: Api, positions: NDArray[np.float64], tmp_path: Path) -> None:
    """The reader of MOCs in stilts and TOPCAT is another program than the writer."""
    (tmp_path / "moc.fits").write_bytes(file_of(api, "s0001.fits"))
    table = "\n".join(["ra,dec", *(f"{ra},{dec}" for ra, dec in positions[:2000])])
    (tmp_path / "places.csv").write_text(table, encoding="utf-8")
    done = subprocess.run(
        ["stilts", "tpipe", "in=places.csv", "ifmt=csv", "ofmt=csv", "omode=out", "out=-",
         "cmd=addcol covered 'inMoc(\"moc.fits\",ra,dec)'"],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = [line.endswith("true") for line in done.stdout.splitlines()[1:]]
    lon, lat = (column * units.deg for column in positions[:2000].T)
    assert told == MOC.from_fits(io.BytesIO(file_of(api, "s0001.fits"))).contains_lonlat(lon, lat).tolist()
    assert any(told)
