"""Parts of Parquet files, and the footers that name them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from arro3.io import read_parquet

from tessera.bulk.catalogue.open import open_catalogue
from tessera.bulk.catalogue.parts import ParquetParts
from tessera.bulk.options import BulkOptions
from tessera.bulk.products.columns import target_columns
from tessera.bulk.products.local import LocalFolder
from tessera.bulk.products.parquet import GROUP_BYTES, CurveTable
from tessera.bulk.thrift import (
    BINARY,
    BYTE,
    DOUBLE,
    FALSE,
    I16,
    I32,
    I64,
    LIST,
    STRUCT,
    TRUE,
    Fields,
    Items,
    ThriftReader,
    write_struct,
)
from tessera.errors import UnreadableFileError
from tessera.io.sources import LocalFile, open_source
from tests.support.bands import some_band, some_curve

EVERYTHING: Fields = {
    1: (TRUE, True),
    2: (FALSE, False),
    3: (BYTE, b"\x7f"),
    4: (I16, -(2**15)),
    5: (I64, 2**63 - 1),
    6: (DOUBLE, b"\0" * 7 + b"@"),
    7: (BINARY, b"text"),
    40: (LIST, Items(I64, [0, -1, 1, 2**40])),
    41: (LIST, Items(STRUCT, [{}, {1: (I64, 3)}] * 10)),
    42: (LIST, Items(TRUE, [True, False])),
    300: (STRUCT, {9: (STRUCT, {})}),
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with several row groups."""
    folder = tmp_path_factory.mktemp("parts")
    large = GROUP_BYTES // 60 // 2
    names: list[str] = []
    writer = CurveTable(
        LocalFolder(folder),
        some_band([80.0] * 5, [-60.0] * 5, hats_order=0),
        BulkOptions(),
        lambda file, _: names.append(file.name),
    )
    for place in range(5):
        writer.add(place, some_curve(place, n_cadences=large))
    writer.finish()
    return folder / names[0]


def test_structs_are_read_as_they_are_written() -> None:
    data = write_struct(EVERYTHING)

    assert ThriftReader(data).struct() == EVERYTHING


def test_a_footer_that_is_not_changed_keeps_its_bytes(table: Path) -> None:
    content = table.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - size : -8]

    assert write_struct(ThriftReader(footer).struct()) == footer


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x15",
        b"\x16" + b"\x80" * 12 + b"\1\0",
        b"\x19\xff\xff\xff\xff\x0f",
        b"\x1c" * 200,
        b"\x1b\x01",
        b"\x18\x7fabc",
    ],
)
def test_what_is_no_struct_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        ThriftReader(data).struct()


def _group(footer: Fields) -> Fields:
    group: Fields = footer[4][1][0]
    return group


def _column(footer: Fields) -> Fields:
    chunk: Fields = _group(footer)[1][1][0][3][1]
    return chunk


@pytest.mark.parametrize(
    "damage",
    [
        lambda footer: _group(footer).update({3: (I64, 1)}),
        lambda footer: _group(footer).update({3: (I64, 2**40)}),
        lambda footer: _group(footer).update({3: (I64, -1)}),
        lambda footer: _column(footer).update({7: (I64, -1)}),
        lambda footer: footer[2][1][0].update({5: (I32, 2**31 - 1)}),
    ],
    ids=["fewer rows", "more rows", "negative rows", "negative size", "too many columns"],
)
def test_a_footer_that_contradicts_its_file_is_refused(
    table: Path, tmp_path: Path, damage: Callable[[Fields], None]
) -> None:
    content = table.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    footer = ThriftReader(content[-8 - size : -8]).struct()
    damage(footer)
    written = write_struct(footer)
    path = tmp_path / "damaged.parquet"
    path.write_bytes(content[: -8 - size] + written + len(written).to_bytes(4, "little") + b"PAR1")

    with closing(open_source(path)) as source, pytest.raises(UnreadableFileError, match="it is damaged"):
        ParquetParts(source).read()


def test_row_groups_and_columns_are_read_as_in_the_whole_file(table: Path) -> None:
    whole = read_parquet(table).read_all()
    source = open_source(table)
    parts = ParquetParts(source)

    assert parts.groups == [2, 2, 1]
    for number, first in enumerate((0, 2, 4)):
        part = parts.read([number])
        assert part.column_names == whole.column_names
        assert part["row"].to_pylist() == whole["row"].to_pylist()[first : first + 2]
        flux = np.asarray(part["flux"].combine_chunks()[0].as_py())
        assert np.array_equal(flux, whole["flux"].combine_chunks()[first].as_py())
    few = parts.read(n_columns=len(target_columns()))
    assert few.column_names == [column.name for column in target_columns()]
    assert few["target"].to_pylist() == whole["target"].to_pylist()
    source.close()


def test_one_light_curve_needs_a_part_of_the_file(table: Path) -> None:
    class Counting(LocalFile):
        def read(self, start: int, length: int) -> bytes:
            reads.append(length)
            return super().read(start, length)

    reads: list[int] = []
    source = Counting(table)
    parts = ParquetParts(source)
    parts.read([1])
    parts.read(n_columns=len(target_columns()))
    source.close()

    assert len(reads) == 1 + 1 + 3  # the footer, a row group, and the first columns of three
    assert sum(reads) < 0.5 * source.size


def test_what_is_not_known_is_not_there_after_reading(tmp_path: Path) -> None:
    band = some_band([80.0, 80.0], [-60.0, -60.0])
    table = CurveTable(LocalFolder(tmp_path), band, BulkOptions(product="TICA"), lambda _file, _places: None)
    numbers = np.arange(7, 19, dtype=np.int32)
    table.add(0, replace(some_curve(0), background=None, flux_err=np.full(12, np.nan), cadence_number=numbers))
    table.add(1, some_curve(1))
    table.finish()

    catalogue = open_catalogue(tmp_path)

    first, second = catalogue.curve(1), catalogue.curve(2)
    assert (first.background, first.background_subtracted, first.time_system, first.flux_unit) == (
        None, False, "TJD", "e-"
    )  # fmt: skip
    assert np.isnan(first.flux_err).all()
    assert first.cadence_numbers is not None
    assert first.cadence_numbers.tolist() == numbers.tolist()
    assert (second.cadence_numbers, second.background_subtracted) == (None, True)
    assert first.facts["product"] == "TICA"
    assert catalogue.curve(1, stitched=True).cadence_numbers is not None


def test_without_a_background_there_is_no_column(tmp_path: Path) -> None:
    options = BulkOptions(background=False)
    table = CurveTable(LocalFolder(tmp_path), some_band([80.0], [-60.0]), options, lambda _file, _places: None)
    table.add(0, replace(some_curve(0), background=None))
    table.finish()

    curve = open_catalogue(tmp_path).curve(1)
    assert (curve.background, curve.background_subtracted) == (None, False)
    assert np.array_equal(curve.flux, some_curve(0).flux)
