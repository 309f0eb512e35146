"""What users write for targets."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.errors import InvalidInputError
from tessera.targets.names import AmbiguousNameError, MastNames, NameResolverError
from tessera.targets.read import read_given
from tessera.targets.table import read_table
from tessera.targets.target import TargetList
from tests.support.horizons import Query, horizons

PI_MEN = {"resolver": "SIMBAD", "canonicalName": "* pi Men", "ra": 84.291190, "decl": -80.469170}
TIC_5 = {"resolver": "TIC", "canonicalName": "TIC 5", "ra": 10.0, "decl": 20.0}
KNOWN = {"pi Men": [PI_MEN], "TIC 5": [TIC_5], "Gemini": [PI_MEN, TIC_5]}


@contextmanager
def resolver(answer: Callable[[Query], tuple[int, str]] | None = None) -> Iterator[tuple[MastNames, list[Query]]]:
    """MAST's resolver as we ask it, on a local port."""

    def known(query: Query) -> tuple[int, str]:
        return 200, json.dumps({"resolvedCoordinate": KNOWN.get(query["name"], []), "status": ""})

    with horizons(answer or known) as (url, asked):
        yield MastNames(url, timeout=5.0), asked


def read(given: Any) -> TargetList:
    """Targets of something that has no names."""
    return read_given(given, MastNames("http://127.0.0.1:9/closed", timeout=0.1, attempts=1))


def places(targets: TargetList) -> list[tuple[float, float]]:
    return [(round(target.ra, 6), round(target.dec, 6)) for target in targets.targets]


HERE = (88.95, -75.39)
SKY = SkyCoord(*HERE, unit="deg")


ONE: list[Any] = [
    "88.95 -75.39",
    "  5h55m48s   -75d23m24s ",
    HERE,
    list(HERE),
    np.array(HERE),
    (88.95 * u.deg, -75.39 * u.deg),
    (5.93 * u.hourangle, -75.39 * u.deg),
    HERE * u.deg,
    SKY,
    SKY.galactic,
    SKY.galactic.frame,
]
SEVERAL: list[Any] = [
    [SKY],
    SKY.reshape(1),
    np.array([HERE]),
    [HERE] * u.deg,
    [HERE],
    np.array(["88.95 -75.39"]),
    Table({"ra": [88.95], "dec": [-75.39]}),
    Table({" RAJ2000 ": ["5:55:48"], "DEJ2000": ["-75:23:24"]}),
    Table({"ra": [5.93] * u.hourangle, "dec": [-75.39] * u.deg}),
    Table({"target": ["88.95 -75.39"]}),
    Table([SKY.reshape(1)], names=["coordinates"]),
    Table({"ra": [88.95], "dec": [-75.39]})[0],
    np.array([HERE], dtype=[("ra", "f8"), ("dec", "f8")]),
]


def test_a_position_may_be_written_in_many_ways() -> None:
    for written in ONE + SEVERAL:
        targets = read(written)
        assert places(targets) == [HERE], written
        assert targets.single == any(written is one for one in ONE)
        assert not targets.targets[0].named


def test_names_are_looked_up_and_keep_the_users_spelling() -> None:
    with resolver() as (names, asked):
        targets = read_given(["pi  Men", "tic5", "10 20", "pi Men"], names)
    assert [(one.name, one.tic, one.named, one.number) for one in targets.targets] == [
        ("pi Men", None, True, 0),
        ("tic5", 5, True, 1),
        ("10 20", None, False, 2),
        ("pi Men", None, True, 3),
    ]
    assert places(targets) == [(84.29119, -80.46917), (10, 20), (10, 20), (84.29119, -80.46917)]
    assert sorted(query["name"] for query in asked) == ["TIC 5", "pi Men"]


@pytest.mark.parametrize(
    "name", ["nobody", "Gemini", "5", "88.95", "", "RA 400 dec 10", "91.0, -95.0", "x\udcff", "x" * 101]
)
def test_a_single_target_without_a_position_is_an_error_and_in_a_list_it_has_a_reason(name: str) -> None:
    with resolver() as (names, _):
        with pytest.raises(InvalidInputError, match="target is ") as caught:
            read_given(name, names)
        assert isinstance(caught.value, AmbiguousNameError) == (name == "Gemini")
        targets = read_given(["pi Men", name], names)
    assert [bool(one.reason) for one in targets.targets] == [False, True]
    assert targets.targets[1].reason.startswith("target")
    assert np.isnan(targets.positions.ra[1])


def test_an_ambiguous_name_is_told_with_its_objects() -> None:
    with (
        resolver() as (names, _),
        pytest.raises(AmbiguousNameError, match=r"\* pi Men at 84\.291190 -80\.469170, TIC 5"),
    ):
        read_given("Gemini", names)


def test_a_resolver_that_is_away_is_an_error_and_is_not_asked_for_each_of_many_names() -> None:
    with resolver(lambda _: (503, "")) as (names, asked):
        with pytest.raises(NameResolverError, match="does not answer; try again later, or give a position such as"):
            read_given("pi Men", names)
        with pytest.raises(NameResolverError):
            read_given([f"star {number}" for number in range(60)], names)
        assert len(asked) < 40
        targets = read_given(["10 20", "pi Men"], names)
    assert [one.reason[:24] for one in targets.targets] == ["", "MAST's name resolver does"[:24]]


def test_rows_of_a_table_use_their_position_then_their_number_then_their_name() -> None:
    table = Table(
        {
            "name": ["a star", "pi Men", "", "x"],
            "ra": MaskedColumn([1.0, 0, 0, 0], mask=[False, True, True, True]),
            "dec": [2.0, 0, 0, 0],
            "TIC": MaskedColumn([7, 0, 5, 0], mask=[False, True, False, True]),
        }
    )
    with resolver() as (names, _):
        targets = read_given(table, names)
    assert [(one.name, one.tic, one.named) for one in targets.targets] == [
        ("a star", 7, True),
        ("pi Men", None, True),
        ("TIC 5", 5, True),
        ("x", None, True),
    ]
    assert places(targets)[:3] == [(1, 2), (84.29119, -80.46917), (10, 20)]
    assert "a name that MAST's resolver knows" in targets.targets[3].reason


HOURS = """\
# %ECSV 1.0
# ---
# datatype:
# - {name: RA, unit: hourangle, datatype: float64}
# - {name: dec, datatype: float64}
# - {name: name, datatype: string}
RA dec name
5.93 -75.39 us
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "\ufeffra,dec,name\n88.95,-75.39,us\n"),
        ("a.csv", '\ufeff"name";"ra";"dec"\r\n"us";88.95;-75.39\r\n'),
        ("a.csv", "# of, an archive\n#\n\nname,RA,Dec\nus,88.95,-75.39\n\n"),
        ("a.csv", "#name,ra,dec\nus,88.95,-75.39\n"),
        ("a.csv", HOURS),
        ("a.tsv", "\ufeffname\tRAJ2000\tDEJ2000\nus\t88.95\t-75.39\n"),
        ("a.csv.gz", "name,ra,dec\nus,88.95,-75.39\n"),
    ],
)
def test_text_is_read_as_spreadsheets_and_archives_write_it(tmp_path: Path, name: str, content: str) -> None:
    path, data = tmp_path / name, content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    table = read_table(str(path))
    targets = read(table)
    assert places(targets) == [HERE]
    assert targets.targets[0].name == "us"


def test_columns_of_archives_have_numbers_of_the_input_catalog() -> None:
    for name in ("TIC ID", "tid", "Tic-Id"):
        targets = read(Table({name: [5], "ra": [88.95], "dec": [-75.39]}))
        assert targets.targets[0].tic == 5


def test_a_bad_row_has_a_reason_and_a_bad_table_is_an_error() -> None:
    table = Table({"ra": ["1", "", "here", "400"], "dec": ["2", "3", "there", "1"], "tic": ["7", "", "", "-3"]})
    reasons = [one.reason for one in read(table).targets]
    assert [bool(reason) for reason in reasons] == [False, True, True, True]
    assert "target[1] has neither a name nor a position" in reasons[1]
    assert "target[2] is 'here there'" in reasons[2]
    assert "tic is '-3'" in reasons[3]
    for empty in (Table({"flux": [1.0]}), Table({"ra": [], "dec": []})):
        with pytest.raises(InvalidInputError, match="a table with the columns ra and dec"):
            read(empty)


NAMELESS = Table(rows=[HERE]).to_pandas().rename(columns=["col0", "col1"].index)
"""A DataFrame whose columns are 0 and 1."""
COLUMNS = (np.array([88.95, 10.0]), np.array([-75.39, 20.0]))
NOTHING = [[], 5, 5 * u.deg, (1 * u.m, 2 * u.m), [1, 2] * u.m, Time(2016.0, format="jyear"), np.array("pi Men"), None]


@pytest.mark.parametrize("nothing", [*NOTHING, COLUMNS, b"pi Men", {"ra": 1}, NAMELESS, object()])
def test_what_is_no_target_is_an_error(nothing: Any) -> None:
    with pytest.raises(InvalidInputError, match="target is "):
        read(nothing)


def test_proper_motions_are_kept() -> None:
    star = SkyCoord(
        10 * u.deg,
        20 * u.deg,
        pm_ra_cosdec=1000 * u.mas / u.yr,
        pm_dec=0 * u.mas / u.yr,
        obstime=Time(2016.0, format="jyear"),
    )
    ra, _ = read([(1.0, 2.0), star]).positions.at(3000.0)
    assert ra[0] == 1.0
    assert 2 < (ra[1] - 10) * 3600 < 12


@settings(max_examples=25, derandomize=True)
@given(st.one_of(st.text(max_size=30), st.lists(st.one_of(st.floats(), st.text(max_size=8)), max_size=3), st.binary()))
def test_anything_else_is_read_or_is_one_error_of_ours(written: Any) -> None:
    class Nobody:
        allowed = "nothing"

        def find(self, name: str) -> None:
            assert name

    with suppress(InvalidInputError):
        targets = read_given(written, Nobody())
        assert all(bool(one.reason) == bool(np.isnan(one.ra)) for one in targets.targets)
