"""Frames that cannot be part of a cube are named, with the reason."""

from __future__ import annotations

import pytest
from astropy.io import fits

from tessera.cubes.frames import Frame, check_frames, read_frame
from tessera.errors import InconsistentFramesError, UnreadableFrameError
from tessera.tess.products import SPOC
from tests.support.frames import spoc_frame, tiny_error, tiny_flux, tiny_sector

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


@pytest.mark.parametrize("card", [("BSCALE", 2.0), ("BZERO", 32768.0)])
def test_scaled_pixels_are_refused_with_the_card(card: tuple[str, float]) -> None:
    flux = tiny_flux(0, SHAPE)
    _, data = spoc_frame(
        cadence_index=0, flux=flux, error=flux, wcs_cards=None, tstart=1.0, tstop=2.0, extra_cards=[card]
    )
    with pytest.raises(UnreadableFrameError, match=card[0]):
        read(data)


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
