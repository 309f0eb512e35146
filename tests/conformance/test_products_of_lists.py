"""lsdb, pyarrow, pandas and lightkurve read what `tessera.cut_list` writes, and read the same values as we do."""

from __future__ import annotations

import importlib
import json
import subprocess
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from astropy.table import Table

from tessera import TargetPixels
from tessera.bulk.catalogue.open import Catalogue, open_catalogue
from tessera.bulk.run import cut_list
from tessera.bulk.status import BulkStatus, parse_status
from tessera_cloud.contracts import BuildRequest
from tests.support.builds import build_cube
from tests.support.cubes import target_of
from tests.support.frames import NamedFrame, centred_wcs, spoc_frame

pytestmark = pytest.mark.filterwarnings("ignore")  # lightkurve leaves files open, and warns at its import
ROOT = Path(__file__).parents[2]
N = 60
SIZE = 7
SHAPE = (60, 50)


def frames(sector: int) -> list[NamedFrame]:
    """Frames of a field with stars. Both sectors look at the same sky; one frame of each has a quality bit."""
    rng = np.random.default_rng(sector)
    sky = np.random.default_rng(0).exponential(100, SHAPE)
    return [
        spoc_frame(
            sector=sector,
            cadence_index=cadence,
            flux=(sky + rng.normal(200, 3, SHAPE)).astype(np.float32),
            error=rng.uniform(2, 4, SHAPE).astype(np.float32),
            wcs_cards=centred_wcs(SHAPE),
            tstart=1300.0 + 28 * sector + cadence / 48,
            tstop=1300.0 + 28 * sector + (cadence + 1) / 48,
            dquality=32 * (cadence == 4),
        )
        for cadence in range(30)
    ]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Light curves and target pixel files of stars in two sectors."""
    folder = tmp_path_factory.mktemp("lists")
    for sector in (1, 2):
        path = folder / f"cubes/tess-s{sector:04d}-4-2-cube.fits"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(build_cube(frames(sector), BuildRequest(sector=sector, camera=4, ccd=2)))
    centre, rng = target_of(folder / "cubes/tess-s0001-4-2-cube.fits"), np.random.default_rng(3)
    spread = 0.08
    rows = Table(
        {
            "name": [f"star {number}" for number in range(N)],
            "ra": centre.ra.deg + rng.uniform(-spread, spread, N) / np.cos(centre.dec.rad),
            "dec": centre.dec.deg + rng.uniform(-spread, spread, N),
        }
    )
    outputs = ("parquet", "lightcurves", "tpf")
    cut_list(rows, folder / "cubes", folder / "results", outputs=outputs, size=SIZE, processes=1)
    return folder / "results"


@pytest.fixture(scope="module")
def statuses(results: Path) -> list[BulkStatus]:
    return parse_status((results / "status.csv").read_bytes())


@pytest.fixture(scope="module")
def catalogue(results: Path) -> Catalogue:
    return open_catalogue(results)


def test_lsdb_and_others_read_the_catalogue_with_the_same_values(
    results: Path, statuses: list[BulkStatus], catalogue: Catalogue, tmp_path: Path
) -> None:
    targets = catalogue.targets
    ra, dec = float(targets["ra"][0]), float(targets["dec"][0])
    near = catalogue.near(ra, dec, 120)["row"].tolist()
    script = [ROOT / ".venv-lsdb/bin/python", ROOT / "tests/clients/lsdb_session.py"]
    answer = subprocess.run(
        [*script, results, repr(ra), repr(dec), "120", tmp_path / "found.json"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr

    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))

    curves = {(row, cube): [*lists[:4], *lists[6:]] for row, cube, *lists in found["curves"]}
    assert (
        found["rows"]
        == len(curves)
        == len(catalogue)
        == sum((each.product, each.status) == ("parquet", "ok") for each in statuses)
        > N
    )
    for key, lists in curves.items():
        assert lists == expected_lists(catalogue, *key), key
    assert found["cone"] == sorted(near)
    assert 0 < len(near) < len(catalogue)
    assert set(found["good"].values()) == {29}
    assert set(found["few"]) == {"row", "flux", "ra", "dec"}  # lsdb always reads the position
    assert found["by_arrow"] == len(catalogue)
    assert found["by_pandas"] == sorted(targets["row"].tolist())
    assert found["same_schema"]
    assert found["index_is_sorted"]
    assert (found["units"]["time"], found["units"]["flux"]) == ("d", "electron/s")


def expected_lists(catalogue: Catalogue, row: int, cube: str) -> list[list[str]]:
    """The lists of a row as our own reader reads them. A `LightCurve` has no centroids."""
    curve = catalogue.curve(row, cube=cube)
    unknown = np.full(len(curve), -1), np.full(len(curve), np.nan)
    values = (
        curve.time,
        curve.flux,
        curve.flux_err,
        unknown[1] if curve.background is None else curve.background,
        curve.quality,
        unknown[0] if curve.cadence_numbers is None else curve.cadence_numbers,
    )
    return [[float(value).hex() for value in each] for each in values]


def test_lightkurve_reads_the_files_of_targets_with_the_same_values(
    results: Path, statuses: list[BulkStatus], catalogue: Catalogue, tmp_path: Path
) -> None:
    chosen = sorted({(each.row, each.cube) for each in statuses if (each.product, each.status) == ("parquet", "ok")})[
        ::9
    ]
    assert len(chosen) > 10
    lightkurve = importlib.import_module("lightkurve")
    for row, cube in chosen:
        ours = catalogue.curve(row, cube=cube)
        paths = {
            each.product: extract(results, each, tmp_path)
            for each in statuses
            if (each.row, each.cube) == (row, cube) and each.member
        }
        curve = lightkurve.read(paths["lightcurves"], quality_bitmask="none")
        pixels = lightkurve.read(paths["tpf"], quality_bitmask="none")
        summed = pixels.to_lightcurve(aperture_mask=ours.mask)
        assert curve.meta["OBJECT"] == f"star {row - 1}"
        assert np.array_equal(curve.time.value, ours.time)
        assert np.array_equal(np.asarray(curve.flux.value, float), ours.flux)
        background = 0 if ours.background is None else ours.background
        assert np.allclose(summed.flux.value - background, ours.flux, rtol=1e-6)
        again = TargetPixels.read(paths["tpf"]).to_lightcurve(mask=ours.mask, quality="none")
        assert np.array_equal(again.flux, ours.flux)


def extract(results: Path, status: BulkStatus, folder: Path) -> Path:
    with ZipFile(results / status.file) as archive:
        return Path(archive.extract(status.member, folder))
