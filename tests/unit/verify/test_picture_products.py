"""Pictures of image cutouts say what they were made of, if that is wanted, and are made again from it."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tessera import ASDFCutout, FITSCutout, InvalidInputError, sign_records, verify_product
from tessera.errors import ProvenanceError
from tessera.provenance.jpeg_files import add_jpeg_record, split_jpeg
from tessera.provenance.passing import passing_file
from tessera.provenance.png_files import read_png, write_png
from tessera.provenance.record import Record
from tessera.provenance.signing import PublicKey
from tests.support.images import coded, plain_image, sky_at
from tests.support.keys import key_files
from tests.unit.images.test_asdf_cutouts import at, tree, write

FORMS = (".png", ".jpg")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("images")
    data = coded((60, 80))
    return [plain_image(folder / f"{name}.fits", data**power) for name, power in (("r", 1), ("g", 1.5), ("b", 2))]


def picture(images: list[Path], folder: Path, form: str, **look: Any) -> Path:
    made = FITSCutout(images, sky_at(images[0], 30.3, 20.6), (25, 17), fill_value=0)
    options: dict[str, Any] = {"output_format": form, "output_dir": folder, "provenance": True} | look
    paths = made.write_as_img(**options)
    return Path(paths if isinstance(paths, str) else paths[0])


@pytest.mark.parametrize("form", FORMS)
def test_a_grey_picture_comes_out_the_same(images: list[Path], tmp_path: Path, form: str) -> None:
    look = {"stretch": "log", "invert": True, "flip_orientation": False, "minmax_percent": np.array([1, 98])}
    path = picture(images[:1], tmp_path, form, **look)
    found = verify_product(path, images[0])
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    assert found.record is not None
    assert found.record["kind"] == "image picture"
    missing = verify_product(path)
    note = f"its source {images[0].name} is not beside it; name it with --from"
    assert (missing.status, missing.notes) == ("unknown", [note])


@pytest.mark.parametrize("form", FORMS)
def test_a_colour_picture_comes_out_the_same(images: list[Path], tmp_path: Path, form: str) -> None:
    path = picture(images, tmp_path, form, colorize=True)
    found = verify_product(path, images)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    assert found.record is not None
    sources = [each["source"]["location"] for each in found.record["source"]["cutouts"]]
    assert sources == [each.name for each in images]


def test_a_picture_of_an_asdf_image_comes_out_the_same(tmp_path: Path) -> None:
    image = write(tmp_path / "image.asdf", tree(coded((80, 100))))
    made = ASDFCutout(image, at(20.3, 70.2), (9, 25), fill_value=math.nan)
    (path,) = made.write_as_img(output_dir=tmp_path, stretch="sqrt", provenance=True)
    found = verify_product(path)  # the image is beside it
    assert (found.status, found.problems, found.notes) == ("same", [], [])


@pytest.mark.parametrize("form", [*FORMS, ".tiff"])
def test_without_provenance_the_bytes_are_those_of_before(images: list[Path], tmp_path: Path, form: str) -> None:
    plain = picture(images[:1], tmp_path / "plain", form, provenance=False).read_bytes()
    assert b"provenance" not in plain
    if form == ".tiff":
        allowed = "'.jpg' or '.png' together with provenance=True"
        with pytest.raises(InvalidInputError, match=rf"^output_format is '.tiff'; allowed: {allowed}"):
            picture(images[:1], tmp_path, form)
        return
    recorded = picture(images[:1], tmp_path / "recorded", form).read_bytes()
    before, now = (np.asarray(Image.open(io.BytesIO(content))) for content in (plain, recorded))
    np.testing.assert_array_equal(before, now)
    if form == ".jpg":
        assert split_jpeg(recorded)[0] == plain
    record = passing_file(f"a{form}")
    record.feed(recorded)
    assert record.record is not None


def test_a_changed_png_is_named(images: list[Path], tmp_path: Path) -> None:
    path = picture(images[:1], tmp_path, ".png")
    levels, record = read_png(path.read_bytes())
    levels = levels.copy()
    levels[3, 5] ^= 1
    path.write_bytes(write_png(levels, record))
    found = verify_product(path, images[0])
    assert [item.what for item in found.problems] == ["record", "pixel"]
    assert found.record is not None
    window = found.record["source"]["cutouts"][0]["request"]["cuts"][0]["window"]
    place = {"row": window["first_row"] + 17 - 1 - 3, "column": window["first_column"] + 5}
    assert found.problems[1].place == place


def test_a_changed_jpeg_is_named(images: list[Path], tmp_path: Path) -> None:
    path = picture(images[:1], tmp_path, ".jpg")
    content = path.read_bytes()
    plain, record = split_jpeg(content)
    assert record is not None
    levels = np.array(Image.open(io.BytesIO(plain)))
    levels[3, 5] ^= 128
    again = io.BytesIO()
    Image.fromarray(levels).save(again, "JPEG")
    path.write_bytes(add_jpeg_record(again.getvalue(), record))
    found = verify_product(path, images[0])
    assert found.status == "different"
    assert {item.what for item in found.problems} == {"record", "pixel"}
    path.write_bytes(content.replace(b'\\"stretch\\":\\"asinh\\"', b'\\"stretch\\":\\"asinH\\"'))
    assert [item.what for item in verify_product(path, images[0]).problems] == ["record"]
    forged = Record(**{**vars(record), "data": {**record.data, "sha256": "0" * 64}, "signature": ""})
    path.write_bytes(add_jpeg_record(plain, forged))
    text = "the values that are drawn are not those of the record: their SHA-256 differs"
    assert [item.text for item in verify_product(path, images[0]).problems] == [text]
    path.write_bytes(plain)
    assert verify_product(path, images[0]).status == "unknown"


def test_another_image_is_named(images: list[Path], tmp_path: Path) -> None:
    found = verify_product(picture(images[:1], tmp_path, ".jpg"), images[2])
    assert found.status == "different"
    assert "pixel" in {item.what for item in found.problems}


@pytest.mark.parametrize("end", [2, 3, 20, 600, -400], ids=str)
def test_a_jpeg_that_ends_early_is_told(images: list[Path], tmp_path: Path, end: int) -> None:
    path = picture(images[:1], tmp_path, ".jpg")
    content = path.read_bytes()
    path.write_bytes(content[:end])
    found = verify_product(path, images[0])
    assert found.status == ("unknown" if end == 2 else "different")


def test_a_record_that_is_too_long_or_no_record_is_told(images: list[Path], tmp_path: Path) -> None:
    plain, record = split_jpeg(picture(images[:1], tmp_path, ".jpg").read_bytes())
    assert record is not None
    with pytest.raises(ProvenanceError, match=r"^the record has .* bytes, and a JPEG has room for 65,533$"):
        add_jpeg_record(plain, Record(**{**vars(record), "request": {"x": "y" * 70_000}}))
    for text in (b"provenance []", b"provenance 5", b"provenance {}", b"provenance {"):
        segment = b"\xff\xfe" + (len(text) + 2).to_bytes(2) + text
        (path := tmp_path / "a.jpg").write_bytes(plain[:2] + segment + plain[2:])
        assert [item.what for item in verify_product(path, images[0]).problems] == ["record"]


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_is_signed(images: list[Path], tmp_path: Path, form: str) -> None:
    private, public = key_files(tmp_path)
    with sign_records(private):
        path = picture(images[:1], tmp_path, form)
    found = verify_product(path, images[0], public)
    assert (found.status, found.notes, found.signed_by) == ("same", [], PublicKey(public).id)
