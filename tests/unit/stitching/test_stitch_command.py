"""The command ``tessera lightcurve --stitch``."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tessera import StitchedCurve
from tessera.cli.main import main
from tests.support.sectors import SEEN, star_place

Output = pytest.CaptureFixture[str]


def run(*arguments: object, others: tuple[str, ...] = ()) -> int:
    ra, dec = star_place()
    targets = [f"{ra:.6f} {dec:.6f}", *others]
    return main(["lightcurve", *targets, "--stitch", "--size", "9x11", *map(str, arguments)])


def test_it_prints_one_table_and_says_what_it_leaves_out(
    sector_cubes: Path, stitched: StitchedCurve, capsys: Output
) -> None:
    assert run("--cube", sector_cubes) == 0
    answer = capsys.readouterr()
    rows = list(csv.DictReader(answer.out.splitlines()))
    assert list(rows[0]) == ["time_btjd", "flux", "flux_err", "quality", "sector", "camera", "ccd"]
    np.testing.assert_allclose([float(row["flux"]) for row in rows], stitched.flux, rtol=1e-8)
    [line] = answer.err.splitlines()
    assert "s0002-4-3 is left out: camera 4, CCD 2 is taken, where the target is 14.5 pixels from the edge" in line
    assert run("--cube", sector_cubes, "-q", "--sector", 1) == 0
    answer = capsys.readouterr()
    assert (len(answer.out.splitlines()), answer.err) == (1 + len(stitched.curves[0]), "")


def test_it_writes_files_with_the_options_of_the_library(
    sector_cubes: Path, stitched: StitchedCurve, tmp_path: Path, capsys: Output
) -> None:
    paths = [tmp_path / f"star.{kind}" for kind in ("fits", "csv", "ecsv")]
    assert run("--cube", sector_cubes, *(word for path in paths for word in ("-o", path))) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [str(path) for path in paths]
    assert lines[0].endswith(
        "69 points of sectors 1, 2, 5, each sector divided by its median, 5 gaps, the longest of 81.5 days, "
        "background subtracted"
    )
    np.testing.assert_array_equal(StitchedCurve.read(paths[0]).flux, stitched.flux)
    options = ("--level", "shift", "--gap", 5, "--quality", "none", "--no-background", "--mask", "all")
    assert run("--cube", sector_cubes, "-q", "-o", paths[0], *options) == 0
    read = StitchedCurve.read(paths[0])
    assert (read.level, len(read.gaps), len(read), read.background_subtracted) == ("shift", 2, 72, False)
    assert capsys.readouterr().out == ""


def test_several_targets_get_a_file_each(sector_cubes: Path, tmp_path: Path, capsys: Output) -> None:
    ra, dec = star_place()
    other = f"{ra + 0.002:.6f} {dec:.6f}"
    assert run("--cube", sector_cubes, "-q", "-o", tmp_path / "star.fits", others=(other,)) == 0
    assert len(list(tmp_path.glob("star-*.fits"))) == 2
    assert run("--cube", sector_cubes, "-q", others=(other,)) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert {row["target"] for row in rows} == {f"{ra:.6f} {dec:.6f}", other}
    assert run("--cube", sector_cubes, "-q", others=("10 10",)) == 1
    assert capsys.readouterr().err.startswith("tessera: 10 10: ")


def test_a_sector_that_fails_is_said_and_is_an_error(sector_cubes: Path, tmp_path: Path, capsys: Output) -> None:
    for seen in (SEEN[0], SEEN[3]):
        content = (sector_cubes / f"{seen.cube}-cube.fits").read_bytes()
        (tmp_path / f"{seen.cube}-cube.fits").write_bytes(content[: len(content) - 100_000 * (seen.sector == 5)])
    assert run("--cube", tmp_path, "-q") == 1
    answer = capsys.readouterr()
    assert {row["sector"] for row in csv.DictReader(answer.out.splitlines())} == {"1"}
    assert "s0005" in answer.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--gap", "0"), "tessera: --gap is 0.0; allowed: a number of days above 0"),
        (("-o", "curves/"), "--stitch is 'given with --plan or a folder'; allowed: --stitch with files"),
        (("--plan",), "--stitch is 'given with --plan or a folder'"),
        (("--product", "any", "-o", "x.fits", "--mask", "alll"), "--mask is 'alll'; allowed"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    options: tuple[str, ...], words: str, sector_cubes: Path, capsys: Output
) -> None:
    assert run("--cube", sector_cubes, "-q", *options) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert words in line


def test_options_of_stitching_need_it(sector_cubes: Path, capsys: Output) -> None:
    assert main(["lightcurve", "10 10", "--cube", str(sector_cubes), "--level", "shift"]) == 1
    assert capsys.readouterr().err == "tessera: --level is 'shift'; allowed: it together with --stitch\n"
