"""The command ``tessera lightcurve``: what it prints and writes, and what it says when it cannot."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from tessera import TargetPixels, open_catalogue
from tessera.cli.main import main
from tessera.lightcurves.detrending.vector_files import vectors_fits
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera_cloud.contracts import BuildRequest
from tests.support.api import same_field_in_sector_two
from tests.support.builds import build_cube
from tests.unit.lightcurves.conftest import N

Output = pytest.CaptureFixture[str]


@pytest.fixture
def position(star: SkyCoord) -> str:
    return f"{star.ra.deg:.6f} {star.dec.deg:.6f}"


def run(*arguments: object) -> int:
    return main(["lightcurve", *map(str, arguments)])


@pytest.fixture
def two_sectors(star_cube: Path, tmp_path: Path) -> Path:
    """A folder with the star's cube, and with one of the next sector at the same place."""
    folder = tmp_path / "cubes"
    folder.mkdir()
    (folder / star_cube.name).symlink_to(star_cube)
    (folder / "tess-s0002-4-2-cube.fits").write_bytes(
        build_cube(same_field_in_sector_two(), BuildRequest(sector=2, camera=4, ccd=2))
    )
    return folder


def test_a_light_curve_is_printed_as_csv(
    star_cube: Path, position: str, star_pixels: TargetPixels, capsys: Output
) -> None:
    assert run(position, "--cube", star_cube, "--size", "9x11") == 0
    answer = capsys.readouterr()
    rows = list(csv.DictReader(answer.out.splitlines()))
    curve = star_pixels.to_lightcurve()
    assert list(rows[0]) == ["time_btjd", "flux", "flux_err", "quality"]
    np.testing.assert_allclose([float(row["flux"]) for row in rows], curve.flux, rtol=1e-8)
    assert answer.err == ""


def test_the_options_are_those_of_the_library(
    star_cube: Path, position: str, star_pixels: TargetPixels, capsys: Output
) -> None:
    mask = np.zeros((9, 11), bool)
    mask[4, 5] = True
    digits = f"{int(''.join(map(str, mask.astype(int).ravel())) + '0', 2):025x}"
    options = ("--size", "9x11", "--mask", digits, "--no-background", "--quality", "none")
    assert run(position, "--cube", star_cube, *options) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert len(rows) == N
    np.testing.assert_allclose([float(row["flux"]) for row in rows], star_pixels.flux[:, 4, 5], rtol=1e-6)


def test_files_of_all_kinds_are_written_and_named(
    star_cube: Path, position: str, tmp_path: Path, capsys: Output
) -> None:
    paths = [tmp_path / "new" / f"star.{kind}" for kind in ("csv", "ecsv", "fits", "png")]
    assert run(position, "--cube", star_cube, *(word for path in paths for word in ("-o", path))) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [str(path) for path in paths]
    assert lines[0].partition(": ")[2].startswith("59 points, sector 1, camera 4, CCD 2, ")
    assert lines[0].endswith(" of 121 pixels, background subtracted")
    assert sorted((tmp_path / "new").iterdir()) == sorted(paths)
    assert fits.getheader(paths[2])["OBJECT"] == position
    assert run(position, "--cube", star_cube, "-q", "-o", paths[1]) == 0
    assert capsys.readouterr().out == ""
    assert len(Table.read(paths[1])) == 59


def test_several_light_curves_are_one_table_or_a_file_each(
    two_sectors: Path, position: str, tmp_path: Path, capsys: Output
) -> None:
    assert run(position, "--cube", two_sectors, "-q") == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert list(rows[0]) == ["target", "sector", "camera", "ccd", "time_btjd", "flux", "flux_err", "quality"]
    assert [sum(row["sector"] == sector for row in rows) for sector in "12"] == [59, 4]
    assert {row["target"] for row in rows} == {position}
    assert run(position, "--cube", two_sectors, "-o", tmp_path / "star.csv") == 0
    answer = capsys.readouterr()
    name = position.replace(" ", "_")
    names = [f"star-{name}-s0001-4-2.csv", f"star-{name}-s0002-4-2.csv"]
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == names
    assert [Path(line.partition(": ")[0]).name for line in answer.out.splitlines()] == names
    assert run(position, "--cube", two_sectors, "--sector", 2) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


@pytest.fixture
def where(position: str, star_cube: Path) -> tuple[str, ...]:
    return position, "--cube", str(star_cube)


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text("my work\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-o", "star.txt"), "-o is 'star.txt'; allowed: a name that ends with .csv, .ecsv, .fits, .png"),
        (("-o", "mine.csv"), "mine.csv is kept, because it is not a light curve by tessera"),
        (
            ("--mask", "thresold"),
            "--mask is 'thresold'; allowed: 'default', 'threshold', 'pipeline', 'all', or hexadecimal digits; did you",
        ),
        (("--mask", "ff"), "mask is 'ff'; allowed: 31 hexadecimal digits"),
        (("--mask", "all", "--size", "0"), "size is '0'; allowed: pixels or angles"),
        (("--sector", "9"), "nothing"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    options: tuple[str, ...], words: str, where: tuple[str, ...], in_a_folder: Path, capsys: Output
) -> None:
    assert run(*where, *options) == 1
    answer = capsys.readouterr()
    assert answer.out == ""
    [line] = answer.err.splitlines()
    assert words in line or words == "nothing"
    assert [path.name for path in in_a_folder.iterdir()] == ["mine.csv"]
    assert Path("mine.csv").read_text(encoding="utf-8") == "my work\n"


def test_bits_that_are_no_number_are_refused_by_the_parser(star_cube: Path, position: str, capsys: Output) -> None:
    with pytest.raises(SystemExit) as end:
        run(position, "--cube", star_cube, "--quality", "best")
    assert end.value.code == 2
    assert "'best'; allowed: none, default, hard, hardest, or a whole number" in capsys.readouterr().err


def test_a_target_that_no_cube_sees_is_named_and_the_others_are_made(
    star_cube: Path, position: str, capsys: Output
) -> None:
    assert run(position, "10 10", "--cube", star_cube) == 1
    answer = capsys.readouterr()
    assert len(answer.out.splitlines()) == 60
    [line] = answer.err.splitlines()
    assert line.startswith("tessera: 10 10: ")


def test_light_curves_are_detrended(
    star_cube: Path, position: str, star_pixels: TargetPixels, tmp_path: Path, capsys: Output
) -> None:
    arguments = (position, "--cube", star_cube, "--size", "9x11", "--detrend")
    assert run(*arguments, "pld", "-o", tmp_path / "star.csv") == 0
    rows = list(csv.DictReader((tmp_path / "star.csv").read_text().splitlines()))
    curve = star_pixels.to_lightcurve(detrend="pld")
    np.testing.assert_allclose([float(row["flux"]) for row in rows], curve.flux, rtol=1e-8)
    assert f"background subtracted, detrended by {curve.detrended}\n" in capsys.readouterr().out
    assert run(*arguments, "cbv") == 1
    assert "no cotrending vectors beside it; `tessera cube measure` makes them" in capsys.readouterr().err
    folder, name = tmp_path / "vectors", star_cube.name.replace("-cube", "-vectors")
    folder.mkdir()
    assert run(*arguments, "cbv", "--vectors", folder) == 1
    assert f"{name} cannot be read: " in capsys.readouterr().err
    values = np.sin(np.arange(N) / 9)[np.newaxis]
    given = CotrendingVectors(star_pixels.time, None, np.zeros(N, bool), values)
    (folder / name).write_bytes(vectors_fits(given, [("SECTOR", 1, "sector")], 4, 2))
    assert run(*arguments, "cbv", "--vectors", folder) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    curve = star_pixels.to_lightcurve(detrend="cbv", vectors=folder / name)
    np.testing.assert_allclose([float(row["trend"]) for row in rows], curve.trend, rtol=1e-8)  # type: ignore[arg-type]


def test_the_background_may_have_another_model(
    star_cube: Path, position: str, star_pixels: TargetPixels, capsys: Output
) -> None:
    assert run(position, "--cube", star_cube, "--size", "9x11", "--background", "components") == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    curve = star_pixels.to_lightcurve(background="components")
    np.testing.assert_allclose([float(row["flux"]) for row in rows], curve.flux, rtol=1e-8)


def test_a_list_is_detrended(star_cube: Path, position: str, tmp_path: Path, capsys: Output) -> None:
    folder = f"{tmp_path / 'out'}/"
    arguments = (position, "--cube", star_cube, "-o", folder, "--detrend")
    assert run(*arguments, "pld") == 0
    curve = open_catalogue(tmp_path / "out" / "lightcurves").curve(1)
    assert curve.detrended.startswith("pld: 3 of ")
    for more, message in (
        ("--vectors=x.fits", "vectors are beside each cube"),
        ("--background=rows", "median for a list"),
    ):
        assert run(*arguments, "cbv", more) == 1
        assert message in capsys.readouterr().err


def test_options_of_detrending_that_do_not_fit_are_refused(star_cube: Path, position: str, capsys: Output) -> None:
    assert run(position, "--cube", star_cube, "--vectors", "x.fits") == 1
    assert "--vectors is 'x.fits'; allowed: a file or folder together with --detrend cbv" in capsys.readouterr().err
