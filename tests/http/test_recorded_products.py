"""Previews and cutouts of images of the service say what they were made of. `tessera verify` makes them again."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tessera.provenance.record import Record
from tessera.verify.products.read import read_product
from tessera.verify.verify import verify_product
from tessera_cloud.testing.memory_store import MemoryStore
from tests.http.test_detrended_previews import give_vectors
from tests.support.api import Answered, Api
from tests.support.builds import SETTINGS
from tests.support.image_service import CENTRE, HST, IMAGE_SETTINGS, ROMAN_L2, ROMAN_PLACE, SDSS, TRIPLE, TWO_MASS
from tests.support.previews import ask, star_store


@pytest.fixture(scope="module")
def stars() -> MemoryStore:
    return star_store()


@pytest.fixture
def previews(stars: MemoryStore) -> Api:
    return Api(MemoryStore(objects=copy.copy(stars.objects)))


def record_in(content: bytes) -> dict[str, Any]:
    product = read_product(content)
    assert product is not None
    assert product.record is not None
    return product.record.document


def sources_of(record: dict[str, Any], api: Api, folder: Path) -> list[Path]:
    """The files that a record names, on the disk."""
    return [source_of(one, api, folder) for one in record["source"].get("cutouts", [record])]


def source_of(record: dict[str, Any], api: Api, folder: Path) -> Path:
    bucket, _, key = record["source"]["location"].removeprefix("s3://").partition("/")
    data, about = api.store.read(bucket, key)
    assert record["source"]["etag"] == about.etag.strip('"')
    path = folder / str(key).rpartition("/")[2]
    path.write_bytes(data)
    return path


def assert_made_again(content: bytes, name: str, api: Api, folder: Path) -> dict[str, Any]:
    """Verify a product with its source on the disk; its record."""
    path = folder / name
    path.write_bytes(content)
    record = record_in(content)
    found = verify_product(path, sources_of(record, api, folder))
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    return record


@pytest.mark.parametrize("more", [{}, {"detrend": "pld", "points": 10}, {"background": "none", "size": "3,5"}])
def test_a_preview_is_made_again(previews: Api, tmp_path: Path, more: dict[str, Any]) -> None:
    record = assert_made_again(ask(previews, **more).content, "preview.json", previews, tmp_path)
    assert record["source"]["build"]
    assert record["kind"] == "preview"


def test_pictures_and_frames_are_made_again(previews: Api, tmp_path: Path) -> None:
    picture = ask(previews, "/v1/preview.png", image="difference", stretch="log").content
    assert assert_made_again(picture, "a.png", previews, tmp_path)["kind"] == "preview picture"
    frames = ask(previews, "/v1/preview.npy", first=3, count=4)
    record = assert_made_again(frames.content, "a.npy", previews, tmp_path)
    assert (record["kind"], record["request"]["first"], record["request"]["count"]) == ("preview frames", 3, 4)


def test_with_cotrending_vectors_a_preview_names_them(previews: Api, tmp_path: Path) -> None:
    give_vectors(previews)
    picture = ask(previews, "/v1/preview.png", image="difference", detrend="cbv").content
    for content in (ask(previews, detrend="cbv").content, picture):
        record = record_in(content)
        [place] = [key for _, key in previews.store.objects if key.endswith("-vectors.fits")]
        named = record["request"].get("preview", record["request"])["vectors"]
        assert named["location"] == f"s3://{SETTINGS.cube_bucket}/{place}"
        vectors = tmp_path / place.rpartition("/")[2]
        vectors.write_bytes(previews.store.objects[SETTINGS.cube_bucket, place])
        (path := tmp_path / "product").write_bytes(content)
        found = verify_product(path, [*sources_of(record, previews, tmp_path), vectors])
        assert (found.status, found.problems, found.notes) == ("same", [], [])
    usual = json.loads(ask(previews).content)["provenance"]
    assert "vectors" not in Record.read(usual["record"], usual["sha256"]).request


@pytest.fixture
def images(images: MemoryStore) -> Api:
    return Api(MemoryStore(objects=dict(images.objects)), IMAGE_SETTINGS)


def cut(api: Api, dataset: str, **query: Any) -> Answered:
    answer = api.get(f"/v1/images/{dataset}/cutout", **query)
    assert answer.status == 200, answer.content
    return answer


@pytest.mark.parametrize(
    ("dataset", "query"),
    [
        (HST, {**CENTRE, "size": "5,9"}),
        (ROMAN_L2, {**ROMAN_PLACE, "size": 9, "format": "fits"}),
        (ROMAN_L2, {**ROMAN_PLACE, "size": 9, "format": "asdf"}),
        (ROMAN_L2, {**ROMAN_PLACE, "size": "8,9", "format": "png", "stretch": "log", "invert": "true"}),
        (ROMAN_L2, {**ROMAN_PLACE, "size": "8,9", "format": "jpg"}),
        pytest.param(
            SDSS, {**TRIPLE, "size": 9, "bands": "i,r,g", "format": "png", "percent": "1,98"}, marks=pytest.mark.slow
        ),
    ],
    ids=["two extensions", "FITS of ASDF", "ASDF", "grey", "JPEG", "colour"],
)
def test_a_cutout_of_an_image_is_made_again(images: Api, tmp_path: Path, dataset: str, query: dict[str, Any]) -> None:
    assert_made_again(cut(images, dataset, **query).content, "file", images, tmp_path)


def test_each_file_of_an_archive_is_made_again(images: Api, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(cut(images, TWO_MASS, **CENTRE, size=11).content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name.endswith(".fits")}
    assert len(files) == 2
    for name, content in files.items():
        assert_made_again(content, name, images, tmp_path)


def test_files_of_mast_s_protocols_have_no_record(images: Api) -> None:
    answer = images.get("/hapcut/api/v0.1/astrocut", ra=CENTRE["ra"], dec=CENTRE["dec"], x=5, y=5)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert not [name for name in archive.namelist() if b"PROVENANCE" in archive.read(name)]


def test_a_changed_pixel_is_named(images: Api, tmp_path: Path) -> None:
    from astropy.io import fits  # noqa: PLC0415

    path = tmp_path / "file.fits"
    path.write_bytes(cut(images, HST, **CENTRE, size=9).content)
    with fits.open(path, memmap=False) as hdus:
        hdus[1].data = np.array(hdus[1].data)
        hdus[1].data[2, 5] += 1
        hdus.writeto(path, overwrite=True, checksum=True)
    record = record_in(path.read_bytes())
    found = verify_product(path, source_of(record, images, tmp_path))
    window = record["request"]["cuts"][0]["window"]
    place = {"row": window["first_row"] + 2, "column": window["first_column"] + 5}
    assert [{name: item.place[name] for name in place} for item in found.problems if item.what == "pixel"] == [place]
