"""Where the sky of an image is: plate solutions, the order of axes, frames, other HDUs' positions, and cubes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import BarycentricMeanEcliptic, Galactic, SkyCoord, Supergalactic
from astropy.io import fits
from astropy.time import Time
from astropy.utils.data import get_pkg_data_filename
from astropy.wcs import WCS

from tessera import ImageCutoutOptions, make_image_cutouts
from tests.support.images import coded, plain_image, sky_at, tan_header

pytestmark = [  # of the tests' own reading
    pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning"),
    pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning"),
]
SKY = SkyCoord(150.0, 2.2, unit="deg")
SHAPE = (60, 80)


def cut(path: Path, sky: Any, size: Any = 11, extension: Any = None) -> list[Any]:
    return make_image_cutouts(path, sky, size, options=ImageCutoutOptions(extension))


def write(path: Path, *hdus: Any) -> Path:
    fits.HDUList(list(hdus)).writeto(path)
    return path


def test_the_corner_of_a_plate_solution_is_moved() -> None:
    path = Path(get_pkg_data_filename("data/dss.14.29.56-62.41.05.fits.gz", package="astropy.wcs.tests"))
    with fits.open(path) as hdus:
        wcs, pixels = WCS(hdus[0].header), hdus[0].data
    sky = SkyCoord(*wcs.all_pix2world([[60.2, 39.9]], 0)[0], unit="deg")
    (made,) = cut(path, sky, 21)
    header = made.hdus[1].header
    assert (header["CNPIX1"], header["CNPIX2"]) == (8860 + 50, 1708 + 30)
    np.testing.assert_array_equal(made.hdus[1].data, pixels[30:51, 50:71])
    np.testing.assert_allclose(WCS(header).all_world2pix([[sky.ra.deg, sky.dec.deg]], 0)[0], [10.2, 9.9], atol=1e-3)


def test_part_of_a_plate_solution_is_not_taken_for_one(tmp_path: Path) -> None:
    """wcslib fails for such headers, and crashes if CNPIX1 is text."""
    cards: list[tuple[dict[str, Any], Any]] = [({"CNPIX1": 5}, 43), ({"CNPIX1": "x"}, "x"), ({"AMDX1": 1.0}, None)]
    for number, (card, corner) in enumerate(cards):
        (made,) = cut(plain_image(tmp_path / f"{number}.fits", coded(SHAPE), cards=card), SKY, 3)
        assert (made.status, made.reason) == ("ok", "")
        assert made.hdus[1].header.get("CNPIX1") == corner


def test_declination_may_be_the_first_axis(tmp_path: Path) -> None:
    header = fits.Header({"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": 2.2, "CRVAL2": 150.0})
    header.update({"CRPIX1": 30.0, "CRPIX2": 40.0, "CD1_1": 1e-4, "CD1_2": 2e-6, "CD2_1": 2e-6, "CD2_2": -1e-4})
    path = write(tmp_path / "fpC.fits", fits.PrimaryHDU(coded((80, 60)), header))
    dec, ra = WCS(header).all_pix2world([[12.1, 55.3]], 0)[0]
    (made,) = cut(path, SkyCoord(ra, dec, unit="deg"), (5, 7))
    np.testing.assert_array_equal(made.hdus[1].data, coded((80, 60))[52:59, 10:15])
    np.testing.assert_allclose(WCS(made.hdus[1].header).all_world2pix([[dec, ra]], 0)[0], [2.1, 3.3], atol=1e-6)


@pytest.mark.parametrize(
    ("kinds", "frame"),
    [
        (("GLON", "GLAT"), Galactic()),
        (("SLON", "SLAT"), Supergalactic()),
        (("ELON", "ELAT"), BarycentricMeanEcliptic(equinox=Time("J2000"))),
    ],
)
@pytest.mark.parametrize("more", [{}, {"EQUINOX": 2000.0}, {"RADESYS": "ICRS"}, {"RADESYS": "FK5", "EQUINOX": 2000.0}])
def test_axes_say_the_frame_whatever_radesys_says(
    kinds: tuple[str, str], frame: Any, more: dict[str, Any], tmp_path: Path
) -> None:
    header = tan_header(*SHAPE)
    del header["RADESYS"]
    header.update({"CTYPE1": f"{kinds[0]}-TAN", "CTYPE2": f"{kinds[1]}-TAN", **more})
    path = write(tmp_path / "frame.fits", fits.PrimaryHDU(coded(SHAPE), header))
    lon, lat = WCS(header).all_pix2world([[20.2, 30.1]], 0)[0]
    (made,) = cut(path, SkyCoord(lon, lat, unit="deg", frame=frame), 3)
    np.testing.assert_array_equal(made.hdus[1].data, coded(SHAPE)[29:32, 19:22])


@pytest.mark.parametrize("kinds", ["HPLN HPLT", "TLON TLAT", "CRLN CRLT", "HLON HLAT", "MALN MALT"])
def test_what_is_not_fixed_on_the_sky_is_refused(kinds: str, tmp_path: Path) -> None:
    lon, lat = kinds.split()
    path = plain_image(tmp_path / "sun.fits", coded(SHAPE), cards={"CTYPE1": f"{lon}-TAN", "CTYPE2": f"{lat}-TAN"})
    (made,) = cut(path, SKY)
    assert made.status == "error"
    assert f"its axes are '{lon}-TAN' and '{lat}-TAN', which are not fixed on the sky; allowed: RA" in made.reason


def test_an_unknown_radesys_is_refused(tmp_path: Path) -> None:
    (made,) = cut(plain_image(tmp_path / "a.fits", coded(SHAPE), cards={"RADESYS": "B1900"}), SKY)
    assert (made.status, made.reason) == ("error", "RADESYS is 'B1900'; allowed: ICRS, FK5, FK4, FK4-NO-E")


def jwst(path: Path) -> Path:
    """Two exposures: SCI has a WCS, ERR and DQ have none, and WHT has another shape."""
    hdus: list[Any] = [fits.PrimaryHDU()]
    for version in (1, 2):
        science = fits.ImageHDU(
            coded(SHAPE) + version, tan_header(*SHAPE, dec=2.2 + 1e-3 * version), "SCI", ver=version
        )
        hdus += [science, fits.ImageHDU(coded(SHAPE) + 10 * version, name="ERR", ver=version)]
        hdus.append(fits.ImageHDU(coded(SHAPE, "u4"), name="DQ", ver=version))
    return write(path, *hdus, fits.ImageHDU(coded((9, 9)), name="WHT"))


def test_images_without_a_position_have_that_of_the_science_image_of_their_version(tmp_path: Path) -> None:
    path = jwst(tmp_path / "cal.fits")
    made = {item.extension: item for item in cut(path, sky_at(path, 30, 20, 4), 5, "all")}
    assert [made[number].status for number in (1, 2, 3, 4, 5, 6, 7)] == ["ok"] * 6 + ["error"]
    assert "no celestial WCS" in made[7].reason
    places = {number: made[number].hdus[1].data[2, 2] - 10_000 * 20 for number in (4, 5, 6)}
    assert places == {4: 33, 5: 51, 6: 31}
    assert made[2].hdus[1].data[2, 2] == 30 * 10_000 + 30 + 11  # SCI 1 is ten pixels further south
    header = made[5].hdus[1].header
    assert "Position on the sky from extension 4 (SCI)." in list(header["HISTORY"])
    np.testing.assert_allclose(
        WCS(header).all_pix2world([[2, 2]], 0), WCS(made[4].hdus[1].header).all_pix2world([[2, 2]], 0)
    )


def test_scidata_names_the_science_image(tmp_path: Path) -> None:
    noise = fits.ImageHDU(coded(SHAPE), name="NOISE")
    noise.header["SCIDATA"] = "DATA"
    path = write(
        tmp_path / "eso.fits", fits.PrimaryHDU(), fits.ImageHDU(coded(SHAPE), tan_header(*SHAPE), "DATA"), noise
    )
    (made,) = cut(path, SKY, 3, "NOISE")
    np.testing.assert_array_equal(made.hdus[1].data, coded(SHAPE)[28:31, 38:41])


@pytest.mark.parametrize(("inherit", "status"), [(True, "ok"), (None, "ok"), (False, "error")])
def test_the_position_may_be_in_the_primary_header(inherit: bool | None, status: str, tmp_path: Path) -> None:
    image = fits.ImageHDU(coded(SHAPE))
    if inherit is not None:
        image.header["INHERIT"] = inherit
    path = write(tmp_path / "mef.fits", fits.PrimaryHDU(header=tan_header(*SHAPE)), image)
    (made,) = cut(path, SKY, 3)
    assert made.status == status
    if status == "ok":
        np.testing.assert_array_equal(made.hdus[1].data, coded(SHAPE)[28:31, 38:41])
        np.testing.assert_allclose(WCS(made.hdus[1].header).all_world2pix([[150.0, 2.2]], 0), [[1, 1]], atol=1e-6)


# -- cubes ------------------------------------------------------------------------------------------------------------


def spectral_header(**more: Any) -> fits.Header:
    header = tan_header(*SHAPE)
    header["WCSAXES"] = 3
    header.update({"CTYPE3": "FREQ", "CUNIT3": "Hz", "CRPIX3": 2.0, "CRVAL3": 1.4e9, "CDELT3": 1e6, **more})
    return header


@pytest.mark.parametrize("kind", ["plain", "tiles", "open"])
@pytest.mark.parametrize("first", [(5,), (2, 3), (1, 4)])
def test_every_plane_of_a_cube_is_cut(first: tuple[int, ...], kind: str, tmp_path: Path) -> None:
    data = np.arange(np.prod([*first, *SHAPE]), dtype="f4").reshape(*first, *SHAPE)
    more = {"CTYPE4": "STOKES", "CRVAL4": 1.0, "CRPIX4": 1.0, "CDELT4": 1.0} if len(first) > 1 else {}
    header = spectral_header(**more)
    header["WCSAXES"] = 2 + len(first)
    image = (
        fits.CompImageHDU(data, header, compression_type="GZIP_1") if kind == "tiles" else fits.ImageHDU(data, header)
    )
    path = write(tmp_path / "cube.fits", fits.PrimaryHDU(), image)
    with fits.open(path) as opened:
        (made,) = cut(opened if kind == "open" else path, SKY, (5, 3))
        np.testing.assert_array_equal(made.hdus[1].data, data[..., 28:31, 37:42])
        there, here = WCS(opened[1].header), WCS(made.hdus[1].header)
    assert here.naxis == 2 + len(first)
    rest = [1] * len(first)
    np.testing.assert_allclose(here.all_pix2world([[0, 0, *rest]], 0), there.all_pix2world([[37, 28, *rest]], 0))


def test_beyond_the_edge_every_plane_is_filled(tmp_path: Path) -> None:
    path = plain_image(tmp_path / "cube.fits", np.ones((2, *SHAPE), "f4"))
    (made,) = cut(path, sky_at(path, 0, 0), 3)
    np.testing.assert_array_equal(np.isnan(made.hdus[1].data).sum(axis=(1, 2)), [5, 5])


@pytest.mark.parametrize(
    ("cards", "reason"),
    [
        ({"CTYPE1": "FREQ", "CTYPE3": "RA---TAN"}, "CTYPE1 and CTYPE2 are 'FREQ' and 'DEC--TAN'"),
        ({"PC1_3": 0.1}, "PC1_3 is 0.1; the sky must not depend on other axes"),
        ({"CTYPE3": "WAVE-TAB", "PS3_0": "WCS-TABLE"}, "the table WCS-TABLE, 1 of its axis 3 is not in the file"),
    ],
)
def test_cubes_of_another_kind_are_refused(cards: dict[str, Any], reason: str, tmp_path: Path) -> None:
    path = write(tmp_path / "cube.fits", fits.PrimaryHDU(np.ones((3, *SHAPE), "f4"), spectral_header(**cards)))
    (made,) = cut(path, SKY)
    assert made.status == "error"
    assert reason in made.reason


def test_the_table_of_a_third_axis_comes_along(tmp_path: Path) -> None:
    waves = fits.Column("wavelength", "3E", array=[[5.0, 5.1, 5.3]], dim="(1,3)")
    table = fits.BinTableHDU.from_columns([waves], name="WCS-TABLE")
    cards = {"CTYPE3": "WAVE-TAB", "CUNIT3": "um", "CRVAL3": 1.0, "CRPIX3": 1.0, "CDELT3": 1.0}
    header = spectral_header(**cards, PS3_0="WCS-TABLE", PS3_1="wavelength")
    path = write(tmp_path / "s3d.fits", fits.PrimaryHDU(), fits.ImageHDU(np.ones((3, *SHAPE), "f4"), header), table)
    (made,) = cut(path, SKY, 3)
    wcs = WCS(made.hdus[1].header, made.hdus)
    np.testing.assert_allclose(wcs.all_pix2world([[1, 1, 2]], 0)[0, 2], 5.3, rtol=1e-6)


def test_a_cube_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = plain_image(tmp_path / "cube.fits", np.ones((50, *SHAPE), "u1"))
    (made,) = cut(path, SKY, 30_000)
    assert made.status == "error"
    assert "50 planes of 30,000 columns and 30,000 rows" in made.reason
