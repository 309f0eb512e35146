"""Cutouts of ASDF images say what they were made of, and are made again from it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import asdf
import numpy as np
import pytest

from tessera import sign_records
from tessera.errors import MissingFileError
from tessera.provenance.asdf_files import split_asdf
from tessera.provenance.signing import PublicKey
from tessera.roman.batch import make_asdf_cutouts
from tessera.roman.cut import AsdfOptions, cut_asdf
from tessera.roman.writer import AsdfWriter
from tessera.verify.verify import verify_product
from tests.support.images import coded
from tests.support.keys import key_files
from tests.unit.images.test_asdf_cutouts import at, tree, write


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = coded((80, 100))
    path = tmp_path_factory.mktemp("asdf") / "image.asdf"
    return write(path, tree(data, err=data + 0.5, dq=(data % 7).astype("u4")))


def made_of(image: Path, folder: Path, *, lite: bool = True) -> Path:
    (made,) = make_asdf_cutouts(image, at(20.3, 70.2), (9, 25), AsdfOptions(math.nan, lite, {}), folder)
    assert made.path is not None
    return made.path


@pytest.mark.parametrize("lite", [True, False], ids=["the image", "the whole tree"])
def test_a_file_comes_out_the_same(image: Path, tmp_path: Path, *, lite: bool) -> None:
    path = made_of(image, tmp_path, lite=lite)
    found = verify_product(path, image)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    assert found.record is not None
    assert found.record["source"]["location"] == image.name
    assert found.record["request"]["window"] == {"first_row": 58, "first_column": 16, "n_rows": 25, "n_columns": 9}


def test_the_file_without_its_node_is_the_one_without_a_record(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")  # the time that asdf writes into both
    path = made_of(image, tmp_path, lite=False)
    (part,) = cut_asdf(image, image, [at(20.3, 70.2)], (9, 25), AsdfOptions(math.nan, False, {}))
    plain = AsdfWriter().write(part)
    content = path.read_bytes()
    places = [int(place) for place in re.findall(rb"\n- (\d+)", content[content.rindex(b"#ASDF BLOCK INDEX") :])]
    assert [content[place : place + 4] for place in places] == [b"\xd3BLK"] * 3
    without, record = split_asdf(content)
    assert without == plain
    assert record is not None
    assert split_asdf(plain) == (plain, None)
    with asdf.open(path, validate_checksums=True, lazy_load=False, memmap=False) as file:
        assert file["provenance"] == record.named
        np.testing.assert_array_equal(file["roman"]["dq"], part.tree()["roman"]["dq"])
    assert verify_product(written(plain, tmp_path / "plain.asdf")).status == "unknown"


def written(content: bytes, path: Path) -> Path:
    path.write_bytes(content)
    return path


def test_a_changed_pixel_and_a_changed_node_are_named(image: Path, tmp_path: Path) -> None:
    path = made_of(image, tmp_path)
    content = path.read_bytes()
    value = np.float32(60 * 10_000 + 18 + 1).tobytes()
    assert content.count(value) == 1
    pixel = verify_product(written(content.replace(value, b"\0\0\0\0"), path), image)
    assert [(item.what, item.place) for item in pixel.problems if item.what == "pixel"] == [
        ("pixel", {"node": "roman.data", "row": 60, "column": 18})
    ]
    assert {item.what for item in pixel.problems} == {"checksum", "record", "pixel"}
    node = verify_product(written(content.replace(b"orig_file: ", b"orig_file: x"), path), image)
    assert [item.place for item in node.problems if item.what == "value"] == [{"node": "roman.meta.orig_file"}]
    record = verify_product(written(content.replace(b'"lite":true', b'"lite":null'), path), image)
    assert [item.what for item in record.problems] == ["record"]


def test_a_file_that_asdf_wrote_again_is_compared_node_by_node(image: Path, tmp_path: Path) -> None:
    path = made_of(image, tmp_path)
    with asdf.open(path, lazy_load=False, memmap=False) as file:
        file["roman"]["data"] = np.array(file["roman"]["data"])
        file["roman"]["data"][3, 4] = -1
        file.write_to(tmp_path / "again.asdf")
    found = verify_product(tmp_path / "again.asdf", image)
    assert [(item.what, item.place) for item in found.problems] == [
        ("record", {}),
        ("pixel", {"node": "roman.data", "row": 61, "column": 20}),
    ]


def test_another_image_and_a_missing_one_are_named(image: Path, tmp_path: Path) -> None:
    path = made_of(image, tmp_path)
    assert verify_product(path).status == "unknown"
    with pytest.raises(MissingFileError, match="no such file"):
        verify_product(path, tmp_path / "none.asdf")
    data = coded((80, 100)) + 1
    other = verify_product(path, write(tmp_path / "image.asdf", tree(data, more=np.zeros(9))))
    assert "was replaced: its size was " in other.problems[0].text
    assert other.problems[1].place == {"node": "roman.data", "row": 58, "column": 16}


def test_a_file_that_is_no_sound_one_is_told(image: Path, tmp_path: Path) -> None:
    content = made_of(image, tmp_path).read_bytes()
    laughs = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)).encode()
    bomb = content.replace(b"\nroman:", b"\na0: &a0 [x]\n" + laughs + b"roman:", 1)
    for damaged in (bomb, content[:300], content.replace(b"\nroman:", b"\nroman: [", 1), content[:-400]):
        found = verify_product(written(damaged, tmp_path / "file.asdf"), image)
        assert [item.what for item in found.problems] == ["record"], found


def test_a_file_is_signed(image: Path, tmp_path: Path) -> None:
    private, public = key_files(tmp_path)
    with sign_records(private):
        path = made_of(image, tmp_path)
    found = verify_product(path, image, public)
    assert (found.status, found.notes, found.signed_by) == ("same", [], PublicKey(public).id)
    with asdf.open(path) as file:
        assert file["provenance"]["signature"].startswith("ed25519:")
