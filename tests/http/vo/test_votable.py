"""The writer of VOTables, read by astropy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tessera_cloud.http.vo.votable.elements import (
    Descriptor,
    Field,
    Info,
    Param,
    Table,
    text_field,
    text_param,
)
from tessera_cloud.http.vo.votable.writer import votable_bytes
from tests.support.votable import read_votable

COLUMNS = (text_field("name", "meta.id", id="name"), Field("size", "long", unit="byte"), Field("open", "boolean"))
ROWS = [("one & <two>", 2**40, True), (None, None, None), ("half \x00 of it", 3, False)]


def test_astropy_reads_what_was_written() -> None:
    table = read_votable(votable_bytes(Table(COLUMNS, ROWS))).get_first_table().to_table()
    assert list(table["name"]) == ["one & <two>", "", "half ? of it"]
    assert table["size"].tolist() == [2**40, None, 3]
    assert table["open"].tolist() == [True, None, False]
    assert str(table["size"].unit) == "byte"


def test_numbers_are_those_of_the_rows() -> None:
    numbers = [0.1, 1e-300, 58324.79309, 1 / 3]
    columns = (Field("one", "double"), Field("two", "double", "2", xtype="interval"))
    table = read_votable(votable_bytes(Table(columns, [(x, (x, 2 * x)) for x in numbers]))).get_first_table().array
    assert table["one"].tolist() == numbers
    assert np.array_equal(table["two"], [(x, 2 * x) for x in numbers])


def test_remarks_after_the_table_depend_on_its_rows() -> None:
    written: list[str] = []

    def rows() -> Iterator[tuple[str, int, bool]]:
        for name in ("a", "b"):
            written.append(name)
            yield name, 1, True

    def last() -> Iterator[Info]:
        yield Info("rows", str(len(written)), "all")

    document = votable_bytes(Table(COLUMNS, rows()), [Info("QUERY_STATUS", "OK")], last=last())
    infos = [(info.name, info.value, info.content) for info in read_votable(document).resources[0].infos]
    assert infos == [("QUERY_STATUS", "OK", None), ("rows", "2", "all")]


def test_a_service_is_described_beside_the_table() -> None:
    limits = Param(Field("TIME", "double", "2", unit="d", xtype="interval"), minimum="58324.5", maximum="58352.5")
    inputs = (Param(text_field("ID"), ref="name"), limits, Param(text_field("FORM"), options=("a", "b")))
    service = Descriptor("cut", (text_param("accessURL", "https://x/soda"),), inputs, "soda", "Cuts.")
    found = read_votable(votable_bytes(Table(COLUMNS), descriptors=[service])).resources[1]
    assert (found.utype, found.ID, found.type, found.description) == ("adhoc:service", "soda", "meta", "Cuts.")
    assert [(param.name, param.value) for param in found.params] == [("accessURL", "https://x/soda")]
    entries = {param.name: param for param in found.groups[0].entries}
    assert entries["ID"].ref == "name"
    assert (entries["TIME"].values.min, entries["TIME"].values.max) == (58324.5, 58352.5)
    assert [value for _, value in entries["FORM"].values.options] == ["a", "b"]
