"""Observations as MAST's portal lists them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.index.portal import columns_config, find_observations
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import UsageError
from tests.support.paths import DATA

POSITION = "107.18696, -70.50919, 2.7e-08"


@pytest.fixture(scope="module")
def index() -> FootprintIndex:
    table = json.loads((DATA / "tess_ffi_footprints.json").read_text(encoding="utf-8"))
    same: dict[str, Any] = {"n_cadences": 1, "build_id": "", "bucket": "b", "key": "k", "size": 1, "etag": ""}
    names = ("obs_id", "sequence_number", "s_region", "t_min", "t_max")
    rows = zip(*(table[name] for name in names), strict=True)
    return FootprintIndex.of(PublishedCube(**dict(zip(names, row, strict=True)), **same) for row in rows)


def ask(index: FootprintIndex, *filters: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
    request = {"service": "Mast.Caom.Filtered.Position", "params": {"filters": list(filters), **params}}
    answer = find_observations(request, index)
    assert answer["status"] == "COMPLETE"
    assert answer["paging"]["rowsTotal"] == len(answer["data"])
    assert all(set(row) == {field["name"] for field in answer["fields"]} for row in answer["data"])
    return list(answer["data"])


def test_a_position_gets_the_ccds_that_see_it(index: FootprintIndex) -> None:
    rows = ask(index, position=POSITION)
    assert [row["obs_id"] for row in rows][:2] == ["tess-s0001-4-3", "tess-s0002-4-3"]
    assert len(rows) == 35
    assert {row["target_name"] for row in rows} == {"TESS FFI"}


@pytest.mark.parametrize(
    ("entry", "n_rows"),
    [
        ({"paramName": "sequence_number", "values": ["27", "33"]}, 2),
        ({"paramName": "Project", "values": ["tess"]}, 35),
        ({"paramName": "project", "values": ["Kepler"]}, 0),
        ({"paramName": "t_exptime", "values": [{"min": 400, "max": 500}]}, 13),
        ({"paramName": "t_exptime", "values": [{"min": 0, "max": 200}]}, 9),
    ],
)
def test_filters_leave_rows_out(index: FootprintIndex, entry: dict[str, Any], n_rows: int) -> None:
    assert len(ask(index, entry, position=POSITION)) == n_rows


def test_a_cone_is_a_position_too(index: FootprintIndex) -> None:
    request = {"service": "Mast.Caom.Cone", "params": {"ra": 107.18696, "dec": -70.50919, "radius": 0}}
    assert len(find_observations(request, index)["data"]) == 35


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"service": "Mast.Catalogs.Tic", "params": {}}, "service is 'Mast.Catalogs.Tic'; allowed: Mast.Caom.Cone"),
        ({"service": "Mast.Caom.Cone", "params": 3}, "params is 3"),
        ({"service": "Mast.Caom.Cone", "params": {"ra": "x", "dec": 1}}, "position is .*; allowed"),
        ({"service": "Mast.Caom.Cone", "params": {"ra": 1, "dec": 91, "radius": 0}}, "position is .*; allowed"),
        ({"service": "Mast.Caom.Filtered", "params": {"filters": "x"}}, "filters is 'x'; allowed"),
        (
            {"service": "Mast.Caom.Filtered", "params": {"filters": [{"paramName": "colour"}]}},
            "a paramName of intentType",
        ),
        (
            {"service": "Mast.Caom.Filtered", "params": {"filters": [{"paramName": "t_min", "values": ["3"]}]}},
            't_min is ."3".; allowed: a list of objects with min and max',
        ),
    ],
)
def test_nonsense_is_explained(index: FootprintIndex, request_: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_observations(request_, index)


def test_what_can_be_filtered_is_told_with_its_type() -> None:
    config = columns_config()
    assert config["t_exptime"]["vot.datatype"] == "double"
    assert config["sequence_number"]["separator"] == ";"
