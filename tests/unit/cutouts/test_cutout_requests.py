"""Requests for cutouts as documents: what a job's plan carries from one function to the next."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tessera_cloud.application.cutouts.fixed import Position, Region
from tessera_cloud.application.cutouts.moving import Moving
from tessera_cloud.application.cutouts.options import CutoutOptions, Size
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.request import CutoutRequest, Target
from tessera_cloud.application.cutouts.shaped import Shaped
from tessera_cloud.application.targets.path import Path

SIZE = Size(rows=5, columns=7)
PATH = Path(target="Eleonora", observer="TESS", places=((2_458_330.5, 1.0, 2.0), (2_458_331.5, 1.5, 2.5)))
CORNERS = ((1.0, 2.0), (1.1, 2.0), (1.1, 2.1))
TARGETS: list[Target] = [
    Position(ra=1.0, dec=2.0, size=SIZE),
    Region(ra=1.05, dec=2.05, corners=CORNERS),
    Shaped(shape="CIRCLE 1 2 0.1", parameter="CIRCLE"),
    Moving(path=PATH, size=SIZE),
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
def test_an_order_comes_out_of_json_as_it_went_in(target: Target) -> None:
    options = CutoutOptions(sectors=(1, 2), placement="centre", time=(1325.0, 1326.5), quality_mask=3)
    order = CutoutOrder(request=CutoutRequest(target=target, options=options), cubes=())
    again = CutoutOrder.model_validate_json(order.model_dump_json())
    assert again == order
    assert again.id == order.id


def test_orders_for_different_targets_have_different_ids() -> None:
    assert len({CutoutOrder(request=CutoutRequest(target=target), cubes=()).id for target in TARGETS}) == len(TARGETS)


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "region", "ra": 1.0, "dec": 2.0, "corners": CORNERS, "size": {"rows": 1, "columns": 1}},
        {"kind": "region", "ra": 1.0, "dec": 2.0, "corners": CORNERS[:2]},
        {"kind": "position", "ra": 1.0, "dec": 2.0},
        {"kind": "shape", "shape": "CIRCLE 1 2"},
        {"kind": "circle", "ra": 1.0, "dec": 2.0, "size": {"rows": 1, "columns": 1}},
        {"ra": 1.0, "dec": 2.0, "size": {"rows": 1, "columns": 1}},
    ],
)
def test_a_target_has_what_its_kind_needs_and_nothing_else(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="target"):
        CutoutRequest.model_validate({"target": document})
