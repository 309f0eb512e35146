"""Frames that are packed as a whole or tile by tile make the cube of the frames as they were."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tessera import CubeFactory, DataWarning, TicaCubeFactory
from tessera.builds.report import verify_cube
from tests.support.builds import build_cube, peer_cube
from tests.support.frames import NamedFrame, tiny_sector
from tests.support.same_bytes import assert_same_bytes
from tests.support.tica import tiny_tica_sector
from tests.support.unusual import with_pixels

pytestmark = pytest.mark.usefixtures("still_clock")  # cubes that are compared have the same DATE

SHAPE = (40, 30)
PACKINGS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def lay(folder: Path, frames: list[NamedFrame]) -> list[Path]:
    folder.mkdir(exist_ok=True, parents=True)
    for name, data in frames:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in frames]


def in_tiles(frame: NamedFrame, kind: str = "GZIP_2", level: float = 0) -> NamedFrame:
    """A frame as fpack writes it; without a level, nothing is lost."""
    name, data = frame
    content = io.BytesIO()
    with fits.open(io.BytesIO(data)) as hdus:
        images = [hdu for hdu in hdus if hdu.data is not None and not isinstance(hdu, fits.BinTableHDU)]
        packed = [
            fits.CompImageHDU(hdu.data, hdu.header, compression_type=kind, quantize_level=level) for hdu in images
        ]
        primary = fits.PrimaryHDU(header=hdus[0].header) if hdus[0].data is None else fits.PrimaryHDU()
        fits.HDUList([primary, *packed]).writeto(content)
    return f"{name}.fz", content.getvalue()


@pytest.mark.parametrize("suffix", PACKINGS)
def test_frames_that_are_packed_make_the_same_cube_and_are_reported_once(tmp_path: Path, suffix: str) -> None:
    frames = tiny_sector(3, SHAPE)
    CubeFactory().make_cube(lay(tmp_path, frames), tmp_path / "expected.fits")
    packed = lay(tmp_path, [(name + suffix, PACKINGS[suffix](data)) for name, data in frames])
    with pytest.warns(DataWarning, match=r"^All frames are packed.* in temporary files .*: 1 MB\.$") as caught:
        CubeFactory().make_cube(packed, tmp_path / "cube.fits")
    assert len(caught) == 1
    assert_same_bytes((tmp_path / "cube.fits").read_bytes(), (tmp_path / "expected.fits").read_bytes())
    assert verify_cube(tmp_path / "cube.fits", packed) == []


def test_frames_of_gzip_have_the_pixels_of_the_peers_cube(tmp_path: Path) -> None:
    packed = [(f"{name}.gz", gzip.compress(data)) for name, data in tiny_sector(3, SHAPE)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer truncates strings and says so
        peer = peer_cube(packed, tmp_path)
    with pytest.warns(DataWarning, match="packed"):
        CubeFactory().make_cube(lay(tmp_path, packed), tmp_path / "cube.fits")
    assert_same_bytes(fits.getdata(tmp_path / "cube.fits", 1).tobytes(), fits.getdata(peer, 1).tobytes())


@pytest.mark.parametrize("tica", [False, True])
def test_frames_in_tiles_make_the_same_cube(tmp_path: Path, tica: bool) -> None:
    factory, frames = (
        (TicaCubeFactory(), tiny_tica_sector(3, SHAPE)) if tica else (CubeFactory(), tiny_sector(3, SHAPE))
    )
    factory.make_cube(lay(tmp_path, frames), tmp_path / "expected.fits")
    packed = lay(tmp_path, [in_tiles(frame) for frame in frames])
    with pytest.warns(DataWarning, match="All frames are packed"):
        factory.make_cube(packed, tmp_path / "cube.fits")
    with fits.open(tmp_path / "cube.fits") as made, fits.open(tmp_path / "expected.fits") as expected:
        assert_same_bytes(made[1].data.tobytes(), expected[1].data.tobytes())
        for name in expected[2].columns.names:
            if name not in ("CHECKSUM", "DATASUM", "EXTEND"):  # fpack leaves EXTEND out
                np.testing.assert_array_equal(made[2].data[name], expected[2].data[name], err_msg=name)
    assert verify_cube(tmp_path / "cube.fits", packed) == []


def test_rounded_pixels_in_tiles_and_in_gzip_are_those_that_astropy_reads(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    name, data = tiny_sector(1, SHAPE)[0]
    with fits.open(io.BytesIO(data)) as hdus:
        for hdu in hdus[1:3]:
            hdu.data = random.normal(100, 10, SHAPE).astype(np.float32)
        content = io.BytesIO()
        hdus.writeto(content)
    name, tiles = in_tiles((name, content.getvalue()), "RICE_1", 16)
    with fits.open(io.BytesIO(tiles)) as hdus:
        expected = np.stack([hdus[1].data, hdus[2].data], -1)[:, :, None]
    with pytest.warns(DataWarning, match="packed"):
        CubeFactory().make_cube(lay(tmp_path, [(f"{name}.gz", gzip.compress(tiles))]), tmp_path / "cube.fits")
    np.testing.assert_array_equal(fits.getdata(tmp_path / "cube.fits", 1), expected)
    assert len(np.unique(expected)) > 1000


def test_scaled_integers_in_tiles_are_scaled(tmp_path: Path) -> None:
    frames = [with_pixels(frame, ">i2", 0.5, 100.0) for frame in tiny_sector(2, SHAPE)]
    packed = []
    for name, data in frames:
        with fits.open(io.BytesIO(data), do_not_scale_image_data=True) as hdus:
            made = fits.HDUList([hdus[0], *(fits.CompImageHDU(hdu.data, hdu.header) for hdu in hdus[1:3])])
            for hdu, original in zip(made[1:], hdus[1:3], strict=True):
                hdu.header["BSCALE"], hdu.header["BZERO"] = original._orig_bscale, original._orig_bzero
            content = io.BytesIO()
            made.writeto(content)
        packed.append((f"{name}.fz", content.getvalue()))
    with pytest.warns(DataWarning, match="packed|BSCALE 0.5"):
        CubeFactory().make_cube(lay(tmp_path, packed), tmp_path / "cube.fits")
    with fits.open(io.BytesIO(build_cube(frames))) as hdus:
        np.testing.assert_array_equal(fits.getdata(tmp_path / "cube.fits", 1), hdus[1].data)


def with_number(keyword: bytes, number: int) -> Callable[[bytes], bytes]:
    return lambda data: re.sub(rb"%-8b= {1,20}\d+" % keyword, b"%-8b= %20d" % (keyword, number), data, count=1)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (with_number(b"ZNAXIS1", 999_999_999), "ZNAXIS1, ZNAXIS2 are"),
        (with_number(b"ZTILE1", 999_999_999), "ZTILE1 is 999999999; an integer from 1 to 30"),
        (with_number(b"ZTILE2", 0), "ZTILE2 is 0"),
        (with_number(b"TFIELDS", 999_999_999), "TFIELDS is 999999999"),
        (with_number(b"NAXIS2", 5), "cannot be unpacked|truncated|no FITS header"),
        (lambda data: data[:-3000], "truncated|the file ends"),
        (lambda data: data.replace(b"GZIP_2", b"NONE_7"), "ZCMPTYPE is 'NONE_7'"),
        (lambda data: data[:20000] + bytes(2000) + data[22000:], "no printable character"),
    ],
)
def test_damaged_tiles_are_one_error_that_names_the_frame(
    tmp_path: Path, damage: Callable[[bytes], bytes], reason: str
) -> None:
    name, data = in_tiles(tiny_sector(1, SHAPE)[0])
    paths = lay(tmp_path, [*tiny_sector(3, SHAPE)[1:], (name, damage(data))])
    with pytest.warns(DataWarning, match=rf"Left out .*{name}.*({reason})"):
        CubeFactory(on_unreadable="skip").make_cube(paths, tmp_path / "cube.fits")
    assert fits.getdata(tmp_path / "cube.fits", 1).shape[2] == 2


def test_a_frame_that_is_packed_and_damaged_can_be_left_out(tmp_path: Path) -> None:
    name, data = tiny_sector(1, SHAPE)[0]
    paths = lay(tmp_path, [*tiny_sector(3, SHAPE)[1:], (f"{name}.gz", gzip.compress(data)[:-2000])])
    with pytest.warns(DataWarning, match=r"Left out .*\.gz: it cannot be unpacked"):
        CubeFactory(on_unreadable="skip").make_cube(paths, tmp_path / "cube.fits")
