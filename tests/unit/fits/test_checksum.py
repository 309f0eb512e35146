"""Checksums against astropy's, whole and in pieces."""

from __future__ import annotations

import io
import warnings

import numpy as np
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from tessera.fits.checksum import encode_checksum, ones_complement_add, ones_complement_sum
from tessera.fits.hdus import format_hdu


@given(st.binary(max_size=400).map(lambda data: data + bytes(-len(data) % 4)), st.integers(0, 100))
def test_the_sums_of_pieces_add_up(data: bytes, cut: int) -> None:
    words = 4 * min(cut, len(data) // 4)
    parts = ones_complement_sum(data[:words]), ones_complement_sum(data[words:])
    assert ones_complement_add(*parts) == ones_complement_sum(data)


def test_a_carry_may_carry_again() -> None:
    most = 2**32 - 1
    assert ones_complement_add(most, most, 1) == 1  # 0x1FFFFFFFF, 0x100000000, 1
    assert ones_complement_add(most) == most
    assert ones_complement_add(most, 1) == 1
    assert ones_complement_add() == 0


def test_sums_are_exact_where_64_bits_are_needed() -> None:
    words = np.full(1000, 0xFFFFFFFF, ">u4")
    words[0] = 5
    total = 5 + 999 * 0xFFFFFFFF
    assert ones_complement_sum(words) == total % 0xFFFFFFFF == 5
    assert ones_complement_sum(bytes.fromhex("00000001 00000200")) == 0x201


def test_the_example_of_the_fits_standard_is_encoded_as_it_says() -> None:
    assert encode_checksum(868_229_149) == "hcHjjc9ghcEghc9g"  # FITS Standard 4.0, appendix J.4


@given(st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 2**32 - 1]))
def test_sums_are_encoded_as_astropy_encodes_them(total: int) -> None:
    assert encode_checksum(total) == fits.PrimaryHDU()._char_encode(~np.uint32(total))


@given(st.integers(0, 2**32 - 1), st.integers(1, 50), st.text("ABC xyz'/", max_size=30))
def test_astropy_accepts_our_checksums(seed: int, n: int, text: str) -> None:
    data = np.random.default_rng(seed).integers(0, 256, (n, 7), dtype=np.uint8)
    cards = [
        ("SIMPLE", True, ""),
        ("BITPIX", 8, ""),
        ("NAXIS", 2, ""),
        ("NAXIS1", 7, ""),
        ("NAXIS2", n, ""),
        ("OBJECT", text, ""),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hdus = fits.open(io.BytesIO(format_hdu(cards, data.tobytes())), checksum=True)
        np.testing.assert_array_equal(hdus[0].data, data)
