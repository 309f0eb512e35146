"""Where moving cutouts go: every product has a name of its own, and a file that is something else is kept."""

from __future__ import annotations

import io
import math
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera import InvalidInputError, TessCubeCutout, center_on_path
from tessera.cli.main import main
from tessera.errors import KeptFileError
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.track import MovingOptions
from tests.support.builds import build_cube
from tests.support.checks import checksums_hold
from tests.support.frames import centred_wcs, tiny_sector, tiny_times

SHAPE, N = (40, 30), 4
DAYS = np.array([tiny_times(0)[0] - 0.1, tiny_times(N)[1] + 0.1])
TIME = Time(2457000, DAYS, format="jd", scale="tdb")


def sky_of(rows: Any, columns: Any) -> SkyCoord:
    return SkyCoord(*WCS(centred_wcs(SHAPE)).all_pix2world(np.column_stack([columns, rows]), 0).T, unit="deg")


def path(name: str = "", row: float = 20.0) -> Ephemeris:
    sky = sky_of([row] * 2, [15.0] * 2)
    return Ephemeris(TIME, sky.ra.deg, sky.dec.deg, name=name)


@pytest.fixture(scope="module")
def cubes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two cubes of one name in two folders. Their pixels differ."""
    made = []
    for n_frames in (N, N - 1):
        cube = tmp_path_factory.mktemp("cubes") / "tess-s0001-4-2-cube.fits"
        cube.write_bytes(build_cube(tiny_sector(n_frames)))
        made.append(cube)
    return made


def test_products_of_one_name_get_names_of_their_own(cubes: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    results = make_moving_cutouts([cubes[0], tmp_path / "none.fits", cubes[1]], path("1 Ceres"), 3, output_dir=folder)
    assert [item.status for item in results] == ["ok", "error", "ok"]
    names = ["tess-s0001-4-2_1_Ceres_3x3_astrocut.fits", "tess-s0001-4-2-2_1_Ceres_3x3_astrocut.fits"]
    assert [item.name for item in results if item.path] == names
    assert sorted(item.name for item in folder.iterdir()) == sorted(names)
    assert [len(fits.getdata(item.path)) for item in results if item.path] == [N, N - 1]
    again = make_moving_cutouts(iter(cubes), path("1 Ceres"), 3)  # in memory, from any iterable
    assert [item.name for item in again] == names
    assert make_moving_cutouts(str(cubes[0]), path(), 3)[0].status == "ok"


@pytest.mark.parametrize("kind", ["another target", "notes", "a fixed target", "a folder", "another CCD"])
def test_a_file_that_is_something_else_is_kept(kind: str, cubes: list[Path], tmp_path: Path) -> None:
    there = tmp_path / "tess-s0001-4-2_1_Ceres_3x3_astrocut.fits"
    if kind == "another target":
        make_moving_cutouts([cubes[0]], path("1/Ceres"), 3, output_dir=tmp_path)
    elif kind == "notes":
        there.write_text("my notes", encoding="utf-8")
    elif kind == "a folder":
        there.mkdir()
    elif kind == "a fixed target":
        (made,) = TessCubeCutout(str(cubes[0]), sky_of([20], [15]), 3).write_as_tpf(tmp_path)
        Path(made).rename(there)
    else:
        make_moving_cutouts([cubes[0]], path("1 Ceres"), 3, output_dir=tmp_path)
        with fits.open(there, mode="update") as hdus:
            hdus[0].header["CCD"] = 3
    before = None if kind == "a folder" else there.read_bytes()
    (result,) = make_moving_cutouts([cubes[0]], path("1 Ceres"), 3, output_dir=tmp_path)
    assert result.status == "error"
    assert "is kept, because it is not a target pixel file by tessera of tess-s0001-4-2" in result.reason
    assert list(tmp_path.iterdir()) == [there]
    assert before is None or there.read_bytes() == before


def test_cubes_are_counted_and_an_interrupted_run_ends_within_a_cube(cubes: list[Path], tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    files = [cubes[0], tmp_path / "none.fits", cubes[1]]
    make_moving_cutouts(files, path(), 3, progress=lambda *count: heard.append(count))
    assert heard == [(1, 3), (2, 3), (3, 3)]

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_moving_cutouts(
            [tmp_path / "none.fits", *cubes], path(), 3, output_dir=tmp_path / "out", progress=interrupt
        )
    assert not list((tmp_path / "out").glob(".*"))


def test_a_file_of_the_same_target_is_replaced(cubes: list[Path], tmp_path: Path) -> None:
    for row in (20.0, 25.0):
        (result,) = make_moving_cutouts([cubes[0]], path("1 Ceres", row), 3, output_dir=tmp_path)
        assert result.path is not None, result.reason
        assert checksums_hold(result.path.read_bytes())
        assert fits.getdata(result.path)["TGT_DEC"][0] == pytest.approx(path(row=row).dec[0], abs=1e-9)


def test_names_of_any_length_and_letters_make_files(cubes: list[Path], tmp_path: Path) -> None:
    for number, name in enumerate(("x" * 1000, "../../etc/passwd", "Ариэль", "a\x00b", " ")):
        (result,) = make_moving_cutouts([cubes[0]], path(name), 3, output_dir=tmp_path / str(number))
        assert result.path is not None, result.reason
        assert result.path.parent == tmp_path / str(number)


def cutouts(cube: Path, folder: Path) -> list[str]:
    return TessCubeCutout(str(cube), sky_of([20], [15]), 20).write_as_tpf(folder)


def table() -> Table:
    return Table({"time": TIME, "position": sky_of([20] * 2, [15] * 2)})


def test_center_on_path_keeps_its_inputs_and_what_is_not_its_own(cubes: list[Path], tmp_path: Path) -> None:
    files = cutouts(cubes[0], tmp_path)
    before = Path(files[0]).read_bytes()
    with pytest.raises(InvalidInputError, match=r"target_pixel_file is .*; allowed: a path other than that of the"):
        center_on_path(table(), 3, files, None, None, Path(files[0]).name, tmp_path, False)
    assert Path(files[0]).read_bytes() == before
    notes = tmp_path / "notes.txt"
    notes.write_text("my notes", encoding="utf-8")
    with pytest.raises(KeptFileError, match=r"notes.txt is kept"):
        center_on_path(table(), 3, files, None, None, "notes.txt", tmp_path, False)
    assert notes.read_text(encoding="utf-8") == "my notes"
    made = [center_on_path(table(), 3, files, "a/b\x00c", None, None, tmp_path / "out", False) for _ in range(2)]
    assert made[0] == made[1]
    assert Path(made[0]).parent == tmp_path / "out"
    assert Path(made[0]).name.startswith("a-b-c_")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cubes": []}, "cubes is"),
        ({"cubes": [3]}, "cubes is 3"),
        ({"ephemeris": table()}, "ephemeris is"),
        ({"ephemeris": "path.csv"}, "ephemeris is 'path.csv'; allowed: Ephemeris"),
        ({"size": "3x3"}, "size is '3x3'"),
        ({"size": (3, 3, 3)}, "size is"),
        ({"size": 0}, "size is 0"),
        ({"size": 3 * u.s}, "size is"),
        ({"options": {"edges": "drop"}}, r"options is .*; allowed: MovingOptions"),
        ({"output_dir": "s3://bucket/folder"}, "output_dir is 's3://bucket/folder'"),
        ({"output_dir": ""}, "output_dir is ''"),
    ],
)
def test_arguments_that_mean_nothing_are_refused_before_the_work(
    arguments: dict[str, Any], message: str, cubes: list[Path]
) -> None:
    given: dict[str, Any] = {"cubes": cubes, "ephemeris": path(), "size": 3} | arguments
    with pytest.raises(InvalidInputError, match=message):
        make_moving_cutouts(**given)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"time": (0, 1)}, "no cadence of tess-s0001-4-2-cube.fits is kept by time 0.000000 to 1.000000"),
        ({"cadences": (100, 200)}, "no cadence"),
        ({"edges": "drop"}, "the target is never on the frames"),
    ],
)
def test_a_choice_without_cadences_leaves_no_file(
    options: dict[str, Any], reason: str, cubes: list[Path], tmp_path: Path
) -> None:
    (result,) = make_moving_cutouts([cubes[0]], path(row=0.0), 9, options=MovingOptions(**options), output_dir=tmp_path)
    assert (result.status, result.path, result.data) == ("no overlap", None, None)
    assert reason in result.reason
    assert not list(tmp_path.iterdir())


_WORDS = st.sampled_from([None, "centre", "center", "tesscut", "round", "fill", "drop", "cubic", "linear", "", 3, True])
_NUMBERS = st.sampled_from(
    [0, 1, -1, 3, 2.5, 1e9, math.nan, math.inf, "3", None, (0, 1), (2, 1), (1325, 1326), (3, 4, 5)]
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    options=st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("placement", "interpolation", "edges"), _WORDS),
            **dict.fromkeys(("time", "cadences", "quality_mask", "fill_value"), _NUMBERS),
        },
    ),
    size=_NUMBERS,
    row=st.sampled_from([20.0, 0.0, -4.0, 39.0, 200.0]),
)
def test_options_give_a_right_file_or_a_reason(
    cubes: list[Path], options: dict[str, Any], size: Any, row: float
) -> None:
    try:
        how = MovingOptions(**options)
        (result,) = make_moving_cutouts([cubes[0]], path(row=row), size, options=how)
    except InvalidInputError as error:
        refused = str(error)
    else:
        assert (result.status == "ok") == (result.data is not None)
        assert result.status == "ok" or result.reason
        if result.data is not None:
            data = fits.getdata(io.BytesIO(result.data), 1)
            assert np.abs(data["TGT_X"] - (data["FLUX"].shape[2] - 1) / 2).max() <= 1.01
        return
    assert "; allowed: " in refused


_ARGUMENTS = [
    *(["-s", size] for size in ("3", "3x5", "0", "-1", "x", "1e3", "99999")),
    *(["--time-scale", scale] for scale in ("utc", "UTC", "foo", "")),
    *(["--time-format", word] for word in ("jd", "tjd", "TJD")),
    *(["--clock", word] for word in ("observer", "barycenter")),
    *(["--edges", "drop"], ["--name", ""], ["-o"], ["x"]),
    *(["--no-check"], ["-o", ""], ["-o", "s3://bucket/x"], ["-e", "none.csv"]),
]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(arguments=st.lists(st.sampled_from(_ARGUMENTS), max_size=3))
def test_the_command_line_cuts_or_says_why_not(
    arguments: list[list[str]], cubes: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cli")
    rows = [f"{day},{path().ra[0]},{path().dec[0]}" for day in DAYS]
    (folder / "path.csv").write_text("\n".join(["time,ra,dec", *rows]), encoding="utf-8")
    given = [item for several in arguments for item in several]
    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["moving", "cut", str(cubes[0]), "-e", str(folder / "path.csv"), "-o", str(folder), *given])
    except SystemExit as end:  # argparse
        code = end.code if isinstance(end.code, int) else 1
    assert code in (0, 1, 2)
    assert "Traceback" not in err.getvalue()
    assert out.getvalue() or err.getvalue()
    assert len(list(folder.rglob("*.fits"))) == (code == 0)
    assert not list(folder.rglob(".*"))
