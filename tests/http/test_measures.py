"""Reference frames, lists of changes, and cutouts of differences over the API."""

from __future__ import annotations

import argparse
import copy
import csv
import io
import json
import zipfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from tessera.provenance.ecsv_files import digest_ecsv, split_ecsv
from tessera.provenance.fits_files import read_provenance
from tessera_cloud import keys
from tessera_cloud.admin.measure import register
from tessera_cloud.admin.measure import run as run_measure
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.errors import UsageError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.http.test_bulk import send
from tests.support import sources
from tests.support.api import DEC, RA, Api
from tests.support.archives import file_names
from tests.support.builds import REQUEST, SETTINGS, put_frames, run_build
from tests.support.frames import tiny_sector
from tests.support.web import Site, serve

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


def test_the_files_say_which_cube_was_measured(measured: Api) -> None:
    cube = next(cube for cube in read_index(measured.store, SETTINGS.cube_bucket)[0].cubes if cube.obs_id == CUBE)
    found = read_provenance(measured.get(f"/v1/cubes/{CUBE}/reference.fits").content)
    record, plain = split_ecsv(measured.get(f"/v1/cubes/{CUBE}/changes.ecsv").content)
    assert found is not None
    assert record is not None
    assert (found.record.kind, record.kind) == ("reference frame", "list of changes")
    assert record.data == digest_ecsv(plain)
    assert record.source == found.record.source
    assert found.record.source == {
        "location": f"s3://{cube.bucket}/{cube.key}",
        "size": cube.size,
        "etag": cube.etag,
        "digest": found.record.source["digest"],
        "build": cube.build_id,
    }
    assert found.record.request == {"n_sigma": 7.0, "bin_days": 0.5}


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
        ("tess-s0002-4-2/reference.fits", None, "tess-s0002-4-2 has no reference.fits: a cube is measured after its"),
        (
            f"{CUBE}/vectors.fits",
            None,
            "tess-s0001-4-2 has no vectors.fits: it was measured, and the light",
        ),
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
    assert "difference is for cubes with a reference frame, and some have none" in found["message"]
    assert "; tess-s0002-4-2: a cube is measured after its build" in found["message"]


def reasons(api: Api, cube: str, ra: float, dec: float) -> list[str]:
    """What is said of a cube where its measures are missing."""
    place = {"ra": ra, "dec": dec, "size": "5"}
    answers = [
        api.get(f"/v1/cubes/{cube}/reference.fits"),
        api.get("/v1/cutouts", **place, difference="true"),
        api.get("/v1/preview", cube=cube, **place, detrend="cbv"),
        api.get("/v1/lightcurve", **place, detrend="cbv"),
        send(api, f"ra,dec\n{ra},{dec}\n".encode(), "/v1/bulk?outputs=lightcurves&detrend=cbv"),
    ]
    assert [answer.status for answer in answers] == [404, 404, 400, 404, 400]
    return [answer.json()["error"]["message"] for answer in answers]


def test_a_growing_cube_says_when_it_is_measured() -> None:
    store = MemoryStore()
    frames = sorted(tiny_sector(6, (40, 30)))
    for day in (frames[:3], frames[3:]):
        put_frames(store, day)
        run_build(store, REQUEST.model_copy(update={"grow": True}))
    for message in reasons(Api(store), CUBE, RA, DEC):
        assert "it still grows; it is measured when all its frames are there, or when an operator builds" in message


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A service with the cube of a public source, which S3 has, too."""
    store = MemoryStore()
    data = sources.small_cube(sector=1)
    sources.put_cube(store, CUBE, data)
    sources.run_index(store)
    with serve(Site({f"/{sources.BUCKET}/{sources.key(CUBE)}": data})) as site:
        for name, value in {"ENDPOINT_URL": site.base, "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "y"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield Api(store)


def test_an_operator_measures_a_public_cube(public: Api, capsys: pytest.CaptureFixture[str]) -> None:
    place = {"ra": RA, "dec": DEC, "size": "5"}
    for message in reasons(public, CUBE, RA, DEC):
        assert "it was not built here; an operator may measure it with tessera-admin measure" in message
    services = public.handlers.services
    operator: Any = SimpleNamespace(stack=lambda name: name, services=lambda _stack: services)
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    asked = parser.parse_args(["measure", "--stack", "tessera", CUBE])
    assert asked.run(asked, operator) == 0
    assert f"{CUBE} is measured: the service has {CUBE}-changes.ecsv" in capsys.readouterr().out
    usual, cut = (
        public.get("/v1/cutouts.fits", cube=CUBE, **place, **more).content for more in ({}, {"difference": "true"})
    )
    reference = fits.open(io.BytesIO(public.get(f"/v1/cubes/{CUBE}/reference.fits").content))
    with fits.open(io.BytesIO(usual)) as plain, fits.open(io.BytesIO(cut)) as hdus:
        row, column = plain[1].header["2CRV5P"] - 1, plain[1].header["1CRV5P"] - 1
        window = np.s_[row : row + 5, column : column + 5]
        np.testing.assert_array_equal(hdus[1].data["FLUX"], plain[1].data["FLUX"] - reference[1].data[window])
    sources.put_cube(public.store, CUBE, sources.small_cube(n_frames=6))  # MAST replaces it
    sources.run_index(public.store, "run-2")
    assert Api(public.store).get(f"/v1/cubes/{CUBE}/reference.fits").status == 404


def test_our_own_cubes_are_measured_by_their_builds(measured: Api) -> None:
    operator: Any = SimpleNamespace(stack=lambda name: name, services=lambda _stack: measured.handlers.services)
    with pytest.raises(UsageError, match="cube is 'tess-s0001-4-2'; allowed: a cube of a public source"):
        run_measure(argparse.Namespace(stack="tessera", cube=CUBE), operator)


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
