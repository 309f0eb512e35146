"""Real target pixel files come back: frames rebuilt around their pixels become a cube, and the cube is cut again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from tessera import CubeFactory
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.results import CutoutOptions
from tests.support.checks import checksums_hold, fitsverify_complaints
from tests.support.frames import iter_frames_around_tpf
from tests.support.paths import TPF_1X1, TPF_6X6

pytestmark = pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")

# Cards of the real files that ours need not have, or have elsewhere, each with its reason.
REASONS = {
    "CHECKSUM": "ours are at the end of every header",
    "DATASUM": "same",
    "MJDREF": "written by newer versions of astropy only",
    "FFI_TYPE": "not in files of 2019",
    "TELAPSE": "not in files of 2019",
    "NEXTEND": "the frames of the tests have it, those of 2019 do not",
}


@dataclass
class Case:
    path: Path
    ccd: tuple[int, int, int]
    shape: tuple[int, int]
    n_frames: int
    rewritten: bool
    """Whether the file's column cards were moved by whoever cut its rows."""


CASES = {
    "6x6 of 2021": Case(TPF_6X6, (1, 4, 2), (264, 1640), 50, True),
    "1x1 of 2019": Case(TPF_1X1, (12, 2, 1), (1460, 384), 30, False),
}


@pytest.fixture(scope="module", params=list(CASES.values()), ids=list(CASES))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, Path]:
    """The case, and the file that we make of it."""
    case: Case = request.param
    folder = tmp_path_factory.mktemp("reference")
    sector, camera, ccd = case.ccd
    paths = []
    kind: dict[str, Any] = {"n_frames": case.n_frames, "shape": case.shape, "without_wcs": [0], "longer_header": [3, 7]}
    for name, data in iter_frames_around_tpf(case.path, sector=sector, camera=camera, ccd=ccd, **kind):
        paths.append(folder / name)
        paths[-1].write_bytes(data)
    cube = folder / f"tess-s{sector:04d}-{camera}-{ccd}-cube.fits"
    CubeFactory().make_cube(paths[::-1], cube, sector=sector, verbose=False)
    with fits.open(case.path) as real:
        target = SkyCoord(real[0].header["RA_OBJ"], real[0].header["DEC_OBJ"], unit="deg")
        n_rows, n_columns = real["APERTURE"].shape
    options = CutoutOptions(placement="tesscut")
    (result,) = make_cutouts([cube], target, (n_rows, n_columns), options=options, output_dir=folder / "tpf")
    assert result.path is not None, result.reason
    return case, result.path


def test_the_name_is_the_services(pair: tuple[Case, Path]) -> None:
    case, ours = pair
    if case.path == TPF_6X6:
        assert ours.name == case.path.name


def test_every_column_is_equal(pair: tuple[Case, Path]) -> None:
    case, ours = pair
    with fits.open(case.path) as real, fits.open(ours) as mine:
        assert mine["PIXELS"].columns.names == real["PIXELS"].columns.names
        for name in real["PIXELS"].columns.names:
            theirs, made = real["PIXELS"].data[name][: case.n_frames], mine["PIXELS"].data[name]
            if name == "FFI_FILE":  # cut to 38 characters there
                assert [full[:38] for full in made] == [text[:38] for text in theirs]
            else:
                np.testing.assert_array_equal(made, theirs, err_msg=name)
        np.testing.assert_array_equal(mine["APERTURE"].data, real["APERTURE"].data)


def test_cards_are_equal_by_name_and_order(pair: tuple[Case, Path]) -> None:
    case, ours = pair
    with fits.open(case.path) as real, fits.open(ours) as mine:
        for name in ("PIXELS", "APERTURE"):
            inherited = set(real[0].header) | set(mine[0].header)  # in the order of the frames' own primary header
            theirs = [key for key in real[name].header if key not in REASONS and key not in inherited]
            made = [key for key in mine[name].header if key not in REASONS and key not in inherited]
            assert (sorted(made) if case.rewritten else made) == (sorted(theirs) if case.rewritten else theirs)
        primary = set(real[0].header) ^ set(mine[0].header)
        assert primary <= set(REASONS), primary


def test_the_window_and_its_wcs_are_the_real_ones(pair: tuple[Case, Path]) -> None:
    case, ours = pair
    with fits.open(case.path) as real, fits.open(ours) as mine:
        for column in range(4, 9):
            for card in (f"1CRV{column}P", f"2CRV{column}P"):
                assert mine["PIXELS"].header[card] == real["PIXELS"].header[card]
        rows, columns = real["APERTURE"].shape
        for column, row in ((0, 0), (columns - 1, rows - 1), (0, rows - 1)):
            made = WCS(mine["APERTURE"].header).pixel_to_world(column, row)
            theirs = WCS(real["APERTURE"].header).pixel_to_world(column, row)
            assert made.separation(theirs).arcsec < 3


def test_checksums_hold_and_fitsverify_finds_no_error(pair: tuple[Case, Path]) -> None:
    _, ours = pair
    assert checksums_hold(ours.read_bytes())
    assert not [line for line in fitsverify_complaints(ours) if "Error" in line]
