"""The library's cube classes: exact, checked, atomic, resumable, and the same as every other way to a cube."""

from __future__ import annotations

import datetime
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tessera import CubeFactory, DataWarning, InvalidInputError, TicaCubeFactory
from tessera.builds.writing.blocks import plan_local_blocks
from tessera.cubes.layout import CubeLayout
from tessera.errors import CubeFormatError, InconsistentFramesError, UnreadableFrameError
from tests.support.builds import build_cube
from tests.support.checks import checksums_hold
from tests.support.frames import NamedFrame, tiny_sector
from tests.support.same_bytes import assert_same_bytes, without_record
from tests.support.tica import tiny_tica_sector

SHAPE = (40, 30)
pytestmark = pytest.mark.usefixtures("still_clock")  # cubes that are compared have the same DATE


def lay(folder: Path, frames: list[NamedFrame]) -> list[Path]:
    folder.mkdir(exist_ok=True, parents=True)
    for name, data in frames:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in frames]


def make(tmp_path: Path, frames: list[NamedFrame], **options: object) -> bytes:
    factory = TicaCubeFactory() if frames[0][0].startswith("hlsp_tica") else CubeFactory()
    path = tmp_path / "made" / "cube.fits"
    factory.make_cube(lay(tmp_path / "frames", frames), path, **options)  # type: ignore[arg-type]
    return path.read_bytes()


def without_dates(cube: bytes) -> tuple[bytes, bytes]:
    """Everything but the first HDU, whose DATE is the day of the build, and that HDU's other cards."""
    first = cube[: cube.index(b"XTENSION")]
    cards = [first[start : start + 80] for start in range(0, len(first), 80)]
    return b"".join(card for card in cards if card[:8] not in (b"DATE    ", b"CHECKSUM")), cube[len(first) :]


FRAMES = tiny_sector(6, SHAPE, shuffled=True, without_wcs=[0], longer_header=[3], dquality={2: 4096})


def test_the_library_makes_the_cube_that_the_state_machine_makes(tmp_path: Path) -> None:
    in_key_order = sorted(FRAMES)
    built = without_dates(without_record(build_cube(in_key_order)))
    made = without_dates(make(tmp_path, in_key_order))
    assert_same_bytes(made[0], built[0])
    assert_same_bytes(made[1], built[1])


@pytest.mark.parametrize("max_memory", [1e-6, 1e-5, 5e-5, 0.001, 50])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_cube_is_the_same_for_every_division_of_the_work(tmp_path: Path, max_memory: float, threads: int) -> None:
    paths = lay(tmp_path, FRAMES)
    CubeFactory().make_cube(paths, tmp_path / "whole.fits")
    CubeFactory(threads=threads).make_cube(paths, tmp_path / "divided.fits", max_memory=max_memory)
    assert_same_bytes((tmp_path / "divided.fits").read_bytes(), (tmp_path / "whole.fits").read_bytes())


@given(
    st.builds(CubeLayout, st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 20_000), st.sampled_from([1, 2])),
    st.floats(0.2, 64),
    st.integers(1, 64),
)
def test_buffers_stay_within_max_memory(layout: CubeLayout, max_memory: float, threads: int) -> None:
    plan = plan_local_blocks(layout, max_memory, threads)
    assert 2 * (threads + 1) * plan.chunk_pixels * layout.pixel_bytes <= max_memory * 1e9
    assert plan.rows_per_block * (plan.n_blocks - 1) < layout.n_rows <= plan.rows_per_block * plan.n_blocks


def test_a_path_of_any_kind_is_given_back_as_it_came(tmp_path: Path) -> None:
    paths = lay(tmp_path, FRAMES)
    path = tmp_path / "new" / "folder" / "cube.fits"
    assert CubeFactory().make_cube([str(item) for item in paths], str(path)) == str(path)
    assert CubeFactory().make_cube(paths, path) == path
    assert sorted(item.name for item in path.parent.iterdir()) == ["cube.fits"]


def test_the_constructors_memory_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    CubeFactory(max_memory=5e-6).make_cube(lay(tmp_path, FRAMES), tmp_path / "cube.fits")
    assert "Completed block 2 of " in caplog.text


def test_log_lines_are_those_that_users_know(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    CubeFactory().make_cube(lay(tmp_path, FRAMES), tmp_path / "cube.fits")
    assert "to initialize the image header table." in caplog.text
    assert "Cube will be made in 1 blocks of 40 rows each." in caplog.text
    assert caplog.text.count("Completed file ") == len(FRAMES)
    assert "Completed block 1 of 1" in caplog.text
    assert "Total time elapsed: " in caplog.text


def test_tica_frames_make_a_cube_of_one_plane(tmp_path: Path) -> None:
    cube = make(tmp_path, tiny_tica_sector(5, SHAPE))
    assert checksums_hold(cube)
    with fits.open(tmp_path / "made" / "cube.fits") as hdus:
        assert hdus[1].data.shape == (*SHAPE, 5, 1)
        assert list(hdus[2].data["CADENCE"]) == [117591 + cadence for cadence in range(5)]
        assert hdus[0].header["ENDTJD"] == hdus[2].data["ENDTJD"][-1]


# ---------------------------------------------------------------- update


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(6)),
    n_old=st.integers(1, 5),
    odd=st.tuples(st.sets(st.integers(0, 5), max_size=2), st.sets(st.integers(0, 5), max_size=2)),
    tica=st.booleans(),
)
@pytest.mark.slow
def test_an_updated_cube_is_the_cube_of_all_frames_plus_history(
    tmp_path: Path,
    *,
    still_clock: datetime.datetime,
    order: list[int],
    n_old: int,
    odd: tuple[set[int], set[int]],
    tica: bool,
) -> None:
    bare, longer = odd
    every = (
        tiny_tica_sector(6, SHAPE)
        if tica
        else tiny_sector(6, SHAPE, without_wcs=bare - {order[0]}, longer_header=longer - bare)
    )
    factory = TicaCubeFactory() if tica else CubeFactory()
    paths = lay(tmp_path / "frames", [every[index] for index in order])
    whole, grown = tmp_path / "whole.fits", tmp_path / "grown.fits"
    factory.make_cube(paths, whole)
    factory.make_cube(paths[:n_old], grown)
    for path in paths[:n_old]:
        path.unlink()  # an update must not need the frames that the cube has
    factory.update_cube(paths[n_old:], grown)
    header, rest = without_dates(grown.read_bytes())
    expected_header, expected_rest = without_dates(whole.read_bytes())
    assert_same_bytes(rest, expected_rest)
    cards = [header[start : start + 80] for start in range(0, len(header), 80)]
    history = [card for card in cards if card.startswith(b"HISTORY")]
    first_new = min(range(n_old, 6), key=lambda place: order[place])
    assert history[0].strip() == f"HISTORY Updated on {still_clock:%Y-%m-%d} with new image delivery.".encode()
    text = b"".join(card[8:].strip() for card in history[1:])
    assert paths[first_new].name.encode() in text.replace(b" ", b"").replace(b"Firstimageis", b"")
    kept = [card for card in cards if not card.startswith(b"HISTORY") and card.strip()]
    assert kept == [
        expected_header[start : start + 80]
        for start in range(0, len(expected_header), 80)
        if expected_header[start : start + 80].strip()
    ]
    assert checksums_hold(grown.read_bytes())


def test_frames_that_the_cube_has_are_skipped_with_a_warning(tmp_path: Path) -> None:
    paths = lay(tmp_path, FRAMES)
    cube = tmp_path / "cube.fits"
    CubeFactory().make_cube(paths[:5], cube)
    with pytest.warns(DataWarning, match=f"Removed duplicate file: {paths[0].name}"):
        CubeFactory().update_cube([paths[0], paths[5]], cube)
    assert len(fits.getdata(cube, 2)) == 6
    before = cube.read_bytes()
    with pytest.warns(DataWarning), pytest.raises(InvalidInputError, match="No new images were found"):
        CubeFactory().update_cube(paths[:2], cube)
    assert_same_bytes(cube.read_bytes(), before)


def test_a_cube_that_is_not_there_cannot_be_updated(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="Cube file was not found"):
        CubeFactory().update_cube(lay(tmp_path, FRAMES), tmp_path / "none.fits")


def test_frames_of_the_other_kind_cannot_be_added(tmp_path: Path) -> None:
    cube = tmp_path / "cube.fits"
    CubeFactory().make_cube(lay(tmp_path, FRAMES), cube)
    with pytest.raises(CubeFormatError, match="a cube of SPOC frames; TICA frames cannot be added"):
        TicaCubeFactory().update_cube(lay(tmp_path, tiny_tica_sector(1, SHAPE)), cube)


def test_a_frame_of_another_ccd_cannot_be_added(tmp_path: Path) -> None:
    cube = tmp_path / "cube.fits"
    CubeFactory().make_cube(lay(tmp_path, FRAMES), cube)
    with pytest.raises(InconsistentFramesError, match=r"CAMERA, CCD are \(4, 3\), of cube.fits \(4, 2\)"):
        CubeFactory().update_cube(lay(tmp_path, tiny_sector(1, SHAPE, ccd=3)), cube)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("file_list", "message"),
    [
        ([], r"file_list is \[\]; allowed: a list with at least one path"),
        ("frame.fits", "file_list is 'frame.fits'; allowed: a list of paths"),
        (Path("frame.fits"), "allowed: a list of paths"),
        ([1, 2], "file_list is 1; allowed: paths or URLs"),
    ],
)
def test_something_else_than_a_list_of_paths_is_refused(file_list: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message):
        CubeFactory().make_cube(file_list, tmp_path / "cube.fits")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [0, -1, float("nan"), "much", True])
def test_a_memory_that_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(InvalidInputError, match="max_memory is"):
        CubeFactory(max_memory=value)  # type: ignore[arg-type]


def bad_lists() -> dict[str, tuple[list[NamedFrame], type[Exception], str]]:
    good = tiny_sector(4, SHAPE)
    name, data = good[2]
    return {
        "another ccd": ([*good, *tiny_sector(1, SHAPE, ccd=3)], InconsistentFramesError, "CAMERA, CCD"),
        "another sector": ([*good[:2], *tiny_sector(4, SHAPE, sector=2)[2:]], InconsistentFramesError, "sector is 2"),
        "another shape": ([*good[:2], tiny_sector(4, (41, 30))[2]], InconsistentFramesError, "NAXIS2, NAXIS1"),
        "the same exposure": ([*good, ("tess-copy.fits", data)], InconsistentFramesError, f"is also that of {name}"),
        "truncated": ([*good[:2], (name, data[:25_000])], UnreadableFrameError, name),
        "not FITS": ([*good[:2], ("note.txt", b"hello" * 1000)], UnreadableFrameError, "note.txt"),
        "empty": ([*good[:2], ("empty.fits", b"")], UnreadableFrameError, "empty.fits"),
        "no wcs": (tiny_sector(3, SHAPE, without_wcs=[0, 1, 2]), InconsistentFramesError, "CTYPE2 = DEC--TAN"),
        "tica": ([*good[:2], *tiny_tica_sector(1, SHAPE)], UnreadableFrameError, "input only SPOC FFI files"),
    }


@pytest.mark.parametrize(("frames", "error", "message"), bad_lists().values(), ids=bad_lists().keys())
def test_bad_frames_are_refused_by_name_before_anything_is_written(
    tmp_path: Path, frames: list[NamedFrame], error: type[Exception], message: str
) -> None:
    paths = lay(tmp_path / "frames", frames)
    with pytest.raises(error, match=message) as caught:
        CubeFactory().make_cube(paths, tmp_path / "out" / "cube.fits")
    assert isinstance(caught.value, ValueError)
    assert not (tmp_path / "out").exists()


def test_spoc_frames_given_to_the_tica_factory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Please input only TICA FFI files when using ``TicaCubeFactory``"):
        TicaCubeFactory().make_cube(lay(tmp_path, FRAMES), tmp_path / "cube.fits")


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.fits"):
        CubeFactory().make_cube([tmp_path / "nothing.fits"], tmp_path / "cube.fits")


def test_unreadable_frames_can_be_left_out_and_are_reported(tmp_path: Path) -> None:
    name, data = FRAMES[2]
    paths = lay(tmp_path, [*FRAMES[:2], (name, data[:22_000]), *FRAMES[3:]])
    factory = CubeFactory(on_unreadable="skip")
    with pytest.warns(DataWarning) as caught:
        factory.make_cube([*paths, tmp_path / "missing.fits"], tmp_path / "cube.fits")
    assert any(str(warning.message).startswith(f"Left out {name}") for warning in caught)
    assert sorted(Path(item).name for item in factory.left_out) == ["missing.fits", name]
    assert len(fits.getdata(tmp_path / "cube.fits", 2)) == 5


# ---------------------------------------------------------------- interruption

BIG = (600, 500)
KILLED = """
import os, signal, sys
from tessera import CubeFactory
def progress(done, total):
    print(done, total, flush=True)
    if done == int(sys.argv[2]) + 1:
        os.kill(os.getpid(), signal.SIGKILL)
CubeFactory().make_cube(sys.argv[3:], sys.argv[1], max_memory=0.004, progress=progress)
"""


def run_killed(cube: Path, block: int, paths: list[Path]) -> int:
    command = [sys.executable, "-c", KILLED, str(cube), str(block), *map(str, paths)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL, timeout=60).returncode


@pytest.mark.slow
def test_a_killed_run_leaves_the_old_cube_and_the_next_one_goes_on(tmp_path: Path) -> None:
    paths = lay(tmp_path / "frames", tiny_sector(8, BIG))
    cube, whole = tmp_path / "cube.fits", tmp_path / "whole.fits"
    CubeFactory().make_cube(paths, whole)
    CubeFactory().make_cube(paths[:2], cube)
    old = cube.read_bytes()
    assert run_killed(cube, 2, paths) == -signal.SIGKILL
    assert cube.read_bytes() == old
    journal = (tmp_path / ".cube.fits.journal").read_text(encoding="utf-8").splitlines()
    assert len(journal) == 4
    done: list[int] = []
    factory = CubeFactory()
    reads = CountReads()
    with reads:
        factory.make_cube(paths, cube, max_memory=0.004, progress=lambda _, total: done.append(total))
    assert_same_bytes(cube.read_bytes(), whole.read_bytes())
    assert reads.n_bytes < 0.75 * sum(path.stat().st_size for path in paths)
    assert len(done) == done[0]
    assert sorted(item.name for item in tmp_path.iterdir() if item.is_file()) == ["cube.fits", "whole.fits"]


@pytest.mark.slow
def test_a_damaged_block_of_an_interrupted_run_is_made_again(tmp_path: Path) -> None:
    paths = lay(tmp_path / "frames", tiny_sector(8, BIG))
    cube, whole = tmp_path / "cube.fits", tmp_path / "whole.fits"
    CubeFactory().make_cube(paths, whole)
    run_killed(cube, 2, paths)
    partial = tmp_path / ".cube.fits.partial"
    with partial.open("r+b") as file:
        file.seek(8_000)
        file.write(b"damage")
    CubeFactory().make_cube(paths, cube, max_memory=0.004)
    assert_same_bytes(cube.read_bytes(), whole.read_bytes())


@pytest.mark.slow
def test_other_inputs_begin_anew(tmp_path: Path) -> None:
    paths = lay(tmp_path / "frames", tiny_sector(8, BIG))
    cube, whole = tmp_path / "cube.fits", tmp_path / "whole.fits"
    run_killed(cube, 2, paths)
    CubeFactory().make_cube(paths[:7], cube, max_memory=0.004)
    CubeFactory().make_cube(paths[:7], whole)
    assert_same_bytes(cube.read_bytes(), whole.read_bytes())


def test_a_frame_that_shrinks_while_it_is_read_leaves_nothing_behind(tmp_path: Path) -> None:
    paths = lay(tmp_path / "frames", tiny_sector(8, BIG))

    def shrink(block: int, n_blocks: int) -> None:
        os.truncate(paths[3], 100_000)

    with pytest.raises(OSError, match=re.escape(paths[3].name) + " ends at byte"):
        CubeFactory().make_cube(paths, tmp_path / "cube.fits", max_memory=0.004, progress=shrink)
    assert [item.name for item in tmp_path.iterdir()] == ["frames"]


def test_two_runs_do_not_write_the_same_cube(tmp_path: Path) -> None:
    paths = lay(tmp_path / "frames", tiny_sector(8, BIG))
    cube = tmp_path / "cube.fits"
    refused = []

    def again(block: int, n_blocks: int) -> None:
        if block == 1:
            with pytest.raises(InvalidInputError, match="no other run is writing"):
                CubeFactory().make_cube(paths, cube)
            refused.append(block)

    CubeFactory().make_cube(paths, cube, max_memory=0.004, progress=again)
    assert refused
    assert checksums_hold(cube.read_bytes())


class CountReads:
    """Counts the bytes that are read of local files."""

    def __init__(self) -> None:
        self.n_bytes = 0

    def __enter__(self) -> None:
        self._preadv = os.preadv
        os.preadv = self._count  # type: ignore[assignment]

    def __exit__(self, *error: object) -> None:
        os.preadv = self._preadv

    def _count(self, descriptor: int, buffers: list[memoryview], offset: int) -> int:
        n = self._preadv(descriptor, buffers, offset)
        self.n_bytes += n
        return n
