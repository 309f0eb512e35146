"""The files of a measured cube say which cube it was and how it was measured. `tessera verify` measures it again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from tessera import measure_cube
from tessera.cutouts.open_cube import open_cube
from tessera.cutouts.origin.cube_record import cube_origin
from tessera.measures.change_list import read_about
from tessera.measures.records import add_records
from tessera.measures.run import CubeMeasures, measure_open_cube
from tessera.measures.thresholds import Thresholds
from tessera.provenance.fits_files import read_provenance
from tessera.verify.verify import verify_product
from tests.support.checks import fitsverify_complaints
from tests.support.same_bytes import without_record
from tests.unit.measures.conftest import COLUMN, ROW


@pytest.fixture
def made(cube: Path) -> CubeMeasures:
    return measure_cube(cube, n_sigma=5, bin_days=0.065)


def test_the_files_come_out_the_same(made: CubeMeasures, cube: Path) -> None:
    for path, kind in ((made.reference, "reference frame"), (made.changes, "list of changes")):
        found = verify_product(path)  # the cube is beside it
        assert (found.status, found.problems, found.notes) == ("same", [], [])
        assert found.record is not None
        assert (found.record["kind"], found.record["source"]["location"]) == (kind, cube.name)
        assert found.record["request"] == {"n_sigma": 5.0, "bin_days": 0.065}
    assert not [line for line in fitsverify_complaints(made.reference) if "PROVENANCE" in line]
    about = Table.read(made.changes).meta
    assert about["provenance_record"] == verify_product(made.changes).record
    assert about["provenance_sha256"] == verify_product(made.changes).sha256
    assert read_about(made.changes.read_bytes()) == about


def test_a_changed_pixel_or_line_is_named(made: CubeMeasures) -> None:
    with fits.open(made.reference, mode="update") as hdus:
        hdus["RMS"].data[4, 7] += 1
    problems = verify_product(made.reference).problems
    assert [item.place for item in problems if item.what == "pixel"] == [
        {"hdu": "RMS", "plane": "RMS", "row": 4, "column": 7}
    ]
    lines = made.changes.read_text().splitlines()
    number = len(lines) - 1 - 2  # without the two lines of the record
    lines[-1] = lines[-1].replace(f"{ROW}.", f"{ROW + 1}.", 1).replace(f"{COLUMN}.", f"{COLUMN + 1}.", 1)
    made.changes.write_text("\n".join(lines) + "\n")
    found = verify_product(made.changes)
    assert [(item.what, item.place) for item in found.problems] == [
        ("record", {}),
        ("value", {"line": number + 1}),
    ]


def test_a_changed_record_is_found(made: CubeMeasures) -> None:
    for path in (made.reference, made.changes):
        path.write_bytes(path.read_bytes().replace(b'"n_sigma":5.0', b'"n_sigma":6.0'))
        found = verify_product(path)
        assert (found.status, [item.what for item in found.problems]) == ("different", ["record"])


def test_a_cube_that_is_gone_or_another_one_is_named(made: CubeMeasures, cube: Path) -> None:
    content = bytearray(cube.read_bytes())
    cube.unlink()
    assert "is not beside it; name it with --from" in verify_product(made.changes).notes[0]
    where = content.index(b"XTENSION= 'IMAGE") + 2880
    content[where : where + 8 * 24] = np.full(48, 9.0, ">f4").tobytes()  # all cadences of the first pixel
    cube.write_bytes(content)
    found = verify_product(made.reference)
    assert found.status == "different"
    assert {(item.place["row"], item.place["column"]) for item in found.problems} == {(0, 0)}


def test_vectors_have_a_record_and_files_of_another_version_keep_it(
    made: CubeMeasures, cube: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.cutouts.origin.cube_record.__version__", "0.0.9")
    thresholds = Thresholds()
    with open_cube(cube) as file:
        products = measure_open_cube(file, thresholds, tmp_path, version="0.0.9")
        origin = cube_origin(cube, file.source, file.cube)
    products["-vectors.fits"] = without_record(made.reference.read_bytes())
    with_records = add_records(products, origin, thresholds)
    found = read_provenance(with_records["-vectors.fits"])
    assert found is not None
    assert found.record.kind == "cotrending vectors"
    made.reference.write_bytes(with_records["-reference.fits"])
    again = verify_product(made.reference)
    assert (again.status, again.problems) == ("same", [])
    assert again.notes[0].startswith("version 0.0.9 made it")
    made.reference.write_bytes(with_records["-vectors.fits"])
    assert "has too few stars for cotrending vectors" in verify_product(made.reference).notes[-1]
