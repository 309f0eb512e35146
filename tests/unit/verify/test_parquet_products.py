"""Parquet files of light curves are made again from their cube. What differs is named: target, column and cadence."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arro3.core
import numpy as np
import pytest
from arro3.io import read_parquet, write_parquet
from astropy.io import fits
from astropy.table import Table

from tessera import cut_list, sign_records
from tessera.bulk.curve_record import flat_column
from tessera.bulk.options import BulkOptions
from tessera.bulk.products.columns import catalogue_columns
from tessera.bulk.products.tables import FACTS_KEY, write_table
from tessera.cli.main import main
from tessera.cutouts.open_cube import open_cube
from tessera.provenance.signing import PublicKey
from tessera.verify.verify import verify_product
from tests.support.keys import key_files

STAR, MOVING = "star (row 1 of the list)", "comet (row 2 of the list)"


def cut(cube: Path, folder: Path, targets: Any, **options: Any) -> Path:
    """The only Parquet file of a list."""
    cut_list(targets, cube, folder, processes=1, **options)
    [path] = folder.rglob("Npix=*/*.parquet")
    return path


@pytest.fixture(scope="module", name="targets")
def _targets(cube: Path) -> Table:
    """A star with an aperture of its own, and one that moves."""
    with open_cube(cube) as file:
        ra, dec = file.cube.wcs.all_pix2world([[13.2, 18.4], [5.1, 30.2]], 0).T
    columns = {"name": ["star", "comet"], "ra": ra, "dec": dec, "pmra": [np.nan, 9000.0], "pmdec": [np.nan, -8000.0]}
    return Table({**columns, "aperture": ["all", "default"]})


@pytest.fixture(scope="module", name="listed")
def _listed(cube: Path, targets: Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, outputs = tmp_path_factory.mktemp("listed"), ["parquet", "lightcurves"]
    return cut(cube, folder, targets, size=(5, 4), epoch=2016.0, outputs=outputs, packing="files")


def test_its_fits_files_come_out_the_same(listed: Path, cube: Path, tmp_path: Path) -> None:
    [path] = listed.parents[5].rglob("*comet_lc.fits")
    found = verify_product(path, cube)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    with fits.open(path) as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["LIGHTCURVE", "APERTURE", "PROVENANCE"]
        hdus[1].data["FLUX"][3] = 7.0
        hdus.writeto(tmp_path / "a.fits", checksum=True)
    changed = verify_product(tmp_path / "a.fits", cube)
    [problem] = [one for one in changed.problems if one.what == "value"]
    assert problem.text.startswith("FLUX, cadence 3: it is 7.0, not ")


def rewritten(path: Path, copy: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A copy of a file whose metadata and columns were changed: the values of columns, and their fields by name."""
    table = read_parquet(path).read_all()
    parts: dict[str, Any] = {"facts": json.loads(table.schema.metadata_str[FACTS_KEY])}
    parts["fields"] = {name: table.schema.field(name) for name in table.column_names}
    flat = {name: flat_column(table, name) for name in table.column_names}
    parts |= {name: values.copy() for name, (values, _) in flat.items()}
    change(parts)
    arrays = [_array(parts[name], flat[name][1], parts["fields"][name].type) for name in table.column_names]
    new = arro3.core.Table.from_arrays(arrays, schema=arro3.core.Schema(list(parts["fields"].values())))
    with copy.open("wb") as file:
        write_table(file, new, catalogue_columns(BulkOptions()), parts["facts"])  # each row in a group of its own
    return copy


def _array(values: Any, bounds: Any, kind: Any) -> Any:
    if bounds is not None:
        flat = arro3.core.Array.from_numpy(values)
        return arro3.core.list_array(arro3.core.Array.from_numpy(bounds.astype(np.int32)), flat, type=kind)
    return arro3.core.Array(values.tolist(), type=kind)


def test_a_file_comes_out_the_same(listed: Path, cube: Path, tmp_path: Path) -> None:
    found = verify_product(listed, cube)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    assert found.record is not None
    assert found.record["request"]["targets"]["aperture"] == ["all", "default"]
    again = verify_product(rewritten(listed, tmp_path / "a.parquet", lambda _: None), cube.parent)
    said = "its bytes differ, though no value does: it was written again, or its footer changed"
    assert [problem.text for problem in again.problems] == [said]
    assert main(["verify", str(listed), "-q", "--from", str(cube)]) == 0


def some_values(parts: dict[str, Any]) -> None:
    parts["target"][1] = "no comet"
    parts["ra"][0] = 1.5
    parts["time"][0] = np.nextafter(parts["time"][0], 9e9)
    parts["flux"][9] = 7.0  # cadence 3 of the second star


def some_texts(parts: dict[str, Any]) -> None:
    parts["facts"]["time_system"] = "UTC"
    field = parts["fields"]["flux"]
    parts["fields"]["flux"] = field.with_metadata({**field.metadata_str, "unit": "mag"})


def one_request(parts: dict[str, Any]) -> None:
    parts["facts"]["record"] = parts["facts"]["record"].replace('"background":true', '"background":false')


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            some_values,
            {
                f"target of {MOVING}: it is no comet, not comet": "target",
                f"ra of {STAR}: it is 1.5, not 88.": "ra",
                f"time of {STAR}, cadence 0: it is ": "time",
                f"flux of {MOVING}, cadence 3: it is 7.0, not ": "flux",
            },
        ),
        (
            some_texts,
            {
                "time_system of the metadata is 'UTC', not 'BTJD'": "",
                "unit of the column flux is 'mag', not 'electron/s'": "",
            },
        ),
        (one_request, {"the record of provenance was changed: its SHA-256 is another one": ""}),
    ],
)
def test_what_was_changed_is_named(
    listed: Path, cube: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], said: dict[str, str]
) -> None:
    found = verify_product(rewritten(listed, tmp_path / "a.parquet", change), cube)
    assert found.status == "different"
    sums = [
        f"the record is of another file: the SHA-256 of the column {name} differs" for name in said.values() if name
    ]
    texts = [problem.text for problem in found.problems]
    assert sorted(texts[: len(sums)]) == sorted(sums)
    assert len(texts) == len(sums) + len(said)
    assert all(text.startswith(start) for text, start in zip(texts[len(sums) :], said, strict=True))


def test_a_cube_that_was_changed_or_is_missing_is_named(listed: Path, cube: Path, tmp_path: Path) -> None:
    other = tmp_path / cube.name
    content = bytearray(cube.read_bytes())
    with open_cube(cube) as file:
        place = file.cube.data_offset + 4 * 2 * (6 * (18 * 30 + 13) + 3)  # row 18, column 13, cadence 3
    (old,) = np.frombuffer(content[place : place + 4], ">f4")
    content[place : place + 4] = np.array([old + 512], ">f4").tobytes()
    other.write_bytes(content)
    found = verify_product(listed, tmp_path)
    assert found.status == "different"
    texts = [problem.text for problem in found.problems]
    assert texts[0].startswith(f"flux of {STAR}, cadence 3: it is ")
    was, now = (float(word) for word in texts[0].partition("it is ")[2].split(", not "))
    assert now == was + 512
    assert {problem.place["target"] for problem in found.problems} == {"star"}
    missing = verify_product(listed)
    assert (missing.status, missing.problems) == ("unknown", [])
    assert missing.notes == [f"its source {cube.name} is not beside it; name it with --from"]


def test_a_damaged_file_is_one_sentence(listed: Path, cube: Path, tmp_path: Path) -> None:
    content, copy = listed.read_bytes(), tmp_path / "a.parquet"
    page = content.index(b"\x28\xb5\x2f\xfd")  # where zstd begins
    for damaged in (content[:-100], content[:4] + content[-4:], content[:page] + bytes(4) + content[page + 4 :]):
        copy.write_bytes(damaged)
        found = verify_product(copy, cube)
        [problem] = found.problems
        assert (found.status, problem.what, problem.text[:21]) == ("different", "structure", "it cannot be read: it")
    copy.write_bytes(content[:-100])
    assert main(["verify", str(copy), "-q"]) == 1


def test_a_page_that_would_abort_this_process_is_one_sentence(listed: Path, tmp_path: Path) -> None:
    pairs, copy = np.array([7.5, 8.5]), tmp_path / "a.parquet"
    table = arro3.core.Table.from_pydict({"flux": arro3.core.Array.from_numpy(np.tile(pairs, 25))})
    facts = read_parquet(listed).schema.metadata_str[FACTS_KEY]
    write_parquet(table, copy, compression="uncompressed", key_value_metadata={FACTS_KEY: facts})
    data = bytearray(copy.read_bytes())
    data[data.index(pairs.tobytes()) + 37] = 255  # width of the places in the dictionary, behind the header of a page
    copy.write_bytes(data)
    [problem] = verify_product(copy).problems
    assert (problem.what, problem.text) == ("structure", "it cannot be read: it is not a table: its pages are damaged")


def test_another_parquet_file_is_not_judged(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_parquet(arro3.core.Table.from_pydict({"a": arro3.core.Array.from_numpy(np.arange(3))}), path)
    found = verify_product(path)
    assert (found.status, found.problems) == ("unknown", [])
    assert found.notes == ["it has no record: it was not made by Tessera, or without provenance"]


def test_signed_files_and_files_of_archives(cube: Path, targets: Table, listed: Path, tmp_path: Path) -> None:
    private, public = key_files(tmp_path)
    with sign_records(private):
        signed = cut(cube, tmp_path / "out", targets[:1], size=3)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(signed, "signed.parquet")
        archive.write(listed, "plain.parquet")
    found = verify_product(tmp_path / "a.zip", cube, public)
    assert [(member.status, member.signed_by) for member in found.members] == [
        ("same", PublicKey(public).id),
        ("different", ""),
    ]
    assert [problem.what for problem in found.members[1].problems] == ["signature"]
