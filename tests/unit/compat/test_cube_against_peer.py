"""Cubes against those of astrocut 1.4.0: the data byte for byte, headers card by card."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tests.support.builds import build_cube, peer_cube
from tests.support.checks import fitsverify_complaints
from tests.support.frames import tiny_error, tiny_flux, tiny_sector
from tests.support.same_bytes import assert_same_bytes

pytestmark = pytest.mark.slow

SHAPE = (40, 30)
CHECKSUMS = ("CHECKSUM", "DATASUM")


@pytest.fixture
def pair(tmp_path: Path) -> tuple[fits.HDUList, fits.HDUList]:
    frames = tiny_sector(6, SHAPE, shuffled=True, dquality={2: 4096})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer truncates strings and says so
        peer = peer_cube(frames, tmp_path)
    return fits.open(io.BytesIO(build_cube(frames))), fits.open(io.BytesIO(peer.read_bytes()))


def cards(header: fits.Header) -> list[tuple[str, object, str]]:
    return [
        (card.keyword, card.value, card.comment) for card in header.cards if card.keyword not in (*CHECKSUMS, "DATE")
    ]


def test_pixels_are_byte_identical_to_the_peers(pair: tuple[fits.HDUList, fits.HDUList]) -> None:
    ours, peer = pair
    assert_same_bytes(ours[1].data.tobytes(), peer[1].data.tobytes())
    assert ours[1].data.dtype == np.dtype(">f4")


@pytest.mark.parametrize("hdu", [0, 1])
def test_headers_equal_the_peers_card_by_card(pair: tuple[fits.HDUList, fits.HDUList], hdu: int) -> None:
    ours, peer = pair
    assert cards(ours[hdu].header) == cards(peer[hdu].header)


def test_the_info_table_equals_the_peers_cell_by_cell(pair: tuple[fits.HDUList, fits.HDUList]) -> None:
    ours, peer = pair
    assert ours[2].columns.names == peer[2].columns.names
    for name in ours[2].columns.names:
        if name in CHECKSUMS:
            continue  # the peer cuts these strings to the length of the first one
        np.testing.assert_array_equal(ours[2].data[name], peer[2].data[name], err_msg=name)
        assert ours[2].columns[name].format == peer[2].columns[name].format


def test_the_info_tables_header_repeats_the_comments(pair: tuple[fits.HDUList, fits.HDUList]) -> None:
    ours, peer = pair
    widths = {"NAXIS1", *(f"TFORM{number}" for number in range(180, 190))}
    mine = [card for card in cards(ours[2].header) if card[0] not in widths]
    theirs = [card for card in cards(peer[2].header) if card[0] not in widths]
    assert [card[:2] for card in mine] == [card[:2] for card in theirs]


def test_every_pixel_is_that_of_its_frame() -> None:
    cube = fits.open(io.BytesIO(build_cube(tiny_sector(5, SHAPE, shuffled=True))))[1].data
    for cadence in range(5):
        np.testing.assert_array_equal(cube[:, :, cadence, 0], tiny_flux(cadence, SHAPE))
        np.testing.assert_array_equal(cube[:, :, cadence, 1], tiny_error(cadence, SHAPE))


def test_every_hdu_has_valid_checksums() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hdus = fits.open(io.BytesIO(build_cube(tiny_sector(5, SHAPE))), checksum=True)
        assert [CHECKSUMS[0] in hdu.header and CHECKSUMS[1] in hdu.header for hdu in hdus] == [True] * 4


def test_fitsverify_complains_of_the_info_tables_cards_only_and_as_of_the_peers(tmp_path: Path) -> None:
    frames = tiny_sector(6, SHAPE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer truncates strings and says so
        peer = peer_cube(frames, tmp_path)
    ours = tmp_path / "ours-cube.fits"
    ours.write_bytes(build_cube(frames))

    def errors(path: Path) -> set[str]:
        lines = [line for line in fitsverify_complaints(path) if "Error" in line]
        return {re.sub(r"#\d+", "#", line) for line in lines}

    assert errors(ours) == errors(peer)
    with fits.open(ours) as hdus:
        hdus[:2].writeto(tmp_path / "without-table.fits")
    assert not errors(tmp_path / "without-table.fits")


def test_a_frame_without_wcs_changes_nothing_for_the_others() -> None:
    whole = fits.open(io.BytesIO(build_cube(tiny_sector(5, SHAPE))))
    holed = fits.open(io.BytesIO(build_cube(tiny_sector(5, SHAPE, without_wcs=[0]))))
    assert_same_bytes(holed[1].data.tobytes(), whole[1].data.tobytes())
    assert holed[2].columns.names == whole[2].columns.names
    for name in whole[2].columns.names:
        if name not in CHECKSUMS:
            np.testing.assert_array_equal(holed[2].data[name][1:], whole[2].data[name][1:], err_msg=name)
    assert np.isnan(holed[2].data["CRVAL1"][0])
    assert holed[2].data["CTYPE1"][0] == ""
    assert holed[2].data["WCSAXES"][0] == holed[2].columns["WCSAXES"].null


def test_keywords_of_any_frame_are_columns() -> None:
    table = fits.open(io.BytesIO(build_cube(tiny_sector(5, SHAPE, longer_header=[3]))))[2]
    ordinary = fits.open(io.BytesIO(build_cube(tiny_sector(5, SHAPE))))[2]
    only_longer = set(table.columns.names) - set(ordinary.columns.names)
    assert only_longer
    assert all(np.isnan(table.data[name][0]) for name in only_longer)
    assert not any(np.isnan(table.data[name][3]) for name in only_longer)


def test_long_texts_and_long_keywords_are_those_of_the_peer(tmp_path: Path) -> None:
    frames = []
    for cadence, (name, data) in enumerate(tiny_sector(3, SHAPE)):
        with fits.open(io.BytesIO(data)) as hdus:
            hdus[1].header["LONGTEXT"] = ("x" * 100 + str(cadence), "a comment of the long text, itself a bit long")
            hdus[1].header["HIERARCH my long key"] = (cadence, "a comment")
            hdus[1].header["HIERARCH my text key"] = "y" * 70 + str(cadence)
            content = io.BytesIO()
            hdus.writeto(content)
        frames.append((name, content.getvalue()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = fits.open(io.BytesIO(peer_cube(frames, tmp_path).read_bytes()))[2]
        ours = fits.open(io.BytesIO(build_cube(frames)))[2]
        assert ours.columns.names == peer.columns.names
        for name in ("LONGTEXT", "my long key"):
            assert ours.data[name].tolist() == peer.data[name].tolist()
            assert ours.columns[name].format == peer.columns[name].format
            assert ours.header[name] == peer.header[name]
    # the peer repeats the first text of a HIERARCH card
    assert ours.data["my text key"].tolist() == ["y" * 70 + str(cadence) for cadence in range(3)]
