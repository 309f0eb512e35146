"""The client asks for what moves: by name, or along a path of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from astropy.time import Time

from tessera import Client, CutoutOptions, MovingTarget, ServiceCutout
from tessera.moving.ephemeris import Ephemeris
from tests.http.test_moving import NAME, SHAPE, places
from tests.support.api import Api
from tests.support.frames import tiny_flux
from tests.support.service import service_of


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    api.handlers.ephemerides.targets = {NAME: places()}
    with service_of(api) as server, Client(server.url, patience=0) as client:
        yield client


def check(result: ServiceCutout) -> None:
    """The box follows the target over the frames of sector 1."""
    flux = result.hdus[1].data["FLUX"]
    assert flux.shape == (5, 3, 3)
    for cadence in range(5):
        np.testing.assert_array_equal(flux[cadence], tiny_flux(cadence, SHAPE)[19:22, 9 + cadence : 12 + cadence])


def test_a_body_is_followed_by_its_name(client: Client) -> None:
    assert client.resolve_moving("2018 XY") == NAME
    first, second = client.cutouts(MovingTarget("2018 XY"), 3)
    check(first)
    assert [result.cube for result in (first, second)] == ["tess-s0001-4-2", "tess-s0002-4-2"]
    assert np.isnan([first.ra, first.dec]).all()
    assert first.pixels.flux.shape == (5, 3, 3)


def test_a_path_is_followed(client: Client) -> None:
    days, ra, dec = np.array(places()).T
    path = Ephemeris(Time(days, format="jd", scale="utc"), ra, dec, name="mine")
    (result,) = client.cutouts(path, 3, sectors=1, options=CutoutOptions(cadences=(0, 4)))
    check(result)
    assert "_mine_3x3_" in result.name
    many = list(client.cutouts_many([path, MovingTarget("no such body")], 3, sectors=1))
    assert sorted((each.number, each.status) for each in many) == [(0, "ok"), (1, "error")]
