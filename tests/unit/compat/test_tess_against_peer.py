"""The same cutouts as astrocut's, of the same cube in the same process, wherever the peer is right."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import astrocut
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

import tessera
from tessera.cutouts.open_cube import open_cube
from tests.support.builds import peer_cube
from tests.support.frames import tiny_sector

pytestmark = pytest.mark.slow

SHAPE = (40, 30)
SIZES = [1, 2, 5, (4, 7), 7.5, [3, 9] * u.pix, 2 * u.arcmin, [1, 3] * u.arcmin, 0.01 * u.arcsec, (5 * u.pix, 31)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peer")
    return peer_cube(tiny_sector(4, SHAPE), folder).rename(folder / "tess-s0001-4-2-cube.fits")


@pytest.fixture(scope="module")
def wcs(path: Path) -> WCS:
    with open_cube(path) as file:
        return file.cube.wcs


def cut_by_peer(path: Path, sky: SkyCoord, size: object, method: str = "round") -> astrocut.TessCubeCutout:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return astrocut.TessCubeCutout(path, sky, size, limit_rounding_method=method)


half_pixels = st.integers(2, 56).map(lambda number: number / 2)


@settings(max_examples=60)
@given(
    place=st.tuples(st.floats(1, 28) | half_pixels, st.floats(1, 38) | half_pixels),
    size=st.sampled_from(SIZES),
    method=st.sampled_from(["round", "ceil", "floor"]),
)
def test_windows_pixels_and_apertures_are_the_peers(
    path: Path, wcs: WCS, place: tuple[float, float], size: object, method: str
) -> None:
    sky = SkyCoord(*wcs.all_pix2world([place], 0)[0], unit="deg")
    (theirs,) = cut_by_peer(path, sky, size, method).cutouts
    (ours,) = tessera.TessCubeCutout(path, sky, size, limit_rounding_method=method).cutouts
    for name in ("cutout_lims", "data", "uncertainty", "aperture"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
        assert getattr(ours, name).dtype.newbyteorder("=") == getattr(theirs, name).dtype.newbyteorder("=")
    assert ours.shape == theirs.shape
    assert (ours.wcs.pixel_shape, ours.cube_wcs.pixel_shape) == (theirs.wcs.pixel_shape, theirs.cube_wcs.pixel_shape)
    np.testing.assert_allclose(ours.cube_wcs.wcs.crval, theirs.cube_wcs.wcs.crval)
    assert {key: fit[1] for key, fit in ours.wcs_fit.items()} == {key: fit[1] for key, fit in theirs.wcs_fit.items()}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_file_names_are_the_peers(path: Path, wcs: WCS, tmp_path: Path, size: object, legacy: bool) -> None:
    sky = SkyCoord(*wcs.all_pix2world([[15.2, 20.2]], 0)[0], unit="deg")
    theirs, ours = cut_by_peer(path, sky, size), tessera.TessCubeCutout(path, sky, size)
    folders = [tmp_path / "theirs", tmp_path / "ours"]
    written = [
        theirs.write_as_tpf(folders[0], legacy_filenames=legacy),
        ours.write_as_tpf(folders[1], legacy_filenames=legacy),
    ]
    assert [Path(name).name for name in written[0]] == [Path(name).name for name in written[1]]
    archives = [Path(made.write_as_zip(tmp_path / "zip", legacy_filenames=legacy)) for made in (theirs, ours)]
    assert archives[0] == archives[1]
    with zipfile.ZipFile(archives[1]) as archive:
        assert archive.namelist() == [Path(name).name for name in written[1]]


def test_tables_are_the_peers_where_it_is_right(path: Path, wcs: WCS) -> None:
    sky = SkyCoord(*wcs.all_pix2world([[15.2, 20.2]], 0)[0], unit="deg")
    theirs = cut_by_peer(path, sky, (4, 6)).tpf_cutouts[0]
    ours = tessera.TessCubeCutout(path, sky, (4, 6)).tpf_cutouts[0]
    assert ours["PIXELS"].columns.names == theirs["PIXELS"].columns.names
    for name in ours["PIXELS"].columns.names:
        if name != "FFI_FILE":  # the peer cuts it
            np.testing.assert_array_equal(ours["PIXELS"].data[name], theirs["PIXELS"].data[name], err_msg=name)
    np.testing.assert_array_equal(ours["APERTURE"].data, theirs["APERTURE"].data)
    different = fits.HeaderDiff(ours[0].header, theirs[0].header, ignore_comments=["*"], ignore_keywords=["CHECKSUM"])
    assert set(different.diff_keyword_values) <= {"CREATOR", "PROCVER", "DATASUM"}


@pytest.mark.parametrize("value", [1, 2, 3])
def test_the_wcs_of_a_table_is_the_peers(path: Path, value: int) -> None:
    with fits.open(path) as hdus:
        table = hdus[2].data
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs, their_header = astrocut.TessCubeCutout.parse_table_wcs(table, return_header=True)
        ours, our_header = tessera.TessCubeCutout.parse_table_wcs(table, return_header=True)
    pixels = [[value * 7, value * 11]]
    np.testing.assert_array_equal(ours.all_pix2world(pixels, 0), theirs.all_pix2world(pixels, 0))
    assert ours.pixel_shape == theirs.pixel_shape
    assert our_header["FFI_FILE"] == their_header["FFI_FILE"]
