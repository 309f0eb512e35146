"""Cubes and images that are not what the index says: replaced, removed, or withdrawn since it was written."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.errors import ForbiddenError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, DEC, RA, SHAPE, Answered, Api
from tests.support.builds import SETTINGS, build_cube
from tests.support.frames import tiny_flux, tiny_sector
from tests.support.image_service import BUCKET, CENTRE, IMAGE_SETTINGS, TWO_MASS

PUBLIC, KEY = "public", "mast/tess-s0001-4-2-cube.fits"
ASTROCUT = "/tesscut/api/v0.1/astrocut"
PLACE: dict[str, Any] = {"ra": RA, "dec": DEC}
PREVIEW = {"cube": "tess-s0001-4-2", "size": 3} | PLACE


@pytest.fixture
def mast(filled: MemoryStore) -> Api:
    """A service that knows one cube, of a public source, from an index that is a day old."""
    index = json.loads(filled.objects[SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX])
    row = index["obs_id"].index("tess-s0001-4-2")
    store = MemoryStore()
    store.objects[PUBLIC, KEY] = filled.objects[index["bucket"][row], index["key"][row]]
    place = {"bucket": PUBLIC, "key": KEY, "build_id": "", "planned_at": "", "generation": 0}
    columns = {name: [place.get(name, values[row])] for name, values in index.items()}
    store.objects[SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX] = json.dumps(columns).encode()
    return Api(store, dataclasses.replace(API_SETTINGS, cube_sources=(f"{PUBLIC}/mast/",)))


def cubes_of(n: int) -> list[bytes]:
    return [build_cube(tiny_sector(n_frames, SHAPE)) for n_frames in range(3, 3 + n)]


def flux_of(answer: Answered) -> Any:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return fits.open(io.BytesIO(archive.read(archive.namelist()[0])))[1].data["FLUX"]


def replace_before_reads(api: Api, cubes: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the cube just before each of the next reads."""
    read_range, left = api.store.read_range, list(cubes)

    def read(bucket: str, key: str, *args: Any, **more: Any) -> Any:
        if left and key == KEY:
            api.store.objects[bucket, key] = left.pop(0)
        return read_range(bucket, key, *args, **more)

    monkeypatch.setattr(api.store, "read_range", read)


@pytest.mark.parametrize("path", [ASTROCUT, "/v1/cutouts", "/v1/preview"])
def test_a_cube_that_is_replaced_while_it_is_read_is_answered_from_the_new_one(
    mast: Api, monkeypatch: pytest.MonkeyPatch, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (new,) = cubes_of(1)
    replace_before_reads(mast, [new], monkeypatch)
    query = {ASTROCUT: PLACE | {"y": 3, "x": 3}, "/v1/cutouts": PLACE | {"size": 3}}.get(path, PREVIEW)
    answer = mast.get(path, **query)
    assert answer.status == 200
    if path == "/v1/preview":
        assert answer.json()["lightcurve"]["cadences"] == 3
    else:
        assert flux_of(answer).shape == (3, 3, 3)
    if path == "/v1/cutouts":
        np.testing.assert_array_equal(flux_of(answer)[2], tiny_flux(2, SHAPE)[19:22, 13:16])
    assert '"DataVanished":[1' in capsys.readouterr().out


def test_a_cube_that_is_replaced_all_the_time_is_busy_in_words(mast: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_before_reads(mast, cubes_of(5), monkeypatch)
    answer = mast.get(ASTROCUT, **PLACE, y=3, x=3)
    assert (answer.status, answer.headers["retry-after"]) == (503, "3")
    assert "replaced or removed while they were read" in answer.json()["msg"]


@pytest.mark.parametrize("known", [False, True], ids=["seen for the first time", "seen before"])
def test_a_cube_that_was_removed_from_its_source_is_said_in_words(mast: Api, known: bool) -> None:
    if known:
        assert mast.get(ASTROCUT, **PLACE, y=3, x=3).status == 200
    del mast.store.objects[PUBLIC, KEY]
    answer = mast.get(ASTROCUT, **PLACE, y=5, x=3)
    assert (answer.status, "no longer at their source: tess-s0001-4-2" in answer.json()["msg"]) == (404, True)
    for answer in (
        mast.get("/v1/cutouts", **PLACE, size=3),
        mast.post("/v1/jobs", {"position": PLACE, "size": 3}),
        mast.get("/v1/preview", **PREVIEW),
        mast.get("/v1/preview.png", **PREVIEW),
        mast.get("/v1/cubes/tess-s0001-4-2"),
    ):
        assert answer.status == 404
        assert "source" in answer.json()["error"]["message"]
    assert mast.get("/tesscut/api/v0.1/ffi_wcs", sector=1, camera=4, ccd=2).status == 200
    assert mast.get("/v1/targets", **PLACE).json()["cubes"] == []


def test_a_cube_of_our_own_whose_object_is_gone_is_said_in_words_too(api: Api) -> None:
    for cube in read_index(api.store, SETTINGS.cube_bucket)[0].cubes:
        del api.store.objects[cube.bucket, cube.key]
    for _ in range(2):
        answer = api.get(ASTROCUT, **PLACE, y=3, x=3)
        assert answer.status == 404
        assert "no longer at their source: tess-s0001-4-2, tess-s0002-4-2" in answer.json()["msg"]
    assert api.get("/v1/preview", **PREVIEW).status == 404


def test_the_other_cubes_are_cut_where_one_is_gone(api: Api) -> None:
    first = read_index(api.store, SETTINGS.cube_bucket)[0].cubes[0]
    del api.store.objects[first.bucket, first.key]
    answer = api.get(ASTROCUT, **PLACE, y=3, x=3)
    assert [name[:14] for name in answer.members] == ["tess-s0002-4-2"]


def test_a_source_that_refuses_is_busy_in_words(mast: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise ForbiddenError("head s3://public/...: AccessDenied")

    monkeypatch.setattr(mast.store, "read_range", refuse)
    assert mast.get(ASTROCUT, **PLACE, y=3, x=3).status == 503
    monkeypatch.setattr(mast.store, "head", refuse)
    answer = mast.get("/v1/preview", **PREVIEW)
    assert (answer.status, answer.headers["retry-after"]) == (503, "3")
    assert "replaced or removed" in answer.json()["error"]["message"]


@pytest.mark.parametrize("length", [0, 100, -100])
def test_a_sidecar_that_is_damaged_is_read_from_the_cube_again(mast: Api, length: int) -> None:
    key = SETTINGS.cube_bucket, keys.sidecar(mast.store.head(PUBLIC, KEY).etag)
    assert mast.get("/v1/targets", **PLACE).json()["cubes"]
    whole = mast.store.objects[key]
    mast.store.objects[key] = whole[:length] if length >= 0 else whole[:length] + bytes(-length)
    again = Api(mast.store, API_SETTINGS)
    assert len(again.get("/v1/targets", **PLACE).json()["cubes"]) == 1
    assert mast.store.objects[key] == whole


def ended_job(mast: Api, *, planned: bool, replaced: bytes | None) -> Any:
    """A job whose cube is removed or replaced before it is planned, or before it is cut."""
    job = mast.post("/v1/jobs", {"position": PLACE, "size": [12, 11]}).json()
    if planned:
        mast.handlers.invoke("plan_job", {"job": job["id"], "attempt": 1})
    mast.store.objects.pop((PUBLIC, KEY))
    if replaced is not None:
        mast.store.objects[PUBLIC, KEY] = replaced
    if planned:
        mast.handlers.invoke("cut_item", {"job": job["id"], "item": 0})
    else:
        mast.run_jobs()
    (cube,) = mast.get(job["url"]).json()["cubes"]
    return cube


@pytest.mark.parametrize("planned", [False, True])
def test_a_job_looks_once_more_for_a_cube(mast: Api, planned: bool) -> None:
    cube = ended_job(mast, planned=planned, replaced=cubes_of(1)[0])
    assert cube["status"] == "succeeded"


def test_a_job_says_in_words_that_a_cube_is_gone(mast: Api) -> None:
    cube = ended_job(mast, planned=True, replaced=None)
    assert (cube["status"], cube["reason"]) == (
        "failed",
        "the cube tess-s0001-4-2 is no longer at its source",
    )


def test_images_that_are_gone_are_said_in_words(images: MemoryStore) -> None:
    api = Api(MemoryStore(objects=dict(images.objects)), IMAGE_SETTINGS)
    for key in [key for key in api.store.objects if key[0] == BUCKET]:
        del api.store.objects[key]
    answer = api.get(f"/v1/images/{TWO_MASS}/cutout", **CENTRE, size=5)
    assert (answer.status, answer.headers["retry-after"]) == (503, "3")
    assert "replaced or removed" in answer.json()["error"]["message"]
