"""What the client sends of a list in memory is what the library reads of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import FK5, SkyCoord
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from numpy.testing import assert_allclose

from tessera.bulk.lists.forms import find_form
from tessera.bulk.lists.read import read_list
from tessera.bulk.options import BulkOptions
from tessera.client.bulk.lists import read_given_list
from tessera.errors import InvalidInputError

_MOVING = SkyCoord(
    [10.0, 359.9] * u.deg,
    [-5.0, 80.0] * u.deg,
    pm_ra_cosdec=[100.0, -3.5] * u.mas / u.yr,
    pm_dec=[1.0, 2.0] * u.mas / u.yr,
    obstime=Time(2016.0, format="jyear"),
)
LISTS: dict[str, Any] = {
    "pairs": [(10.5, -20.25), [0, 90], np.array([1.5, 2.5]), (1 * u.hourangle, 2 * u.deg)],
    "pairs in an array with a unit": [[0.1, 0.2], [0.3, -0.4]] * u.rad,
    "written positions": ["10.5 -20.25", "05:55:48 -75:23:28"],
    "one written position": "10.5 -20.25",
    "dicts": [
        {"name": "a, b", "ra": 1.5, "dec": -2, "size": 7, "sectors": [1, 27]},
        {"ra": 3, "dec": np.float32(4.5), "size": (5, 7), "aperture": "all"},
    ],
    "positions": [SkyCoord(1.5, 2.5, unit="deg"), _MOVING[0], SkyCoord(3, 4, unit="deg", frame="galactic")],
    "a SkyCoord": _MOVING,
    "a SkyCoord of one position": SkyCoord(1.5, 2.5, unit="deg"),
    "a frame": FK5([1.5, 3.5] * u.deg, [2.5, 4.5] * u.deg, equinox="J1975"),
    "columns": {"ra": [1.5, 2.5], "dec": np.array([3.5, 4.5]), "sectors": [[1, 2], None], "name": ['c"d', "é\nf"]},
    "a table with units": QTable(
        {
            "target": ["a", "b"],
            "ra": [1.5, 2.5] * u.hourangle,
            "dec": [0.1, -0.2] * u.rad,
            "pmra": [0.5, 0.1] * u.arcsec / u.yr,
            "pmdec": [1.0, 2.0] * u.mas / u.yr,
            "epoch": [2015.5, 2016.0] * u.yr,
        }
    ),
    "a table with gaps": Table(
        {
            "ra": MaskedColumn([1.5, 2.5, 3.5], mask=[False, True, False]),
            "dec": [1.0, 2.0, np.nan],
            "size": MaskedColumn([5, 7, 9], mask=[True, False, False]),
        }
    ),
    "a table with positions": Table({"name": ["a", "b"], "place": _MOVING, "size": [[5, 7], [9, 11]]}),
    "a DataFrame": pd.DataFrame(
        {"RA": [1.5, 2.5], "Dec": [3.5, 4.5], "sectors": [[1, 2], None], "aperture": ["all", None]}
    ),
    "a column of a cell": {"ra": [1.5, 2.5], "dec": (3.5, 4.5), "size": 5, "pmra": 1, "pmdec": 2, "epoch": 2015.5},
    "an object of a target": {"ra": 1.5, "dec": 2.5, "size": [5, 7], "sectors": [1, 2]},
    "columns of pandas": {"ra": pd.Series([1.5, 2.5]), "dec": pd.Series([3, 4])},
    "columns with positions": {"name": ["a", "b"], "place": _MOVING},
    "positions alone": {"place": _MOVING},
    "an object with a list": {"targets": [{"ra": 1.5, "dec": 2.5}, "3 4"]},
    "rows of a table": list(Table({"ra": [1.5, 2.5], "dec": [3.5, 4.5]})),
    "a dict with units": [
        {"ra": 1 * u.hourangle, "dec": 2 * u.deg, "pmra": 1 * u.arcsec / u.yr, "pmdec": 0, "epoch": 2016}
    ],
    "a structured array": np.array([(1.5, 2.5)], dtype=[("ra", "f8"), ("dec", "f4")]),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_what_is_sent_is_what_the_library_reads(name: str) -> None:
    options = BulkOptions()
    here = read_list(LISTS[name], options)
    given = read_given_list(LISTS[name])
    assert isinstance(given.content, bytes)
    there = read_list(given.content, options, form=find_form("", given.kind, given.content[:4096]))
    assert (len(there), there.n_given) == (len(here), here.n_given)
    assert len(here) > 0
    for column in ("row", "tic", "n_rows", "n_columns"):
        assert getattr(there, column).tolist() == getattr(here, column).tolist(), column
    for column in ("ra", "dec", "pm_ra", "pm_dec", "epoch"):
        assert_allclose(getattr(there, column), getattr(here, column), rtol=1e-12, err_msg=column)
    sets = [[rows.sector_sets[place] for place in rows.sector_set] for rows in (here, there)]
    apertures = [[rows.apertures[place] for place in rows.aperture] for rows in (here, there)]
    assert (sets[0], apertures[0]) == (sets[1], apertures[1])
    assert [problem.row for problem in there.problems] == [problem.row for problem in here.problems]


def test_what_is_no_target_is_a_problem_of_its_row_and_not_lost() -> None:
    given = read_given_list([None, 5, (1, "x"), (1.5, 2.5), {"ra": float("nan"), "dec": 1}, 1 * u.deg])
    assert isinstance(given.content, bytes)
    there = read_list(given.content, BulkOptions(), form="json")
    assert there.row.tolist() == [4]
    assert [problem.row for problem in there.problems] == [1, 2, 3, 5, 6]


def test_a_unit_that_is_none_of_its_column_is_sent_with_it() -> None:
    for column, unit in (("ra", u.m), ("pmra", u.deg), ("epoch", u.d)):
        table = Table({"ra": [1.5], "dec": [2.5], "pmra": [1.0], "pmdec": [1.0], "epoch": [2036.5]})
        table[column].unit = unit
        given = read_given_list(table)
        assert isinstance(given.content, bytes)
        for sent in (table, given.content):
            with pytest.raises(InvalidInputError, match=rf"unit of the column {column}.* is '{unit}'; allowed: "):
                read_list(sent, BulkOptions())
