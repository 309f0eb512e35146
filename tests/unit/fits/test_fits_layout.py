"""Headers: our reader against astropy's, on real cards and on odd ones."""

from __future__ import annotations

import warnings

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from tessera.fits.hdus import format_card
from tessera.fits.headers import BLOCK, HeaderSyntaxError, header_end, parse_card, parse_header, read_header
from tests.support.frames import tiny_sector
from tests.support.paths import TPF_1X1, TPF_6X6

values = st.one_of(
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)


# astropy takes a quote in a comment for the end of an empty string, so comments here have none
@given(values, st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="'"), max_size=20))
def test_cards_are_read_as_astropy_reads_them(value: object, comment: str) -> None:
    image = fits.Card("KEYWORD", value, comment).image
    oracle = fits.Card.fromstring(image)
    card = parse_card(image)
    expected = None if isinstance(oracle.value, fits.card.Undefined) else oracle.value
    assert card.value == expected
    assert type(card.value) is type(expected)
    assert card.comment == oracle.comment.rstrip()


@pytest.mark.parametrize("path", [TPF_1X1, TPF_6X6])
@pytest.mark.parametrize("hdu", [0, 1, 2])
def test_real_headers_are_read_as_astropy_reads_them(path: object, hdu: int) -> None:
    with fits.open(path) as hdus:
        header = hdus[hdu].header
        ours = parse_header(header.tostring().encode())
        oracle = [(card.keyword, card.value, card.comment) for card in header.cards if card.keyword]
        undefined = fits.card.Undefined
        assert [(card.keyword, card.value, card.comment) for card in ours.cards] == [
            (keyword, None if isinstance(value, undefined) else value, comment) for keyword, value, comment in oracle
        ]


@pytest.mark.parametrize("step", [BLOCK, 2 * BLOCK, 12 * BLOCK])
def test_a_header_is_read_in_as_many_requests_as_it_needs(step: int) -> None:
    _, data = tiny_sector(1, longer_header=[0])[0]
    requests = []

    def read(start: int, length: int) -> bytes:
        requests.append((start, length))
        return data[start : start + length]

    header = read_header(read, BLOCK, len(data), step)
    assert BLOCK + header.n_bytes == 25_920
    assert len(requests) == -(-header.n_bytes // step)


def test_a_file_that_ends_inside_its_header_is_an_error() -> None:
    _, data = tiny_sector(1)[0]
    cut = data[: 3 * BLOCK]
    with pytest.raises(HeaderSyntaxError, match="ends inside the header that begins at byte 2880"):
        read_header(lambda start, length: cut[start : start + length], BLOCK, len(cut))


def test_something_else_than_fits_is_an_error() -> None:
    with pytest.raises(HeaderSyntaxError, match="no FITS header begins at byte 0"):
        read_header(lambda start, length: b"x" * length, 0, 10 * BLOCK)


def test_an_end_card_is_found_only_at_a_card_boundary() -> None:
    text = b"SIMPLE  =                    T / END".ljust(80) + b"END".ljust(80)
    assert header_end(text.ljust(BLOCK)) == BLOCK
    assert header_end(b"END".ljust(79).ljust(BLOCK, b"x")) is None


def test_a_card_that_cannot_be_read_is_named() -> None:
    with pytest.raises(HeaderSyntaxError, match="card 'BAD"):
        parse_card("BAD     = 1.2.3".ljust(80))


@given(values, st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_cards_are_written_as_astropy_writes_them(value: object, comment: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # comments that are cut
        expected = fits.Card("KEYWORD", value, comment).image
    image = format_card("KEYWORD", value, comment)
    if len(expected) == 80:
        assert image == expected
    else:
        assert image.startswith(expected[:70])
