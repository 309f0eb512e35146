"""What is answered at once, what becomes a job, and what is refused; cubes that nobody has indexed yet."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tessera_cloud.application.cutouts import order as cutout_order
from tessera_cloud.application.cutouts.order import JOB_BYTES, SYNC_BYTES, CutoutOrder
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import TooLargeError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, DEC, N_CADENCES, RA, Api
from tests.support.builds import SETTINGS

PUBLIC = "public"
LONGEST = 11_775


def order(n_cubes: int, side: float, n_cadences: int = LONGEST, unit: str = "px") -> CutoutOrder:
    same = {"sequence_number": 1, "s_region": "", "t_min": 0.0, "t_max": 0.0, "build_id": "", "bucket": "b", "key": "k"}
    cubes = [
        PublishedCube.model_validate(
            {**same, "obs_id": f"tess-s{n:04d}-1-1", "n_cadences": n_cadences, "size": 0, "etag": ""}
        )
        for n in range(1, n_cubes + 1)
    ]
    size = {"rows": side, "columns": side, "unit": unit}
    request = {"target": {"kind": "position", "ra": 1.0, "dec": 1.0, "size": size}}
    return CutoutOrder(request=CutoutRequest.model_validate(request), cubes=tuple(cubes))


@pytest.mark.parametrize(
    ("wanted", "heavy"),
    [
        (order(1, 5), False),
        (order(26, 10, 3500), False),
        (order(1, 31), False),
        (order(31, 10), False),
        (order(32, 10), True),
        (order(1, 100, 1282), False),
        (order(1, 101, 1282), True),
        (order(1, 100), True),
        (order(1, 1.0, 100, "d"), True),
    ],
)
def test_a_client_waits_for_what_takes_seconds(wanted: CutoutOrder, heavy: bool) -> None:
    wanted.check(SETTINGS)
    assert wanted.is_heavy(SETTINGS) is heavy
    assert heavy == (wanted.n_bytes > SYNC_BYTES or max(wanted.pixels) > SETTINGS.max_sync_pixels)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (order(1, 501), r"size is 501 x 501, 251,001 pixels; allowed: at most 250,000"),
        (order(1, 3.0, 10, "d"), r"size is 514 x 514, 264,196 pixels"),
        (order(1, 300), "too large for one request"),
        (order(40, 100), "too large for one request"),
    ],
)
def test_what_no_job_can_make_is_refused(wanted: CutoutOrder, message: str) -> None:
    with pytest.raises(TooLargeError, match=message):
        wanted.check(SETTINGS)


def test_what_fits_a_task_and_an_archive_is_not_refused() -> None:
    order(1, 100).check(SETTINGS)
    order(10, 100).check(SETTINGS)
    assert order(10, 100).n_bytes < JOB_BYTES < order(11, 100).n_bytes


# ---------------------------------------------------------------- cubes of MAST before there is an index


@pytest.fixture
def fallback(filled: MemoryStore) -> Api:
    """Our cubes as MAST's: in a public bucket, known from its footprint file alone; one is announced and not there."""
    index = json.loads(next(data for key, data in filled.objects.items() if key[1].endswith("footprints.json")))
    store = MemoryStore()
    for row, name in enumerate(index["obs_id"]):
        folder = "tica/" if name.startswith("tica") else ""
        if name != "tess-s0002-4-2":
            cube = filled.objects[index["bucket"][row], index["key"][row]]
            store.objects[PUBLIC, f"mast/{folder}{name}-cube.fits"] = cube
    columns = ("obs_id", "t_min", "t_max", "s_region", "target_name", "sequence_number")
    footprints = {name: index[name] for name in columns}
    store.objects[PUBLIC, "footprints.json"] = json.dumps(footprints).encode()
    settings = dataclasses.replace(
        API_SETTINGS, cube_sources=(f"{PUBLIC}/mast/",), published_footprints=f"{PUBLIC}/footprints.json"
    )
    return Api(store, settings)


def test_cubes_of_mast_are_cut_before_they_are_indexed(fallback: Api) -> None:
    answer = fallback.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, y=3, x=3)
    assert [name.split("_")[0] for name in answer.members] == ["tess-s0001-4-2"]
    rows = fallback.get("/tesscut/api/v0.1/sector", ra=RA, dec=DEC).json()["results"]
    assert [row["sector"] for row in rows] == ["0001", "0002"]


def test_a_cube_that_is_announced_and_not_there_is_404(fallback: Api) -> None:
    assert fallback.get("/v1/cubes", sector=2).json()["cubes"][0]["cadences"] is None
    assert fallback.get("/v1/cubes/tess-s0002-4-2").status == 404
    cube = fallback.get("/v1/cubes/tess-s0001-4-2").json()
    assert (cube["source"], cube["provenance"]["build"]) == ("public", None)
    assert cube["provenance"]["location"] == f"s3://{PUBLIC}/mast/tess-s0001-4-2-cube.fits"


def test_a_job_cuts_cubes_of_mast(fallback: Api) -> None:
    job = fallback.post("/v1/jobs", {"position": {"ra": RA, "dec": DEC}, "size": 12}).location
    fallback.run_jobs()
    answer = fallback.get(job).json()
    assert (answer["status"], answer["progress"]["done"]) == ("succeeded", 1)


def test_the_size_of_a_cube_tells_about_its_cadences() -> None:
    assert pytest.approx(45.5e9, rel=0.01) == cutout_order._FRAME_BYTES * 1282
    assert N_CADENCES[1] == 5
