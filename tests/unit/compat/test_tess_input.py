"""What users give to the cutout classes with astrocut's names: a right cutout, or one error of ours."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import AltAz, SkyCoord, UnitSphericalRepresentation
from astropy.io import fits
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera import InvalidInputError, TessCubeCutout, TessFootprintCutout, cube_cut, get_tess_sectors
from tessera.cutouts.open_cube import open_cube
from tessera.errors import KeptFileError, TesseraError, UnreadableFileError
from tests.support.builds import build_cube
from tests.support.frames import CADENCE_DAYS, FIRST_TSTART, tiny_flux, tiny_sector

SHAPE = (40, 30)
N = 4


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cubes") / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(tiny_sector(N, SHAPE)))
    return path


@pytest.fixture(scope="module")
def star(path: Path) -> SkyCoord:
    """A target in pixel (20, 15), on no border of windows."""
    with open_cube(path) as file:
        return SkyCoord(*file.cube.wcs.all_pix2world([[15.2, 20.2]], 0)[0], unit="deg")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"input_files": None}, "input_files is None; allowed: a list of paths"),
        ({"input_files": 5}, "input_files is 5; allowed: a list of paths"),
        ({"input_files": b"cube.fits"}, "input_files is b'cube.fits'; allowed: a list of paths"),
        ({"input_files": []}, r"input_files is \[\]; allowed: "),
        ({"coordinates": None}, "coordinates is None; allowed: a SkyCoord"),
        ({"coordinates": "pi Men"}, "coordinates is 'pi Men'; allowed: a SkyCoord"),
        ({"coordinates": "05:55:52 -95:23:28"}, "coordinates is '05:55:52 -95:23:28'; allowed: .* -90 to 90 degrees"),
        ({"coordinates": SkyCoord([1, np.nan], [1, 2], unit="deg")}, r"coordinates\[1\] is 'nan 2.0'; allowed: "),
        ({"coordinates": AltAz(1 * u.deg, 2 * u.deg)}, "coordinates is <AltAz.*; allowed: ICRS, FK5"),
        ({"coordinates": UnitSphericalRepresentation(5 * u.deg, 2 * u.deg)}, "coordinates is <Unit.*; allowed: a Sky"),
        ({"cutout_size": None}, "cutout_size is None; allowed: pixels or angles"),
        ({"cutout_size": "5"}, "cutout_size is '5'; allowed: pixels or angles"),
        ({"cutout_size": 0}, "must be greater than zero. cutout_size is 0; allowed: pixels or angles"),
        ({"cutout_size": True}, "cutout_size is True; allowed: pixels or angles"),
        ({"cutout_size": 1 << 2000}, "cutout_size is 1148.*; allowed: pixels or angles"),
        ({"fill_value": "nan"}, "fill_value is 'nan'; allowed: a number"),
        ({"fill_value": 1e300}, r"fill_value is 1e\+300; allowed: a number that 32-bit floats can represent"),
        ({"limit_rounding_method": "Round"}, "did you mean 'round'"),
        ({"threads": 1.5}, "threads is 1.5; allowed: an integer or 'auto'"),
        ({"verbose": "no"}, "verbose is 'no'; allowed: True or False"),
        ({"product": "TESS"}, "product is 'TESS'; allowed: 'SPOC', 'TICA'"),
    ],
    ids=lambda value: next(iter(value)) + repr(next(iter(value.values())))[:12] if isinstance(value, dict) else "",
)
def test_bad_input_is_one_sentence(path: Path, star: SkyCoord, changed: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"input_files": path, "coordinates": star, "cutout_size": 5, **changed}
    with pytest.raises(InvalidInputError, match=words):
        TessCubeCutout(**arguments)


@pytest.mark.parametrize(
    ("call", "odd", "words"),
    [
        (
            lambda path, star, odd: TessFootprintCutout(star, 5, sequence=odd),
            1.5,
            "sequence is 1.5; allowed: the number",
        ),
        (
            lambda path, star, odd: TessFootprintCutout(star, 5, sequence=odd),
            "1",
            "sequence is '1'; allowed: the number",
        ),
        (lambda path, star, odd: TessFootprintCutout(star, 5, sequence=odd), True, "sequence is True; allowed: the"),
        (lambda path, star, odd: TessFootprintCutout(star, 5, sequence=odd), [], r"sequence is \[\]; allowed: the"),
        (lambda path, star, odd: TessFootprintCutout(star, 5, footprints=odd), "", "footprints is ''; allowed: paths"),
        (lambda path, star, odd: TessFootprintCutout(star, 5, cubes=odd), 5, "cubes is 5; allowed: paths or URLs"),
        (lambda path, star, odd: get_tess_sectors(star, 5, footprints=odd), 5, "footprints is 5; allowed: paths or"),
        (
            lambda path, star, odd: cube_cut(path, star, 5, memory_only=odd),
            "no",
            "memory_only is 'no'; allowed: True or",
        ),
        (
            lambda path, star, odd: TessCubeCutout(path, star, 5).write_as_zip(filename=odd),
            5,
            "filename is 5; allowed: a",
        ),
        (lambda path, star, odd: TessCubeCutout(path, star, 5).write_as_tpf(legacy_filenames=odd), "", "True or False"),
    ],
    ids=[f"call{number}" for number in range(10)],
)
def test_bad_input_of_the_other_names_is_one_sentence(
    path: Path, star: SkyCoord, call: Callable[[Path, SkyCoord, Any], Any], odd: Any, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        call(path, star, odd)


@pytest.mark.parametrize(
    "content", ["[1, 2]", "hello", '{"obs_id": ["x"], "s_region": [5]}', '{"obs_id": 5}', "[" * 9999]
)
def test_a_file_that_is_no_index_of_footprints_is_named(star: SkyCoord, tmp_path: Path, content: str) -> None:
    index = tmp_path / "index.json"
    index.write_text(content)
    with pytest.raises(UnreadableFileError, match=f"{index} cannot be read: it is not an index of footprints"):
        get_tess_sectors(star, 5, footprints=index)


def test_texts_and_frames_are_the_same_target(path: Path, star: SkyCoord) -> None:
    expected = TessCubeCutout(path, star, 5).cutouts[0].data
    for given_as in (star.to_string("hmsdms", sep=":", precision=8), star.to_string("hmsdms"), star.galactic, star.fk5):
        (cutout,) = TessCubeCutout([path], given_as, 5).cutouts
        np.testing.assert_array_equal(cutout.data, expected)


def test_a_moving_star_is_cut_where_it_is_and_named_as_it_was_given(path: Path, star: SkyCoord, tmp_path: Path) -> None:
    middle = Time(2457000, FIRST_TSTART + N / 2 * CADENCE_DAYS, format="jd", scale="tdb")
    motion = {"pm_ra_cosdec": -801.551 * u.mas / u.yr, "pm_dec": 10362.394 * u.mas / u.yr}
    early = SkyCoord(star.ra, star.dec, distance=1.8 * u.pc, obstime=middle, **motion).apply_space_motion(dt=-16 * u.yr)
    for limits in ("round", "ceil"):
        still = TessCubeCutout(path, star, 5, limit_rounding_method=limits).cutouts[0]
        made = TessCubeCutout(path, [early, star], 5, limit_rounding_method=limits)
        assert made.cutouts[0].cutout_lims.tolist() == still.cutout_lims.tolist()
    first, second = (fits.getheader(name) for name in made.write_as_tpf(tmp_path))
    at_2000 = SkyCoord(first["RA_OBJ"], first["DEC_OBJ"], unit="deg")
    assert at_2000.separation(early).arcsec == pytest.approx(10.393333 * (early.obstime.jyear - 2000), rel=1e-3)
    assert (second["RA_OBJ"], second["DEC_OBJ"]) == pytest.approx((star.ra.deg, star.dec.deg), abs=1e-8)
    assert first["PMTOTAL"] == pytest.approx(math.hypot(early.pm_ra_cosdec.value, early.pm_dec.value))
    assert [second[card] for card in ("PMRA", "PMDEC", "PMTOTAL")] == [0, 0, 0]
    assert made.cutouts[0].coordinates.separation(early).arcsec < 1e-6
    assert made.cutouts[0].coordinates.separation(star).arcsec > 160
    plain = TessCubeCutout(path, SkyCoord(early.ra, early.dec), 5).cutouts[0]
    assert plain.cutout_lims.tolist() != still.cutout_lims.tolist()


def test_a_proper_motion_without_the_time_of_the_position_is_refused(path: Path, star: SkyCoord) -> None:
    moving = SkyCoord(star.ra, star.dec, pm_ra_cosdec=5 * u.mas / u.yr, pm_dec=5 * u.mas / u.yr)
    with pytest.raises(InvalidInputError, match=r"Proper motions need the time of the positions\."):
        TessCubeCutout(path, moving, 5)


def test_only_own_files_are_replaced_and_the_cube_is_never(
    path: Path, star: SkyCoord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = TessCubeCutout(path, [star, SkyCoord(star.ra, star.dec + 1 * u.arcmin)], 5)
    first, second = made.write_as_tpf(tmp_path)
    assert made.write_as_tpf(tmp_path) == [first, second]
    Path(second).write_bytes(b"my notes")
    Path(first).unlink()
    with pytest.raises(
        KeptFileError, match=f"{second} is kept, because it is not a target pixel file by tessera of tess"
    ):
        made.write_as_tpf(tmp_path)
    assert not Path(first).exists()
    before = path.read_bytes()
    with pytest.raises(KeptFileError, match=f"{path} is kept"):
        cube_cut(path, star, 5, target_pixel_file=path)
    assert path.read_bytes() == before
    own = Path(str(cube_cut(path, star, 5, target_pixel_file="own.fits", output_path=tmp_path)))
    other = SkyCoord(star.ra, star.dec + 2 * u.arcmin)
    assert Path(str(cube_cut(path, other, 7, target_pixel_file="own.fits", output_path=tmp_path))) == own
    assert fits.getdata(own)["FLUX"].shape == (N, 7, 7)
    archive = tmp_path / "cutouts.zip"
    assert made.write_as_zip(tmp_path, "cutouts") == made.write_as_zip(tmp_path, "cutouts") == archive.as_posix()
    archive.write_bytes(b"my notes")
    with pytest.raises(KeptFileError, match=f"{archive} is kept, because it is not a zip archive"):
        made.write_as_zip(tmp_path, "cutouts")


ODD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, math.nan, math.inf, -1.5, 0, 1e300, 1 << 70, [], {}, "5", b"5"]),
    st.text(max_size=5),
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    row=st.floats(-9, 50),
    column=st.floats(-9, 40),
    size=st.one_of(
        st.integers(1, 60), st.tuples(st.floats(0.1, 60), st.integers(1, 60)), st.lists(ODD, max_size=3), ODD
    ),
    options=st.fixed_dictionaries(
        {},
        optional={
            "fill_value": st.one_of(st.floats(width=32), ODD),
            "limit_rounding_method": st.one_of(st.sampled_from(["round", "ceil", "floor"]), ODD),
            "threads": st.one_of(st.integers(1, 4), ODD),
            "product": st.sampled_from(["SPOC", "tica", None, 5]),
            "verbose": st.sampled_from([False, "no"]),
        },
    ),
)
def test_any_call_is_a_right_cutout_or_an_error_of_ours(
    path: Path, row: float, column: float, size: Any, options: dict[str, Any]
) -> None:
    with open_cube(path) as file:
        sky = SkyCoord(*file.cube.wcs.all_pix2world([[column, row]], 0)[0], unit="deg")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes with three sides, and of cubes that are skipped
            (cutout,) = TessCubeCutout(path, sky, size, **options).cutouts
    except TesseraError:
        return
    wide = np.full((N, 400, 400), options.get("fill_value", np.nan), np.float32)
    wide[:, 180:220, 180:210] = [tiny_flux(cadence, SHAPE) for cadence in range(N)]
    (left, right), (low, high) = cutout.cutout_lims + 180
    np.testing.assert_array_equal(cutout.data, wide[:, low:high, left:right])
    assert abs((low + high - 1) / 2 - 180 - row) <= 1.51
    assert abs((left + right - 1) / 2 - 180 - column) <= 1.51


def test_verbose_prints_what_a_cutout_does(path: Path, star: SkyCoord, capsys: pytest.CaptureFixture[str]) -> None:
    TessCubeCutout(path, star, 5, verbose=True)
    lines = capsys.readouterr().err.splitlines()
    assert f"DEBUG: Cutout center coordinate: {star.ra.deg}, {star.dec.deg} [tess_cube_cutout]" in lines
    assert f"DEBUG: Image cutout cube shape: {(N, 5, 5)} [tess_cube_cutout]" in lines
    TessCubeCutout(path, star, 5)
    assert capsys.readouterr().err == ""
