"""The option `flags`: collateral pixels, and cadences that are blank, repeated or saturated."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from tessera import (
    CutoutOptions,
    InvalidInputError,
    MovingOptions,
    cut_list,
    make_cutouts,
    make_moving_cutouts,
)
from tessera.cli.main import main
from tessera.cutouts.open_cube import open_cube
from tessera.moving.ephemeris import Ephemeris
from tessera.tess.detector import saturation_level, science_pixels
from tessera.tess.products import SPOC, TICA
from tessera.tess.quality import BLANK, COLLATERAL, REPEATED, SATURATED
from tessera.tpf.flags import Flags
from tests.support.checks import checksums_hold
from tests.support.frames import tiny_times
from tests.support.sparse import sparse_cube

FRAME = 2078, 2136
N, SIDE = 8, 7
CORNER = -1, 42
"""First row and column of the window: a row beyond the frame, and two collateral columns."""
LEVEL = 180_000 / 1.98
"""Flux of a saturated pixel: near the full well after each read of 1.98 s."""
EXPECTED = [0, 0, REPEATED, BLANK, BLANK, SATURATED, BLANK, 0]
ON = CutoutOptions(flags=True)


def window_flux() -> np.ndarray:
    """Flux of the window: a star of two pixels, and collateral pixels that are brighter and always change."""
    flux = np.random.default_rng(1).normal(100, 5, (N, SIDE, SIDE)).astype(np.float32)
    flux[:, 3:5, 3] += 300
    flux[2] = flux[1]
    flux[3:5] = 0
    flux[5, 1:, 2:].flat[:15] = LEVEL + 1
    flux[6] = np.where(np.indices((SIDE, SIDE)).sum(axis=0) % 2, np.nan, 0)
    flux[..., :2] = 5000 + np.arange(N)[:, None, None]
    return flux


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cube of full frames that has pixels in the window only."""
    path = sparse_cube(tmp_path_factory.mktemp("cube"), N, FRAME)
    with open_cube(path) as file:
        offset, layout = file.cube.data_offset, file.cube.layout
    planes = np.stack([window_flux(), window_flux() + 0.5], axis=-1).transpose(1, 2, 0, 3).astype(">f4")
    with path.open("r+b") as file:
        for row in range(1, SIDE):
            file.seek(offset + ((CORNER[0] + row) * layout.n_columns + CORNER[1]) * layout.pixel_bytes)
            file.write(planes[row].tobytes())
    return path


@pytest.fixture(scope="module")
def target(cube: Path) -> SkyCoord:
    with open_cube(cube) as file:
        return SkyCoord(*file.cube.wcs.all_pix2world(CORNER[1] + 3.0, CORNER[0] + 3.0, 0), unit="deg")


def cut(cube: Path, target: SkyCoord, options: CutoutOptions | None = None) -> bytes:
    (result,) = make_cutouts(cube, target, SIDE, options=options)
    assert result.data is not None, result.reason
    return bytes(result.data)


def science() -> np.ndarray:
    seen = np.ones((SIDE, SIDE), bool)
    seen[0], seen[:, :2] = False, False
    return seen


def test_the_flags_of_a_window_at_the_corner(cube: Path, target: SkyCoord) -> None:
    data = cut(cube, target, ON)
    with fits.open(io.BytesIO(data)) as hdus:
        aperture, table = hdus["APERTURE"].data, hdus["PIXELS"].data
        expected = np.where(science(), 1, 512)
        expected[0] = 0
        np.testing.assert_array_equal(aperture, expected)
        assert table["QUALITY"].tolist() == EXPECTED
        assert table.columns["QUALITY"].disp == "B32.32"
        for name, more in (("FLUX", 0), ("FLUX_ERR", 0.5)):
            wanted = np.where(science(), window_flux() + np.float32(more), np.nan)
            np.testing.assert_array_equal(table[name], wanted)
        for hdu in hdus[:3]:
            assert hdu.header["NPIXSCI"] == 30
            assert hdu.header["SATLEVEL"] == pytest.approx(LEVEL)
        assert checksums_hold(data)


def test_a_file_without_flags_is_the_cube_s_pixels_and_flags(cube: Path, target: SkyCoord) -> None:
    with fits.open(io.BytesIO(cut(cube, target))) as hdus:
        assert [card for card in ("NPIXSCI", "SATLEVEL") if card in hdus[0].header] == []
        assert hdus["APERTURE"].data[1:].min() == hdus["APERTURE"].data.max() == 1
        assert not hdus["PIXELS"].data["QUALITY"].any()
        assert hdus["PIXELS"].columns["QUALITY"].disp == "B16.16"
        np.testing.assert_array_equal(hdus["PIXELS"].data["FLUX"][:, 1:], window_flux()[:, 1:])
    assert cut(cube, target) == cut(cube, target, CutoutOptions(flags=False))
    assert len(repr(make_cutouts(cube, target, SIDE))) < 500  # a notebook shows it


def test_files_in_memory_and_on_disk_and_of_some_cadences_agree(cube: Path, target: SkyCoord, tmp_path: Path) -> None:
    options = CutoutOptions(flags=True, fill_value=-1.0, cadences=(2, 5), layout="slim")
    (result,) = make_cutouts(cube, target, SIDE, options=options, output_dir=tmp_path)
    assert result.path is not None
    data = result.path.read_bytes()
    assert data == cut(cube, target, options)
    table = fits.getdata(io.BytesIO(data), 1)
    assert table["QUALITY"].tolist() == [0, BLANK, BLANK, SATURATED]  # the cadence before the first one is not there
    assert (table["FLUX"][:, ~science()] == -1).all()


def test_the_optimal_aperture_has_no_collateral_pixel(cube: Path, target: SkyCoord) -> None:
    from tessera.cubes.window_pixels import blank_cutout  # noqa: PLC0415
    from tessera.tpf.fixed import TpfRequest, build_tpf  # noqa: PLC0415
    from tessera.windows import Window  # noqa: PLC0415

    with open_cube(cube) as file:
        cutout = blank_cutout(file.cube.layout, Window(*CORNER, SIDE, SIDE))
        request = TpfRequest(file.cube, cutout, 1.0, 2.0, "1", aperture=np.ones((SIDE, SIDE), bool), flags=True)
        with fits.open(io.BytesIO(build_tpf(request))) as hdus:
            np.testing.assert_array_equal(hdus["APERTURE"].data & 2 > 0, science())
            assert [hdus["APERTURE"].header[card] for card in ("NPIXSAP", "NPIXMISS")] == [30, 19]


@pytest.mark.parametrize("options", [CutoutOptions, MovingOptions])
def test_flags_are_on_or_off(options: Any) -> None:
    with pytest.raises(InvalidInputError, match="flags is 'yes'"):
        options(flags="yes")


def test_differences_have_no_flags() -> None:
    with pytest.raises(InvalidInputError, match="flags is True; allowed: False for differences"):
        CutoutOptions(flags=True, difference=True)


# ---------------------------------------------------------------- boxes that move


def brute_flags(flux: np.ndarray, seen: np.ndarray, corners: np.ndarray, level: float) -> list[int]:
    """The same flags, pixel by pixel, with places on the frame."""
    flags, places, before = [], np.indices(flux.shape[1:]), dict[tuple[int, int], float]()
    for frame, mask, corner in zip(flux, seen, corners, strict=True):
        rows, columns = places[0][mask] + corner[0], places[1][mask] + corner[1]
        now = {(int(r), int(c)): float(v) for r, c, v in zip(rows, columns, frame[mask], strict=True)}
        both = [place for place in now if place in before]
        blank = bool(now) and not any(now.values())
        flag = BLANK if blank else REPEATED if len(both) > 3 and all(now[p] == before[p] for p in both) else 0
        full = sum(value >= level for value in now.values())
        flag |= SATURATED if full and 2 * full >= len(now) else 0
        flags.append(flag | (0 if mask.all() else COLLATERAL))
        before = now
    return flags


@given(st.integers(0, 2**32 - 1))
def test_boxes_that_move_have_the_flags_of_their_places(seed: int) -> None:
    random = np.random.default_rng(seed)
    frames = np.repeat(random.integers(0, 3, (4, 12, 12)), 3, axis=0) * 50.0
    frames[random.random(12) < 0.2] = 0
    frames[random.random(12) < 0.2] = 100
    corners = np.clip(np.cumsum(random.integers(-2, 3, (12, 2)), axis=0), -3, 11)
    padded = np.pad(frames, ((0, 0), (4, 4), (4, 4)), constant_values=np.nan)
    flux = np.stack(
        [
            frame[4 + r : 8 + r, 4 + c : 7 + c] if r < 9 else np.full((4, 3), np.nan)
            for frame, (r, c) in zip(np.pad(padded, ((0, 0), (0, 8), (0, 8))), corners, strict=True)
        ]
    ).astype(">f4")
    seen = science_pixels((12, 12), corners[:, 0], corners[:, 1], (4, 3))
    flux = np.where(seen, np.nan_to_num(flux), np.nan).astype(">f4")
    flags = Flags(seen, 100.0, "e-/s", corners.astype(np.int64))
    assert flags.cadences(flux).tolist() == brute_flags(flux, seen, corners, 100.0)


def test_long_series_are_looked_at_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    flux = np.repeat(np.random.default_rng(2).normal(size=(5, 3, 3)), [1, 2, 3, 1, 2], axis=0).astype(">f4")
    flags = Flags(np.ones((3, 3), bool), None, "e-/s")
    whole = flags.cadences(flux).tolist()
    assert whole == [0, 0, REPEATED, 0, REPEATED, REPEATED, 0, 0, REPEATED]
    for values in (1, 18, 30):
        monkeypatch.setattr("tessera.tpf.flags._BLOCK_VALUES", values)
        assert flags.cadences(flux).tolist() == whole


def test_a_box_of_a_moving_target_has_the_flags_of_the_window(cube: Path, target: SkyCoord) -> None:
    days = np.array([tiny_times(0)[0] - 0.1, tiny_times(N)[1] + 0.1])
    path = Ephemeris(
        Time(2457000, days, format="jd", scale="tdb"), *np.repeat([[target.ra.deg], [target.dec.deg]], 2, 1)
    )
    (result,) = make_moving_cutouts([cube], path, SIDE, options=MovingOptions(flags=True))
    with fits.open(io.BytesIO(result.data or b"")) as hdus:
        table, aperture = hdus["PIXELS"].data, hdus["APERTURE"].data
        assert table["QUALITY"].tolist() == [flag | COLLATERAL for flag in EXPECTED]
        assert table.columns["QUALITY"].disp == "B32.32"
        np.testing.assert_array_equal(table["FLUX"], np.where(science(), window_flux(), np.nan))
        box = aperture[: SIDE + CORNER[0], CORNER[1] : CORNER[1] + SIDE]
        np.testing.assert_array_equal(box, np.where(science(), 1, 512)[1:])
        assert (aperture > 0).sum() == box.size
        assert hdus["PIXELS"].header["NPIXSCI"] == 30
    (result,) = make_moving_cutouts([cube], path, SIDE)
    assert len(repr(result)) < 500  # a notebook shows it
    with fits.open(io.BytesIO(result.data or b"")) as hdus:
        assert not hdus["PIXELS"].data["QUALITY"].any()
        assert hdus["APERTURE"].data.max() == 1


# ---------------------------------------------------------------- lists, and the command line


def test_products_of_a_list_have_the_flags(cube: Path, target: SkyCoord, tmp_path: Path) -> None:
    rows = {"ra": [target.ra.deg], "dec": [target.dec.deg]}
    every: Any = {"outputs": ("tpf", "lightcurves"), "size": SIDE, "aperture": "all", "packing": "files"}
    for flags in (False, True):
        cut_list(rows, cube, tmp_path / str(flags), **every, flags=flags)
        (pixels, curve) = ((tmp_path / str(flags)).rglob(f"*{name}.fits") for name in ("_tpf", "_lc"))
        table, found = fits.getdata(next(pixels), 1), fits.getdata(next(curve), 1)
        assert table["QUALITY"].tolist() == found["QUALITY"].tolist() == (EXPECTED if flags else [0] * N)
        assert {each.columns["QUALITY"].disp for each in (table, found)} == {"B32.32" if flags else "B16.16"}
        used = science() if flags else np.indices((SIDE, SIDE))[0] > 0
        total = np.nansum(np.where(used, window_flux(), np.nan), axis=(1, 2))
        np.testing.assert_allclose(found["SAP_FLUX"][[0, 1, 7]], total[[0, 1, 7]], rtol=1e-6)


@pytest.mark.parametrize("more", [[], ["--bulk", "--packing", "files"]], ids=["each", "list"])
def test_the_command_line_has_the_option(cube: Path, target: SkyCoord, more: list[str], tmp_path: Path) -> None:
    words = ["cut", f"{target.ra.deg} {target.dec.deg}", "--cube", str(cube), "-q", "-s", str(SIDE), "--flags"]
    assert main([*words, "-o", str(tmp_path / "out"), *more]) == 0
    (path,) = (tmp_path / "out").rglob("*.fits")
    assert fits.getdata(path, 1)["QUALITY"].tolist() == EXPECTED


# ---------------------------------------------------------------- the detector


def test_science_pixels_are_rows_0_to_2047_and_columns_44_to_2091() -> None:
    whole = science_pixels(FRAME, 0, 0, FRAME)
    assert whole.sum() == 2048 * 2048
    rows, columns = np.nonzero(whole)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (0, 2047, 44, 2091)
    assert science_pixels((40, 30), -1, 0, (42, 30)).sum() == 40 * 30


@pytest.mark.parametrize(
    ("product", "cards", "level"),
    [
        (SPOC, {"INT_TIME": 1.98}, 180_000 / 1.98),
        (TICA, {"EXPTIME": 1425.6}, 720 * 180_000),  # 720 reads of 1.98 s count
        (SPOC, {}, None),
        (TICA, {"EXPTIME": "long"}, None),
        (TICA, {"EXPTIME": 0}, None),
    ],
)
def test_a_pixel_is_saturated_near_its_full_well_in_each_read(
    product: Any, cards: dict[str, Any], level: float | None
) -> None:
    assert saturation_level(product, cards) == (level if level is None else pytest.approx(level))


# ---------------------------------------------------------------- lightkurve


@pytest.mark.slow
@pytest.mark.xdist_group("lightkurve")
@pytest.mark.filterwarnings("ignore")
def test_no_mask_of_lightkurve_counts_a_collateral_pixel(cube: Path, target: SkyCoord, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lightkurve  # noqa: PLC0415 - slow, and it warns of what is not installed
    (result,) = make_cutouts(cube, target, SIDE, options=ON, output_dir=tmp_path)
    pixels = lightkurve.read(str(result.path), quality_bitmask=BLANK | SATURATED)
    try:
        assert pixels.quality.tolist() == [0, 0, REPEATED, 0]
        assert not pixels.pipeline_mask.any()
        flux = window_flux()[[0, 1, 2, 7]]
        for word in ("default", "threshold", "all", "background", None):
            mask = pixels._parse_aperture_mask(word)
            assert mask.any(), word
            total = pixels.to_lightcurve(aperture_mask=mask).flux.value
            np.testing.assert_allclose(total, flux[:, mask & science()].sum(axis=1), rtol=1e-5)
        background = pixels.estimate_background().flux.value
        mask = pixels._parse_aperture_mask("background") & science()
        np.testing.assert_allclose(background, np.median(flux[:, mask], axis=1), rtol=1e-5)
    finally:
        pixels.hdu.close()
