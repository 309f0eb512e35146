"""A product is one object: what is made of its frames follows from it."""

from __future__ import annotations

import io
import json
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time

from tessera import CubeFactory, InvalidInputError, TessFootprintCutout
from tessera.builds.report import describe_cube, verify_cube
from tessera.cli.main import main
from tessera.cutouts.open_cube import open_cube
from tessera.io.sources import open_source
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tessera.sky.footprint import frame_footprint
from tessera.tess.ids import CcdId
from tessera.tess.products import PRODUCTS, SPOC, TICA, HeaderCard, parse_product
from tests.support.checks import checksums_hold
from tests.support.frames import centred_wcs, tiny_flux

SHAPE = (40, 30)
N = 4
FIRST = 3000.0
TOY = replace(
    TICA,
    name="TOY",
    factory="ToyCubeFactory",
    prefix="toy",
    in_extensions=True,
    start="BEGIN",
    stop="FINISH",
    from_last=("FINISH",),
    detector=("CAM", "CHIP"),
    template=("WCSAXES", 2),
    quality="FLAGS",
    cadence="NUMBER",
    flux_unit="adu",
    tpf_cards=(
        HeaderCard("TSTART", "first", source="BEGIN"),
        HeaderCard("DATE-OBS", "first, as a date", source="BEGIN", as_date=True),
        HeaderCard("TOYVER", "a constant", "7"),
    ),
    frame_sector=re.compile(r"toy(\d+)_"),
    frame_detector=re.compile(r"cam(\d)_ccd(\d)"),
    obs_id=re.compile(r"toy-s(\d{4,})-(\d)-(\d)"),
    target_name="TOY FFI",
)
"""One plane, in an extension: neither SPOC's frames nor TICA's."""


def toy_frame(cadence: int) -> bytes:
    own = {"BEGIN": FIRST + cadence, "FINISH": FIRST + cadence + 0.5, "CAM": 2, "CHIP": 3}
    header = centred_wcs(SHAPE)
    header.update(own | {"FLAGS": 4 * cadence, "NUMBER": 100 + cadence})
    content = io.BytesIO()
    hdus = fits.HDUList([fits.PrimaryHDU(header=fits.Header(own)), fits.ImageHDU(tiny_flux(cadence, SHAPE), header)])
    hdus.writeto(content)
    return content.getvalue()


@pytest.fixture
def frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setitem(PRODUCTS, TOY.name, TOY)
    paths = [tmp_path / f"toy5_{cadence}.fits" for cadence in range(N)]
    for cadence, path in enumerate(paths):
        path.write_bytes(toy_frame(cadence))
    return paths


@pytest.fixture
def cube(frames: list[Path], tmp_path: Path) -> Path:
    path = tmp_path / TOY.cube_name(CcdId(5, 2, 3))
    factory = CubeFactory()
    factory.product = TOY
    factory.make_cube(frames, path, sector=5, verbose=False)
    return path


def place(cube: Path) -> SkyCoord:
    with open_cube(cube) as file:
        return SkyCoord(*file.cube.wcs.all_pix2world([[14.0, 21.0]], 0)[0], unit="deg")


def test_the_command_line_makes_and_checks_a_cube_of_a_third_product(frames: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "cube.fits"
    assert main(["cube", "make", *map(str, frames), "-o", str(path), "--product", "TOY", "-q"]) == 0
    assert verify_cube(path, frames) == []
    with closing(open_source(path)) as source:
        assert describe_cube(source)[0] == "cube.fits: TOY cube of sector 5, camera 2, CCD 3"


def test_a_third_product_is_found_by_its_footprints_and_cut(cube: Path, tmp_path: Path) -> None:
    with open_cube(cube) as file:
        region = frame_footprint(file.cube.wcs, *SHAPE).format_s_region()
    index = tmp_path / "index.json"
    row = {"obs_id": "toy-s0005-2-3", "s_region": region, "target_name": "TOY FFI", "sequence_number": 5}
    index.write_text(json.dumps({name: [value] for name, value in row.items()}))
    made = TessFootprintCutout(place(cube), 5, product="toy", footprints=index, cubes=tmp_path)
    (path,) = made.write_as_tpf(tmp_path)
    assert checksums_hold(Path(path).read_bytes())
    with fits.open(path) as hdus:
        primary, table = hdus[0].header, hdus["PIXELS"]
        assert [primary[keyword] for keyword in ("FFI_TYPE", "TSTART", "TOYVER")] == ["TOY", FIRST, "7"]
        assert primary["DATE-OBS"] == Time(2457000, FIRST, format="jd", scale="tdb").utc.isot + "Z"
        assert (primary["TELAPSE"], primary["TIMEREF"]) == (N - 0.5, "LOCAL")
        assert table.columns["FLUX"].unit == "adu"
        assert "TIMECORR" not in table.columns.names
        assert list(table.data["QUALITY"]) == [0, 4, 8, 12]
        assert list(table.data["CADENCENO"]) == [100, 101, 102, 103]
        window = made.cutouts[0].cutout.window
        box = slice(window.first_row, window.stop_row), slice(window.first_column, window.stop_column)
        for cadence in range(N):
            np.testing.assert_array_equal(table.data["FLUX"][cadence], tiny_flux(cadence, SHAPE)[box])
        assert not table.data["FLUX_ERR"].any()


def test_a_moving_target_is_followed_on_a_third_product(cube: Path) -> None:
    sky, days = place(cube), Time(2457000 + np.array([FIRST, FIRST + N]), format="jd", scale="tdb")
    (result,) = make_moving_cutouts([cube], Ephemeris(days, np.full(2, sky.ra.deg), np.full(2, sky.dec.deg)), 3)
    with fits.open(io.BytesIO(result.data or b"")) as hdus:
        np.testing.assert_array_equal(hdus[1].data["FLUX"][2], tiny_flux(2, SHAPE)[20:23, 13:16])


def test_products_are_known_by_different_columns() -> None:
    assert len({product.start for product in PRODUCTS.values()}) == len(PRODUCTS)


@pytest.mark.parametrize("name", ["spoc", "SPOC"])
def test_a_product_is_found_in_any_case(name: str) -> None:
    assert parse_product(name) is SPOC


@pytest.mark.parametrize("name", ["QLP", "", 1])
def test_an_unknown_product_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(InvalidInputError, match='either "SPOC" or "TICA"'):
        parse_product(name)
