"""Arithmetic of the pictures of pixels: places on the sky, apertures and ticks, against astropy and the engine."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from tessera.lightcurves.photometry import parse_aperture, threshold_aperture
from tests.page.conftest import run

MATRIX = [[-0.00291, 0.00482], [0.00486, 0.00294]]
STRETCHES = ["linear", "sqrt", "log", "asinh"]


def tangential(ra: float, dec: float) -> tuple[dict[str, Any], WCS]:
    """The same projection as the page has it, and as astropy has it."""
    known: dict[str, Any] = {"ra": ra, "dec": dec, "row": 1019.4, "column": 647.8, "matrix": MATRIX}
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = ra, dec
    wcs.wcs.lonpole = 180
    wcs.wcs.crpix = known["column"] + 1, known["row"] + 1
    wcs.wcs.cd = MATRIX
    return known, wcs


@pytest.mark.parametrize(("ra", "dec"), [(98.2, -75.9), (359.999, 0.01), (10.0, 89.95), (200.0, -90.0)])
def test_places_on_the_sky_are_those_of_astropy(page: Any, ra: float, dec: float) -> None:
    known, wcs = tangential(ra, dec)
    places = [[row, column] for row in (1012.0, 1019.4, 1060.25) for column in (560.5, 647.8, 700.0)]
    found = run(
        page, "pixels/wcs.js", "values[1].map((at) => { const s = m.skyAt(values[0], ...at); "
        "return [s, m.pixelAt(values[0], s.ra, s.dec)] })", known, places,
    )  # fmt: skip
    for (row, column), (sky, back) in zip(places, found, strict=True):
        truth = SkyCoord(*wcs.all_pix2world([[column, row]], 0)[0], unit="deg")
        assert SkyCoord(sky["ra"], sky["dec"], unit="deg").separation(truth).arcsec < 1e-4
        assert (back["row"], back["column"]) == pytest.approx((row, column), abs=1e-6)
    assert run(page, "pixels/wcs.js", "m.pixelAt(values[0], values[1], values[2])", known, ra + 180, -dec) is None


@pytest.mark.parametrize(("ra", "dec"), [(98.2, -75.9), (359.999, 0.01), (10.0, 89.8)])
def test_the_compass_points_to_the_north_and_the_east(page: Any, ra: float, dec: float) -> None:
    known, wcs = tangential(ra, dec)
    found = run(page, "pixels/wcs.js", "m.directions(values[0], 1030, 640)", known)
    here = SkyCoord(*wcs.all_pix2world([[640, 1030]], 0)[0], unit="deg")
    for name, angle in (("north", 0), ("east", 90)):
        there = here.directional_offset_by(angle * u.deg, 0.2 * u.arcsec)
        step = np.subtract(wcs.all_world2pix([[there.ra.deg, there.dec.deg]], 0)[0], (640, 1030))
        np.testing.assert_allclose(found[name], step / np.hypot(*step), atol=1e-4)


@pytest.mark.parametrize("sigmas", [0.5, 3, 8])
def test_a_threshold_is_that_of_the_engine(page: Any, sigmas: float) -> None:
    """Of pictures with and without pixels that have no value, with an even and an odd number of values."""
    chance = np.random.default_rng(7)
    for shape, n_unknown in (((15, 15), 0), ((12, 9), 7), ((12, 9), 8)):
        rows, columns = np.indices(shape)
        frame = chance.normal(100, 1, shape) + 60 * np.exp(-((rows - 6) ** 2 + (columns - 4) ** 2) / 4)
        frame.ravel()[chance.choice(frame.size, n_unknown, replace=False)] = np.nan
        given = [[None if np.isnan(value) else value for value in row] for row in frame.tolist()]
        for pixel in ([6, 4], [0, 0]):
            found = run(page, "pixels/aperture.js", "m.threshold(...values)", given, pixel, sigmas)
            assert np.array_equal(np.array(found, bool), threshold_aperture(frame, pixel[0], pixel[1], sigmas)), (
                shape,
                pixel,
            )


def test_a_circle_has_the_pixels_whose_centres_are_in_it(page: Any) -> None:
    rows, columns = np.indices((9, 12))
    for centre, radius in (
        ({"row": 4, "column": 5}, 2.5),
        ({"row": 0.3, "column": 11}, 3),
        ({"row": 4, "column": 5}, 0),
    ):
        found = run(page, "pixels/aperture.js", "m.circle(9, 12, values[0], values[1])", centre, radius)
        inside = np.hypot(rows - centre["row"], columns - centre["column"]) <= radius
        assert np.array_equal(np.array(found, bool), inside), (centre, radius)
        written = run(page, "pixels/aperture.js", "m.toHex(values[0])", found)
        assert np.array_equal(parse_aperture(written, 9, 12), inside)
        assert run(page, "pixels/aperture.js", "m.fromHex(values[0], 9, 12)", written) == found
    beside = run(page, "pixels/aperture.js", "m.circle(9, 12, { row: -2, column: 5 }, 1)")
    assert np.argwhere(beside).tolist() == [[0, 5]]  # never without a pixel


def test_a_stroke_has_no_gaps_and_leaves_a_pixel(page: Any) -> None:
    path = run(page, "pixels/aperture.js", "m.pixelsBetween([2, 1], [4, 7])")
    assert (path[0], path[-1]) == ([2, 1], [4, 7])
    assert np.abs(np.diff(path, axis=0)).max() == 1
    whole = [[1, 1], [1, 1]]
    erased = run(page, "pixels/aperture.js", "m.painted(values[0], [[0, 0], [0, 1], [1, 0], [1, 1]], 0)", whole)
    assert erased == [[0, 0], [0, 1]]
    assert whole == [[1, 1], [1, 1]]


def test_colour_bars_have_round_values_at_their_colours(page: Any) -> None:
    for limits in ([95.2, 1010.4], [-37.3, 37.3], [0.0011, 0.0123], [1.2e5, 3.4e5]):
        for stretch in STRETCHES:
            ticks = run(page, "pixels/ticks.js", "m.barTicks(values[0], values[1], 4)", limits, stretch)
            values, places = ([tick[name] for tick in ticks] for name in ("value", "place"))
            assert 3 <= len(ticks) <= 7, (limits, stretch, ticks)
            assert values == sorted(set(values))
            assert limits[0] <= values[0]
            assert values[-1] <= limits[1]
            assert places == pytest.approx([shade(value, limits, stretch) for value in values])
            assert [float(tick["text"].replace("\u2212", "-")) for tick in ticks] == pytest.approx(values)
            back = run(
                page,
                "pixels/stretch.js",
                "values[0].map((s) => m.valueOf(s, ...values.slice(1)))",
                places,
                limits,
                stretch,
            )
            assert back == pytest.approx(values)
    assert run(page, "pixels/ticks.js", "m.barTicks([5, 5], 'asinh', 4)") == []


def shade(value: float, limits: list[float], stretch: str) -> float:
    """Place of a value on a colour bar, 0 to 1."""
    share = (value - limits[0]) / (limits[1] - limits[0])
    curves = {"linear": share, "sqrt": share**0.5, "log": np.log1p(1000 * share) / np.log(1001)}
    return float(curves.get(stretch, np.arcsinh(10 * share) / np.arcsinh(10)))


def test_axes_and_scales_have_round_numbers(page: Any) -> None:
    assert run(page, "pixels/ticks.js", "m.axisTicks(639.5, 654.5, 16, 34)") == [640, 645, 650]
    assert run(page, "pixels/ticks.js", "m.axisTicks(-3.5, 3.5, 40, 34)") == list(range(-3, 4))
    assert run(page, "pixels/ticks.js", "m.axisTicks(0, 99.5, 2.4, 34)") == [0, 20, 40, 60, 80]
    found = run(page, "pixels/ticks.js", "[90, 29, 700, 7300, 0.4].map((most) => m.scaleLength(most)?.text ?? null)")
    assert found == ["1\u2032", "20\u2033", "10\u2032", "1°", None]


def test_a_part_of_a_picture_stays_in_it(page: Any) -> None:
    call = """(() => {
      const view = new m.View();
      const layout = () => new m.Layout(15, 20, 400, 1, view);
      const seen = [];
      const note = () => seen.push({ ...view, ...layout().shown, side: layout().side });
      view.zoomBy(4, { row: 2, column: 17 }, layout());
      const fixed = layout().place(2, 17);
      note();
      view.panBy(1000, -1000, layout());
      note();
      view.follow(14, 0, layout());
      note();
      view.zoomBy(1e-9, { row: 2, column: 2 }, layout());
      note();
      const pixels = [[0, 299.9], [399.9, 0], [401, 5]].map((point) => layout().pixelAt(...point));
      return { seen, fixed, pixels };
    })()"""
    found = run(page, "pixels/view.js", call)
    assert (found["fixed"]["x"], found["fixed"]["y"]) == pytest.approx((350, 250))  # where it was
    near, pushed, followed, whole = found["seen"]
    assert near["side"] == 80
    assert (pushed["columns"], pushed["rows"]) == ([14.5, 19.5], [-0.5, 3.25])
    assert followed["columns"][0] == -0.5
    assert followed["rows"][1] == 14.5
    assert (whole["factor"], whole["columns"], whole["rows"]) == (1, [-0.5, 19.5], [-0.5, 14.5])
    assert found["pixels"] == [[0, 0], [14, 19], None]
