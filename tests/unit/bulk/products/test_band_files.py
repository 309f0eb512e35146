"""All products of a band: what they contain, and what is said about each row."""

from __future__ import annotations

import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from astropy.io import fits

from tessera.bulk.options import BulkOptions
from tessera.bulk.products.band import failed_band, open_band
from tessera.bulk.products.local import LocalFolder
from tessera.bulk.work.made import Made
from tessera.cubes.reader import Cube
from tessera.cutouts.open_cube import open_cube
from tessera.tpf.fixed import TpfRequest, build_tpf, tpf_pieces
from tests.support.archives import file_names
from tests.support.bands import N_CADENCES, some_band, some_curve

ALL = BulkOptions(outputs=("parquet", "lightcurves", "tpf"))
COLUMNS = {
    "TIME": "time", "FLUX": "flux", "FLUX_ERR": "flux_err", "SAP_BKG": "background", "QUALITY": "quality"
}  # fmt: skip
BAND = some_band([84.2, 84.3, 84.4, 84.5], [-80.4, -80.5, -80.6, -80.7], row=np.array([9, 2, 7, 1]))


def request(cube_path: Path, place: int) -> TpfRequest:
    with open_cube(cube_path) as file:
        return TpfRequest(file.cube, file.read_window(BAND.window(place)), 84.2, -80.4, "1")


def test_every_target_has_its_products_or_a_reason(tmp_path: Path, cube: Cube, cube_path: Path) -> None:
    with open_band(LocalFolder(tmp_path), BAND, cube, ALL) as writer:
        for place in (0, 2, 3):
            writer.add(Made(place, some_curve(place), tpf_pieces(request(cube_path, place))))
        writer.add(Made(1, status="error", reason="its pixels cannot be read"))

    assert (writer.n_ok, writer.n_failed) == (3, 1)
    assert [(each.row, each.product, each.status) for each in writer.statuses] == [
        *((1, product, "ok") for product in ("lightcurves", "parquet", "tpf")),
        (2, "", "error"),
        *((row, product, "ok") for row in (7, 9) for product in ("lightcurves", "parquet", "tpf")),
    ]
    assert writer.statuses[3].reason == "its pixels cannot be read"
    assert [file.name for file in writer.files] == [
        "files/tess-s0001-4-2-00003-000.zip",
        *sorted({each.file for each in writer.statuses if each.product == "parquet"}),
    ]
    with ZipFile(tmp_path / writer.files[0].name) as archive:
        assert sorted(file_names(archive)) == sorted(each.member for each in writer.statuses if each.member)
        for place, name in ((0, "tess-s0001-4-2_0000009_star-0"), (2, "tess-s0001-4-2_0000007_star-2")):
            assert archive.read(f"{name}_tpf.fits") == build_tpf(request(cube_path, place))


def test_a_light_curve_as_a_file_has_all_values_and_says_what_it_is(tmp_path: Path, cube: Cube) -> None:
    with open_band(LocalFolder(tmp_path), BAND, cube, BulkOptions(outputs=("lightcurves",))) as writer:
        writer.add(Made(1, some_curve(1)))

    (status,) = writer.statuses
    curve = some_curve(1)
    with ZipFile(tmp_path / status.file) as archive, fits.open(io.BytesIO(archive.read(status.member))) as file:
        file.verify("exception")
        table, header = file[1].data, file[0].header
        for column, name in COLUMNS.items():
            assert np.array_equal(table[column], getattr(curve, name)), column
        assert np.array_equal(file["APERTURE"].data > 0, curve.mask)
        assert (header["OBJECT"], header["TICID"], header["SECTOR"]) == ("star 1", 11, 1)
        assert (header["RA_OBJ"], header["DEC_OBJ"]) == (84.3, -80.5)
        assert (file[1].header["TIMEREF"], file[1].header["BACKAPP"]) == ("SOLARSYSTEM", True)


def test_the_same_band_gives_the_same_files(tmp_path: Path, cube: Cube, cube_path: Path) -> None:
    def write(folder: Path) -> tuple[object, ...]:
        with open_band(LocalFolder(folder), BAND, cube, ALL) as writer:
            for place in range(4):
                writer.add(Made(place, some_curve(place), tpf_pieces(request(cube_path, place))))
        return writer.files, writer.statuses

    assert write(tmp_path / "a") == write(tmp_path / "b")


def test_after_an_error_there_is_no_file(tmp_path: Path, cube: Cube) -> None:
    def fail() -> None:
        with open_band(LocalFolder(tmp_path), BAND, cube, ALL) as writer:
            writer.add(Made(0, some_curve(0)))
            raise OSError("the store is gone")

    with pytest.raises(OSError, match="is gone"):
        fail()

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_band_that_failed_says_so_for_each_row_in_the_order_of_the_list() -> None:
    statuses = failed_band(BAND, "tess-s0001-4-2: its headers cannot be read")

    assert [(each.row, each.status, each.product) for each in statuses] == [(row, "error", "") for row in (1, 2, 7, 9)]
    assert {(each.cube, each.reason) for each in statuses} == {
        ("tess-s0001-4-2", "tess-s0001-4-2: its headers cannot be read")
    }


def test_the_cube_of_these_tests_has_a_cadence_for_each_value_of_their_curves(cube: Cube) -> None:
    assert cube.layout.n_cadences == N_CADENCES
