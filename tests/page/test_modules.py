"""The page's arithmetic, run in the browser and compared with astropy and the engine."""

from __future__ import annotations

import ast
import shlex
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from tessera.lightcurves.photometry import parse_aperture
from tessera.sky.wcs import frame_wcs
from tessera.windows import CubePlacement, Placement, place_window
from tests.page.conftest import Visit, run
from tests.support.wcs import ffi_wcs_header

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

DEGREES = ["98.2164 -75.9018", "98.2164, -75.9018", "98.2164 \u221275.9018", "98.2164d -75.9018d", "98.2164° +12.5°"]
SIXTIES = [
    "6:32:51.94 -75:54:06.5",
    "06 32 51.94 -75 54 06.5",
    "06h32m51.94s -75d54m06.5s",
    "6h32m51.94s, +75d54m06.5s",
    "23:59:59.9 +00:00:00.1",
    "0:0:0 -0:0:30",
]
NAMES = ["TIC 261136679", "pi Men", "HD 209458", "WASP-126", "2MASS J05554842-7523285 b", "", "12", "1 2 3"]
IMPOSSIBLE = [
    ("12 98", "declination is 98"),
    ("400 10", "right ascension is 400"),
    ("25:00:00 +10:00:00", "right ascension is 25 hours"),
    ("5:61:00 +10:00:00", "minutes of right ascension are 61"),
    ("5:00:00 +10:00:60", "seconds of declination are 60"),
]

# Björn Ottosson, A perceptual color space for image processing (2020).
_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


@pytest.mark.parametrize("typed", DEGREES)
def test_degrees_are_read_as_astropy_reads_them(page: Any, typed: str) -> None:
    plain = typed.replace("\u2212", "-").replace("d", "").replace("°", "").replace(",", " ")
    star = SkyCoord(plain, unit="deg")
    found = run(page, "sky/coordinates.js", "m.parsePosition(values[0])", typed)
    assert (found["ra"], found["dec"]) == pytest.approx((star.ra.deg, star.dec.deg), abs=1e-9)


@pytest.mark.parametrize("typed", SIXTIES)
def test_hours_and_degrees_are_read_as_astropy_reads_them(page: Any, typed: str) -> None:
    star = SkyCoord(typed.replace(",", ""), unit=("hourangle", "deg"))
    found = run(page, "sky/coordinates.js", "m.parsePosition(values[0])", typed)
    assert (found["ra"], found["dec"]) == pytest.approx((star.ra.deg, star.dec.deg), abs=1e-9)


def test_the_short_form_of_catalogues_is_read(page: Any) -> None:
    found = run(page, "sky/coordinates.js", "m.parsePosition(values[0])", "J055548.42-752328.5")
    star = SkyCoord("05:55:48.42 -75:23:28.5", unit=("hourangle", "deg"))
    assert (found["ra"], found["dec"]) == pytest.approx((star.ra.deg, star.dec.deg), abs=1e-9)


@pytest.mark.parametrize("typed", NAMES)
def test_a_name_is_no_position(page: Any, typed: str) -> None:
    assert run(page, "sky/coordinates.js", "m.parsePosition(values[0])", typed) is None


@pytest.mark.parametrize(("typed", "message"), IMPOSSIBLE)
def test_an_impossible_position_is_told(page: Any, typed: str, message: str) -> None:
    call = "(() => { try { m.parsePosition(values[0]) } catch (error) { return error.message } })()"
    assert message in run(page, "sky/coordinates.js", call, typed)


def test_sixties_are_written_as_astropy_writes_them(page: Any) -> None:
    for ra, dec in [(98.2164, -75.9018), (0.0, 0.0), (359.99999, -0.00001), (12.3456, 89.99999)]:
        found = run(page, "sky/coordinates.js", "m.formatSexagesimal({ra: values[0], dec: values[1]})", ra, dec)
        numbers = found.translate(str.maketrans("ʰᵐˢ°\u2032″\u2212", "hmsdms-"))
        star = SkyCoord(numbers)
        assert star.separation(SkyCoord(ra, dec, unit="deg")).arcsec < 0.11


@pytest.mark.parametrize("shape", [(15, 15), (3, 4), (1, 1), (7, 5)])
def test_apertures_are_written_as_the_engine_reads_them(page: Any, shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(shape[0]).integers(0, 2, shape).astype(bool)
    mask[0, 0] = True
    text = run(page, "pixels/aperture.js", "m.toHex(values[0])", mask.astype(int).tolist())
    assert np.array_equal(parse_aperture(text, *shape), mask)


def test_the_map_keeps_areas_and_finds_back(page: Any) -> None:
    call = """(() => {
      const view = new m.View({ra: values[0], dec: values[1]}, 100, 800, 400);
      const small = 1e-4;
      const out = [];
      for (const [lon, lat] of [[0, 0], [1, 0.5], [-2.5, -1], [3, 1.2]]) {
        const [x, y] = m.hammer(lon, lat);
        const [a, b] = [m.hammer(lon + small, lat), m.hammer(lon, lat + small)];
        const area = Math.abs((a[0] - x) * (b[1] - y) - (a[1] - y) * (b[0] - x)) / (small * small * Math.cos(lat));
        const place = view.place(lon, lat);
        const back = view.unproject(...place);
        out.push({area, back, place});
      }
      return out;
    })()"""
    for found in run(page, "sky/projection.js", call, 120.0, -35.0):
        assert found["area"] == pytest.approx(1, abs=2e-3)
        assert found["back"] is not None
    assert run(page, "sky/projection.js", "m.inverseHammer(2.9, 0)") is None


def test_a_place_that_is_drawn_is_the_place_that_is_clicked(page: Any) -> None:
    call = """(async () => {
      const { toVector } = await import("/js/sky/coordinates.js");
      const view = new m.View({ra: 300, dec: 60}, 150, 900, 450);
      return values[0].map(([ra, dec]) => view.unproject(...view.project(toVector(ra, dec))));
    })()"""
    places = [[10.0, 20.0], [310.0, 88.0], [100.0, -40.0], [0.0, 0.0]]
    for (ra, dec), found in zip(places, run(page, "sky/projection.js", call, places), strict=True):
        assert SkyCoord(ra, dec, unit="deg").separation(SkyCoord(found["ra"], found["dec"], unit="deg")).arcsec < 0.01


def test_gaps_are_closed_and_times_found_back(page: Any) -> None:
    call = """(() => {
      const axis = m.closeGaps(values[0].map((time) => ({ time })));
      const places = values[0].map((time) => time.map(axis.to));
      return { places, back: places.map((each) => each.map(axis.from)), breaks: axis.breaks };
    })()"""
    times = [[2216.2, 2241.9], [1325.3, 1352.1], [1354.1, 1380.0]]
    found = run(page, "curve/series.js", call, times)
    assert np.array(found["back"]) == pytest.approx(np.array(times))
    shift = times[0][0] - found["places"][0][0]
    assert shift % 10 == pytest.approx(0)
    assert found["places"][1:] == times[1:]
    (gap,) = found["breaks"]
    assert times[2][1] < gap < found["places"][0][0]


def test_phases_and_medians(page: Any) -> None:
    assert run(page, "curve/series.js", "m.phaseOf(1325.75, 0.5, 1325.0)") == pytest.approx(-0.5)
    assert run(page, "curve/series.js", "m.phaseOf(1325.1, 0.4, 1325.0)") == pytest.approx(0.25)
    assert run(page, "curve/series.js", "m.median([3, null, 1, 2, 10])") == 2.5


def test_what_an_address_says_wrongly_is_left_at_its_default_and_told(visit: Visit) -> None:
    wrong = "&size=0,x&period=-1&show=upside&stretch=%3Cb%3E&aperture=a:zz&time=9,1"
    page = visit.open(f"{visit.site.target}{wrong}&cubes=tess-s0001-4-2,tess-s0099-1-1")
    page.wait_for_selector(".sector:not([aria-busy]) .plot canvas")
    state, told = run(page, "state.js", f"Object.values(m.readAddress({wrong!r}))")
    assert (state["size"], state["period"], state["show"]) == ([15, 15], None, "apart")
    assert (state["stretch"], state["apertures"], state["time"]) == ("asinh", {}, None)
    assert sorted(text.split()[0] for text in told) == ["aperture", "period", "show", "size", "stretch", "time"]
    assert page.locator("#link-message p").all_inner_texts() == told
    assert 'show is "upside" in the link, and was left out; allowed: apart, stitched, folded.' in told
    assert "tess-s0099-1-1" in page.locator("#target-message").inner_text()


def test_half_a_position_and_half_a_list_are_told(page: Any) -> None:
    (half,) = run(page, "state.js", "m.readAddress('?ra=10').wrong")
    assert "needs both" in half
    (short,) = run(page, "state.js", "m.readAddress('', '#bulk=12').wrong")
    assert "not complete" in short
    (nameless,) = run(page, "state.js", "m.readAddress('?moving=yes').wrong")
    assert "needs one" in nameless
    good = "?name=Eros&size=5&moving=yes&background=no&good=no&flagged=yes&cubes=a,b&aperture=a:0000008&time=1,2"
    read = run(page, "state.js", f"m.readAddress({good!r})")
    assert read["wrong"] == []
    state = read["state"]
    assert (state["moving"], state["background"], state["good"], state["flagged"]) == (True, "none", False, True)


@pytest.mark.parametrize("digits", ["ff", "0000000", "0000004", "00000080"])
def test_an_aperture_that_does_not_fit_the_window_is_told(page: Any, digits: str) -> None:
    state, told = run(page, "state.js", f"Object.values(m.readAddress('?size=5&aperture=a:{digits},b:8000000'))")
    assert state["apertures"] == {"b": "8000000"}
    assert ["The aperture of a in the link" in text and "7 hexadecimal digits" in text for text in told] == [True]


def test_names_that_were_perhaps_meant(page: Any) -> None:
    names = ["pi Men", "WASP-126", "WASP-121", "WASP-12", "HD 21749"]
    call = "values[0].map((typed) => m.adviseOn(typed, values[1]))"
    typed = ["pi Man", "wasp12", "no such star", "261136679", "98.2164"]
    found = run(page, "sky/suggest.js", call, typed, names)
    assert [each["instead"] for each in found] == [
        ["pi Men"],
        ["WASP-12", "WASP-126", "WASP-121"],
        [],
        ["TIC 261136679"],
        [],
    ]
    assert "a position has two" in found[-1]["words"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_hundred_sectors_have_a_hundred_colours(page: Any, theme: str) -> None:
    """A difference of 0.02 in OKLab can be seen."""
    call = """(() => {
      document.documentElement.dataset.theme = values[0];
      const context = new OffscreenCanvas(1, 1).getContext("2d");
      return Array.from({ length: 104 }, (_, i) => {
        context.fillStyle = m.sectorColour(i + 1);
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
      });
    })()"""
    colours = np.array(run(page, "sky/colours.js", call, theme)) / 255
    linear = np.where(colours > 0.04045, ((colours + 0.055) / 1.055) ** 2.4, colours / 12.92)
    lab = np.cbrt(linear @ _RGB_TO_LMS.T) @ _LMS_TO_OKLAB.T
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    assert apart[~np.eye(len(lab), dtype=bool)].min() > 0.025


def test_text_for_shells_and_programs_is_quoted(page: Any) -> None:
    order = {"name": "x'; rm -rf / #\"", "moving": True, "ra": None, "dec": None, "size": [5, 5], "sectors": [1]}
    order |= {"layout": "full", "placement": "centre", "time": None, "good": False, "product": "SPOC"}
    program = run(page, "files/python.js", "m.astroquery(values[0], 'http://x')", order)
    limited = order | {"time": [1, 2], "layout": "slim"}
    told = run(page, "files/python.js", "m.astroquery(...values)", limited, "")
    assert "no range of time and no other layout: " in told
    assert "TESSCut's paths" not in program
    texts = [node.value for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Constant)]
    assert order["name"] in texts
    line = run(page, "files/snippets.js", "m.curl(values[0], 'http://x')", order).splitlines()[0]
    assert any(str(order["name"]).replace('"', '\\"') in word for word in shlex.split(line))


LIGHTKURVE = "m.lightkurve(...values, 'http://x', { background: 'median', bits: 65535, exclude: [] })"


def test_long_requests_are_bodies(page: Any) -> None:
    """Addresses of more than some 8,000 characters are refused by CloudFront."""
    cubes = [{"cube": f"tess-s{n:04d}-1-1", "sector": n, "camera": 1, "ccd": 1} for n in range(1, 101)]
    order = {"ra": 1, "dec": 2, "size": [15, 15], "sectors": [*range(1, 101)], "time": [1.5, 2], "good": True}
    order |= {"placement": "centre", "layout": "full", "product": "SPOC"}
    for n_digits, is_long in ((20, False), (57, True)):
        apertures = {each["cube"]: "0" * (n_digits - 1) + "8" for each in cubes}
        aperture = run(page, "files/apertures.js", "m.apertureText(values[0], values[1])", apertures, cubes)
        program = run(page, "files/python.js", LIGHTKURVE, order | {"aperture": aperture}, cubes)
        calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Call)]
        assert ("Request" in calls) == is_long
        assert aperture in program
        assert (
            run(page, "files/snippets.js", "m.jobBody(values[0]).aperture", order | {"aperture": aperture}) == aperture
        )
        assert run(page, "files/snippets.js", "m.isAtOnce(values[0])", order | {"aperture": aperture}) == (not is_long)


def test_a_notebook_of_any_name_is_text(page: Any) -> None:
    name = 'x"""; [a](javascript:1) <b> \\ # `c`\u2028'
    state = run(page, "state.js", "({...m.DEFAULTS, ...values[0]})", {"name": name, "ra": 1, "dec": 2})
    order = state | {"sectors": [1], "aperture": "default"}
    cubes = [{"cube": "tess-s0001-4-2", "sector": 1}]
    call = "[m.nameOf(values[0]), JSON.parse(m.notebookOf(...values))]"
    file, notebook = run(page, "files/notebook.js", call, state, order, cubes, "http://x/?name=(a)")
    assert file == "x_a_javascript_1_b_c.ipynb"
    title = notebook["cells"][0]["source"][0].rstrip("\n")
    assert title == '# x\\"\\"\\"\\; \\[a\\]\\(javascript:1\\) \\<b\\> \\\\ \\# \\`c\\`\u2028'
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            ast.parse("".join(cell["source"]))


@pytest.mark.parametrize(
    ("table", "added"),
    [
        ("", 'name,ra,dec,size,sectors\n,1,-2,15x15,"1,2"\n'),
        ("Name; RA ; dec\npi Men;84;-80\n", "Name; RA ; dec;size;sectors\npi Men;84;-80;;\n;1;-2;15x15;1,2\n"),
        ('dec,ra,note\n-80,84,"a, b"', 'dec,ra,note,size,sectors\n-80,84,"a, b",,\n-2,1,,15x15,"1,2"\n'),
        ("pi Men\n", None),
    ],
)
def test_rows_are_added_to_a_pasted_table(page: Any, table: str, added: str | None) -> None:
    row = {"name": "", "ra": 1, "dec": -2, "size": "15x15", "sectors": "1,2"}
    found = run(page, "list/add.js", "m.withRows(...values)", table, [row])
    assert (found and found["text"]) == added
    if added:
        again = run(page, "list/add.js", "m.withRows(...values)", added, [row])
        assert (again["text"], again["added"], again["rows"]) == (added, 0, added.count("\n") - 1)


@pytest.mark.parametrize(("size", "placement"), [((15, 15), "centre"), ((4, 20), "centre"), ((5, 8), "tesscut")])
def test_the_window_on_the_sky_is_the_one_that_the_engine_cuts(
    page: Any, size: tuple[int, int], placement: CubePlacement
) -> None:
    """A SIP distortion bends the window by some percent, and the page leaves that out."""
    wcs = frame_wcs(dict(ffi_wcs_header(1, 4, 2)))
    ra, dec = (float(value) for value in wcs.all_pix2world([[1400.3, 1200.2]], 0)[0])
    header = wcs.to_header_string(relax=True)
    window = place_window(1200.2, 1400.3, *size, Placement(placement))
    view = {"ra": ra, "dec": dec, "size": size, "placement": placement}

    call = "m.windowCorners(values[0], values[1], values[2])"
    found = SkyCoord(run(page, "aladin/shapes.js", call, view, {"row": 1200.2, "column": 1400.3}, header), unit="deg")

    low, left = window.first_row - 0.5, window.first_column - 0.5
    high, right = low + size[0], left + size[1]
    corners = [[left, low], [right, low], [right, high], [left, high]]
    wanted = SkyCoord(wcs.all_pix2world(corners, 0), unit="deg")
    assert wanted.separation(found).arcsec.max() < 0.05 * 21 * max(size)


def test_what_the_service_would_refuse_is_not_sent_to_other_programs(page: Any) -> None:
    """More than 10,000 pixels or 750 MB are 413 for `/v1/cutouts.fits`, and a window of 150 rows has no preview."""
    cases = [
        ("pixels", 100, 32, False, ""),
        ("pixels", 101, 32, False, "The files are too large to be sent."),
        ("pixels", 31, 11_775, False, ""),
        ("pixels", 32, 11_775, False, "The files are too large to be sent."),
        ("curves", 100, 32, False, ""),
        ("curves", 101, 32, False, "Windows of more than 100 pixels a side have no light curves."),
        ("curves", 15, 32, True, "Correct the fields that are marked, then send."),
        ("curves", 15, 0, False, "Tick a sector to send it."),
        ("coverage", 15, 0, False, "Tick a sector to send it."),
        ("coverage", 150, 32, True, ""),
        ("observations", 150, 0, False, ""),
        ("observations", 15, 32, True, "Correct the fields that are marked, then send."),
        ("position", 150, 0, True, ""),
    ]
    one = "m.whyNot(kind, {size: [100, side], sectors: [1]}, n ? [{n_cadences: n}] : [], wrong)"
    told = run(page, "samp/items.js", f"values[0].map(([kind, side, n, wrong]) => {one})", [case[:4] for case in cases])
    for text, (*_, wanted) in zip(told, cases, strict=True):
        assert text.startswith(wanted)
        assert bool(text) == bool(wanted)
