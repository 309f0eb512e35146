"""What the page shows goes on elsewhere: apertures into files and programs, a notebook, and rows of a list."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from astropy.io import fits

from tessera.lightcurves.photometry import parse_aperture
from tests.page.conftest import Visit, fluxes
from tests.support.archives import file_names
from tests.support.client_programs import run_client

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

BOTH = "&cubes=tess-s0001-4-2,tess-s0002-4-2"
OWN = "0000000000000000000000000000c0018000000000000000000000000"
"""Four pixels of 15 x 15 around the star."""
CHOSEN = f"&aperture=tess-s0002-4-2:{OWN}"


def preview(visit: Visit, cube: str, **options: str) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in options.items())
    site = visit.site
    with urllib.request.urlopen(
        f"{site.url}/v1/preview?cube={cube}&ra={site.ra}&dec={site.dec}&points=20000&{query}"
    ) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def marked(page: Page) -> dict[str, NDArray[np.bool_]]:
    """Pixels that the files of a download mark, by cube."""
    with page.expect_download() as found:
        page.get_by_role("button", name="Download", exact=True).click()
    archive = zipfile.ZipFile(io.BytesIO(Path(found.value.path()).read_bytes()))
    masks = {}
    for name in file_names(archive):
        with fits.open(io.BytesIO(archive.read(name))) as hdus:
            masks[name.partition("_")[0]] = hdus["APERTURE"].data == 3
    return masks


def run(program: str, folder: Path) -> str:
    """What a program prints for somebody who has lightkurve and this project."""
    return run_client(folder, "-W", "ignore", "-c", program, timeout=180, MPLBACKEND="agg")


def test_files_mark_the_apertures_that_the_page_shows(visit: Visit) -> None:
    page = visit.open_star(BOTH + CHOSEN)
    masks = marked(page)
    np.testing.assert_array_equal(masks["tess-s0001-4-2"], np.array(preview(visit, "tess-s0001-4-2")["aperture"]) == 1)
    np.testing.assert_array_equal(masks["tess-s0002-4-2"], parse_aperture(OWN, 15, 15))
    page.get_by_label("Mark it in the files").uncheck()
    assert not any(mask.any() for mask in marked(page).values())
    page.wait_for_url("**mark=no**")


def test_an_aperture_keeps_its_pixels_where_tesscut_places_windows(visit: Visit) -> None:
    page = visit.open_star(BOTH + CHOSEN + "&size=15,15&placement=tesscut")
    shown = preview(visit, "tess-s0002-4-2", size="15,15")["window"]
    with page.expect_download() as found:
        page.get_by_role("button", name="Download", exact=True).click()
    archive = zipfile.ZipFile(io.BytesIO(Path(found.value.path()).read_bytes()))
    (name,) = [name for name in file_names(archive) if name.startswith("tess-s0002")]
    with fits.open(io.BytesIO(archive.read(name))) as hdus:
        head = hdus["PIXELS"].header
        corner = np.array([head["2CRV5P"], head["1CRV5P"]]) - 1
        pixels = np.argwhere(hdus["APERTURE"].data == 3) + corner
    wanted = np.argwhere(parse_aperture(OWN, 15, 15)) + np.array([shown["first_row"], shown["first_column"]])
    np.testing.assert_array_equal(pixels, wanted)


def test_a_notebook_and_the_programs_make_the_light_curves_of_the_page(visit: Visit, tmp_path: Path) -> None:
    choices = (
        "&show=folded&period=0.25&epoch=1325.3&clip=9&background=components&bits=32&exclude=1325.5~1325.6&zoom=-0.2,0.3"
        "&detrend=pld"
    )
    page = visit.open_star(BOTH + CHOSEN + choices)
    with page.expect_download() as found:
        page.get_by_role("button", name="Notebook").click()
    assert found.value.suggested_filename.endswith(".ipynb")
    notebook = json.loads(Path(found.value.path()).read_text(encoding="utf-8"))
    assert (notebook["nbformat"], {cell["cell_type"] for cell in notebook["cells"]}) == (4, {"markdown", "code"})
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    programs = ["\n".join(cells)]
    page.locator("#background").select_option("rows")
    for name in ("lightkurve", "tessera"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#snippet pre")).to_have_attribute("aria-label", f"Program for {name}")
        programs.append(page.locator("#snippet pre").inner_text())
    said = "import json\nprint(json.dumps([getattr(curve.flux, 'value', curve.flux).tolist() for curve in curves]))\n"
    programs[0] += "\nprint('zoom', [float(end) for end in axis.get_xlim()], axis.get_xlabel(), len(axis.lines))"
    programs[0] += "\nprint('flags', [int(np.count_nonzero(curve.quality)) for curve in curves])"
    lines = run("\n".join(program + "\n" + said for program in programs), tmp_path).splitlines()
    made = [np.array(json.loads(line)) for line in lines if line.startswith("[[")]
    assert len(made) == 3
    for curves, background in zip(made, ("components", "rows", "rows"), strict=True):
        apertures: tuple[dict[str, str], ...] = ({}, {"aperture": OWN})
        wanted = [
            preview(visit, f"tess-s000{n}-4-2", background=background, detrend="pld", **more)["lightcurve"]
            for n, more in enumerate(apertures, 1)
        ]
        np.testing.assert_allclose(curves, [fluxes(each) for each in wanted], rtol=1e-5)
    out = [1325.5 < time < 1325.6 for time in wanted[0]["time"]]
    assert "zoom [-0.2, 0.3] Phase 4" in lines
    assert f"flags [{sum(out) + 1}, 1]" in lines  # and the momentum dump


def test_the_program_for_astroquery_marks_the_aperture(visit: Visit, tmp_path: Path) -> None:
    page = visit.open_star(f"&cubes=tess-s0002-4-2{CHOSEN}")
    page.get_by_role("button", name="astroquery").click()
    expect(page.locator("#snippet pre")).to_contain_text("Tesscut")
    program = page.locator("#snippet pre").inner_text()
    said = """
header, marked = cutouts[0]['PIXELS'].header, np.argwhere(cutouts[0]['APERTURE'].data == 3)
print((marked + [header['2CRV5P'] - 1, header['1CRV5P'] - 1]).tolist())
"""
    window = preview(visit, "tess-s0002-4-2")["window"]
    wanted = np.argwhere(parse_aperture(OWN, 15, 15)) + np.array([window["first_row"], window["first_column"]])
    assert run(f"{program}\n{said}", tmp_path).splitlines()[-1] == str(wanted.tolist())


def test_targets_are_added_to_the_list(visit: Visit) -> None:
    page = visit.open_star(BOTH + CHOSEN)
    page.get_by_role("button", name="Add to the list").click()
    expect(page.locator("#list-added")).to_contain_text("Added: the list has 2 rows.")
    page.get_by_role("button", name="Add to the list").click()
    expect(page.locator("#list-added")).to_contain_text("Already there: the list has 2 rows.")
    page.get_by_role("link", name="Open the list").click()
    expect(page.locator("#list-text")).to_be_focused()
    place = f"{visit.site.ra},{visit.site.dec},15x15"
    assert page.locator("#list-text").input_value().splitlines() == [
        "name,ra,dec,size,sectors,aperture",
        f",{place},1,",
        f",{place},2,{OWN}",
    ]
    page.get_by_role("button", name="Show the price").click()
    expect(page.locator("#list-plan-body")).to_contain_text("2 from 2 cubes")
    page.go_back()
    page.get_by_label("Rows").fill("120")
    page.get_by_label("Rows").press("Tab")
    page.get_by_role("button", name="Add to the list").click()
    expect(page.locator("#list-added")).to_contain_text("at most 101 pixels a side")
