"""Headers: our reader against astropy's, on real cards and on odd ones."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import assume, given
from hypothesis import strategies as st

from tessera.fits.hdus import format_card
from tessera.fits.headers import (
    BLOCK,
    Card,
    Header,
    HeaderSyntaxError,
    header_end,
    padded,
    parse_card,
    parse_header,
    read_header,
)
from tests.support.frames import tiny_sector
from tests.support.paths import TPF_1X1, TPF_6X6

values = st.one_of(
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    """Cards are read anew in each test, not taken from an earlier one."""
    parse_card.cache_clear()


# astropy takes a quote in a comment for the end of an empty string, so comments here have none
@given(values, st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="'"), max_size=20))
def test_cards_are_read_as_astropy_reads_them(value: object, comment: str) -> None:
    image = fits.Card("KEYWORD", value, comment).image
    oracle = fits.Card.fromstring(image)
    assume(not isinstance(value, str) or oracle.value == value.rstrip())  # astropy reads a quote and a slash as an end
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
    n_bytes = [length for _, length in requests]
    assert n_bytes[:-1] == [step * 2**number for number in range(len(n_bytes) - 1)]
    assert sum(n_bytes[:-1]) < header.n_bytes <= sum(n_bytes)


def test_a_header_without_an_end_is_given_up_after_a_few_requests() -> None:
    n_requests = 0

    def read(start: int, length: int) -> bytes:
        nonlocal n_requests
        n_requests += 1
        return (b"SIMPLE  =".ljust(80) if start == 0 else b"").ljust(length, b"x")

    with pytest.raises(HeaderSyntaxError, match=r"begins at byte 0 has no END card in its first 2,880,000 bytes"):
        read_header(read, 0, 10**12, BLOCK)
    assert n_requests < 15


def test_a_text_that_goes_on_in_other_cards_is_read_as_astropy_reads_it() -> None:
    header = fits.Header()
    header["SIMPLE"] = True
    header["LONG"] = ("a" * 100 + " and more", "a comment that is as long as the text, and takes a card of its own")
    header["HIERARCH ESO long one"] = ("it's " * 50, "of two")
    header["HIERARCH ESO DET 1"] = (5.5, "of two")
    header["AMP"] = ("no more &", "")
    header["LAST"] = (7, "")
    ours = parse_header(header.tostring().encode())
    assert [(card.keyword, card.value, card.comment) for card in ours.cards] == [
        (card.keyword, card.value, card.comment) for card in header.cards
    ]


def test_a_continue_card_that_continues_nothing_is_a_line_of_text() -> None:
    cards = ["SIMPLE  =                    T", "COMMENT none", "CONTINUE  'alone'", "LAST    = 1", "END"]
    text = "".join(card.ljust(80) for card in cards).ljust(BLOCK).encode()
    assert [card.keyword for card in parse_header(text).cards] == ["SIMPLE", "COMMENT", "CONTINUE", "LAST"]


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
    assert header_end(b"x" * 40 + b"END".ljust(80) + b"x" * (BLOCK - 120)) is None


def test_a_card_that_cannot_be_read_is_named() -> None:
    with pytest.raises(HeaderSyntaxError, match="card 'BAD"):
        parse_card("BAD     = 1.2.3".ljust(80))


def test_blocks_are_filled_up() -> None:
    assert [padded(n_bytes) for n_bytes in (0, 1, 2879, 2880, 2881)] == [0, 2880, 2880, 2880, 5760]


@pytest.mark.parametrize(
    ("text", "card"),
    [
        ("KEYWORD =                    5 / five", Card("KEYWORD", 5, "five")),
        ("KEYWORD = +5/five", Card("KEYWORD", 5, "five")),
        ("KEYWORD = 1.5D3", Card("KEYWORD", 1500.0, "")),
        ("KEYWORD = 1.5E-3", Card("KEYWORD", 0.0015, "")),
        ("KEYWORD = .5", Card("KEYWORD", 0.5, "")),
        ("KEYWORD = 5.", Card("KEYWORD", 5.0, "")),
        ("KEYWORD = 1.5e3 / as astropy reads it", Card("KEYWORD", 1500.0, "as astropy reads it")),
        ("KEYWORD = T / true", Card("KEYWORD", True, "true")),
        ("KEYWORD = F", Card("KEYWORD", False, "")),
        ("KEYWORD =  / without a value", Card("KEYWORD", None, "without a value")),
        ("KEYWORD = 'it''s / text  ' /  and more ", Card("KEYWORD", "it's / text", "and more")),
        ("KEYWORD = ''", Card("KEYWORD", "", "")),
        ("KEYWORD = '''/     ' / astropy reads a quote only", Card("KEYWORD", "'/", "astropy reads a quote only")),
        ("COMMENT   some = text / more", Card("COMMENT", "  some = text / more", "")),
        ("COMMENT", Card("COMMENT", "", "")),
        ("KEY_W-1 = 1", Card("KEY_W-1", 1, "")),
        ("HIERARCH ESO det 1 = 5.5 / of two", Card("ESO det 1", 5.5, "of two")),
        ("HIERARCH one='it''s'", Card("one", "it's", "")),
        ("HIERARCH without a value", Card("HIERARCH", " without a value", "")),
        ("KEYWORD = (1, -2.5)", Card("KEYWORD", "(1.0, -2.5)", "")),
    ],
)
def test_a_card_is_read_by_the_rules_of_the_standard(text: str, card: Card) -> None:
    read = parse_card(text.ljust(80))
    assert read == card
    assert type(read.value) is type(card.value)


@pytest.mark.parametrize("text", ["KEYWORD = (1.0, x)", "keyword = 1", "KEY WORD= 1", "KEYWORD = 'open"])
def test_a_card_that_is_no_text_number_or_truth_value_is_refused(text: str) -> None:
    with pytest.raises(HeaderSyntaxError, match=text.split("=", maxsplit=1)[0].strip()):
        parse_card(text.ljust(80))


def header_of(*cards: str, begin: str = "SIMPLE  =                    T") -> bytes:
    return "".join(card.ljust(80) for card in (begin, *cards, "END")).encode().ljust(BLOCK)


def test_the_first_card_of_a_name_counts() -> None:
    text = header_of("A       = 1 / first", "", "A       = 2 / second", "B       = 'text'")
    header = parse_header(text)
    assert [card.keyword for card in header.cards] == ["SIMPLE", "A", "A", "B"]
    assert (header.n_bytes, header.text) == (2880, text)
    assert (header.get("A"), header.comment("A"), header.integer("A")) == (1, "first", 1)
    assert (header.get("C"), header.get("C", 5), header.comment("C")) == (None, 5, "")
    for keyword in ("B", "C", "SIMPLE"):
        with pytest.raises(HeaderSyntaxError, match=f"{keyword} is .*; an integer is needed"):
            header.integer(keyword)


def test_cards_after_the_end_and_those_of_another_kind_of_file_do_not_count() -> None:
    text = header_of("A       = 1", "END", "B       = 2")
    assert [card.keyword for card in parse_header(text).cards] == ["SIMPLE", "A"]
    assert parse_header(header_of(begin="XTENSION= 'IMAGE   '")).get("XTENSION") == "IMAGE"
    with pytest.raises(HeaderSyntaxError, match="begins with SIMPLE or XTENSION, not 'OTHER   '"):
        parse_header(header_of(begin="OTHER   = 1"))
    with pytest.raises(HeaderSyntaxError, match="byte 81 of the header is not ASCII"):
        parse_header(header_of("A").replace(b"A ", b"A\xe9", 1))


@pytest.mark.parametrize(
    ("cards", "n_bytes"),
    [
        ({"BITPIX": 8, "NAXIS": 0}, 0),
        ({"BITPIX": -32, "NAXIS": 2, "NAXIS1": 3, "NAXIS2": 5}, 60),
        ({"BITPIX": 16, "NAXIS": 1, "NAXIS1": 3, "PCOUNT": 4, "GCOUNT": 2}, 28),
        ({"BITPIX": 8, "NAXIS": 2, "NAXIS1": 10, "NAXIS2": 0}, 0),
    ],
)
def test_the_size_of_the_data_follows_from_the_axes(cards: dict[str, int], n_bytes: int) -> None:
    header = Header(tuple(Card(keyword, value, "") for keyword, value in cards.items()), 2880, b"")
    assert header.data_bytes == n_bytes


def test_the_end_of_a_header_is_searched_from_where_it_begins_and_in_whole_blocks() -> None:
    first, second = header_of("A       = 1"), header_of("B       = 2")
    assert header_end(first + second) == 2880
    assert header_end(first + second, 2880) == 5760
    assert header_end(b" " * 2880 + first) == 5760
    assert header_end(first[:-1]) is None
    assert header_end(b"") is None
    full = (b"SIMPLE  =                    T".ljust(80) * 35) + b"END".ljust(80)  # END is the last card of its block
    assert header_end(full) == 2880


def test_no_byte_behind_the_file_is_asked_for() -> None:
    data = bytes(BLOCK) + header_of("A       = 1") + b"rest"
    asked = []

    def read(start: int, length: int) -> bytes:
        asked.append((start, length))
        return data[start : start + length]

    assert read_header(read, BLOCK, len(data)).get("A") == 1
    assert asked == [(BLOCK, BLOCK)]
    asked.clear()
    longer = data + b"x" * 40 * BLOCK
    read_header(lambda start, length: read(start, length) and longer[start : start + length], BLOCK, len(longer))
    assert asked == [(BLOCK, 12 * BLOCK)]


def test_a_header_is_asked_for_where_the_last_answer_ended() -> None:
    cards = "SIMPLE  =                    T".ljust(80) + "A       = 1".ljust(80) * 100 + "END".ljust(80)
    data = bytes(3 * BLOCK) + cards.encode().ljust(3 * BLOCK) + bytes(BLOCK)
    asked = []

    def read(start: int, length: int) -> bytes:
        asked.append((start, length))
        return data[start : start + length]

    header = read_header(read, 3 * BLOCK, len(data), 2 * BLOCK)
    assert (header.n_bytes, len(header.cards)) == (3 * BLOCK, 101)
    assert asked == [(3 * BLOCK, 2 * BLOCK), (5 * BLOCK, 2 * BLOCK)]


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


def test_values_that_are_equal_keep_their_own_text() -> None:
    values = (1, 1.0, True, 0, 0.0, -0.0, False, np.float64(0), np.float64(-0.0), np.float64(1), "1", "", None)
    for value in (*values, *reversed(values)):  # each after the ones that are equal to it
        assert format_card("KEY", value, "a comment") == fits.Card("KEY", value, "a comment").image
