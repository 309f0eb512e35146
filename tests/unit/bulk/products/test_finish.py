"""What stands beside the products of all bands: nothing is missing, nothing is twice, whatever failed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arro3.io import read_parquet

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.band import failed_band
from tessera.bulk.products.columns import catalogue_columns
from tessera.bulk.products.finish import finish_products
from tessera.bulk.products.folder import ProductFile
from tessera.bulk.products.local import LocalFolder
from tessera.bulk.status import BulkStatus, format_status, parse_status
from tessera.bulk.target_rows import RowProblem
from tessera.cubes.reader import Cube
from tests.support.bands import some_band, target_rows, write_band

RA, DEC = [80.0, 85.0, 90.0, 95.0, 100.0], [-70.0, -65.0, -60.0, -75.0, -72.0]
PROBLEMS = (RowProblem(2, "TIC x", "name: 'TIC x' is not a star"), RowProblem(7, "", "ra: 'a,b' is not a number"))
ROWS = target_rows(RA, DEC, PROBLEMS)
"""Rows 1, 3, 4, 5 and 6 of a list of seven."""
OPTIONS = BulkOptions(outputs=("parquet", "lightcurves"))


def bands() -> list[StoredBand]:
    """Rows 5 and 3 in sector 1, and rows 3 and 4 in sector 2; row 1 and 6 are on no cube."""
    first = some_band([RA[3], RA[1]], [DEC[3], DEC[1]], number=0, row=np.array([5, 3]), name=("star 3", "star 1"))
    second = some_band(
        [RA[1], RA[2]], [DEC[1], DEC[2]], number=1, sector=2, row=np.array([3, 4]), name=("star 1", "star 2")
    )
    return [first, second]


def finish(folder: Path, fragments: list[bytes], files: list[ProductFile], options: BulkOptions = OPTIONS) -> Any:
    return finish_products(
        LocalFolder(folder), rows=ROWS, options=options, fragments=fragments, files=files, document={"order": {"a": 1}}
    )


@pytest.fixture
def written(tmp_path: Path, cube: Cube) -> tuple[Path, tuple[ProductFile, ...]]:
    """A list whose second band failed."""
    first, second = bands()
    files, statuses = write_band(tmp_path, first, cube, OPTIONS)
    fragments = [format_status(statuses), format_status(failed_band(second, "tess-s0002-4-2: it is damaged"))]
    return tmp_path, (*files, *finish(tmp_path, fragments, list(files)))


def statuses_of(folder: Path) -> list[BulkStatus]:
    return parse_status((folder / "status.csv").read_bytes())


def test_every_row_of_the_list_is_in_the_table_in_its_order(written: tuple[Path, tuple[ProductFile, ...]]) -> None:
    rows = [(each.row, each.cube, each.status, each.product) for each in statuses_of(written[0])]

    assert rows == [
        (1, "", "no overlap", ""),
        (2, "", "error", ""),
        (3, "tess-s0001-4-2", "ok", "lightcurves"),
        (3, "tess-s0001-4-2", "ok", "parquet"),
        (3, "tess-s0002-4-2", "error", ""),
        (4, "tess-s0002-4-2", "error", ""),
        (5, "tess-s0001-4-2", "ok", "lightcurves"),
        (5, "tess-s0001-4-2", "ok", "parquet"),
        (6, "", "no overlap", ""),
        (7, "", "error", ""),
    ]


def test_rows_without_a_product_say_why(written: tuple[Path, tuple[ProductFile, ...]]) -> None:
    table = statuses_of(written[0])

    reasons = {each.row: each.reason for each in table if each.status != "ok"}
    assert reasons == {
        1: "no cube has this position", 2: PROBLEMS[0].reason, 3: "tess-s0002-4-2: it is damaged",
        4: "tess-s0002-4-2: it is damaged", 6: "no cube has this position", 7: PROBLEMS[1].reason,
    }  # fmt: skip
    assert all(each.reason == "" for each in table if each.status == "ok")


def test_the_manifest_has_every_file_with_its_checksum(written: tuple[Path, tuple[ProductFile, ...]]) -> None:
    folder, files = written

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    on_disk = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert {file.name for file in files} == set(on_disk)
    for file in files:
        content = on_disk[file.name].read_bytes()
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest()), file.name
    listed = [each["name"] for each in manifest["files"]]
    assert listed == sorted(set(on_disk) - {"manifest.json"})
    assert manifest["order"] == {"a": 1}
    assert manifest["rows"] == 7
    assert manifest["statuses"] == {"error": 4, "no overlap": 2, "ok": 2}
    assert manifest["products"] == {"lightcurves": 2, "parquet": 2}


def test_links_of_the_table_lead_to_files_with_these_checksums(written: tuple[Path, tuple[ProductFile, ...]]) -> None:
    folder, files = written

    known = {file.name: file.sha256 for file in files}
    parquet = [each for each in statuses_of(folder) if each.product == "parquet"]
    assert len(parquet) == 2
    assert all(known[each.file] == each.sha256 for each in parquet)


def test_the_catalogue_names_its_partitions_rows_and_columns(written: tuple[Path, tuple[ProductFile, ...]]) -> None:
    folder, files = written

    catalogue = folder / "lightcurves"
    lines = (catalogue / "hats.properties").read_text(encoding="utf-8").splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    assert (catalogue / "properties").read_bytes() == (catalogue / "hats.properties").read_bytes()
    assert (properties["hats_nrows"], properties["hats_npix_suffix"]) == ("2", "/")
    with (catalogue / "partition_info.csv").open(encoding="utf-8", newline="") as file:
        partitions = {(line["Norder"], line["Npix"]) for line in csv.DictReader(file)}
    parts = [file.name.split("/") for file in files if file.name.endswith(".parquet")]
    assert partitions == {(part[2].removeprefix("Norder="), part[4].removeprefix("Npix=")) for part in parts}
    schema = read_parquet(catalogue / "dataset/_common_metadata").schema
    assert schema.names == [column.name for column in catalogue_columns(OPTIONS)]
    assert all(schema == read_parquet(folder / "/".join(part)).schema for part in parts)


def test_the_same_bands_give_the_same_files(tmp_path: Path, cube: Cube) -> None:
    def write(folder: Path) -> Any:
        made = [write_band(folder, band, cube, OPTIONS) for band in bands()]
        files = [file for files, _ in made for file in files]
        return finish(folder, [format_status(statuses) for _, statuses in made], files)

    assert write(tmp_path / "a") == write(tmp_path / "b")


def test_a_list_of_which_nothing_could_be_made_still_has_its_table(tmp_path: Path) -> None:
    finish(tmp_path, [], [])

    assert [each.row for each in statuses_of(tmp_path)] == [1, 2, 3, 4, 5, 6, 7]
    assert (tmp_path / "lightcurves/partition_info.csv").read_text(encoding="utf-8") == "Norder,Npix\n"
    assert json.loads((tmp_path / "manifest.json").read_bytes())["statuses"] == {"error": 2, "no overlap": 5, "ok": 0}


def test_without_parquet_there_is_no_catalogue(tmp_path: Path) -> None:
    finish(tmp_path, [], [], BulkOptions(outputs=("tpf",)))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "status.csv"]


def test_many_rows_are_put_into_order(tmp_path: Path) -> None:
    n = 20_000
    numbers = np.random.default_rng(1).permutation(n) + 1
    text = "".join(f"{row},x,,1.0,2.0,tess-s0001-4-2,1,4,2,true,ok,,tpf,a.zip,b,0f\n" for row in numbers)
    rows = target_rows(np.zeros(n).tolist(), np.zeros(n).tolist())

    finish_products(
        LocalFolder(tmp_path),
        rows=rows,
        options=BulkOptions(outputs=("tpf",)),
        fragments=[text.encode()],
        files=[],
        document={},
    )

    lines = io.BytesIO((tmp_path / "status.csv").read_bytes()).read().splitlines()[1:]
    assert [int(line.partition(b",")[0]) for line in lines] == [*range(1, n + 1)]
