"""The client asks for previews, for images of other missions, and for what moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest

import tessera
from tessera import Client, InvalidInputError, MovingTarget
from tessera_cloud.application.previews.frames import OTHER_BYTES
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, N_CADENCES, RA, Api
from tests.support.image_service import (
    BUCKET,
    CENTRE,
    HST,
    IMAGE_SETTINGS,
    SDSS,
    SDSS_FILES,
    TRIPLE,
    TWO_MASS,
)
from tests.support.service import service_of

CUBE = "tess-s0001-4-2"


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with service_of(api) as server, Client(server.url, patience=0) as client:
        yield client


@pytest.fixture(scope="module", name="pictures")
def _pictures(images: MemoryStore) -> Iterator[Client]:
    """A client of a service that has images."""
    with (
        service_of(Api(MemoryStore(objects=dict(images.objects)), IMAGE_SETTINGS)) as server,
        Client(server.url, patience=0) as client,
    ):
        yield client


def test_a_preview_has_arrays(client: Client) -> None:
    preview = client.preview(CUBE, (RA, DEC), (5, 7))
    assert preview.median.shape == preview.difference.shape == preview.aperture.shape == (5, 7)
    assert preview.time.shape == preview.flux.shape == preview.quality.shape == (N_CADENCES[1],)
    assert (preview.first_row, preview.first_column, preview.time_system) == (18, 11, "BTJD")
    (cutout,) = client.cutouts((RA, DEC), (5, 7), sectors=1)
    assert np.array_equal(preview.median, np.nanmedian(cutout.pixels.flux, axis=0))


def test_an_aperture_is_an_array(client: Client) -> None:
    aperture = np.zeros((5, 7), bool)
    aperture[1, 2] = aperture[4, 6] = True
    preview = client.preview(CUBE, (RA, DEC), (5, 7), aperture=aperture, background=False)
    assert np.array_equal(preview.aperture, aperture)
    assert not preview.background_subtracted
    rows = client.preview(CUBE, (RA, DEC), (5, 7), aperture=aperture, background="rows")
    assert rows.background_subtracted
    with pytest.raises(tessera.InvalidInputError, match="background is 'columns'; allowed: True or False"):
        client.preview(CUBE, (RA, DEC), (5, 7), background="columns")  # type: ignore[arg-type]
    (cutout,) = client.cutouts((RA, DEC), (5, 7), sectors=1)
    assert np.allclose(preview.flux, cutout.pixels.flux[:, aperture].sum(axis=1))
    assert np.array_equal(client.preview(CUBE, (RA, DEC), (5, 7), aperture="004000002").aperture, aperture)


def test_frames_come_in_several_answers(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    (cutout,) = client.cutouts((RA, DEC), (5, 7), sectors=1)
    monkeypatch.setattr("tessera_cloud.application.previews.frames.INLINE_LIMIT", OTHER_BYTES + 2 * (16 + 4 * 35))
    frames = client.preview_frames(CUBE, (RA, DEC), (5, 7))
    assert frames.flux.shape == (N_CADENCES[1], 5, 7)
    assert frames.flux.dtype == np.float32
    assert np.array_equal(frames.flux, cutout.pixels.flux)
    assert np.array_equal(frames.time, cutout.pixels.time)
    assert np.array_equal(frames.quality, cutout.pixels.quality)
    with pytest.raises(InvalidInputError, match="size is"):
        client.preview_frames(CUBE, (RA, DEC), 101)


def test_a_preview_is_a_table_or_a_picture(client: Client) -> None:
    lines = client.preview_csv(CUBE, (RA, DEC), 5).splitlines()
    assert (lines[0], len(lines)) == ("time_btjd,flux,flux_err,quality", 1 + N_CADENCES[1])
    picture = client.preview_png(CUBE, (RA, DEC), 5, image="difference", stretch="linear", scale=4)
    assert picture.startswith(b"\x89PNG")
    with pytest.raises(tessera.NothingFoundError):
        client.preview("tess-s0099-1-1", (RA, DEC))


def test_datasets_are_listed_and_searched(pictures: Client) -> None:
    names = {dataset.name: dataset.bands for dataset in pictures.datasets()}
    assert names[SDSS] == ("g", "r", "i")
    found = pictures.image_search((TRIPLE["ra"], TRIPLE["dec"]), dataset=SDSS, limit=2)
    assert (len(found.images), found.complete) == (2, False)
    assert all(image.s_regions[0].startswith("POLYGON") for image in found.images)


def test_images_are_cut(pictures: Client, tmp_path: Path) -> None:
    place = (TRIPLE["ra"], TRIPLE["dec"])
    single = pictures.image_cutouts(SDSS, place, 20, bands="g")
    assert [(image.status, image.hdus[1].data.shape) for image in single] == [("ok", (20, 20))]
    several = pictures.image_cutouts(SDSS, place, (10, 20), output_dir=tmp_path, bands=["g", "r"])
    assert [image.hdus[1].data.shape for image in several] == [(10, 20)] * 2
    assert {image.path for image in several} == set(tmp_path.iterdir())
    (picture,) = pictures.image_cutouts(SDSS, place, 30 * u.arcsec, format="png", bands="i,r,g", output_dir=tmp_path)
    assert picture.path is not None
    assert picture.path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(tessera.RefusedRequestError, match="bands is"):
        pictures.image_cutouts(TWO_MASS, (CENTRE["ra"], CENTRE["dec"]), bands="z")
    with pytest.raises(tessera.NothingFoundError):
        pictures.image_cutouts(HST, (1, 2))


def test_large_images_come_by_a_redirection(pictures: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 1000)
    place = (TRIPLE["ra"], TRIPLE["dec"])
    (image,) = pictures.image_cutouts(SDSS, place, 25, bands="g", output_dir=tmp_path)
    assert image.hdus[1].data.shape == (25, 25)
    image.path.write_text("notes")  # type: ignore[union-attr]
    with pytest.raises(tessera.errors.KeptFileError):
        pictures.image_cutouts(SDSS, place, 25, bands="g", output_dir=tmp_path)


def test_a_file_that_cannot_be_cut_is_a_result(images: MemoryStore, tmp_path: Path) -> None:
    api = Api(MemoryStore(objects=dict(images.objects)), IMAGE_SETTINGS)
    del api.store.objects[BUCKET, f"sdss/{SDSS_FILES[0]}"]
    with service_of(api) as server, Client(server.url, patience=0) as client:
        results = client.image_cutouts(SDSS, (TRIPLE["ra"], TRIPLE["dec"]), 20, output_dir=tmp_path)
    failed = [result for result in results if result.status == "error"]
    assert [result.name for result in failed] == [SDSS_FILES[0]]
    assert failed[0].reason
    assert len(list(tmp_path.iterdir())) == len(results) - 1 == 2


def test_a_moving_target_that_nobody_knows_is_refused(client: Client) -> None:
    with pytest.raises(tessera.RefusedRequestError) as caught:
        client.cutouts(MovingTarget("no such body", "smallbody"), 5)
    assert caught.value.parameter == "target.name"
