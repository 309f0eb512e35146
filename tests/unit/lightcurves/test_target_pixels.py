"""Target pixel files of all kinds are read, and their light curves are those of previews and of lightkurve."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera import CutoutOptions, TargetPixels, make_cutouts, make_moving_cutouts, read_ephemeris
from tessera.cutouts.results import CutoutResult
from tessera.errors import InvalidInputError, MissingFileError, NoCadenceError, TpfFormatError
from tessera.lightcurves.photometry import background_series, sum_aperture, threshold_aperture
from tests.support.paths import DATA, TPF_1X1, TPF_5X5_ZIP, TPF_6X6
from tests.support.sources import small_tica_cube
from tests.unit.lightcurves.conftest import COLUMN, FLAGS, ROW, N, brightness, sky_level

MISSION = DATA / "tess25155310-s01-first-cadences.fits.gz"


def peer_pixels(path: Path, quality: Any = "default") -> Any:
    import lightkurve  # noqa: PLC0415 - takes two seconds to import

    return lightkurve.TessTargetPixelFile(str(path), quality_bitmask=quality)


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("path", "shape", "first_pixel"),
    [
        (TPF_6X6, (50, 6, 6), (256, 1627)),
        (TPF_1X1, (1289, 1, 1), None),
        (TPF_5X5_ZIP, (1282, 5, 5), None),
        (MISSION, (5, 11, 11), (388, 1618)),
    ],
)
def test_files_of_all_services_are_read(path: Path, shape: tuple[int, ...], first_pixel: Any) -> None:
    pixels = TargetPixels.read(path)
    assert pixels.shape == shape
    assert pixels.time_system == "BTJD"
    assert pixels.first_pixel == first_pixel
    assert np.isfinite(pixels.to_lightcurve().flux).all()


def test_a_path_bytes_an_archive_an_hdu_list_and_a_result_give_the_same_pixels(
    star_tpf: bytes, star_cube: Path, star: SkyCoord, tmp_path: Path
) -> None:
    path = tmp_path / "star.fits"
    path.write_bytes(star_tpf)
    (tmp_path / "star.fits.gz").write_bytes(gzip.compress(star_tpf))
    with zipfile.ZipFile(tmp_path / "stars.zip", "w") as archive:
        archive.write(path, "a.fits")
        archive.write(path, "b.fits")
    with fits.open(path) as hdus:
        [result] = make_cutouts([star_cube], star, (9, 11), output_dir=tmp_path)
        sources: list[Any] = [path, str(path), bytearray(star_tpf), tmp_path / "star.fits.gz", hdus, result]
        found = [TargetPixels.read(source) for source in sources]
        found.append(TargetPixels.read(tmp_path / "stars.zip", member="b.fits"))
    for pixels in found:
        np.testing.assert_array_equal(pixels.flux, found[0].flux)
        np.testing.assert_array_equal(pixels.time, found[0].time)
    with pytest.raises(
        InvalidInputError, match=r"member is None; allowed: one of the 2 FITS files .*: a\.fits, b\.fits"
    ):
        TargetPixels.read(tmp_path / "stars.zip")


def test_what_is_no_target_pixel_file_is_refused_in_one_sentence(star_tpf: bytes, tmp_path: Path) -> None:
    image = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(np.zeros((3, 3)))]).writeto(image)
    (tmp_path / "empty.fits").write_bytes(b"")
    for source, words in (
        (image.getvalue(), "its second HDU is not a table"),
        (b"nothing", "not a FITS file"),
        (b"", "not a FITS file"),
        (b"PK\x03\x04 but no archive", "damaged zip"),
        (tmp_path / "empty.fits", "empty.fits is not a FITS file"),
        (star_tpf[:40_000], "is damaged"),
    ):
        with pytest.raises(TpfFormatError, match=words):
            TargetPixels.read(source)
    with pytest.raises(MissingFileError, match="there is no such file"):
        TargetPixels.read(tmp_path / "missing.fits")
    with pytest.raises(InvalidInputError, match="source is 5; allowed: a path or URL, bytes"):
        TargetPixels.read(cast("Any", 5))
    with pytest.raises(InvalidInputError, match="this one has none: far away"):
        TargetPixels.read(CutoutResult("cube.fits", 1.0, 2.0, "no overlap", "far away"))


@pytest.mark.filterwarnings("ignore")  # astropy's, about damaged cards
@settings(max_examples=60, derandomize=True)
@given(data=st.data())
def test_damaged_files_are_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(TPF_6X6.read_bytes()[:80_640])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, 400)) * 80
        content[place : place + 80] = data.draw(st.sampled_from(_ABSURD)).ljust(80)
    try:
        pixels = TargetPixels.read(content)
        curve = pixels.to_lightcurve()
    except (TpfFormatError, NoCadenceError):
        pass
    else:
        assert len(curve) <= len(pixels.time)


_ABSURD = [
    *(b"TFORM5  = '36D     '", b"TTYPE5  = 'TIME    '", b"TDIM5   = '(6,7)   '", b"NAXIS2  = -1", b"TFIELDS = 3"),
    *(b"BITPIX  = 7", b"TFORM1  = 'A       '", b"2CRV5P  = 'x'", b"RA_OBJ  = 'x'", b"CTYPE1  = 'FREQ'", b"END"),
    *(b"CRPIX1  = 1E300", b"PCOUNT  = 99999999999", b"TIMEREF = 5", b"SECTOR  = T", b"BACKAPP = 'x'", b"\xff" * 80),
    *(b"TSCAL5  = 'x'", b"TZERO5  = 1E400", b"TNULL9  = 0", b"TTYPE9  = 5", b"GROUPS  = T", b""),
]


# ---------------------------------------------------------------- light curves


def test_the_light_curve_is_that_of_a_preview(star_pixels: TargetPixels) -> None:
    """The rule of `/v1/preview`: aperture, background and sum, by their definition."""
    flux = star_pixels.flux.astype(float)
    good = star_pixels.quality == 0
    aperture = threshold_aperture(np.median(flux[good], axis=0), 4, 5)
    assert 4 < aperture.sum() < 30
    background = np.median(flux[:, ~aperture], axis=1)
    expected = flux[:, aperture].sum(axis=1) - background * aperture.sum()
    curve = star_pixels.to_lightcurve(quality="none")
    np.testing.assert_array_equal(curve.mask, aperture)
    np.testing.assert_allclose(curve.flux, expected, rtol=1e-6)
    assert curve.background is not None
    np.testing.assert_allclose(curve.background, background * aperture.sum(), rtol=1e-6)
    np.testing.assert_allclose(curve.flux, brightness(), rtol=0.03)
    np.testing.assert_allclose(curve.background, sky_level() * aperture.sum(), rtol=0.02)


def test_flagged_cadences_are_left_out_by_their_bits(star_pixels: TargetPixels) -> None:
    assert FLAGS == {5: 32, 6: 4096}
    for quality, left_out in (
        ("none", []),
        ("default", [5]),
        ("hard", [5, 6]),
        (4096, [6]),
        (0, []),
        ("hardest", [5, 6]),
    ):
        curve = star_pixels.to_lightcurve(quality=quality)  # type: ignore[arg-type] # words of the Literal
        np.testing.assert_array_equal(curve.time, np.delete(star_pixels.time, left_out))
        assert len(curve) == N - len(left_out)
    everything_flagged = TargetPixels(star_pixels.flux, None, star_pixels.time, np.full(N, 128, np.int32), "BTJD")
    with pytest.raises(NoCadenceError, match="no cadence of these pixels is kept by quality 'default'"):
        everything_flagged.to_lightcurve()


def test_masks_are_words_digits_or_arrays(star_pixels: TargetPixels) -> None:
    assert star_pixels.mask("all").all()
    given_mask = np.zeros((9, 11), int)
    given_mask[4, 5] = given_mask[0, 0] = 1
    for mask in (given_mask, given_mask.astype(bool), given_mask.tolist()):
        np.testing.assert_array_equal(star_pixels.mask(mask), given_mask == 1)
    digits = f"{int(''.join(map(str, given_mask.ravel())) + '0', 2):025x}"
    np.testing.assert_array_equal(star_pixels.mask(digits), given_mask == 1)
    raw = star_pixels.to_lightcurve(given_mask, background=False, quality="none")
    np.testing.assert_allclose(raw.flux, star_pixels.flux[:, 4, 5] + star_pixels.flux[:, 0, 0], rtol=1e-6)
    assert raw.background is None
    for wrong, words in (
        ("pipelin", "did you mean 'pipeline'"),
        ("pipeline", "the file has no aperture of the mission's pipeline"),
        ("f" * 25, "25 hexadecimal digits, one bit for each of 9 x 11 pixels"),
        (np.ones((3, 3)), "9 x 11 pixels"),
        (np.full((9, 11), 2), "True or False"),
        (np.zeros((9, 11)), "at least one pixel on the frame"),
        (None, "default, threshold, pipeline, all"),
        ([[1], [1, 2]], "9 x 11 pixels"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            star_pixels.to_lightcurve(wrong)  # type: ignore[arg-type] # users may
    with pytest.raises(InvalidInputError, match="background is 'no'; allowed: True or False"):
        star_pixels.to_lightcurve(background="no")  # type: ignore[arg-type] # users may
    with pytest.raises(InvalidInputError, match="no pixel is outside the mask"):
        star_pixels.to_lightcurve("all", background=True)


def test_pixels_beyond_the_frame_are_not_used(star_cube: Path) -> None:
    with fits.open(star_cube) as hdus:
        assert hdus[1].data.shape[:2] == (40, 30)
    at_the_corner = SkyCoord(*_sky(star_cube, 1, 1), unit="deg")
    curves = []
    for fill in (np.nan, 0.0, 1e6):
        [result] = make_cutouts([star_cube], at_the_corner, 7, options=CutoutOptions(fill_value=fill))
        pixels = TargetPixels.read(result)
        assert pixels.known is not None
        assert pixels.known.sum() == 25
        curves.append(pixels.to_lightcurve("all", background=False))
    np.testing.assert_array_equal(curves[1].flux, curves[0].flux)
    np.testing.assert_array_equal(curves[2].flux, curves[0].flux)
    np.testing.assert_allclose(curves[0].flux[0], pixels.flux[0][pixels.known].sum(), rtol=1e-6)


def _sky(cube: Path, row: float, column: float) -> Any:
    from tessera.cutouts.open_cube import open_cube  # noqa: PLC0415 - beside its use

    with open_cube(cube) as file:
        return file.cube.wcs.all_pix2world([[column, row]], 0)[0]


def test_the_aperture_of_a_moving_target_is_in_its_box(star_cube: Path, tmp_path: Path) -> None:
    """A target that crosses the star in the middle of the cube."""
    ra, dec = _sky(star_cube, ROW, COLUMN)
    with fits.open(star_cube) as hdus:
        days = [float(hdus[2].data["TSTART"][0]) - 0.1, float(hdus[2].data["TSTOP"][-1]) + 0.1]
    path = tmp_path / "path.csv"
    path.write_text(f"time,ra,dec\n{days[0]},{ra - 0.15},{dec}\n{days[1]},{ra + 0.15},{dec}\n", encoding="utf-8")
    ephemeris = read_ephemeris(path, time_format="btjd")
    [result] = make_moving_cutouts([star_cube], ephemeris, 7)
    pixels = TargetPixels.read(result)
    assert pixels.wcs is None
    assert pixels.first_pixel is None
    assert pixels.mask()[3, 3]
    assert pixels.mask().sum() < 49
    flux = pixels.to_lightcurve("default", quality="none").flux
    assert 20 < np.argmax(flux) < 40


def test_the_default_aperture_follows_the_proper_motion(star_tpf: bytes) -> None:
    """RA_OBJ and DEC_OBJ are the position at J2000.0: 18.56 years before the frames, and here 3 pixels south."""
    with fits.open(io.BytesIO(star_tpf)) as hdus:
        cube_pixels = TargetPixels.read(star_tpf)
        assert cube_pixels.wcs is not None
        ra, dec = cube_pixels.wcs.all_pix2world([[5, 4]], 0)[0]
        hdus[0].header["RA_OBJ"], hdus[0].header["DEC_OBJ"] = ra, dec - 3 * 21 / 3600
        still = TargetPixels.read(hdus)
        hdus[0].header["PMDEC"] = 3 * 21_000 / 18.56
        moving = TargetPixels.read(hdus)
    assert still.target_pixel is not None
    assert np.hypot(still.target_pixel[0] - 4, still.target_pixel[1] - 5) == pytest.approx(3, abs=0.2)
    assert moving.target_pixel == pytest.approx((4, 5), abs=0.05)
    np.testing.assert_array_equal(moving.mask(), cube_pixels.mask())


def test_tica_frames_have_the_times_of_the_spacecraft_and_no_errors(tmp_path: Path) -> None:
    path = tmp_path / "tica-s0027-1-4-cube.fits"
    path.write_bytes(small_tica_cube())
    target = SkyCoord(*_sky(path, 20, 15), unit="deg")
    [result] = make_cutouts([path], target, 5)
    pixels = TargetPixels.read(result)
    assert (pixels.time_system, pixels.flux_unit, pixels.flux_err) == ("TJD", "e-", None)
    curve = pixels.to_lightcurve()
    assert np.isnan(curve.flux_err).all()
    assert curve.to_table().colnames[0] == "time_tjd"
    [result] = make_cutouts(
        [path], SkyCoord(*_sky(path, 20, 15), unit="deg"), 5, options=CutoutOptions(target_times=True)
    )
    assert TargetPixels.read(result).time_system == "BTJD"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # lightkurve's
@pytest.mark.parametrize("path", [TPF_6X6, TPF_1X1, MISSION])
@pytest.mark.xdist_group("lightkurve")
def test_lightkurve_gets_the_same_flux_errors_times_and_cadences(path: Path) -> None:
    pixels = TargetPixels.read(path)
    for quality in ("default", "hard", "none"):
        peer = peer_pixels(path, quality)
        mask = np.zeros(pixels.shape[1:], bool)
        mask[mask.shape[0] // 2 :, mask.shape[1] // 2 :] = True
        for aperture in (mask, "all", "pipeline") if path == MISSION else (mask, "all"):
            theirs = peer.to_lightcurve(aperture_mask=aperture)
            ours = pixels.to_lightcurve(aperture, background=False, quality=cast("Any", quality))
            finite = np.isfinite(theirs.time.value)
            np.testing.assert_array_equal(ours.time, theirs.time.value[finite])
            np.testing.assert_array_equal(ours.quality, np.asarray(theirs.quality)[finite])
            np.testing.assert_allclose(ours.flux, theirs.flux.value[finite], rtol=1e-6)
            np.testing.assert_allclose(ours.flux_err, theirs.flux_err.value[finite], rtol=1e-6)
    theirs, ours = peer_pixels(path).to_lightcurve(), pixels.to_lightcurve(background=False)
    np.testing.assert_allclose(ours.flux, theirs.flux.value, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # lightkurve's
@pytest.mark.xdist_group("lightkurve")
def test_pixels_become_an_object_of_lightkurve(star_pixels: TargetPixels) -> None:
    peer = star_pixels.to_lightkurve(quality=4096)
    assert peer.shape == (N - 1, 9, 11)
    assert (peer.sector, peer.camera, peer.ccd) == (1, 4, 2)
    with pytest.raises(InvalidInputError, match="hdus is None"):
        TargetPixels(star_pixels.flux, None, star_pixels.time, star_pixels.quality, "BTJD").to_lightkurve()


def test_the_photometry_of_previews_is_used(star_pixels: TargetPixels) -> None:
    series, mask = star_pixels._series, star_pixels.mask()
    points = sum_aperture(series, mask, star_pixels.time, star_pixels.quality, background_series(series, mask))
    np.testing.assert_array_equal(star_pixels.to_lightcurve(quality="none").flux, points.flux)
