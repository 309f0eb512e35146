"""What lightkurve's users do with our files: quality masks, headers, light curves; as with files of TESSCut."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time

from tessera import CutoutOptions, make_cutouts
from tessera.cutouts.open_cube import open_cube
from tests.support.builds import build_cube
from tests.support.frames import frames_around_tpf, tiny_sector
from tests.support.paths import DATA, TPF_6X6

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("lightkurve"), pytest.mark.filterwarnings("ignore")]
SHAPE = (40, 30)
FLAGS = [0, *(1 << bit for bit in range(15)), 0]
"""QUALITY of the cadences of our file: each bit that the mission uses once."""
N_FRAMES = 4
MASKS: list[str | int] = ["none", "default", "hard", "hardest", 175]
REAL = {
    TPF_6X6: 0,
    DATA / "test-tpf-tesscut_1x1.fits": 7,
    DATA / "tess25155310-s01-first-cadences.fits.gz": 1,
}
"""Real files, with the number of cadences that lightkurve's default mask leaves out."""


class Lightkurve:
    """lightkurve's names. The files that it reads are closed after the test."""

    def __init__(self, package: Any, corrected: Callable[[Any], tuple[float, float, bool]]) -> None:
        self.corrected, self._package, self.files = corrected, package, list[Any]()

    def read(self, path: object, **options: Any) -> Any:
        self.files.append(self._package.read(str(path), **options))
        return self.files[-1]

    def bits(self, mask: str | int) -> int:
        """Bits of a quality mask, by its name."""
        options: dict[str, int | None] = self._package.utils.TessQualityFlags.OPTIONS
        return mask if isinstance(mask, int) else options[mask] or 0


@pytest.fixture
def lightkurve() -> Iterator[Lightkurve]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lightkurve  # noqa: PLC0415 - slow, and it warns of what is not installed
        from lightkurve.interact import _get_corrected_coordinate  # noqa: PLC0415

    names = Lightkurve(lightkurve, _get_corrected_coordinate)
    yield names
    for file in names.files:
        file.hdu.close()


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cubes") / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(tiny_sector(len(FLAGS), SHAPE, dquality=dict(enumerate(FLAGS)))))
    return path


@pytest.fixture(scope="module")
def star(cube: Path) -> SkyCoord:
    with open_cube(cube) as file:
        return SkyCoord(*file.cube.wcs.all_pix2world(14.0, 20.0, 0), unit="deg")


@pytest.mark.parametrize("mask", MASKS)
def test_a_quality_mask_leaves_out_the_cadences_with_its_bits(
    cube: Path, star: SkyCoord, mask: str | int, tmp_path: Path, lightkurve: Lightkurve
) -> None:
    (result,) = make_cutouts(cube, star, 5, output_dir=tmp_path)
    pixels = lightkurve.read(result.path, quality_bitmask=mask)
    bits = lightkurve.bits(mask)
    kept = [number for number, flag in enumerate(FLAGS) if not flag & bits]
    assert pixels.quality.tolist() == [FLAGS[number] for number in kept]
    whole = fits.getdata(result.path, 1)
    np.testing.assert_array_equal(pixels.flux.value, whole["FLUX"][kept])
    np.testing.assert_array_equal(pixels.time.value, whole["TIME"][kept])
    curve = pixels.to_lightcurve(aperture_mask="all")
    np.testing.assert_allclose(curve.flux.value, whole["FLUX"][kept].sum(axis=(1, 2)), rtol=1e-6)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name[:20])
def test_the_masks_of_real_files_leave_out_what_their_flags_say(path: Path, lightkurve: Lightkurve) -> None:
    flags = fits.getdata(path, 1)["QUALITY"]
    for mask in MASKS:
        bits = lightkurve.bits(mask)
        assert len(lightkurve.read(path, quality_bitmask=mask).time) == int((flags & bits == 0).sum())
    assert len(flags) - len(lightkurve.read(path).time) == REAL[path]


def test_our_file_is_used_as_the_one_of_tesscut(tmp_path: Path, lightkurve: Lightkurve) -> None:
    cube = tmp_path / "tess-s0001-4-2-cube.fits"
    cube.write_bytes(build_cube(frames_around_tpf(TPF_6X6, n_frames=N_FRAMES, shape=(264, 1640))))
    row = {"ID": 261136679, "Tmag": 5.1, "pmRA": 311.2, "pmDEC": 1048.8, "name": "pi Men"}
    options = CutoutOptions(placement="tesscut")
    (result,) = make_cutouts(cube, "84.29119 -80.46917", 6, stars=row, options=options, output_dir=tmp_path)
    ours, theirs = lightkurve.read(result.path), lightkurve.read(TPF_6X6)[:N_FRAMES]
    for name in ("column", "row", "sector", "camera", "ccd", "mission", "ra", "dec"):
        assert getattr(ours, name) == getattr(theirs, name), name
    threshold = ours.create_threshold_mask(3)
    np.testing.assert_array_equal(threshold, theirs.create_threshold_mask(3))
    curve, expected = (pixels.to_lightcurve(aperture_mask=threshold) for pixels in (ours, theirs))
    np.testing.assert_array_equal(curve.flux.value, expected.flux.value)
    np.testing.assert_array_equal(curve.time.value, expected.time.value)
    for column, peer in zip(ours.estimate_centroids(), theirs.estimate_centroids(), strict=True):
        np.testing.assert_array_equal(column.value, peer.value)
    np.testing.assert_array_equal(ours.pos_corr1, theirs.pos_corr1)
    for angle, peer in zip(ours.get_coordinates(), theirs.get_coordinates(), strict=True):
        assert np.abs(angle - peer).max() * 3600 < 20  # the WCS of frames is one of several polynomials
    assert ours.cutout((3, 3), 3).shape == theirs.cutout((3, 3), 3).shape
    assert (ours.targetid, curve.label, ours.meta["TESSMAG"]) == (261136679, "pi Men", 5.1)
    ra, dec, moved = lightkurve.corrected(ours)  # by the proper motion since 2000
    assert moved
    assert SkyCoord(ra, dec, unit="deg").separation(SkyCoord(ours.ra, ours.dec, unit="deg")).arcsec == pytest.approx(
        1.094 * 18.57, rel=0.01
    )


@pytest.mark.parametrize("stars", [None, {"ID": 5}])
def test_lightkurve_marks_a_fast_star_where_it_is(
    cube: Path, star: SkyCoord, stars: Any, tmp_path: Path, lightkurve: Lightkurve
) -> None:
    with open_cube(cube) as file:
        days = (file.cube.series["start"].min(), file.cube.series["stop"].max())
    now = Time(2457000, np.mean(days), format="jd", scale="tdb")
    motion = {"pm_ra_cosdec": -801.551 * u.mas / u.yr, "pm_dec": 10362.394 * u.mas / u.yr}
    there = SkyCoord(star.ra, star.dec, obstime=now, **motion)
    in_2016 = there.apply_space_motion(new_obstime=Time(2016.0, format="jyear"))
    assert in_2016.separation(star).arcsec > 20
    (result,) = make_cutouts(cube, in_2016, 5, stars=stars, output_dir=tmp_path)
    ra, dec, moved = lightkurve.corrected(lightkurve.read(result.path))
    assert moved
    assert SkyCoord(ra, dec, unit="deg").separation(star).arcsec < 0.3
