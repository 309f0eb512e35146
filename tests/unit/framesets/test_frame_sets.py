"""Cutouts straight from frames equal those of the cube of these frames, bit by bit, but for the cards that say so."""

from __future__ import annotations

import gzip
import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time
from moto.server import ThreadedMotoServer

import tessera
from tessera.cli.main import main
from tessera.cutouts.open_cube import open_cube
from tessera.errors import MissingFileError
from tessera.framesets.facts import MARK, FrameFacts, FramePlace
from tessera.framesets.source import FrameSetSource
from tessera.io.sources import ReplacedError
from tessera.moving.ephemeris import Ephemeris
from tessera.provenance.record import Origin
from tessera.tess.products import TICA
from tessera.verify.origins import find_origin, origin_problems
from tessera.windows import Window
from tests.support.frame_marks import without_marks
from tests.support.frames import tiny_sector
from tests.support.tica import tiny_tica_sector

SHAPE = (40, 30)
OPTIONS = (
    tessera.CutoutOptions(),
    tessera.CutoutOptions(placement="tesscut", layout="slim", fill_value=-1.0),
    tessera.CutoutOptions(quality_mask=4, pos_corr=True),
)


def write(folder: Path, files: list[tuple[str, bytes]]) -> list[Path]:
    folder.mkdir(exist_ok=True, parents=True)
    for name, content in files:
        (folder / name).write_bytes(content)
    return [folder / name for name, _ in files]


@pytest.fixture(scope="module")
def spoc(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folder of frames with headers of three sizes, and the cube that was made of them later."""
    folder = tmp_path_factory.mktemp("spoc")
    frames = tiny_sector(6, SHAPE, without_wcs=[3], longer_header=[1, 4], dquality={2: 4})
    files = write(folder / "frames" / "4-2", frames)
    cube = folder / "tess-s0001-4-2-cube.fits"
    tessera.CubeFactory().make_cube(files, cube, verbose=False)
    return folder / "frames", cube


@pytest.fixture(scope="module")
def tica(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tica")
    files = write(folder / "frames", tiny_tica_sector(5, SHAPE))
    cube = folder / "tica-s0027-1-4-cube.fits"
    tessera.TicaCubeFactory().make_cube(files, cube, verbose=False)
    return folder / "frames", cube


@pytest.fixture(params=["spoc", "tica"])
def ccd(request: pytest.FixtureRequest) -> tuple[Path, Path]:
    made: tuple[Path, Path] = request.getfixturevalue(request.param)
    return made


def targets(cube: Path) -> SkyCoord:
    """Positions in the middle of the frame, at its edge, and beyond it."""
    with open_cube(cube) as file:
        ra, dec = file.cube.wcs.all_pix2world([15, 29, 0, 500], [20, 39, 1, 20], 0)
    return SkyCoord(ra, dec, unit="deg")


@pytest.mark.parametrize("options", OPTIONS)
def test_files_from_frames_are_those_of_the_later_cube(ccd: tuple[Path, Path], options: tessera.CutoutOptions) -> None:
    folder, cube = ccd
    places = targets(cube)
    expected = tessera.make_cutouts(cube, places, (7, 5), options=options)
    found = tessera.make_cutouts(tessera.read_frames(folder), places, (7, 5), options=options)
    assert [item.status for item in found] == [item.status for item in expected] == ["ok"] * 3 + ["no overlap"]
    for one, other in zip(found[:3], expected, strict=False):
        assert one.name == other.name
        assert without_marks(one.data) == without_marks(other.data)


def test_a_file_says_that_it_is_from_frames_and_depends_on_no_clock(spoc: tuple[Path, Path]) -> None:
    (ccd,) = tessera.read_frames(spoc[0])
    data = tessera.make_cutouts(ccd, targets(spoc[1])[:1], 5)[0].data
    assert data is not None
    with fits.open(io.BytesIO(data), checksum=True) as hdus:
        assert hdus[0].header[MARK] is True
        with fits.open(next(spoc[0].rglob("*.fits"))) as frame:
            assert hdus[0].header["DATE"] == frame[0].header["DATE"][:10]
    assert str(ccd) == f"frames of tess-s0001-4-2 in {spoc[0] / '4-2'}"


def test_a_moving_target_is_followed_on_frames_as_on_the_cube(ccd: tuple[Path, Path]) -> None:
    folder, cube = ccd
    with open_cube(cube) as file:
        series, wcs = file.cube.series, file.cube.wcs
        days = np.linspace(series["start"][0] - 1e-4, series["stop"][-1] + 1e-4, 6)
        ra, dec = wcs.all_pix2world(np.linspace(-1, 33, 6), np.linspace(-1, 41, 6), 0)
    ephemeris = Ephemeris(Time(days + 2457000, format="jd", scale="tdb"), ra, dec, name="a comet")
    (expected,) = tessera.make_moving_cutouts(cube, ephemeris, (5, 4))
    (found,) = tessera.make_moving_cutouts(tessera.read_frames(folder), ephemeris, (5, 4))
    assert (found.status, found.name, found.n_cadences) == ("ok", expected.name, expected.n_cadences)
    assert (found.n_filled, found.reason) == (expected.n_filled, expected.reason)
    assert found.n_filled > 0
    planes = 1 if cube.name.startswith(TICA.prefix) else 2
    assert found.n_requests == found.n_cadences * planes
    assert without_marks(found.data) == without_marks(expected.data)


def test_all_that_reads_a_cube_reads_its_frames(spoc: tuple[Path, Path]) -> None:
    folder, cube = spoc
    (ccd,) = tessera.read_frames(folder)
    with tessera.open_cube(cube) as expected, tessera.open_cube(ccd) as found:
        np.testing.assert_array_equal(found.flux[3:9, 5:7].values, expected.flux[3:9, 5:7].values)
        np.testing.assert_array_equal(found.time.values, expected.time.values)
    place = targets(cube)[:1]
    rows = [tessera.search(place, cubes=some).rows for some in (ccd, str(cube))]
    assert [replace(row, cube="") for row in rows[0]] == [replace(row, cube="") for row in rows[1]] != []
    with open_cube(ccd) as file, cube.open("rb") as stream:
        size = file.source.size
        whole, data = file.source.read(0, size), stream.read()
        begin, end = file.cube.data_offset, file.cube.data_offset + file.cube.layout.data_bytes
        with open_cube(cube) as made:
            first, last = made.cube.data_offset, made.cube.data_offset + made.cube.layout.data_bytes
        assert whole[begin:end] == data[first:last]
        assert whole[end:] == data[last:]
        for start, length in ((begin - 5, 50), (begin + 1001, 777), (end - 9, 40), (size - 3, 3)):
            assert file.source.read(start, length) == whole[start : start + length]


def test_facts_are_the_same_after_they_were_stored(ccd: tuple[Path, Path]) -> None:
    (frames,) = tessera.read_frames(ccd[0])
    facts = FrameFacts.from_bytes(frames.facts.to_bytes())
    assert facts.places == frames.facts.places
    assert facts.info_hdu == frames.facts.info_hdu
    assert facts.cube.to_sidecar() == frames.facts.cube.to_sidecar()
    np.testing.assert_array_equal(facts.offsets, frames.facts.offsets)
    assert facts.to_bytes() == frames.facts.to_bytes()


def test_each_frame_is_read_once_for_each_plane(spoc: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    read = FrameSetSource._read_frame

    def note(source: FrameSetSource, cadence: int, start: int, length: int) -> Any:
        asked.append((cadence, length))
        return read(source, cadence, start, length)

    monkeypatch.setattr(FrameSetSource, "_read_frame", note)
    (ccd,) = tessera.read_frames(spoc[0])
    with open_cube(ccd) as file:
        file.read_window(Window(3, 4, 6, 5))
    assert sorted(asked) == [(cadence, (5 * SHAPE[1] + 5) * 4) for cadence in range(6) for _ in range(2)]


def test_a_frame_that_was_replaced_is_noticed(tmp_path: Path) -> None:
    files = write(tmp_path, tiny_sector(3, SHAPE))
    (ccd,) = tessera.read_frames(tmp_path)
    os.utime(files[1], ns=(1, 1))
    with open_cube(ccd) as file, pytest.raises(ReplacedError, match="was replaced while it was read"):
        file.read_window(Window(3, 4, 6, 5))


def test_packed_frames_and_ccds_of_one_folder_are_told_apart(tmp_path: Path) -> None:
    for camera, ccd in ((4, 2), (1, 3)):
        write(
            tmp_path,
            [(f"{name}.gz", gzip.compress(data, 1)) for name, data in tiny_sector(2, SHAPE, camera=camera, ccd=ccd)],
        )
    write(
        tmp_path, [*tiny_tica_sector(2, SHAPE), ("notes.txt", b"no frame"), ("tess-s0001-4-2-cube.fits", b"no frame")]
    )
    with pytest.warns(tessera.DataWarning, match="packed"):
        found = tessera.read_frames(tmp_path)
    assert [(one.obs_id, one.n_frames) for one in found] == [
        ("tess-s0001-1-3", 2),
        ("tess-s0001-4-2", 2),
        ("tica-s0027-1-4", 2),
    ]
    with open_cube(found[1]) as file:
        assert file.read_window(Window(0, 0, 1, 1)).planes[0].ravel().tolist() == [1, 1 + 40 * 30]


def test_a_folder_without_frames_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(tessera.InvalidInputError, match=r"frames is .*; allowed: frames, or folders with frames"):
        tessera.read_frames(tmp_path)


def test_an_unreadable_frame_fails_or_is_left_out(tmp_path: Path) -> None:
    files = write(tmp_path, tiny_sector(3, SHAPE))
    files[0].write_bytes(files[0].read_bytes()[:9000])
    with pytest.raises(tessera.errors.UnreadableFrameError, match=files[0].name):
        tessera.read_frames(tmp_path)
    with pytest.warns(tessera.DataWarning, match="Left out"):
        (ccd,) = tessera.read_frames(tmp_path, on_unreadable="skip")
    assert ccd.n_frames == 2


def test_the_command_line_takes_frames_where_it_takes_cubes(
    spoc: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = targets(spoc[1])[0]
    target = f"{place.ra.deg:.6f} {place.dec.deg:.6f}"
    assert main(["cut", target, "--frames", str(spoc[0]), "-s", "5", "-o", str(tmp_path), "-q"]) == 0
    assert main(["lightcurve", target, "--frames", str(spoc[0])]) == 0
    found = capsys.readouterr().out
    assert main(["lightcurve", target, "--cube", str(spoc[1])]) == 0
    assert found == capsys.readouterr().out
    (path,) = tmp_path.glob("*.fits")
    (made,) = tessera.make_cutouts(spoc[1], target, 5)
    assert made.data is not None
    with fits.open(path) as one, fits.open(io.BytesIO(made.data)) as other:
        assert one[0].header[MARK] is True
        np.testing.assert_array_equal(one[1].data["FLUX"], other[1].data["FLUX"])


def test_lists_refuse_frames_in_a_sentence(spoc: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cut", "98 -75", "--frames", str(spoc[0]), "--bulk"]) == 1
    assert "--frames is" in capsys.readouterr().err
    [frames] = tessera.read_frames(spoc[0])
    with pytest.raises(tessera.InvalidInputError, match="so make a cube of the frames"):
        tessera.plan_list(["98 -75"], frames)


def test_so_does_what_needs_every_pixel_of_a_cube(spoc: tuple[Path, Path], tmp_path: Path) -> None:
    [frames] = tessera.read_frames(spoc[0])
    with pytest.raises(tessera.InvalidInputError, match=r"cube is 'frames of .*; allowed: a cube, because measuring"):
        tessera.measure_cube(frames)
    with pytest.raises(tessera.InvalidInputError, match=r"location is 'frames of .*; allowed: a cube, because chunks"):
        tessera.export_references(frames, tmp_path / "references.json")


def test_a_prefix_in_s3_is_listed_and_its_frames_are_read_by_ranges(
    spoc: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "a-key")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.client("s3")
        client.create_bucket(Bucket="newest-frames")
        for path in sorted(spoc[0].rglob("*.fits")):
            client.put_object(Bucket="newest-frames", Key=f"ffi/s0001/{path.name}", Body=path.read_bytes())
        client.put_object(Bucket="newest-frames", Key="ffi/s0001-other/a.fits", Body=b"another folder")
        (ccd,) = tessera.read_frames("s3://newest-frames/ffi/s0001/")
        place = targets(spoc[1])[:1]
        (found,), (expected,) = tessera.make_cutouts(ccd, place, 5), tessera.make_cutouts(spoc[1], place, 5)
        assert without_marks(found.data) == without_marks(expected.data)
        tags = [client.head_object(Bucket="newest-frames", Key=str(one)[19:])["ETag"] for one in ccd.locations]
        places = [
            FramePlace(str(one)[5:], place.size, tag.strip('"'))
            for one, place, tag in zip(ccd.locations, ccd.facts.places, tags, strict=True)
        ]
        facts = replace(ccd.facts, places=tuple(places)).to_bytes()  # what a service keeps of frames
        client.put_object(Bucket="newest-frames", Key="facts.npz", Body=facts)
        origin = Origin("s3://newest-frames/facts.npz", len(facts), "its-etag", ccd.facts.cube.digest)
        frames = find_origin(origin, "a file of the service")
        assert frames is not None
        (again,) = tessera.make_cutouts(frames, place, 5, options=tessera.CutoutOptions(provenance=False))
        assert bytes(found.data or b"").startswith(bytes(again.data or b"no file"))
        with open_cube(frames) as file:
            assert origin_problems(origin, file.source, file.cube.digest) == []
        client.put_object(Bucket="newest-frames", Key=str(ccd.locations[2])[19:], Body=b"another frame")
        changed = find_origin(origin, "the same")
        assert changed is not None
        (failed,) = tessera.make_cutouts(changed, place, 5)
        assert failed.status == "error"
        client.delete_object(Bucket="newest-frames", Key="facts.npz")
        with pytest.raises(MissingFileError):
            find_origin(origin, "the same")
    finally:
        server.stop()
