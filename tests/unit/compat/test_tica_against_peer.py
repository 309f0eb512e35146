"""TICA cubes against those of astrocut 1.1.0, which lives in an environment of its own."""

from __future__ import annotations

import io
import os
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tessera import TicaCubeFactory
from tests.support.paths import ROOT
from tests.support.same_bytes import assert_same_bytes
from tests.support.tica import tiny_tica_sector

pytestmark = pytest.mark.slow

PYTHON = Path(os.environ.get("TESSERA_TICA_PEER_PYTHON", ROOT / ".venv-tica-peer/bin/python"))
SCRIPT = """
import sys
from astrocut import TicaCubeFactory
TicaCubeFactory().make_cube(sys.argv[2:], sys.argv[1], sector=27)
"""
CHECKSUMS = ("CHECKSUM", "DATASUM")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[fits.HDUList, fits.HDUList]:
    if not PYTHON.exists():
        pytest.skip(f"astrocut 1.1.0 is not installed at {PYTHON}; `make test` installs it")
    folder = tmp_path_factory.mktemp("tica")
    paths = []
    for name, data in tiny_tica_sector(6):
        (folder / name).write_bytes(data)
        paths.append(str(folder / name))
    ours, peer = folder / "ours.fits", folder / "peer.fits"
    TicaCubeFactory().make_cube(paths, ours, sector=27)
    subprocess.run([str(PYTHON), "-W", "ignore", "-c", SCRIPT, str(peer), *paths], check=True, capture_output=True)
    return fits.open(io.BytesIO(ours.read_bytes())), fits.open(io.BytesIO(peer.read_bytes()))


def cards(header: fits.Header) -> list[tuple[str, object]]:
    return [(card.keyword, card.value) for card in header.cards if card.keyword not in (*CHECKSUMS, "DATE")]


def test_pixels_are_byte_identical_to_the_peers(pair: tuple[fits.HDUList, fits.HDUList]) -> None:
    ours, peer = pair
    assert_same_bytes(ours[1].data.tobytes(), peer[1].data.tobytes())


@pytest.mark.parametrize("hdu", [0, 1])
def test_headers_equal_the_peers_card_by_card(pair: tuple[fits.HDUList, fits.HDUList], hdu: int) -> None:
    ours, peer = pair
    assert cards(ours[hdu].header) == cards(peer[hdu].header)


def test_the_info_table_equals_the_peers_cell_by_cell(pair: tuple[fits.HDUList, fits.HDUList]) -> None:
    ours, peer = pair
    assert ours[2].columns.names == peer[2].columns.names
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ours[2].columns.names:
            if name not in CHECKSUMS:  # the peer cuts these strings to the length of the first one
                np.testing.assert_array_equal(ours[2].data[name], peer[2].data[name], err_msg=name)
