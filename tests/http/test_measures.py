"""Reference frames, lists of changes, and cutouts of differences over the API."""

from __future__ import annotations

import copy
import csv
import io
import json
import zipfile

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, RA, Api
from tests.support.archives import file_names
from tests.support.builds import SETTINGS

CUBE = "tess-s0001-4-2"
PLACE = {"ra": RA, "dec": DEC, "size": "3,5"}


def measure(api: Api, name: str) -> None:
    """Measure a cube as the state machine does after its build."""
    cube = next(cube for cube in read_index(api.store, SETTINGS.cube_bucket)[0].cubes if cube.obs_id == name)
    plan = {"bucket": cube.bucket, "prefix": keys.plan_of(cube.key).removesuffix(keys.PLAN)}
    state = {"plan": plan, "cube": cube.model_dump(mode="json")}
    blocks = len(json.loads(api.store.objects[cube.bucket, keys.plan_of(cube.key)])["blocks"])
    for block in range(blocks):
        api.handlers.invoke("measure_block", state | {"block": block})
    api.handlers.invoke("write_measures", state)


@pytest.fixture(scope="module")
def measured_store(filled: MemoryStore) -> MemoryStore:
    api = Api(MemoryStore(objects=copy.copy(filled.objects)))
    measure(api, CUBE)
    return api.store


@pytest.fixture
def measured(measured_store: MemoryStore) -> Api:
    return Api(MemoryStore(objects=copy.copy(measured_store.objects)))


def test_a_reference_frame_is_a_file(measured: Api) -> None:
    answer = measured.get(f"/v1/cubes/{CUBE}/reference.fits")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/fits")
    assert answer.headers["content-disposition"] == f'attachment; filename="{CUBE}-reference.fits"'
    with fits.open(io.BytesIO(answer.content), checksum=True) as hdus:
        assert (hdus[0].header["CUBE"], hdus["REFERENCE"].data.shape) == (f"{CUBE}-cube.fits", (40, 30))


def test_a_large_reference_frame_is_elsewhere(measured: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.http.catalogue.measure_routes.INLINE_LIMIT", 10)
    answer = measured.get(f"/v1/cubes/{CUBE}/reference.fits")
    assert answer.status == 303
    assert f"{CUBE}-reference.fits" in answer.location
    copied = next(data for (bucket, _), data in measured.store.objects.items() if bucket == SETTINGS.result_bucket)
    assert fits.open(io.BytesIO(copied))[0].header["CUBE"] == f"{CUBE}-cube.fits"


def test_changes_have_three_forms(measured: Api) -> None:
    row = "88.95,-75.39,10.1,12.2,1325.5,1326.5,1325.75,150.2,4.1,36.6,973.5,2\n"
    key = next(key for _, key in measured.store.objects if key.endswith(f"{CUBE}-changes.ecsv"))
    measured.store.objects[SETTINGS.cube_bucket, key] += row.encode()
    answer = measured.get(f"/v1/cubes/{CUBE}/changes.json")
    given = answer.json()
    assert (answer.status, given["cube"], given["n_sigma"], given["left_out"]) == (200, CUBE, 7.0, 0)
    assert [(change["row"], change["difference"], change["n_bins"]) for change in given["changes"]] == [
        (10.1, 150.2, 2)
    ]
    text = measured.get(f"/v1/cubes/{CUBE}/changes.csv").content.decode()
    assert next(csv.DictReader(io.StringIO(text)))["sigma"] == "36.6"
    table = Table.read(measured.get(f"/v1/cubes/{CUBE}/changes.ecsv").content.decode(), format="ascii.ecsv")
    assert (table["difference"][0], str(table["difference"].unit)) == (150.2, "electron / s")


@pytest.mark.parametrize(
    ("path", "parameter", "words"),
    [
        (f"{CUBE}/reference.txt", "measure", "allowed: reference.fits, vectors.fits, changes.csv"),
        ("tess-s0002-4-2/reference.fits", None, "tess-s0002-4-2 has no reference.fits; a cube is measured after its"),
        (f"{CUBE}/vectors.fits", None, "tess-s0001-4-2 has no vectors.fits; a cube is measured after its build"),
        ("tess-s0009-1-1/changes.csv", "cube", "a cube of /v1/cubes"),
    ],
)
def test_what_is_not_there_is_said(measured: Api, path: str, parameter: str | None, words: str) -> None:
    answer = measured.get(f"/v1/cubes/{path}")
    found = answer.json()["error"]
    assert (answer.status, found.get("parameter")) == (404, parameter)
    assert words in found["message"]


def test_a_difference_is_flux_minus_reference(measured: Api) -> None:
    plain, cut = (
        measured.get("/v1/cutouts.fits", cube=CUBE, **PLACE, **more).content for more in ({}, {"difference": "true"})
    )
    reference = fits.open(io.BytesIO(measured.get(f"/v1/cubes/{CUBE}/reference.fits").content))
    with fits.open(io.BytesIO(plain)) as usual, fits.open(io.BytesIO(cut), checksum=True) as hdus:
        header = usual[1].header
        row, column = header["2CRV5P"] - 1, header["1CRV5P"] - 1
        window = np.s_[row : row + 3, column : column + 5]
        np.testing.assert_array_equal(hdus[1].data["FLUX"], usual[1].data["FLUX"] - reference[1].data[window])
        error = np.hypot(usual[1].data["FLUX_ERR"], reference[2].data[window])
        np.testing.assert_array_equal(hdus[1].data["FLUX_ERR"], error)
        assert hdus[0].header["DIFFIMG"] is True
        assert "DIFFIMG" not in usual[0].header


def test_an_archive_has_differences_too(measured: Api) -> None:
    answer = measured.get("/v1/cutouts", **PLACE, sectors=1, difference="true")
    assert file_names(zipfile.ZipFile(io.BytesIO(answer.content))) == [f"{CUBE}_{RA:.6f}_{DEC:.6f}_5x3_difference.fits"]
    body = {"position": {"ra": RA, "dec": DEC}, "size": [3, 5], "sectors": [1], "difference": True}
    assert measured.post("/v1/cutouts", body).content == answer.content


def test_a_job_makes_differences(measured: Api) -> None:
    wanted = {"ra": RA, "dec": DEC, "size": "15,15", "sectors": 1}
    answer = measured.get("/v1/cutouts", **wanted, difference="true")
    assert answer.status == 202
    measured.run_jobs()
    names = [key for bucket, key in measured.store.objects if bucket == SETTINGS.result_bucket and "_15x15_" in key]
    assert [name.rsplit("_", 1)[1] for name in names] == ["difference.fits"]


@pytest.mark.parametrize("path", ["/v1/cutouts", "/v1/cutouts.fits?cube=tess-s0002-4-2"])
def test_cubes_without_a_reference_frame_are_named(measured: Api, path: str) -> None:
    path, _, cube = path.partition("?cube=")
    answer = measured.get(path, **PLACE, difference="true", **({"cube": cube} if cube else {}))
    assert answer.status == 404
    found = answer.json()["error"]
    assert found["parameter"] == "difference"
    assert "there is no reference frame of tess-s0002-4-2; difference is for cubes that were built" in found["message"]


def test_moving_targets_have_no_differences(measured: Api) -> None:
    body = {"target": {"name": "Eleonora"}, "difference": True}
    answer = measured.post("/v1/cutouts", body)
    assert (answer.status, answer.json()["error"]["parameter"]) == (400, "difference")


def test_differences_do_not_tell_flags(measured: Api) -> None:
    answer = measured.get("/v1/cutouts.fits", cube=CUBE, **PLACE, difference="true", flags="true")
    assert (answer.status, answer.json()["error"]["parameter"]) == (400, "flags")


def test_the_paths_of_tesscut_have_no_differences(measured: Api) -> None:
    measured.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, x=3, y=3, difference="true")
    answer = measured.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, x=3, y=3)
    assert all("difference" not in name for name in answer.members)


def test_a_cube_that_grows_or_was_superseded_is_not_measured(measured: Api) -> None:
    plan = {"bucket": SETTINGS.cube_bucket, "prefix": "builds/s0001-4-2/3f9d2c41a7be/"}
    for folder, name in (("3f9d2c41a7be-12345678", "cube.json"), ("0123456789ab", "cube.fits")):
        place = {
            "bucket": SETTINGS.cube_bucket,
            "key": f"cubes/s0001-4-2/{folder}/{CUBE}-{name}",
            "size": 1,
            "etag": "e",
        }
        state = {"plan": plan, "cube": place}
        assert measured.handlers.invoke("measure_block", state | {"block": 0}) == {"block": 0, "measured": False}
        assert measured.handlers.invoke("write_measures", state) == {"keys": []}
