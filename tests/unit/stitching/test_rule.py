"""One CCD in each sector: the one on which the target lies farthest from the edge."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tessera.stitching.rule import choose_ccds


@dataclass(frozen=True)
class Place:
    sector: int | None
    camera: int | None
    ccd: int | None
    edge: float | None


NEAR, FAR = Place(3, 1, 2, 12.5), Place(3, 2, 1, 300.1)


def test_the_ccd_farther_from_the_edge_is_taken_whatever_the_order() -> None:
    for places in ([NEAR, FAR], [FAR, NEAR]):
        choice = choose_ccds(places)
        assert choice.taken == (FAR,)
        reason = "camera 2, CCD 1 is taken, where the target is 300.1 pixels from the edge; here it is 12.5"
        assert choice.left == ((NEAR, reason),)


def test_sectors_are_in_order_and_do_not_compete() -> None:
    early = Place(1, 4, 4, 0.0)
    assert choose_ccds([FAR, NEAR, early]).taken == (early, FAR)
    assert choose_ccds([]).taken == ()


def test_equal_distances_are_decided_by_camera_and_ccd() -> None:
    places = [Place(3, 2, 1, 5.0), Place(3, 1, 4, 5.0), Place(3, 1, 3, 5.0)]
    assert choose_ccds(places).taken == (places[2],)


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (Place(3, 1, 1, -0.1), "the target is not on pixels that see the sky"),
        (Place(3, 1, 1, None), "the pixel of the target is not known"),
        (Place(None, 1, 1, 900.0), "its cube does not say its sector"),
    ],
)
def test_what_cannot_be_used_is_never_taken(place: Place, reason: str) -> None:
    assert choose_ccds([place]).left == ((place, reason),)
    assert choose_ccds([place, NEAR]).taken == (NEAR,)
    assert choose_ccds([place]).taken == ()
