"""Pictures show what they say: the right rows and columns, the aperture, and where north and east are."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import imread

from tessera import LightCurve, TargetPixels
from tessera.lightcurves.plots import compass
from tests.support.paths import DATA, TPF_6X6
from tests.unit.lightcurves.conftest import COLUMN, PERIOD, ROW


@pytest.fixture
def axes() -> Any:
    return Figure().add_subplot()


def test_the_median_frame_is_at_its_rows_and_columns(star_pixels: TargetPixels, axes: Any) -> None:
    star_pixels.plot(axes)
    [image] = axes.get_images()
    assert image.origin == "lower"
    assert image.get_extent() == [COLUMN - 5.5, COLUMN + 5.5, ROW - 4.5, ROW + 4.5]
    np.testing.assert_array_equal(image.get_array(), star_pixels.median)
    assert np.argmax(image.get_array()) == 4 * 11 + 5
    assert axes.get_xlabel() == "Column on the frame, from 0"
    assert axes.get_title().endswith("sector 1, camera 4, CCD 2")
    assert (axes.get_xlim(), axes.get_ylim()) == ((COLUMN - 5.5, COLUMN + 5.5), (ROW - 4.5, ROW + 4.5))


def test_the_outline_is_the_border_of_the_aperture(star_pixels: TargetPixels, axes: Any) -> None:
    mask = np.zeros((9, 11), bool)
    mask[2, 3:5] = mask[3, 3] = True
    star_pixels.plot(axes, mask)
    [outline] = [item for item in axes.collections if isinstance(item, LineCollection)]
    lines = {tuple(map(tuple, segment.tolist())) for segment in outline.get_segments()}
    assert len(lines) == 8
    left, bottom = COLUMN - 5 + 3 - 0.5, ROW - 4 + 2 - 0.5
    assert ((left, bottom), (left + 1, bottom)) in lines
    assert ((left + 2, bottom), (left + 2, bottom + 1)) in lines
    assert ((left + 1, bottom), (left + 1, bottom + 1)) not in lines


@pytest.mark.parametrize("path", [TPF_6X6, DATA / "tess25155310-s01-first-cadences.fits.gz"])
def test_the_compass_points_north_and_east(path: Path) -> None:
    pixels = TargetPixels.read(path)
    directions = compass(pixels)
    assert directions is not None
    assert pixels.wcs is not None
    middle = SkyCoord(*pixels.wcs.all_pix2world([[2.5, 2.5]], 0)[0], unit="deg")
    for name, angle in (("N", 0 * u.deg), ("E", 90 * u.deg)):
        away = middle.directional_offset_by(angle, 20 * u.arcsec)
        column, row = pixels.wcs.all_world2pix([[away.ra.deg, away.dec.deg]], 0)[0]
        step = np.array([row - 2.5, column - 2.5])
        np.testing.assert_allclose(directions[name], step / np.linalg.norm(step), atol=0.02)


def test_a_cutout_without_wcs_has_no_compass(star_pixels: TargetPixels, axes: Any) -> None:
    bare = TargetPixels(star_pixels.flux, None, star_pixels.time, star_pixels.quality, "BTJD")
    bare.plot(axes, mask=None)
    assert compass(bare) is None
    assert axes.get_xlabel() == "Column in the cutout, from 0"
    assert not [item for item in axes.collections if isinstance(item, LineCollection)]


def test_a_light_curve_is_drawn_over_time_or_phase(star_pixels: TargetPixels, axes: Any) -> None:
    curve = star_pixels.to_lightcurve(quality="none")
    curve.plot(axes)
    good, flagged = (container.lines[0].get_xydata() for container in axes.containers)
    np.testing.assert_allclose(good, np.column_stack([curve.time, curve.flux])[curve.quality == 0])
    assert len(flagged) == 2
    assert axes.get_xlabel() == "Time (BTJD: days since JD 2457000, TDB)"
    assert axes.get_ylabel() == "Flux (e⁻/s)"
    assert axes.get_title().endswith("background subtracted")
    folded: Any = curve.plot(Figure().add_subplot(), period=PERIOD)
    assert folded.get_xlabel() == "Phase (period 0.27 d)"
    x, y = folded.containers[0].lines[0].get_data()
    np.testing.assert_allclose(x, curve.phase(PERIOD)[curve.quality == 0])
    assert np.ptp(y) > 800


def test_a_notebook_shows_facts_and_a_picture(star_pixels: TargetPixels) -> None:
    curve = star_pixels.to_lightcurve()
    for html, words in (
        (curve._repr_html_(), ("59, 1 of them with quality bits", "sector 1, camera 4, CCD 2", "9 x 11 pixels")),
        (star_pixels._repr_html_(), ("9 rows x 11 columns, 60 cadences", "TargetPixels")),
    ):
        assert [word for word in words if word not in html] == []
        [data] = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
        picture = imread(io.BytesIO(base64.b64decode(data)), "png")
        assert picture.shape[1] > 400
        assert np.ptp(picture[..., :3]) > 0.5
    star_pixels.header["OBJECT"] = "<b>"
    try:
        assert "<b>" not in curve._repr_html_()
        assert "&lt;b&gt;" in curve._repr_html_()
        star_pixels.header["OBJECT"] = r"$\frac{"  # no formula
        assert "<img" in curve._repr_html_()
        assert "<img" in star_pixels._repr_html_()
    finally:
        star_pixels.header["OBJECT"] = ""


def test_a_notebook_shows_no_time_where_none_is_known(star_pixels: TargetPixels) -> None:
    unknown = replace(star_pixels, time=np.full(len(star_pixels.time), np.nan))
    with warnings.catch_warnings(action="error"):
        assert "Time" not in unknown._repr_html_()


def test_where_matplotlib_is_missing_an_error_says_how_to_install_it(tmp_path: Path) -> None:
    program = f"""
import sys
sys.modules["matplotlib"] = None
from tessera import TargetPixels
pixels = TargetPixels.read({str(TPF_6X6)!r})
curve = pixels.to_lightcurve()
print("img" in curve._repr_html_(), "Points" in curve._repr_html_(), "img" in pixels._repr_html_())
curve.write({str(tmp_path / "star.csv")!r})
for call in (curve.plot, pixels.plot, lambda: curve.write({str(tmp_path / "star.png")!r})):
    try:
        call()
    except ImportError as error:
        print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, *others = run.stdout.splitlines()
    assert first == "False True False"
    assert others == ["plots need the package matplotlib; pip install 'tessera-cubes[plot]'"] * 3
    assert [item.name for item in tmp_path.iterdir()] == ["star.csv"]


def test_the_picture_of_a_light_curve_is_a_png(star_pixels: TargetPixels, tmp_path: Path) -> None:
    curve: LightCurve = star_pixels.to_lightcurve()
    assert imread(curve.write(tmp_path / "star.png")).shape[:2] == (600, 1350)
