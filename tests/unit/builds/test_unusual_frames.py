"""Frames of other pixel types: the same cube in every way of building, and the same pixels as with astropy."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tessera import CubeFactory, DataWarning
from tessera.builds.remarks import find_remarks
from tessera.cubes.frames import Frame, read_frame
from tessera.tess.products import SPOC
from tests.support.builds import REQUEST, SETTINGS, build_cube, peer_cube, plan, run_build, store_with
from tests.support.checks import checksums_hold
from tests.support.frames import NamedFrame, tiny_sector
from tests.support.same_bytes import assert_same_bytes
from tests.support.unusual import edited, with_pixels

SHAPE = (8, 6)
FORMS = [
    (">f8", 1.0, 0.0),
    (">f8", 2.5, -1.0),
    (">f4", 2.0, 1.5),
    ("u1", 1.0, 0.0),
    (">i2", 1.0, 0.0),
    (">i2", 0.1, 100.3),
    (">i2", 1.0, 32768.0),
    (">i4", 0.1, 3.0),
    (">i8", 0.25, 0.0),
]


def lay(folder: Path, frames: list[NamedFrame]) -> list[Path]:
    folder.mkdir(exist_ok=True, parents=True)
    for name, data in frames:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in frames]


def made(tmp_path: Path, frames: list[NamedFrame], match: str, **options: float) -> bytes:
    with pytest.warns(DataWarning, match=match) as caught:
        CubeFactory().make_cube(lay(tmp_path / "frames", frames), tmp_path / "cube.fits", **options)  # type: ignore[arg-type]
    assert len(caught) == 1
    return (tmp_path / "cube.fits").read_bytes()


def pixels_of(cube: bytes) -> bytes:
    return bytes(fits.getdata(io.BytesIO(cube), 1).tobytes())


def with_astropy(frames: list[NamedFrame]) -> bytes:
    planes = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _, data in frames:
            with fits.open(io.BytesIO(data)) as hdus:
                planes.append([hdus[plane].data.astype(">f4") for plane in (1, 2)])
    return bytes(np.array(planes, ">f4").transpose(2, 3, 0, 1).tobytes())


@pytest.mark.parametrize(("dtype", "scale", "zero"), FORMS)
def test_pixels_of_every_type_are_those_that_astropy_reads(
    tmp_path: Path, dtype: str, scale: float, zero: float
) -> None:
    frames = [with_pixels(frame, dtype, scale, zero) for frame in tiny_sector(3, SHAPE)]
    expected = with_astropy(frames)
    assert_same_bytes(pixels_of(made(tmp_path, frames, "all frames are converted", max_memory=1e-6)), expected)
    cube = build_cube(frames)
    assert_same_bytes(pixels_of(cube), expected)
    assert checksums_hold(cube)


def test_the_pixels_of_double_frames_are_those_of_the_peers_cube(tmp_path: Path) -> None:
    frames = [with_pixels(frame, ">f8", 1.0, 0.1) for frame in tiny_sector(3, SHAPE)]
    frames = [
        (name, edited(edited(data, {"BSCALE": None, "BZERO": None}), {"BSCALE": None, "BZERO": None}, 2))
        for name, data in frames
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer truncates strings and says so
        peer = peer_cube(frames, tmp_path).read_bytes()
    assert_same_bytes(pixels_of(made(tmp_path, frames, "BITPIX -64")), pixels_of(peer))


def test_values_that_are_no_floats_of_32_bits_are_the_nearest_ones(tmp_path: Path) -> None:
    name, data = with_pixels(tiny_sector(1, SHAPE)[0], ">f8")
    values = np.array([0.1, 1e300, -1e300, np.nan, -0.0, 1e-46], ">f8")
    place = data.index(b"XTENSION") + read(name, data).science.n_bytes
    data = data[:place] + values.tobytes() + data[place + values.nbytes :]
    with fits.open(io.BytesIO(made(tmp_path, [(name, data)], "BITPIX -64"))) as hdus:
        found = hdus[1].data[0, :, 0, 0]
        expected = np.array([0.1, np.inf, -np.inf, np.nan, -0.0, 0.0], ">f4")
        np.testing.assert_array_equal(found, expected)
        assert np.signbit(found[4])


def test_blank_integers_are_not_numbers(tmp_path: Path) -> None:
    frames = []
    for name, data in (with_pixels(frame, ">i2", 0.5, 1.0) for frame in tiny_sector(2, SHAPE)):
        frames.append((name, edited(data, {"BLANK": "10"})))
    cube = made(tmp_path, frames, "BITPIX 16 with BSCALE 0.5 and BZERO 1")
    assert_same_bytes(pixels_of(cube), with_astropy(frames))
    with fits.open(io.BytesIO(cube)) as hdus:
        assert np.isnan(hdus[1].data[0, :, 0, 0]).tolist() == [False] * 5 + [True]


def test_usual_and_unusual_frames_make_one_cube(tmp_path: Path) -> None:
    usual = tiny_sector(4, SHAPE)
    frames = [usual[0], with_pixels(usual[1], ">f8"), usual[2], with_pixels(usual[3], ">f4", 2.0)]
    forms = "BITPIX -64, BITPIX -32 with BSCALE 2 and BZERO 0"
    reason = rf"2 of 4 frames \(the first is {usual[1][0]}\) are converted .*: {forms}\.$"
    assert_same_bytes(pixels_of(made(tmp_path, frames, reason)), pixels_of(build_cube(usual)))
    assert_same_bytes(pixels_of(build_cube(frames)), pixels_of(build_cube(usual)))


def test_an_update_takes_unusual_frames(tmp_path: Path) -> None:
    usual = tiny_sector(4, SHAPE)
    cube = tmp_path / "cube.fits"
    CubeFactory().make_cube(lay(tmp_path / "usual", usual[:2]), cube)
    with pytest.warns(DataWarning, match="are converted"):
        CubeFactory().update_cube(lay(tmp_path, [with_pixels(frame, ">f8") for frame in usual[2:]]), cube)
    assert_same_bytes(pixels_of(cube.read_bytes()), pixels_of(build_cube(usual)))


def test_a_plan_of_usual_frames_says_nothing_of_formats() -> None:
    store = store_with(tiny_sector(2, SHAPE))
    ref = plan(store)
    assert ref.remarks == ()
    assert b'"formats":{}' in store.objects[ref.bucket, f"{ref.prefix}plan.json"]


def test_a_build_in_the_cloud_says_what_is_unusual() -> None:
    frames = [with_pixels(frame, ">f8") for frame in tiny_sector(2, SHAPE)]
    frames[1] = (frames[1][0], edited(frames[1][1], {"DQUALITY": None}))
    store = store_with(frames)
    assert [remark[:30] for remark in plan(store).remarks] == [
        "The pixels of all frames are c",
        "DQUALITY is missing in 1 of 2 ",
    ]
    assert run_build(store, REQUEST, SETTINGS).n_cadences == 2


# ---------------------------------------------------------------- cards that are missing or repeated


def read(name: str, data: bytes) -> Frame:
    return read_frame(name, SPOC, len(data), lambda start, length: data[start : start + length])


def remarks(*edits: dict[str, str | None]) -> list[str]:
    frames = zip(tiny_sector(len(edits), SHAPE), edits, strict=True)
    return list(find_remarks([read(name, edited(data, cards)) for (name, data), cards in frames]))


def test_usual_frames_are_not_remarked_upon() -> None:
    assert remarks({}, {}) == []


def test_flags_and_corrections_that_are_missing_are_remarked_upon() -> None:
    first, second = (name for name, _ in tiny_sector(2, SHAPE))
    flags, correction = remarks({"DQUALITY": None}, {"BARYCORR": None})
    one = "is missing in 1 of 2 frames (the first is"
    assert flags == f"DQUALITY {one} {first}); in target pixel files, QUALITY is 0 there."
    assert correction == f"BARYCORR {one} {second}); in target pixel files, TIMECORR is not a number (NaN) there."


def test_a_card_that_occurs_twice_with_different_values_is_remarked_upon() -> None:
    name, data = tiny_sector(1, SHAPE)[0]
    place = data.index(b"XTENSION")
    place = data.index(b"EXPOSURE=", place)
    twice = data[:place] + b"CCD     = 7".ljust(80) + data[place + 80 :]
    remark = "Cards occur twice with different values in all frames, and the first value counts: CCD."
    assert list(find_remarks([read(name, twice)])) == [remark]
