"""Rows that have a name or a number only: what is asked, how often, and what becomes of those without an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from tessera.bulk.lists.read import read_list
from tessera.bulk.options import BulkOptions
from tessera.bulk.target_rows import TargetRows
from tessera.errors import InvalidInputError
from tessera.targets.names import MastNames, NameResolverError
from tessera.targets.places import StarPlace
from tessera.targets.tic import MastTic
from tests.support.horizons import Answer, Query, horizons

ALLOWED = MastNames.allowed


@contextmanager
def catalogue(answer: Answer | None = None) -> Iterator[tuple[MastTic, list[Query]]]:
    """MAST's catalogue as we ask it, on a local port. It knows the even numbers."""

    def known(query: Query) -> tuple[int, str]:
        (wanted,) = json.loads(query["request"])["params"]["filters"]
        rows = [star(int(tic)) for tic in wanted["values"] if int(tic) % 2 == 0]
        return 200, json.dumps({"status": "COMPLETE", "data": rows})

    with horizons(answer or known) as (url, asked):
        yield MastTic(url, timeout=5.0, pause=lambda _: None), asked


def star(tic: int) -> dict[str, Any]:
    return {"ID": tic, "ra": tic % 360, "dec": tic % 90, "pmRA": 1.5 if tic % 4 else None, "pmDEC": -2.5}


@contextmanager
def resolver(status: int = 200) -> Iterator[tuple[MastNames, list[Query]]]:
    def known(query: Query) -> tuple[int, str]:
        rows = [{"canonicalName": query["name"], "ra": 10.0, "decl": 20.0}] if "star" in query["name"] else []
        return status, json.dumps({"resolvedCoordinate": rows, "status": ""})

    with horizons(known) as (url, asked):
        yield MastNames(url, timeout=5.0, attempts=1), asked


def read(given: Any, **others: Any) -> TargetRows:
    return read_list(given, BulkOptions(), **others)


def test_many_numbers_are_asked_for_in_few_questions_and_each_once() -> None:
    tics = [*range(2, 4802, 2), 2, 4]
    with catalogue() as (stars, asked):
        rows = read({"tic": tics}, stars=stars)
    assert [len(json.loads(query["request"])["params"]["filters"][0]["values"]) for query in asked] == [1000, 1000, 400]
    assert rows.problems == ()
    assert rows.tic.tolist() == tics
    np.testing.assert_array_equal(rows.ra, np.array(tics) % 360)
    assert rows.name[:2] == ("TIC 2", "TIC 4")


def test_a_star_of_the_catalogue_moves_from_its_epoch_and_an_own_motion_counts_before() -> None:
    given = [{"tic": 2}, {"name": "TIC 4"}, {"tic": 6, "pmra": 7, "pmdec": 8, "epoch": 2016}]
    with catalogue() as (stars, _):
        rows = read(given, stars=stars)
    np.testing.assert_array_equal(rows.pm_ra, [1.5, np.nan, 7])
    np.testing.assert_array_equal(rows.pm_dec, [-2.5, np.nan, 8])
    np.testing.assert_array_equal(rows.epoch, [2000, np.nan, 2016])
    assert rows.tic.tolist() == [2, 4, 6]


def test_a_number_that_the_catalogue_does_not_know_is_a_problem() -> None:
    with catalogue() as (stars, asked):
        rows = read([{"tic": 2}, {"tic": 3}, {"tic": 5, "ra": 1, "dec": 2}], stars=stars)
    assert rows.row.tolist() == [1, 3]
    assert [(problem.row, problem.name) for problem in rows.problems] == [(2, "TIC 3")]
    assert rows.problems[0].reason == "tic is 3; allowed: a number in the TESS Input Catalog"
    assert len(asked) == 1


def test_only_so_many_names_and_numbers_are_looked_up() -> None:
    with catalogue() as (stars, asked), resolver() as (names, named):
        given = [*({"tic": tic} for tic in (2, 4, 6)), *({"name": f"star {k}"} for k in range(4))]
        rows = read(given, names=names, stars=stars, most_names=3, most_stars=2)
    assert (len(asked), len(named)) == (1, 3)
    assert rows.row.tolist() == [1, 2, 4, 5, 6]
    assert [problem.reason for problem in rows.problems] == [
        "the list has more than 2 TIC numbers without a position; give their ra and dec",
        "the list has more than 3 names without a position; give their ra and dec",
    ]


def test_names_are_asked_once_and_unknown_ones_are_problems() -> None:
    with resolver() as (names, asked):
        rows = read(b"star one\nnobody\nstar  one\n10 20\n", names=names)
    assert sorted(query["name"] for query in asked) == ["nobody", "star one"]
    assert rows.row.tolist() == [1, 3, 4]
    assert rows.problems[0].reason == f"targets is 'nobody'; allowed: {ALLOWED}"


def test_without_a_catalogue_numbers_are_names() -> None:
    with resolver() as (names, asked):
        rows = read({"tic": [7]}, names=names)
    assert [query["name"] for query in asked] == ["TIC 7"]
    assert rows.problems[0].row == 1


@pytest.mark.parametrize(
    ("status", "text"),
    [(500, ""), (200, "<html>"), (200, "[]"), (200, "{}"), (200, '{"data": [{"ID": 2}]}'), (200, '{"data": "x"}')],
)
def test_a_catalogue_that_does_not_answer_is_an_error_if_all_rows_need_it(status: int, text: str) -> None:
    with catalogue(lambda query: (status, text)) as (stars, asked):
        with pytest.raises(NameResolverError, match="does not answer; try again later, or give ra and dec"):
            read({"tic": list(range(2500))[1:]}, stars=stars)
        assert len(asked) == 1
        rows = read([{"tic": 2}, {"ra": 1, "dec": 2}], stars=stars)
    assert rows.row.tolist() == [2]
    assert "does not answer" in rows.problems[0].reason


def test_a_resolver_that_does_not_answer_is_an_error_if_all_rows_need_it() -> None:
    with resolver(500) as (names, _):
        with pytest.raises(NameResolverError):
            read(["star", "other"], names=names)
        assert read(["star", (1, 2)], names=names).row.tolist() == [2]


def test_an_answer_that_is_not_ready_is_asked_for_again() -> None:
    answers = iter([{"status": "EXECUTING"}, {"status": "COMPLETE", "data": [star(2)]}])
    with catalogue(lambda query: (200, json.dumps(next(answers)))) as (stars, asked):
        assert stars.find_places([2]) == {2: StarPlace(2.0, 2.0, 1.5, -2.5)}
    assert len(asked) == 2
    seconds = iter(range(0, 10_000, 20))
    with horizons(lambda query: (200, '{"status": "EXECUTING"}')) as (url, _):
        late = MastTic(url, clock=lambda: float(next(seconds)), pause=lambda _: None)
        with pytest.raises(NameResolverError):
            late.find_places([2])
    with pytest.raises(InvalidInputError, match="catalogue is 'file'; allowed: an address"):
        MastTic("file")


def test_rows_that_are_wrong_otherwise_are_not_looked_up() -> None:
    class Never:
        def find_places(self, tics: Sequence[int]) -> Mapping[int, StarPlace]:
            raise AssertionError(tics)

    rows = read([{"tic": 2, "size": 500}, {"tic": 3, "size": 11, "ra": 1, "dec": 2}], stars=Never())
    assert (rows.row.tolist(), rows.problems[0].row) == ([2], 1)
