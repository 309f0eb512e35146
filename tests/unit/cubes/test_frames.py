"""Frames that cannot be part of a cube are named, with the reason."""

from __future__ import annotations

import gzip
import io
import tracemalloc

import pytest
from astropy.io import fits

from tessera.cubes.frames import Frame, check_frames, check_wcs, find_sector, read_frame
from tessera.cubes.info_table import InfoTable
from tessera.errors import InconsistentFramesError, PackedFrameError, UnreadableFrameError
from tessera.tess.products import SPOC, TICA
from tests.support.frames import tiny_error, tiny_flux, tiny_sector
from tests.support.unusual import edited

SHAPE = (40, 30)


def read(data: bytes, name: str = "frame.fits") -> Frame:
    return read_frame(name, SPOC, len(data), lambda start, length: data[start : start + length])


@pytest.mark.parametrize(
    ("options", "offset"), [({"without_wcs": [0]}, 14_400), ({}, 20_160), ({"longer_header": [0]}, 25_920)]
)
def test_the_pixel_offsets_are_those_of_each_file(options: dict[str, list[int]], offset: int) -> None:
    _, data = tiny_sector(1, SHAPE, **options)[0]  # type: ignore[arg-type]
    frame = read(data)
    assert frame.offsets[0] == offset
    for plane, pixels in enumerate((tiny_flux(0, SHAPE), tiny_error(0, SHAPE))):
        first = frame.offsets[plane]
        assert data[first : first + pixels.nbytes] == pixels.astype(">f4").tobytes()


def test_only_headers_are_read() -> None:
    _, data = tiny_sector(1, (400, 300))[0]
    n_bytes = 0

    def count(start: int, length: int) -> bytes:
        nonlocal n_bytes
        n_bytes += length
        return data[start : start + length]

    read_frame("frame.fits", SPOC, len(data), count)
    assert n_bytes < 100_000 < len(data)


def test_the_plan_of_a_long_sector_fits_into_the_memory_of_its_function() -> None:
    """20,000 frames take 310 MB of the 1,024: what a frame keeps, and what the info table needs while it is made."""
    files = [data for _, data in tiny_sector(41, (4, 3))]
    read(files[0])  # what all frames have in common
    tracemalloc.start()
    try:
        frames = [read(data) for data in files[1:]]
        kept = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        InfoTable.of_frames(frames)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert kept < 14_000 * len(frames)
    assert peak < 22_000 * len(frames)


@pytest.mark.parametrize("n_bytes", [0, 100, 2880, 20_160, 25_000, -1])
def test_a_truncated_frame_is_an_error_that_names_it(n_bytes: int) -> None:
    name, data = tiny_sector(1, SHAPE)[0]
    cut = data[: n_bytes if n_bytes >= 0 else len(data) - 2880 * 2]
    with pytest.raises(UnreadableFrameError, match=name):
        read(cut, name)


def test_a_tica_frame_is_not_taken_for_a_spoc_frame() -> None:
    image = fits.PrimaryHDU(tiny_flux(0, SHAPE))
    data = image.header.tostring().encode() + image.data.astype(">f4").tobytes().ljust(2880 * 2, b"\0")
    with pytest.raises(UnreadableFrameError, match="This is a TICA frame"):
        read(data)


HOSTILE: dict[str, list[str | None]] = {
    "NAXIS1": ["-30", "0", "'x'", "1.5", "T"],
    "NAXIS2": ["-40", "999999999999"],
    "NAXIS": ["3", "0", "-1", "'2'"],
    "BITPIX": ["-31", "7", "'x'", "1E400", "T"],
    "PCOUNT": ["5", "-5"],
    "GCOUNT": ["-5", "0", "2"],
    "BSCALE": ["0", "'x'", "1E400"],
    "BZERO": ["'x'", "-1E400"],
    "XTENSION": ["'BINTABLE'", "'NONSENSE'"],
    "TSTART": ["1E400", "-1", "'x'", "T", "", None],
    "TSTOP": ["1E400", "5", "'x'", None],
    "BARYCORR": ["'x'", "1E400"],
    "DQUALITY": ["'x'", "1.5", "2147483648", "T"],
    "CRVAL1": ["'x'", "1E400", "T"],
    "CRPIX2": ["'x'", "-1E400", "1E300"],
    "CD1_1": ["'x'", "1E400"],
    "A_ORDER": ["99999999", "-1", "'x'", "2.5"],
    "A_2_0": ["'x'", "1E400", "-1E300"],
    "CTYPE1": ["5"],
    "CUNIT1": ["T"],
    "RADESYS": ["5"],
}


@pytest.mark.parametrize(("keyword", "value"), [(key, value) for key, values in HOSTILE.items() for value in values])
def test_a_card_that_no_frame_can_have_is_named(keyword: str, value: str | None) -> None:
    name, data = tiny_sector(1, SHAPE)[0]
    named = "truncated" if value == "999999999999" else keyword
    with pytest.raises(UnreadableFrameError, match=f"^{name}: .*{named}") as caught:
        read(edited(data, {keyword: value}), name)
    assert len(str(caught.value)) < 250


def test_a_matrix_without_an_area_is_refused() -> None:
    _, data = tiny_sector(1, SHAPE)[0]
    flat = {"CD1_1": "1.0", "CD1_2": "2.0", "CD2_1": "2.0", "CD2_2": "4.0"}
    with pytest.raises(UnreadableFrameError, match="the matrix CDi_j is 1, 2, 2, 4; its pixels have no area"):
        read(edited(data, flat))


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (gzip.compress(b"x" * 9, mtime=0), "the file is packed with gzip"),
        (b"BZh9", "packed with bzip2"),
        (b"\xfd7zXZ\0", "packed with xz"),
        (b"PK\x03\x04", "packed with zip"),
        (b"hello", "no FITS header begins at byte 0"),
    ],
)
def test_something_else_than_a_frame_says_what_it_is(start: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFrameError, match=reason):
        read(start.ljust(10_000, b"x"))


def test_a_frame_that_is_compressed_tile_by_tile_says_so() -> None:
    content = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(tiny_flux(0, SHAPE))]).writeto(content)
    for product in (SPOC, TICA):
        with pytest.raises(PackedFrameError, match=r"compressed tile by tile \(ZIMAGE = T\)"):
            read_frame(
                "x.fits", product, len(content.getvalue()), lambda start, n: content.getvalue()[start : start + n]
            )


def frames(**options: int) -> list[Frame]:
    return [read(data, name) for name, data in tiny_sector(2, SHAPE, **options)]  # type: ignore[arg-type]


def test_frames_of_another_ccd_are_refused() -> None:
    with pytest.raises(InconsistentFramesError, match=r"CAMERA, CCD are \(4, 3\)"):
        check_frames([*frames(), *frames(ccd=3)])


def test_frames_of_another_shape_are_refused() -> None:
    other = [read(data, name) for name, data in tiny_sector(3, (41, 30))]
    with pytest.raises(InconsistentFramesError, match=r"\(41, 30\), in .* \(40, 30\)"):
        check_frames([*frames(), other[2]])


def test_the_same_exposure_twice_is_refused_with_both_names() -> None:
    first, second = frames()
    with pytest.raises(InconsistentFramesError, match=f"TSTART .* is also that of {first.name}"):
        check_frames([first, second, first])


def test_frames_of_two_sectors_are_refused_wherever_the_second_stands() -> None:
    unnamed = read(tiny_sector(3, SHAPE)[2][1], "unnamed.fits")
    name, data = tiny_sector(4, SHAPE, sector=2)[3]
    other = read(data, name)
    assert find_sector([unnamed]) is None
    assert find_sector([unnamed, *frames()]) == 1
    with pytest.raises(InconsistentFramesError, match=r"sector is 2, in .*-s0001-4-2-.* 1$"):
        check_frames([unnamed, *frames(), other])


@pytest.mark.parametrize("ctype", [None, "'DEC--TAN'", "'LAT-CAR'"])
def test_frames_without_a_wcs_are_refused(ctype: str | None) -> None:
    bare = [read(edited(data, {"CTYPE2": ctype}), name) for name, data in tiny_sector(2, SHAPE)]
    with pytest.raises(InconsistentFramesError, match=f"^{bare[0].name}: .* CTYPE2 = DEC--TAN-SIP"):
        check_wcs(bare)
    check_wcs([bare[0], *frames()])
