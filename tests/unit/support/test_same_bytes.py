"""A comparison that fails says in one line where two files differ first."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits

from tests.support.same_bytes import assert_same_bytes

DATE = "2026-11-20"


def file_of(*, date: str = DATE, pixel: float = 0.0, start: float = 0.0) -> bytes:
    primary = fits.PrimaryHDU()
    primary.header["DATE"] = date
    pixels = np.zeros((4, 3, 2), np.float32)
    pixels[1, 2, 0] = pixel
    starts = np.zeros(5)
    starts[3] = start
    columns = [fits.Column("FFI_FILE", "12A", array=["frame"] * 5), fits.Column("TSTART", "D", array=starts)]
    columns.append(fits.Column("TSTOP", "D", array=np.ones(5)))
    stream = io.BytesIO()
    fits.HDUList([primary, fits.ImageHDU(pixels), fits.BinTableHDU.from_columns(columns)]).writeto(stream)
    return stream.getvalue()


def difference(actual: bytes | None, expected: bytes) -> str:
    with pytest.raises(AssertionError) as raised:
        assert_same_bytes(actual, expected)
    return str(raised.value)


def test_equal_files_are_the_same() -> None:
    assert_same_bytes(file_of(), file_of())


def test_a_card_is_named_with_both_of_its_texts() -> None:
    assert difference(file_of(date="2026-11-21"), file_of()) == (
        "14400 bytes; byte 340 is 0x31, not 0x30: "
        "HDU 0, card \"DATE    = '2026-11-21'\", not \"DATE    = '2026-11-20'\""
    )


def test_a_pixel_is_named_by_its_indices() -> None:
    assert difference(file_of(pixel=1.0), file_of()).endswith(": HDU 1, pixel [1, 2, 0]")


def test_a_cell_of_a_table_is_named_by_row_and_column() -> None:
    assert difference(file_of(start=1.0), file_of()).endswith(": HDU 2, row 3, column TSTART")


def test_padding_is_named() -> None:
    data = file_of()
    assert difference(data[:-1] + b"x", data).endswith(": HDU 2, padding after the data")


def test_a_file_that_ends_early_is_the_same_up_to_there() -> None:
    data = file_of()
    assert difference(data[:-7], data) == "14393 bytes, not 14400; the first 14393 bytes are the same"


def test_what_is_no_fits_file_has_its_byte_named() -> None:
    assert difference(b"abc", b"axcd") == "3 bytes, not 4; byte 1 is 0x62, not 0x78"


def test_a_file_that_is_not_there_is_said_to_be_missing() -> None:
    assert difference(None, b"abcd") == "there is nothing, not 4 bytes"
