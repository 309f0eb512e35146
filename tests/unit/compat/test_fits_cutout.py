"""`FITSCutout`: what images there are in the world, and what users ask of them."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera import DataWarning, FITSCutout, InvalidInputError, InvalidQueryError, fits_cut
from tessera.images.batch import make_image_cutouts
from tests.support.images import coded, plain_image, sky_at, sky_of, tan_header

pytestmark = [
    pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning"),
    pytest.mark.filterwarnings("ignore::tessera.errors.DataWarning"),  # those that a test does not look for
    pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning"),  # of the test's own reading
]
SKY = SkyCoord(150.0, 2.2, unit="deg")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return plain_image(tmp_path / "plain.fits", coded((60, 80)))


@pytest.fixture
def truth(plain: Path) -> np.ndarray:
    pixels: np.ndarray = fits.getdata(plain)
    return pixels


# -- inputs -----------------------------------------------------------------------------------------------------------


def test_paths_objects_lists_and_packed_files_give_the_same(plain: Path, tmp_path: Path) -> None:
    content = plain.read_bytes()
    (tmp_path / "a.fits.gz").write_bytes(gzip.compress(content))
    (tmp_path / "b.fits.bz2").write_bytes(bz2.compress(content))
    with plain.open("rb") as file, fits.open(plain) as hdus, fits.open(plain, memmap=False) as loaded:
        assert loaded[0].data is not None
        inputs = [plain, str(plain), file, io.BytesIO(content), hdus, loaded]
        inputs += [tmp_path / "a.fits.gz", tmp_path / "b.fits.bz2", fits.HDUList([hdus[0].copy()])]
        for item in inputs:
            (made,) = FITSCutout(item, SKY, 10).fits_cutouts
            np.testing.assert_array_equal(made[1].data, coded((60, 80))[24:34, 34:44])
        assert not file.closed
        assert hdus[0].data[0, 0] == 1


def test_keys_are_the_inputs_as_they_were_given(plain: Path) -> None:
    made = FITSCutout([plain, io.BytesIO(plain.read_bytes())], SKY, 5, single_outfile=False)
    assert list(made.cutouts_by_file) == [plain, "input-2"]
    assert len(made.fits_cutouts) == 2


@pytest.mark.parametrize("bad", [[], 5, [None], [3.5]])
def test_what_is_no_input_is_told(bad: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"input_files is .*allowed: a path, URL"):
        FITSCutout(bad, SKY)


def test_a_single_unreadable_file_raises_its_own_error(tmp_path: Path) -> None:
    (tmp_path / "text.fits").write_text("no fits" * 1000, encoding="utf-8")
    with pytest.raises(OSError, match="SIMPLE"):
        FITSCutout(tmp_path / "text.fits", SKY)
    with pytest.raises(FileNotFoundError):
        FITSCutout(tmp_path / "absent.fits", SKY)


@pytest.mark.filterwarnings("ignore:File may have been truncated")
def test_a_file_that_ends_too_early_raises_its_own_error(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "short.fits").write_bytes(plain.read_bytes()[:5760])
    with pytest.raises(OSError, match="ends at byte"):
        FITSCutout(tmp_path / "short.fits", SKY, 5)


@pytest.mark.filterwarnings("ignore:File may have been truncated")
def test_an_unreadable_file_does_not_keep_others_from_being_cut(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.fits.gz").write_bytes(gzip.compress(plain.read_bytes())[:500])
    (tmp_path / "short.fits").write_bytes(plain.read_bytes()[:5760])
    files = [tmp_path / "absent.fits", tmp_path / "cut.fits.gz", tmp_path / "short.fits", plain]
    with pytest.warns(DataWarning) as told:
        made = FITSCutout(files, SKY, 5)
    assert list(made.cutouts_by_file) == [plain]
    text = " ".join(str(warning.message) for warning in told)
    assert all(file.name in text for file in files[:3])


@pytest.mark.parametrize("extension", [[], True, 1.5, [None], ""])
def test_what_is_no_extension_is_told(plain: Path, extension: Any) -> None:
    with pytest.raises(
        InvalidInputError, match=r"extension is .*allowed: None, 'all', a number, a name, \(name, EXTVER\)"
    ):
        FITSCutout(plain, SKY, extension=extension)


def test_extensions_are_chosen_by_name(tmp_path: Path) -> None:
    hdus = [fits.PrimaryHDU()]
    hdus += [fits.ImageHDU(coded((9, 9)) + n, tan_header(9, 9), name) for n, name in enumerate(("SCI", "ERR", "SCI"))]
    fits.HDUList(hdus).writeto(tmp_path / "mef.fits")
    made = FITSCutout(tmp_path / "mef.fits", SKY, 3, extension="sci")
    assert [item.extension for item in made.cutouts_by_file[tmp_path / "mef.fits"]] == [1, 3]


def test_fsspec_arguments_open_addresses_of_fsspec(plain: Path) -> None:
    fsspec.filesystem("memory").pipe("/images/plain.fits", plain.read_bytes())
    (made,) = FITSCutout("memory://images/plain.fits", SKY, 10, fsspec_kwargs={}).fits_cutouts
    np.testing.assert_array_equal(made[1].data, coded((60, 80))[24:34, 34:44])
    with pytest.raises(InvalidInputError, match="fsspec_kwargs"):
        FITSCutout(plain, SKY, fsspec_kwargs=3)  # type: ignore[arg-type]


# -- targets ----------------------------------------------------------------------------------------------------------


def test_all_of_several_targets_are_cut(plain: Path, truth: np.ndarray, tmp_path: Path) -> None:
    targets = [sky_at(plain, 10, 12), sky_at(plain, 70, 50)]
    made = FITSCutout(plain, SkyCoord(targets), 5, limit_rounding_method="ceil")
    by_target = made.cutouts_by_file[plain]
    assert [items[0].data[2, 2] for items in by_target.values()] == [truth[12, 10], truth[50, 70]]
    assert len(made.fits_cutouts) == len(set(made.write_as_fits(tmp_path))) == 2


@pytest.mark.parametrize("frame", ["galactic", "fk5", "fk4", "barycentrictrueecliptic"])
def test_targets_may_be_in_any_frame(plain: Path, frame: str) -> None:
    (made,) = FITSCutout(plain, SKY.transform_to(frame), 10).fits_cutouts
    np.testing.assert_array_equal(made[1].data, coded((60, 80))[24:34, 34:44])


def test_one_target_of_many_beside_the_image_is_told(plain: Path) -> None:
    with pytest.warns(DataWarning, match=r"does not overlap with data in .* at 10\.0000"):
        made = FITSCutout(plain, [SKY, SkyCoord(10, 20, unit="deg")], 5)
    assert [part.status for part in made.parts] == ["ok", "no overlap"]


@pytest.mark.parametrize("offset", [(0, 180), (0, 179.9), (90, 0), (0.02, 0)])
def test_far_positions_have_no_cutout(plain: Path, offset: tuple[float, float]) -> None:
    far = SKY.directional_offset_by(0 * u.deg, offset[1] * u.deg).spherical_offsets_by(offset[0] * u.deg, 0 * u.deg)
    with pytest.warns(DataWarning, match="does not overlap"), pytest.raises(InvalidQueryError, match="no data"):
        FITSCutout(plain, far, 10)


@settings(max_examples=60)
@given(
    column=st.floats(-8, 87),
    row=st.floats(-8, 67),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    dtype=st.sampled_from(["u1", "i2", "u2", "i4", "i8", "f4", "f8"]),
    method=st.sampled_from(["round", "ceil", "floor"]),
)
@pytest.mark.slow
def test_any_place_size_and_type(column: float, row: float, size: tuple[int, int], dtype: str, method: str) -> None:
    data = coded((60, 80), dtype)
    hdus = fits.HDUList([fits.PrimaryHDU(data, tan_header(60, 80))])
    content = io.BytesIO()
    hdus.writeto(content)
    expected = np.full((200, 200), 3, data.dtype)
    expected[60:120, 60:140] = data
    rules: dict[str, Callable[[np.ndarray], np.ndarray]] = {"round": np.round, "ceil": np.ceil, "floor": np.floor}
    round_limit = rules[method]
    place = np.array([column, row])
    sky = sky_of(hdus, 0, *place)
    place = np.array(WCS(hdus[0].header).world_to_pixel(sky))
    first, stop = round_limit(place - np.array(size) / 2), round_limit(place + np.array(size) / 2)
    (x0, y0), (x1, y1) = first.astype(int), np.maximum(stop, np.floor(place) + 1).astype(int)
    if stop[0] <= first[0] or stop[1] <= first[1]:
        return
    x1, y1 = stop.astype(int)
    arguments: dict[str, Any] = {"fill_value": 3, "limit_rounding_method": method, "allow_empty": True}
    if x1 <= 0 or y1 <= 0 or x0 >= 80 or y0 >= 60:
        with pytest.warns(DataWarning), pytest.raises(InvalidQueryError):
            FITSCutout(content, sky, size, **arguments)
        return
    (made,) = FITSCutout(content, sky, size, **arguments).fits_cutouts
    np.testing.assert_array_equal(made[1].data, expected[60 + y0 : 60 + y1, 60 + x0 : 60 + x1])
    assert made[1].data.dtype.newbyteorder("=") == np.dtype(dtype)
    written = io.BytesIO()
    made.writeto(written)
    written.seek(0)
    np.testing.assert_array_equal(fits.getdata(written, 1), made[1].data)


def test_angles_are_those_at_the_target(tmp_path: Path) -> None:
    header = fits.Header({"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR", "CRVAL1": 180.0, "CRVAL2": 0.0, "CRPIX1": 180.5})
    header.update({"CRPIX2": 90.5, "CDELT1": -1.0, "CDELT2": 1.0, "CUNIT1": "deg", "CUNIT2": "deg"})
    fits.PrimaryHDU(coded((180, 360)), header).writeto(tmp_path / "sky.fits")
    (made,) = make_image_cutouts(tmp_path / "sky.fits", SkyCoord(100, 60, unit="deg"), 10 * u.deg)
    assert made.hdus is not None
    assert made.hdus[1].data.shape == (10, 20)


@pytest.mark.parametrize("size", ["5", None, [], [1, "a"], 1 * u.m, -3, 0, np.nan, True, 1e9])
def test_what_is_no_size_is_told(plain: Path, size: Any) -> None:
    with pytest.raises(InvalidInputError, match="cutout_size is"):
        FITSCutout(plain, SKY, size)


# -- pixels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "fill", "limits"),
    [("i2", np.nan, "-32768 to 32767"), ("u1", 300, "0 to 255"), ("i4", -1.7, "-2147483648"), ("u2", -1, "0 to 65535")],
)
def test_a_fill_that_the_type_cannot_hold_is_told(tmp_path: Path, dtype: str, fill: float, limits: str) -> None:
    path = plain_image(tmp_path / "i.fits", coded((20, 20), dtype))
    with pytest.warns(DataWarning), pytest.raises(InvalidInputError, match=f"fill_value is .* from {limits}"):
        FITSCutout(path, sky_at(path, 0, 10), 5, fill_value=fill)
    assert FITSCutout(path, sky_at(path, 10, 10), 5, fill_value=fill).fits_cutouts  # nothing to fill


def test_nan_stands_for_blank(tmp_path: Path) -> None:
    header = tan_header(20, 20)
    header["BLANK"] = -999
    hdu = fits.CompImageHDU(coded((20, 20), "i2"), header)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "i.fits")
    (made,) = FITSCutout(tmp_path / "i.fits", sky_at(tmp_path / "i.fits", 0, 10, 1), 5).fits_cutouts
    assert made[1].data.dtype.kind == "f" or (made[1].data[:, 0] == made[1].header["BLANK"]).all()


def test_scaled_integers_become_what_they_mean(tmp_path: Path) -> None:
    stored = coded((20, 20), "i2") % 100
    hdu = fits.PrimaryHDU(stored, tan_header(20, 20))
    content = bytearray(hdu.header.tostring().encode())  # astropy would divide the pixels
    header = hdu.header.copy()
    header.update({"BSCALE": 0.5, "BZERO": 10.0, "BLANK": 7})
    content = header.tostring().encode() + stored.astype(">i2").tobytes().ljust(2880, b"\0")
    (tmp_path / "s.fits").write_bytes(content)
    (made,) = FITSCutout(tmp_path / "s.fits", sky_at(tmp_path / "s.fits", 10, 10), 30).fits_cutouts
    truth = fits.getdata(tmp_path / "s.fits")
    window = made[1].data[np.isfinite(made[1].data)]
    assert np.isnan(truth).any()
    np.testing.assert_array_equal(np.sort(window), np.sort(truth[np.isfinite(truth)]))
    assert not {"BSCALE", "BZERO", "BLANK"} & set(made[1].header)


def test_degenerate_axes_are_left_out_and_remembered(tmp_path: Path) -> None:
    data = coded((30, 40))[None, None]
    cards = {"CTYPE3": "FREQ", "CRVAL3": 1.4e9, "CDELT3": 1e6, "CRPIX3": 1.0, "CUNIT3": "Hz", "CTYPE4": "STOKES"}
    path = plain_image(tmp_path / "radio.fits", data, cards=cards)
    (made,) = FITSCutout(path, SKY, 10).fits_cutouts
    np.testing.assert_array_equal(made[1].data, data[0, 0, 9:19, 14:24])
    assert WCS(made[1].header).naxis == 2
    assert "CRVAL3 = 1400000000.0" in str(made[1].header["HISTORY"])


KINDS = [(name, kind) for name in ("RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1") for kind in ("i2", "f4")]


@pytest.mark.parametrize(("compression", "dtype"), [*KINDS, ("PLIO_1", "i2")])
def test_compressed_images(tmp_path: Path, compression: str, dtype: str) -> None:
    data = (
        coded((60, 80), dtype) % 500 if dtype == "i2" else np.random.default_rng(1).normal(size=(60, 80)).astype("f4")
    )
    hdu = fits.CompImageHDU(data, tan_header(60, 80), compression_type=compression, tile_shape=(20, 30))
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "c.fits.fz")
    truth = fits.getdata(tmp_path / "c.fits.fz", 1)
    for place in ((40, 30), (2, 58), (79, 0)):
        sky = sky_at(tmp_path / "c.fits.fz", *place, number=1)
        item = FITSCutout(tmp_path / "c.fits.fz", sky, 25, fill_value=0).cutouts_by_file[tmp_path / "c.fits.fz"][0]
        inside = item.cut.overlap.inside
        np.testing.assert_array_equal(item.data[inside], truth[item.slices_original])


def test_a_pan_starrs_stack(tmp_path: Path) -> None:
    """The cards of the excerpt of real headers; see tests/data/fits_images/ps1_stack_header_excerpt.txt."""
    header = tan_header(100, 100, ra=188.27856215089, dec=82.56394517878)
    for keyword in ("CDELT1", "CDELT2"):
        header[keyword] = 6.94444461259988e-05
    header.update({"PC001001": -1.0, "PC001002": 0.0, "PC002001": 0.0, "PC002002": 1.0})
    header.update({"BSOFTEN": 100.0, "BOFFSET": 2.0, "HIERARCH FPA.FILTERID": "g.00000"})
    data = np.random.default_rng(1).normal(0, 1, (100, 100)).astype("f4")
    hdu = fits.CompImageHDU(data, header, compression_type="RICE_1", tile_shape=(1, 100))
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "ps1.fits")
    made = FITSCutout(tmp_path / "ps1.fits", sky_at(tmp_path / "ps1.fits", 50, 50, number=1), 20).fits_cutouts[0]
    stored = fits.getdata(tmp_path / "ps1.fits", 1)[40:60, 40:60]
    x = stored.astype(float) * 0.4 * np.log(10)
    np.testing.assert_allclose(made[1].data, 2 + 100 * (np.exp(x) - np.exp(-x)), rtol=1e-6)
    assert made[1].header["FPA.FILTERID"] == "g.00000"
    assert not {"PC001001", "BSOFTEN", "BOFFSET"} & set(made[1].header)
    assert made[1].header["PC1_1"] == -1
    again = FITSCutout(made, sky_at(tmp_path / "ps1.fits", 50, 50, number=1), 20, extension=1).fits_cutouts[0]
    np.testing.assert_array_equal(again[1].data, made[1].data)


def test_only_pixels_of_the_image_decide_whether_a_cutout_is_empty(tmp_path: Path) -> None:
    path = plain_image(tmp_path / "zero.fits", np.zeros((20, 20), "f4"))
    with pytest.warns(DataWarning, match="contains no data"), pytest.raises(InvalidQueryError):
        FITSCutout(path, sky_at(path, 0, 10), 5, fill_value=1)
    made = FITSCutout(path, sky_at(path, 0, 10), 5, fill_value=1, allow_empty=True)
    assert made.fits_cutouts[0][1].header["EMPTY"] is True


# -- files ------------------------------------------------------------------------------------------------------------


def test_files_of_one_name_do_not_overwrite_each_other(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "plain.fits").write_bytes(plain.read_bytes())
    files = [plain, tmp_path / "other" / "plain.fits"]
    made = FITSCutout(files, SKY, 5, single_outfile=False)
    assert len(set(made.write_as_fits(tmp_path / "out"))) == 2
    with zipfile.ZipFile(made.write_as_zip(tmp_path / "out")) as archive:
        assert len(set(archive.namelist())) == 2


def test_what_cannot_be_written_leaves_nothing(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = FITSCutout(plain, SKY, 5)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(fits.HDUList, "writeto", fail)
    with pytest.raises(OSError, match="full"):
        made.write_as_fits(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_fits_cut_gives_a_path_or_several_or_the_files(plain: Path, tmp_path: Path) -> None:
    assert isinstance(fits_cut(plain, SKY, 5, output_dir=tmp_path), str)
    assert len(fits_cut([plain], [SKY, sky_at(plain, 5, 5)], 5, output_dir=tmp_path)) == 2
    (made,) = list(fits_cut(plain, SKY, 5, memory_only=True))
    assert isinstance(made, fits.HDUList)
