"""Local files: what is no file is refused by its name at once, and a file that changes while it is cut is an error."""

from __future__ import annotations

import itertools
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import time_machine
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time

from tessera import ASDFCutout, CubeFactory, CutoutsCombiner, FITSCutout, TessCubeCutout, center_on_path
from tessera.builds.report import verify_cube
from tessera.cli.main import main
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tessera.errors import InvalidInputError, InvalidQueryError, MissingFileError, UnreadableFileError
from tessera.images.batch import make_image_cutouts
from tessera.io.sources import ReplacedError, open_source
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.ephemeris_table import read_ephemeris
from tests.support.cubes import target_of
from tests.support.frames import tiny_sector
from tests.support.images import ROMAN

FRAMES = dict(tiny_sector(5, (40, 30)))
SKY = SkyCoord(1, 2, unit="deg")
OUT = Path(tempfile.gettempdir())  # nothing is written


@pytest.fixture
def not_files(tmp_path: Path) -> Iterator[dict[Path, str]]:
    folder, pipe, name = tmp_path / "folder.fits", tmp_path / "pipe.fits", tmp_path / "s"
    folder.mkdir()
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(name))
        yield {
            folder: "it is a folder, not a file",
            pipe: "it is a pipe, not a file",
            name: "it is a socket, not a file",
            Path("/dev/zero"): "it is a device, not a file",
            tmp_path / "absent.fits": "there is no such file",
            pipe / "a.fits": "a part of its path is not a folder",
        }


def reason_of_each(cut: Callable[[Path], Any], paths: dict[Path, str]) -> dict[Path, str]:
    found = {}
    for path in paths:
        with pytest.raises((UnreadableFileError, InvalidInputError)) as caught:
            cut(path)
        found[path] = str(caught.value)
    return found


@pytest.mark.parametrize(
    "cut",
    [
        open_source,
        lambda path: verify_cube(path, []),
        lambda path: TessCubeCutout(path, SKY, 5),
        lambda path: FITSCutout(path, SKY, 5),
        lambda path: CubeFactory().make_cube([path], OUT / "out.fits", verbose=False),
        lambda path: CutoutsCombiner([path]),
        read_ephemeris,
    ],
    ids=["source", "verify", "TessCubeCutout", "FITSCutout", "CubeFactory", "combiner", "ephemeris"],
)
def test_what_is_no_file_is_refused_by_its_name(cut: Callable[[Path], Any], not_files: dict[Path, str]) -> None:
    told = reason_of_each(cut, not_files)
    assert told == {path: f"{path} cannot be read: {reason}" for path, reason in not_files.items()}


def test_what_is_no_file_is_a_result_of_a_batch(cube: Path, not_files: dict[Path, str]) -> None:
    paths, target = [*not_files, cube], target_of(cube)
    cutouts, images = make_cutouts(paths, target, 5), make_image_cutouts(paths, target, 5)
    moving = make_moving_cutouts(paths, path_of(cube), 3)
    expected = [f"{path} cannot be read: {reason}" for path, reason in not_files.items()]
    for results in (cutouts, images, moving):
        assert [item.reason for item in results[:-1]] == expected
        assert {item.status for item in results[:-1]} == {"error"}
    assert cutouts[-1].status == moving[-1].status == "ok"


def test_the_command_line_says_one_line(
    not_files: dict[Path, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for path, reason in not_files.items():
        for command in (["cube", "info"], ["cube", "verify"], ["cube", "make", "-q", "-o", f"{tmp_path}/out.fits"]):
            assert main([*command, str(path)]) == 1
            assert capfd.readouterr().err == f"tessera: {path} cannot be read: {reason}\n"
        assert main(["image", "cut", str(path), "-t", "1 2", "-o", f"{tmp_path}/out"]) == 1
        output = capfd.readouterr()
        assert (output.out + output.err).count("\n") == 1


@pytest.mark.parametrize("text", ["s3://Bucket<x>/a", "s3://bucket", "http://ho st/a", "who://knows", "gs://b/a.fits"])
def test_a_wrong_address_is_one_line_on_the_command_line(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    for command in ("info", "verify"):
        assert main(["cube", command, text]) == 1
        told = capfd.readouterr()
        assert told.err.startswith(f"tessera: {text} cannot be read: ")
        assert (told.out, told.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("prefix", ["file://", "FILE://localhost"])
def test_a_file_url_is_a_path(cube: Path, tmp_path: Path, prefix: str) -> None:
    letter = "ü" if sys.getfilesystemencoding() == "utf-8" else "u"  # in the locale C, names have no other letters
    copy = tmp_path / f"a b#{letter}%20.fits"
    copy.write_bytes(cube.read_bytes())
    url = prefix + str(copy).replace("%", "%25").replace(" ", "%20").replace("#", "%23")
    (result,) = make_cutouts([url], target_of(cube), 5)
    assert (result.status, open_source(url).name) == ("ok", copy.name)
    with pytest.raises(UnreadableFileError, match="a file:// URL names a file of this machine"):
        open_source("file://elsewhere/a.fits")


def test_a_url_that_became_a_path_is_explained() -> None:
    with pytest.raises(MissingFileError, match="give a URL as text, not as a Path"):
        open_source(Path("s3://bucket/a.fits"))


def path_of(cube: Path) -> Ephemeris:
    with open_cube(cube) as file:
        start, stop = file.cube.series["start"].min(), file.cube.series["stop"].max()
    times = Time(2457000 + np.linspace(start - 1, stop + 1, 5), format="jd", scale="tdb")
    return Ephemeris.from_table(Table({"time": times, "position": SkyCoord([target_of(cube)] * 5)}), "barycentre", "x")


@pytest.fixture
def changing(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Change the file at 'path' in place after each of the next 'times' reads of any file."""
    plan: dict[str, Any] = {"path": None, "times": 0}
    preadv, seconds = os.preadv, itertools.count(2_000_000_000)

    def read(*arguments: Any) -> int:
        n = preadv(*arguments)
        if plan["times"]:
            plan["times"] -= 1
            os.utime(plan["path"], (0, next(seconds)))
        return n

    monkeypatch.setattr(os, "preadv", read)
    return plan


@pytest.mark.parametrize("kind", ["cutouts", "moving", "images"])
@pytest.mark.parametrize("to_folder", [True, False])
def test_a_file_that_keeps_changing_while_it_is_cut_is_an_error_and_leaves_nothing(
    cube: Path, tmp_path: Path, changing: dict[str, Any], kind: str, to_folder: bool
) -> None:
    path, folder = tmp_path / cube.name, tmp_path / "out" if to_folder else None
    path.write_bytes(cube.read_bytes() if kind != "images" else next(iter(FRAMES.values())))
    target, track = target_of(cube), path_of(cube)
    changing |= {"path": path, "times": 10_000}
    cuts: dict[str, Callable[[], Any]] = {
        "cutouts": lambda: make_cutouts([path], target, 5, output_dir=folder),
        "moving": lambda: make_moving_cutouts([path], track, 3, output_dir=folder),
        "images": lambda: make_image_cutouts([path], target, 5, output_dir=folder),
    }
    results = cuts[kind]()
    assert [(item.status, item.reason) for item in results] == [("error", f"{path} was changed while it was read")]
    assert not folder or not list(folder.iterdir())


def test_a_cube_that_changes_once_while_it_is_cut_is_cut_again(cube: Path, changing: dict[str, Any]) -> None:
    target = target_of(cube)
    changing |= {"path": cube, "times": 1}
    (result,) = make_cutouts([cube], target, 5)
    assert result.status == "ok"


@pytest.mark.filterwarnings("ignore:File .* is skipped")
def test_the_classes_notice_a_file_that_changes(cube: Path, tmp_path: Path, changing: dict[str, Any]) -> None:
    target, roman = target_of(cube), tmp_path / "roman.asdf"
    roman.write_bytes(next(ROMAN.glob("*.asdf")).read_bytes())
    frame = cube.parent / next(iter(FRAMES))
    made = TessCubeCutout(cube, target, 9).write_as_tpf(tmp_path)
    table = Table({"time": Time([2458324.0, 2458330.0], format="jd", scale="tdb"), "position": SkyCoord([target] * 2)})
    cuts: dict[Path, Callable[[], Any]] = {
        cube: lambda: TessCubeCutout(cube, target, 5),
        frame: lambda: FITSCutout(frame, target, 5),
        Path(made[0]): lambda: center_on_path(table, 3, made, output_path=tmp_path / "out", verbose=False),
    }
    for path, cut in cuts.items():
        changing |= {"path": path, "times": 10_000}
        with pytest.raises(ReplacedError, match="was changed while it was read"):
            cut()
    changing |= {"path": roman, "times": 10_000}
    with pytest.raises((InvalidQueryError, ReplacedError), match="was changed"):
        ASDFCutout(roman, SkyCoord(80, 30, unit="deg"), 5 * u.pixel)


def test_a_file_that_changed_lately_may_change_again_and_is_not_known_by_its_times(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"some bytes")
    with closing(open_source(path)) as source:
        for seconds, known in ((1, False), (3, True), (-3, False)):
            with time_machine.travel(path.stat().st_ctime + seconds, tick=False):
                assert (source.key is not None) is known
