"""The demonstration's asteroid and TICA frames, and the command that writes frames."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from tessera.tess.products import TICA
from tessera_cloud.names import frame_ccd
from tessera_local.cli import main
from tessera_local.demo import demonstration
from tests.demo.test_demonstration import centroid

pytestmark = pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")  # MJD-OBS is derived


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    for product in ("SPOC", "TICA"):
        assert main(["frames", str(folder / product), "--product", product, "--count", "1"]) == 0
    return folder


def test_the_command_writes_the_first_frames_of_the_demonstration(folder: Path) -> None:
    (spoc,) = (folder / "SPOC").iterdir()

    assert (spoc.name, spoc.read_bytes()) == demonstration.frame(0)


def test_tica_frames_have_the_pixels_of_the_spoc_frames_in_electrons(folder: Path) -> None:
    for spoc, tica in zip(sorted((folder / "SPOC").iterdir()), sorted((folder / "TICA").iterdir()), strict=True):
        assert str(frame_ccd(TICA.name, tica.name)) == "s0001-4-2"
        with fits.open(spoc) as one, fits.open(tica, checksum=True) as other:
            header = other[0].header
            assert header["SIMDATA"]
            assert header["CAMNUM"] == 4
            assert header["CCDNUM"] == 2
            assert header["STARTTJD"] == pytest.approx(one[1].header["TSTART"] - one[1].header["BARYCORR"], abs=1e-9)
            assert np.allclose(other[0].data, one[1].data * header["EXPTIME"], rtol=1e-6)


def test_the_asteroid_is_where_its_ephemeris_says() -> None:
    with fits.open(io.BytesIO(demonstration.frame(3)[1])) as hdus:
        header, image = hdus[1].header, hdus[1].data
    ra, dec = demonstration.ASTEROID.place((header["TSTART"] + header["TSTOP"]) / 2)
    column, row = (float(value) for value in WCS(header).all_world2pix(ra, dec, 0))
    found = centroid(image, round(row), round(column))

    assert np.hypot(found[0] - row, found[1] - column) < 0.3


def test_a_count_without_frames_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["frames", str(tmp_path), "--count", "0"])
    assert "argument --count: invalid choice: 0" in capsys.readouterr().err
