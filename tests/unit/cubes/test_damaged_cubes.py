"""A damaged cube is noticed when it is opened, and verify says what is wrong in one sentence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time

from tessera import CubeFactory, CutoutOptions, TessCubeCutout, make_cutouts, make_moving_cutouts
from tessera.builds.report import verify_cube
from tessera.cli.main import main
from tessera.cutouts.open_cube import open_cube
from tessera.errors import CubeFormatError
from tessera.moving.ephemeris import Ephemeris
from tests.support.builds import peer_cube
from tests.support.frames import centred_wcs, tiny_sector

SHAPE = (40, 30)
FRAMES = tiny_sector(4, SHAPE)
NAME = "tess-s0001-4-2-cube.fits"


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("frames")
    for name, data in FRAMES:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in FRAMES]


@pytest.fixture(scope="module")
def whole(frames: list[Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("cube") / NAME
    CubeFactory().make_cube(frames, path, 1, verbose=False)
    return path.read_bytes()


def centre() -> SkyCoord:
    wcs = centred_wcs(SHAPE)
    return SkyCoord(wcs["CRVAL1"], wcs["CRVAL2"], unit="deg")


def flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def places(content: bytes) -> dict[str, int]:
    """A place in each part that is read whole."""
    table = content.index(b"XTENSION= 'BINTABLE'")
    return {
        "the primary header": content.index(b"TELESCOP") + 12,
        "the header of the image": content.index(b"PCOUNT") + 70,
        "the info table": table + 2880 * 8 + 11,
        "the info table, FFI_FILE": content.rindex(b"s_ffic.fits"),
    }


@pytest.mark.parametrize("what", ["the primary header", "the header of the image", "the info table"])
def test_a_flipped_bit_in_what_is_read_whole_is_found(tmp_path: Path, whole: bytes, what: str) -> None:
    path = tmp_path / NAME
    for part, place in places(whole).items():
        if part.startswith(what):
            path.write_bytes(flip(whole, place))
            (result,) = make_cutouts([path], centre(), 3)
            assert result.status == "error"
            assert f"{NAME}: {what} is damaged: its CHECKSUM is wrong" in result.reason
            (result,) = make_cutouts([path], centre(), 3, options=CutoutOptions(check=False))
            assert result.status == "ok"


def test_a_class_with_the_name_of_astrocut_refuses_a_damaged_cube_unless_told_otherwise(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / NAME
    path.write_bytes(flip(whole, places(whole)["the info table, FFI_FILE"]))
    with pytest.raises(CubeFormatError, match="the info table is damaged"):
        TessCubeCutout(path, centre(), 3)
    monkeypatch.setattr(TessCubeCutout, "check", False)
    assert len(TessCubeCutout(path, centre(), 3).cutouts) == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda data: data[:-1], "the file has 51,839 for it"),
        (lambda data: data + b"\0", "the file has 51,841 for it"),
        (lambda data: data + data, "for it"),
        (lambda data: data[:-2880], "the file has 48,960 for it"),
        (lambda data: data[:20_000], "the info table would begin at"),
    ],
)
def test_a_cube_of_a_wrong_size_is_refused_by_all(tmp_path: Path, whole: bytes, change: object, problem: str) -> None:
    path = tmp_path / NAME
    path.write_bytes(change(whole))  # type: ignore[operator]
    (result,) = make_cutouts([path], centre(), 3)
    assert (result.status, problem in result.reason) == ("error", True), result.reason
    with pytest.raises(CubeFormatError, match=problem):
        verify_cube(path, [])
    with pytest.raises(CubeFormatError, match=problem):
        CubeFactory().update_cube([tmp_path / "new.fits"], path, verbose=False)


def test_a_cube_of_the_peer_has_no_checksums_and_is_read(tmp_path: Path) -> None:
    path = peer_cube(FRAMES, tmp_path)
    with open_cube(path) as file:
        assert file.cube.layout.n_cadences == 4
    assert all("has no checksums" in problem for problem in verify_cube(path, []))


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("CTYPE1", "x", "its WCS cannot be used"),
        ("CRVAL2", -95.0, "its WCS cannot be used: "),
        ("CRPIX2", -1e300, "is far from"),
        ("A_2_0", np.inf, "its WCS cannot be used: a term of its distortion is infinite"),
        ("TSTART", -np.inf, "TSTART of cadence 0 is infinite"),
    ],
)
def test_a_wcs_or_time_that_cannot_be_used_does_not_lose_the_other_cubes(
    tmp_path: Path, whole: bytes, column: str, value: object, problem: str
) -> None:
    good, bad = tmp_path / NAME, tmp_path / "bad.fits"
    good.write_bytes(whole)
    with fits.open(good) as hdus:
        hdus[2].data[column] = value
        hdus.writeto(bad, checksum=True)
    for options in (CutoutOptions(), CutoutOptions(pos_corr=True, target_times=True)):
        failed, made = make_cutouts([bad, good], centre(), 3, options=options)
        assert (failed.status != "ok", made.status) == (True, "ok")
        assert problem in failed.reason
        assert len(failed.reason) < 300
        assert "wcslib" not in failed.reason
    failed, made = make_cutouts([bad, good], centre(), 1 * u.arcmin)
    assert (failed.status != "ok", made.status) == (True, "ok")
    times = Time([2458325.0, 2458328.0], format="jd", scale="tdb")
    path = Ephemeris(times, np.full(2, centre().ra.deg), np.full(2, centre().dec.deg))
    assert [item.status for item in make_moving_cutouts([bad, good], path, 3)][1] == "ok"


def test_a_cube_that_does_not_say_that_it_is_fits_is_refused(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / NAME
    path.write_bytes(whole.replace(b"SIMPLE  =                    T", b"SIMPLE  =                   64"))
    (result,) = make_cutouts([path], centre(), 3, options=CutoutOptions(check=False))
    assert (result.status, "SIMPLE is 64; T is needed" in result.reason) == ("error", True)


# ---------------------------------------------------------------- verify

VALUES = ("-1", "0", "999999999", "99999999999999999999", "1E400", "T", "'x'", "3", "")
FORMS = ("'999999999A'", "'PE(3)'", "'QJ'", "'0A'", "'-3A'", "5", "'1000000J'", "'1PE(99999999)'")


def with_card(content: bytes, keyword: str, value: str, number: int) -> bytes:
    found = list(re.finditer(f"{keyword:8}= .{{70}}".encode(), content, re.DOTALL))[number]
    return content[: found.start()] + f"{keyword:8}= {value:>20}".encode().ljust(80) + content[found.end() :]


def damaged(whole: bytes) -> Iterator[tuple[str, bytes]]:
    for keyword, number in (("NAXIS", 1), ("NAXIS2", 0), ("NAXIS4", 0), ("NAXIS1", 1), ("NAXIS2", 1), ("TFIELDS", 0)):
        yield from ((f"{keyword}={value}", with_card(whole, keyword, value, number)) for value in VALUES)
    for keyword, number in (("BITPIX", 1), ("PCOUNT", 1), ("GCOUNT", 1), ("BITPIX", 2)):
        yield from ((f"{keyword}={value}", with_card(whole, keyword, value, number)) for value in ("-1", "'x'", ""))
    for keyword in ("TFORM1", "TFORM5", "TTYPE3"):
        yield from ((f"{keyword}={value}", with_card(whole, keyword, value, 0)) for value in FORMS)
    yield from ((f"cut at {place}", whole[:place]) for place in range(0, len(whole), len(whole) // 20))
    for old, new in ((b"'FFI_FILE'", b"'XXX_FILE'"), (b"'TSTART  '", b"'XXXXXX  '"), (b"END" + b" " * 77, b" " * 80)):
        yield f"without {old.decode()}", whole.replace(old, new)
    yield "text", b"no cube\n" * 10_000
    yield "zip", b"PK\3\4" + bytes(5000)
    yield "zeros", bytes(100_000)


LIMITED = """
import resource, sys, time
from pathlib import Path
from tessera import CubeFactory
from tessera.builds.report import describe_cube, verify_cube
from tessera.cutouts.open_cube import open_cube
from tessera.errors import TesseraError
from tessera.io.sources import open_source

resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))

def look(path, check):
    with open_cube(path, check=check):
        pass

def describe(path):
    source = open_source(path)
    describe_cube(source)
    source.close()

doors = {
    "verify": lambda path: verify_cube(path, []),
    "open": lambda path: look(path, True),
    "open without check": lambda path: look(path, False),
    "info": describe,
    "update": lambda path: CubeFactory().update_cube(["none.fits"], path, verbose=False),
}
for path in map(Path, sys.argv[1:]):
    for name, door in doors.items():
        started = time.monotonic()
        try:
            outcome = f"{door(path) or 'fine'}"
        except (TesseraError, FileNotFoundError) as error:
            outcome = f"{error}"
        except BaseException as error:
            outcome = f"WRONG {type(error).__name__} {error}"
        if time.monotonic() - started > 2:
            outcome = f"WRONG slow {outcome}"
        print(path.name, name, outcome.replace("\\n", "WRONG"), sep="|")
"""


def test_every_damaged_cube_has_one_sentence_within_two_gigabytes(tmp_path: Path, whole: bytes) -> None:
    named = dict(damaged(whole))
    paths = []
    for number, content in enumerate(named.values()):
        paths.append(tmp_path / f"{number}.fits")
        paths[-1].write_bytes(content)
    for content in (whole, b""):  # sparse files
        paths.append(tmp_path / f"{len(paths)}.fits")
        with paths[-1].open("wb") as file:
            file.write(content)
            file.truncate(1 << 40)
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, paths)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    told = [line.split("|", 2) for line in ended.stdout.splitlines()]
    assert len(told) == 5 * len(paths)
    names = [*named, "sparse cube", "sparse zeros"]
    assert [(names[int(file[:-5])], door, text) for file, door, text in told if "WRONG" in text] == []
    silent = {names[int(file[:-5])] for file, door, text in told if door == "verify" and text == "fine"}
    assert silent == set()
    assert max(len(text) for _, _, text in told) < 400


@pytest.mark.parametrize("what", ["folder", "FIFO", "nothing", "empty"])
def test_verify_names_what_is_no_file_of_a_cube(tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    path = tmp_path / "it"
    if what == "folder":
        path.mkdir()
    elif what == "FIFO":
        os.mkfifo(path)
    elif what == "empty":
        path.touch()
    assert main(["cube", "verify", str(path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "it" in line
