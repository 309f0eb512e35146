"""`ASDFCutout`: what is read, what is kept, what is told."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import asdf
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import ICRS, SkyCoord
from astropy.io import fits
from astropy.modeling import models
from gwcs import WCS, coordinate_frames
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera import ASDFCutout, DataWarning, InvalidInputError, InvalidQueryError, asdf_cut
from tessera.errors import ImageFormatError
from tessera.io import file_objects as module
from tessera.provenance.crate import CRATE
from tests.support.images import RemoteSource, coded

pytestmark = pytest.mark.filterwarnings("ignore::tessera.errors.DataWarning")  # those not looked for


def general_wcs(frame: str = "detector") -> WCS:
    """0.1 arcseconds per pixel, 30 45 in the centre of pixel (50, 40)."""
    detector = coordinate_frames.Frame2D(name=frame, axes_names=("x", "y"), unit=(u.pix, u.pix))
    sky = coordinate_frames.CelestialFrame(reference_frame=ICRS(), name="world", unit=(u.deg, u.deg))
    shift = models.Shift(-50) & models.Shift(-40)
    scale = models.Scale(0.1 / 3600) & models.Scale(0.1 / 3600)
    transform = shift | scale | models.Pix2Sky_TAN() | models.RotateNative2Celestial(30, 45, 180)
    wcs = WCS([(detector, transform), (sky, None)])
    wcs.bounding_box = ((-0.5, 99.5), (-0.5, 79.5))
    return wcs


def tree(data: Any, **others: Any) -> dict[str, Any]:
    return {"roman": {"meta": {"wcs": general_wcs(), "name": "of a test"}, "data": data, **others}}


def write(path: Path, content: dict[str, Any], **options: Any) -> Path:
    file = asdf.AsdfFile(content)
    file.add_history_entry("made up")
    file.write_to(path, **options)
    return path


def at(column: float, row: float) -> SkyCoord:
    return SkyCoord(*general_wcs()(column, row, with_bounding_box=False), unit="deg")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "image.asdf", tree(coded((80, 100))))


@pytest.mark.slow
def test_only_the_tree_and_the_rows_of_a_remote_file_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = coded((1000, 2000))
    content = tree(data, err=data + 1, context=np.stack([data, data]).astype("u4"), far=np.zeros((300, 7)))
    source = RemoteSource("image.asdf", write(tmp_path / "image.asdf", content).read_bytes())
    monkeypatch.setattr(module, "open_source", lambda _: source)
    for lite, n_planes in ((True, 1), (False, 4)):
        source.requests.clear()
        made = ASDFCutout("s3://bucket/image.asdf", [at(59.7, 69.7), at(89.7, 299.7)], 20, lite=lite)
        for part, (column, row) in zip(made.parts, ((50, 60), (80, 290)), strict=True):
            roman = part.tree()["roman"]
            truth = data[row : row + 20, column : column + 20]
            np.testing.assert_array_equal(roman["data"], truth)
            if not lite:
                np.testing.assert_array_equal(roman["err"], truth + 1)
                np.testing.assert_array_equal(roman["context"][1], truth.astype("u4"))
                assert roman["far"].shape == (300, 7)
        merged = 2 * n_planes * 20 * (80 + module.MERGE_GAP)
        assert source.n_bytes < 8 * 34_560 + merged + 300 * 7 * 8


def test_compressed_and_open_files(tmp_path: Path) -> None:
    data = coded((80, 100))
    paths = [
        write(tmp_path / f"{kind}.asdf", tree(data), all_array_compression=kind) for kind in ("zlib", "bzp2", "lz4")
    ]
    inputs: list[Any] = [*paths, io.BytesIO(paths[0].read_bytes())]
    made = ASDFCutout(inputs, at(50, 40), 9)
    assert len(made.parts) == 4
    for part in made.parts:
        assert part.cutout is not None
        np.testing.assert_array_equal(part.cutout.data, data[36:45, 46:55])


@settings(max_examples=25)
@given(
    st.floats(-9, 108),
    st.floats(-9, 88),
    st.integers(1, 25),
    st.integers(1, 25),
    st.sampled_from(["f2", "f4", "u2", "i4"]),
)
@pytest.mark.slow
def test_any_place_size_and_type(column: float, row: float, n_columns: int, n_rows: int, dtype: str) -> None:
    data = (coded((80, 100)) % 2000 + 1).astype(dtype)
    file = io.BytesIO()
    asdf.AsdfFile(tree(data)).write_to(file)
    fill = 0 if data.dtype.kind in "iu" else np.nan
    padded = np.full((180, 200), fill, data.dtype)
    padded[50:130, 50:150] = data
    position = np.array(
        general_wcs().invert(*general_wcs()(column, row, with_bounding_box=False), with_bounding_box=False)
    )
    first = np.ceil(position - np.array([n_columns, n_rows]) / 2).astype(int)
    try:
        made = ASDFCutout(file, at(column, row), (n_columns, n_rows))
    except InvalidQueryError:
        stop = first + np.array([n_columns, n_rows])
        assert (stop <= 0).any() or (first >= [100, 80]).any()
        return
    (cutout,) = made.cutouts["cutout"]
    truth = padded[50 + first[1] : 50 + first[1] + n_rows, 50 + first[0] : 50 + first[0] + n_columns]
    np.testing.assert_array_equal(cutout.data, truth)
    there = general_wcs()(first[0] + 2.0, first[1] + 1.0, with_bounding_box=False)
    np.testing.assert_array_equal(cutout.gwcs(2.0, 1.0, with_bounding_box=False), there)


def test_a_full_cutout_keeps_what_it_does_not_cut(tmp_path: Path) -> None:
    data = coded((80, 100))
    others = {"nested": {"list": [data * 2, "text"]}, "short": np.arange(7), "none": None}
    content = {**tree(data * u.electron / u.s, **others), "beside": {"a": 1}}
    made = ASDFCutout(write(tmp_path / "image.asdf", content), at(50, 40), 5, lite=False)
    (written,) = made.write_as_asdf(tmp_path / "out")
    with asdf.open(written) as file:
        np.testing.assert_array_equal(file["roman"]["nested"]["list"][0], data[38:43, 48:53] * 2)
        np.testing.assert_array_equal(file["roman"]["short"], np.arange(7))
        assert (file["roman"]["none"], file["beside"]["a"], file["roman"]["meta"]["name"]) == (None, 1, "of a test")
        texts = [entry["description"] for entry in file["history"]["entries"]]
    assert texts[0] == "made up"
    assert texts[1].endswith("values are in electron / s")


def test_the_source_is_not_changed(path: Path) -> None:
    before = path.read_bytes()
    made = ASDFCutout(path, at(2, 2), 9, lite=False)
    made.cutouts["cutout"][0].data[:] = 0
    assert path.read_bytes() == before


def test_the_first_frame_may_have_any_name(tmp_path: Path) -> None:
    content = tree(coded((80, 100)))
    content["roman"]["meta"]["wcs"] = general_wcs("pixels")
    made = ASDFCutout(write(tmp_path / "image.asdf", content), at(50, 40), 5)
    np.testing.assert_allclose(made.cutouts["cutout"][0].gwcs(2, 2), (30, 45))


@pytest.mark.parametrize("frame", ["galactic", "fk5"])
def test_targets_may_be_in_any_frame(path: Path, frame: str) -> None:
    made = ASDFCutout(path, at(50, 40).transform_to(frame), 3)
    assert made.cutouts["cutout"][0].data[1, 1] == coded((80, 100))[40, 50]


def test_bad_files_are_told_and_the_others_are_cut(path: Path, tmp_path: Path) -> None:
    bad = [write(tmp_path / "a.asdf", {"jwst": {}}), write(tmp_path / "b.asdf", {"roman": {"meta": {}}})]
    cube = tree(np.zeros((3, 80, 100)))
    bad += [write(tmp_path / "c.asdf", cube), tmp_path / "absent.asdf", tmp_path / "text.asdf"]
    bad[-1].write_text("no asdf", encoding="utf-8")
    with pytest.warns(DataWarning) as told:
        made = ASDFCutout([*bad, path], [at(50, 40), at(500, 40)], 5)
    assert list(made.cutouts_by_file) == [str(path)]
    texts = [str(warning.message) for warning in told]
    assert len(texts) == 6
    for name in ("a.asdf", "b.asdf", "c.asdf", "absent.asdf", "text.asdf", "image.asdf"):
        assert any(name in text for text in texts)
    assert {part.status for part in made.parts[:-2]} == {"error"}


@pytest.mark.parametrize("fill", [300, -1, np.inf])
def test_a_fill_that_the_type_cannot_hold_is_told(tmp_path: Path, fill: float) -> None:
    data = (coded((80, 100)) % 200 + 1).astype("u1")
    path = write(tmp_path / "image.asdf", tree(data))
    if np.isinf(fill):
        assert ASDFCutout(path, at(0, 0), 5, fill_value=fill).cutouts["cutout"][0].data[0, 0] == 0
        return
    with pytest.raises(InvalidInputError, match=r"fill_value is .* 0 to 255"):
        ASDFCutout(path, at(0, 0), 5, fill_value=fill)


def test_a_fill_that_only_other_arrays_cannot_hold_is_0_there(tmp_path: Path) -> None:
    arrays = {"dq": coded((80, 100), "u4"), "err": coded((80, 100))}
    path = write(tmp_path / "image.asdf", tree(coded((80, 100)), **arrays))
    made = ASDFCutout(path, at(0, 0), 5, lite=False, fill_value=-99).asdf_cutouts["cutout"][0]["roman"]
    assert [float(made[name][0, 0]) for name in ("data", "err", "dq")] == [-99, -99, 0]
    assert made["dq"][2, 2] == 1


@pytest.mark.parametrize(("dtype", "in_fits"), [("?", "u1"), ("f2", ">f4"), ("i1", "i1")])
def test_fits_files_hold_the_values_of_all_real_types(tmp_path: Path, dtype: str, in_fits: str) -> None:
    data = (coded((80, 100)) % 7).astype(dtype)
    made = ASDFCutout(write(tmp_path / "image.asdf", tree(data)), [at(50, 40), at(20, 30)], 9)
    for path, (row, column) in zip(made.write_as_fits(tmp_path / "out"), ((36, 46), (26, 16)), strict=True):
        with fits.open(path, checksum=True) as hdus:
            assert hdus["CUTOUT"].data.dtype == np.dtype(in_fits)
            np.testing.assert_array_equal(hdus["CUTOUT"].data, data[row : row + 9, column : column + 9])
            history = str(hdus["CUTOUT"].header.get("HISTORY", ""))
        assert ("converted from" in history) == (dtype in {"?", "f2"})
    for hdus in made.fits_cutouts["cutout"]:
        assert hdus["CUTOUT"].data.dtype == np.dtype(in_fits).newbyteorder("=")


def test_types_that_fits_does_not_have_are_told(tmp_path: Path) -> None:
    made = ASDFCutout(write(tmp_path / "image.asdf", tree(coded((80, 100)) * 1j)), at(0, 0), 9)
    assert np.isnan(made.cutouts["cutout"][0].data[0, 0])
    assert len(made.write_as_asdf(tmp_path / "out")) == 1
    with pytest.raises(ImageFormatError, match=r"image\.asdf: its pixels have the type complex64; allowed in a FITS"):
        made.write_as_fits(tmp_path / "out")
    with pytest.raises(ImageFormatError, match="complex64"):
        made.get_fits_cutouts()


def test_text_is_no_image_but_may_be_beside_one(tmp_path: Path) -> None:
    words = np.full((80, 100), "word")
    with pytest.raises(ImageFormatError, match="has pixels of type <U4; allowed: numbers and booleans"):
        ASDFCutout(write(tmp_path / "text.asdf", tree(words)), at(50, 40), 9)
    path = write(tmp_path / "image.asdf", tree(coded((80, 100)), words=words))
    cut = ASDFCutout(path, at(0, 0), 9, lite=False).asdf_cutouts["cutout"][0]["roman"]["words"]
    assert (cut[0, 0], cut[8, 8]) == ("", "word")


def test_every_pixel_of_a_cutout_can_be_inverted_to_its_outer_edge(path: Path) -> None:
    wcs = ASDFCutout(path, at(50, 40), (21, 11)).cutouts["cutout"][0].gwcs
    corners = np.array([[-0.5, -0.5], [20.5, -0.5], [20.5, 10.5], [-0.5, 10.5]]) * (1 - 1e-6)
    edge = [*corners, *((column, row) for column in range(21) for row in (0, 10))]
    columns, rows = np.array(edge).T
    lon, lat = wcs(columns, rows)
    np.testing.assert_allclose(wcs.invert(lon, lat), [columns, rows], atol=1e-6)
    assert np.isnan(wcs(20.6, 5)[0])


@pytest.mark.parametrize(("box", "expected"), [(((0, 99), (-0.5, 79.5)), (0, 2, -0.5, 4.5)), (None, (-0.5, 2.5) * 2)])
def test_the_bounding_box_is_like_that_of_the_image(tmp_path: Path, box: Any, expected: tuple[float, ...]) -> None:
    content = tree(coded((80, 100)))
    content["roman"]["meta"]["wcs"].bounding_box = box
    made = ASDFCutout(write(tmp_path / "a.asdf", content), at(50, 40), (3, 5 if box else 3)).cutouts["cutout"][0].gwcs
    assert tuple(limit for side in made.bounding_box.bounding_box("F") for limit in side) == expected


def test_a_packed_local_file_is_read_by_its_content(path: Path, tmp_path: Path) -> None:
    packed = tmp_path / "image.asdf.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.rename(tmp_path / "renamed.dat")
    for file in (packed, tmp_path / "renamed.dat"):
        assert ASDFCutout(file, at(50, 40), 3).cutouts["cutout"][0].data[1, 1] == coded((80, 100))[40, 50]


def test_the_only_file_that_cannot_be_used_raises_its_own_error(tmp_path: Path) -> None:
    (tmp_path / "a.asdf").write_bytes(b"SIMPLE  =" + b" " * 3000)
    with pytest.raises(ImageFormatError, match=r"a\.asdf is not an ASDF file: .*; FITSCutout cuts FITS files"):
        ASDFCutout(tmp_path / "a.asdf", at(50, 40))
    with pytest.raises(FileNotFoundError):
        ASDFCutout(tmp_path / "absent.asdf", at(50, 40))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"asdf_kwargs": 3}, "asdf_kwargs"), ({"cutout_size": 0}, "cutout_size"), ({"fill_value": "a"}, "fill_value")],
)
def test_impossible_arguments_are_told(path: Path, arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{name} is"):
        ASDFCutout(path, at(50, 40), **arguments)


def test_a_format_that_is_not_known_is_told_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="not recognized"):
        asdf_cut(tmp_path / "absent.asdf", 1, 2, output_format="jpg")


def test_files_of_one_name_do_not_overwrite_each_other(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = write(tmp_path / "other" / "image.asdf", tree(coded((80, 100)) + 5))
    made = ASDFCutout([path, other], at(50, 40), 3)
    for write_as in (made.write_as_asdf, made.write_as_fits):
        assert len(set(write_as(tmp_path / "out"))) == 2
    assert len(set(made.write_as_img(output_dir=tmp_path / "out"))) == 2


def test_an_archive_names_the_source_of_its_files_on_request(path: Path, tmp_path: Path) -> None:
    made = ASDFCutout(path, at(50, 40), 9)
    with ZipFile(made.write_as_zip(tmp_path, "plain")) as archive:
        names = archive.namelist()
    with ZipFile(made.write_as_zip(tmp_path, "told", provenance=True)) as archive:
        assert archive.namelist() == [*names, CRATE]
        described = {item["@id"]: item for item in json.loads(archive.read(CRATE))["@graph"]}
    assert described[names[0]]["wasDerivedFrom"] == {"@id": "#image.asdf"}
    assert described["#image.asdf"]["name"] == "image.asdf"
