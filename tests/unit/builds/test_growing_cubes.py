"""A growing cube: segments of time that are read together, and equal the cube of all its frames byte for byte."""

from __future__ import annotations

import datetime
import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from astropy.time import Time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tessera
from tessera import CubeFactory, DataWarning, InvalidInputError, TicaCubeFactory, export_references, open_cube
from tessera.builds.report import verify_cube
from tessera.cli.main import main
from tessera.compat.tess.cutout_factory import CutoutFactory
from tessera.cube_sources import open_cube_source
from tessera.errors import CubeFormatError, InconsistentFramesError, MissingFileError
from tessera.io.sources import open_source
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tessera.verify.verify import verify_product
from tests.support.clocks import still_day
from tests.support.cubes import target_of
from tests.support.frames import NamedFrame, tiny_sector, tiny_times
from tests.support.same_bytes import assert_same_bytes, without_record
from tests.support.tica import tiny_tica_sector
from tests.support.web import Site, serve

SHAPE = (40, 30)
FRAMES = sorted(tiny_sector(8, SHAPE, without_wcs=[1], longer_header=[3], dquality={2: 4096}))
DAYS = (FRAMES[2:5], [*FRAMES[:2], *FRAMES[6:]], FRAMES[5:6])
"""The frames by the day of their arrival: some arrive late."""
NAME = "tess-s0001-4-2-cube"
TIME = Time(2457000, [tiny_times(0)[0] - 0.1, tiny_times(8)[1] + 0.1], format="jd", scale="tdb")


def lay(folder: Path, frames: list[NamedFrame]) -> list[Path]:
    folder.mkdir(exist_ok=True, parents=True)
    for name, data in frames:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in frames]


def grow(table: Path, *days: list[NamedFrame]) -> Path:
    factory = TicaCubeFactory() if days[0][0][0].startswith("hlsp_tica") else CubeFactory()
    for day in days:
        factory.grow_cube(lay(table.parent / "frames", day), table, verbose=False)
    return table


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    with still_day():
        CubeFactory().make_cube(lay(folder, FRAMES), folder / f"{NAME}.fits", verbose=False)
    return folder / f"{NAME}.fits"


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with still_day():
        return grow(tmp_path_factory.mktemp("grown") / f"{NAME}.json", *DAYS)


def test_a_growing_cube_has_the_bytes_of_the_cube_of_all_its_frames(whole: Path, grown: Path) -> None:
    with closing(open_cube_source(grown)) as source:
        assert source.name == whole.name
        assert_same_bytes(source.read(0, source.size), whole.read_bytes())
    assert verify_cube(grown, sorted((grown.parent / "frames").iterdir())) == []


def test_so_does_one_of_tica_frames(tmp_path: Path, still_clock: datetime.datetime) -> None:
    frames = tiny_tica_sector(4, (20, 15))
    TicaCubeFactory().make_cube(lay(tmp_path, frames), tmp_path / "whole.fits", verbose=False)
    with closing(open_cube_source(grow(tmp_path / "whole.json", frames[:1], frames[1:]))) as source:
        assert_same_bytes(source.read(0, source.size), (tmp_path / "whole.fits").read_bytes())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_range_of_bytes_is_that_of_the_whole_cube(whole: Path, grown: Path, data: st.DataObject) -> None:
    with closing(open_cube_source(grown)) as source, closing(open_source(whole)) as expected:
        start = data.draw(st.integers(0, source.size))
        length = data.draw(st.integers(0, min(200, source.size - start)) | st.integers(0, source.size - start))
        assert source.read(start, length) == expected.read(start, length)
        pieces = b"".join(map(bytes, source.read_pieces(start, length, 7)))
        assert pieces == expected.read(start, length)


def test_cutouts_of_fixed_and_moving_targets_equal_those_of_the_whole_cube(
    whole: Path, grown: Path, tmp_path: Path
) -> None:
    target = target_of(whole)
    made = [CutoutFactory().cube_cut(cube, target, 5, output_path=tmp_path / cube.suffix) for cube in (whole, grown)]
    assert [Path(str(path)).name for path in made] == [Path(str(made[0])).name] * 2
    assert_same_bytes(*(Path(str(path)).read_bytes() for path in reversed(made)))
    ephemeris = Ephemeris(TIME, np.repeat(target.ra.deg, 2), np.array([target.dec.deg, target.dec.deg + 0.02]))
    tracks = [make_moving_cutouts(cube, ephemeris, 3)[0] for cube in (whole, grown)]
    assert_same_bytes(*(without_record(track.data or b"") for track in reversed(tracks)))
    (tmp_path / "track.fits").write_bytes(tracks[1].data or b"")
    assert verify_product(tmp_path / "track.fits", grown).status == "same"
    with open_cube(whole) as one, open_cube(grown) as other:
        np.testing.assert_array_equal(other.flux.to_numpy(), one.flux.to_numpy())


def test_a_growing_cube_is_read_over_the_network(whole: Path, grown: Path) -> None:
    files = {f"/day/{path.name}": path.read_bytes() for path in grown.parent.glob("*.*")}
    with serve(Site(files)) as site:
        location = f"{site.base}/day/{grown.name}"
        with closing(open_cube_source(location)) as source:
            assert_same_bytes(source.read(0, source.size), whole.read_bytes())
        with open_cube(location) as cube, open_cube(whole) as expected:
            np.testing.assert_array_equal(cube.flux[:, 10:14, 7:9].to_numpy(), expected.flux[:, 10:14, 7:9].to_numpy())


def test_a_growing_cube_is_one_after_each_day(tmp_path: Path, still_clock: datetime.datetime) -> None:
    table = tmp_path / f"{NAME}.json"
    n_frames = []
    for day in DAYS:
        with open_cube(grow(table, day)) as cube:
            n_frames.append(len(cube.flux))
    assert n_frames == [3, 7, 8]


def test_the_command_line_grows_and_describes_a_cube(
    grown: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], still_clock: datetime.datetime
) -> None:
    table = tmp_path / f"{NAME}.json"
    for day in DAYS:
        assert main(["cube", "grow", *map(str, lay(tmp_path / "frames", day)), "-o", str(table), "-q"]) == 0
    assert table.read_bytes() == grown.read_bytes()
    assert main(["cube", "info", str(table)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{NAME}.fits: SPOC cube of sector 1, camera 4, CCD 2"
    assert lines[-3].startswith(f"segment 1   {NAME}-segment-1.fits: 3 cadences, ")


def test_frames_that_the_cube_has_are_skipped_and_others_refused(
    tmp_path: Path, still_clock: datetime.datetime
) -> None:
    table = grow(tmp_path / f"{NAME}.json", FRAMES[:2])
    with pytest.warns(DataWarning, match="Removed duplicate file"):
        grow(table, FRAMES[1:3])
    before = table.read_bytes()
    with pytest.warns(DataWarning), pytest.raises(InvalidInputError, match="No new images"):
        grow(table, FRAMES[:1])
    with pytest.raises(InconsistentFramesError, match=r"CAMERA.* are"):
        grow(table, tiny_sector(9, SHAPE, camera=1)[8:])
    assert table.read_bytes() == before
    with pytest.raises(InvalidInputError, match=r"cube_file is .*which ends with .json"):
        grow(tmp_path / "cube.fits", FRAMES[:1])
    for build, path in ((CubeFactory().update_cube, table), (CubeFactory().make_cube, tmp_path / "new.json")):
        with pytest.raises(InvalidInputError, match=r"cube_file is .*a cube in one file; grow_cube"):
            build(lay(tmp_path / "frames", FRAMES), path, verbose=False)


def test_in_a_folder_a_growing_cube_takes_the_place_of_its_segments(whole: Path, grown: Path, tmp_path: Path) -> None:
    for path in grown.parent.glob(f"{NAME}*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "references-of-cube.json").write_text('{"version": 1, "refs": {}}', encoding="utf-8")
    found = tessera.search(target_of(whole), cubes=tmp_path)
    assert [row.cube for row in found.rows] == [str(tmp_path / grown.name)]
    (tmp_path / grown.name).write_bytes(grown.read_bytes()[:-9])
    with pytest.warns(DataWarning, match="not a segment table"):
        tessera.search(target_of(whole), cubes=tmp_path)


def test_a_segment_that_is_missing_or_another_file_is_named(
    grown: Path, tmp_path: Path, still_clock: datetime.datetime
) -> None:
    table = grow(tmp_path / f"{NAME}.json", FRAMES[:2], FRAMES[2:4])
    segment = tmp_path / f"{NAME}-segment-2.fits"
    data = segment.read_bytes()
    for content, error in ((data[:-2880], "is not the one that it lists"), (None, "there is no such file")):
        segment.unlink() if content is None else segment.write_bytes(content)
        with pytest.raises((CubeFormatError, MissingFileError), match=error):
            open_cube_source(table)
    CubeFactory().make_cube(lay(tmp_path / "other", FRAMES[4:6]), segment, verbose=False)
    with pytest.raises(CubeFormatError, match=f"{NAME}-segment-2.fits is not the one that it lists"):
        open_cube_source(table)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda about: about.update(format=9), "the segment table has format 9; 1 is needed"),
        (lambda about: about["segments"].pop(), "its segments do not have each of the 8 cadences once"),
        (lambda about: about["segments"][0].update(name="/etc/cube.fits"), "'/etc/cube.fits' is not a relative path"),
        (lambda about: about["segments"][0].update(size=5), r"segment-1.fits has 5 bytes; [\d,]+ are needed"),
        (lambda about: about.update(info_table="eJw="), "its info table ends too early"),
        (lambda about: about.update(shape=[1, 2, 3]), "damaged"),
        (lambda about: about.clear(), "not a segment table"),
    ],
)
def test_a_damaged_segment_table_is_refused(grown: Path, tmp_path: Path, change: object, reason: str) -> None:
    about = json.loads(grown.read_bytes())
    change(about)  # type: ignore[operator]
    (tmp_path / "cube.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(CubeFormatError, match=reason):
        open_cube_source(tmp_path / "cube.json")


def test_references_need_a_cube_in_one_file(grown: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="this is a segment table, whose cube still grows"):
        export_references(grown, tmp_path / "references.json")
