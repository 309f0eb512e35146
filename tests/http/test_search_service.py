"""A search of a service: the library against the API of this process, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tessera
from tessera import Client
from tessera.client.wire.failures import UnreachableServiceError
from tessera.errors import InvalidInputError
from tests.support.api import DEC, N_CADENCES, RA, Api
from tests.support.service import Server, service_of

HERE = f"{RA} {DEC}"


@pytest.fixture
def server(api: Api) -> Iterator[Server]:
    with service_of(api) as server:
        yield server


def test_rows_are_what_the_service_says(server: Server) -> None:
    found = tessera.search([HERE, (10.0, 10.0), "pi Men", "nobody"], service=server.url)
    with Client(server.url) as client:
        seen = client.targets(RA, DEC)
    assert [(row.cube, row.sector, row.row, row.column, row.edge, row.n_cadences) for row in found.rows] == [
        (each.cube, each.sector, each.row, each.column, each.edge, each.n_cadences) for each in seen
    ]
    assert [(row.start, row.end) for row in found.rows] == [(each.start, each.stop) for each in seen]
    assert [(item.target.name, round(item.target.ra, 2)) for item in found.missing[:2]] == [
        ("10.000000 +10.000000", 10.0),
        ("pi Men", 84.29),
    ]
    assert "a name that the service knows" in found.missing[2].reason


def test_sectors_and_products_are_those_that_were_asked_for(server: Server) -> None:
    assert [row.sector for row in tessera.search(HERE, service=server.url, sectors=2).rows] == [2]
    nothing = tessera.search(HERE, service=server.url, sectors=[5, 6])
    assert nothing.missing[0].reason == "no SPOC cube of the service sees it in sectors 5, 6; it is in sectors 1, 2"
    before = len(server.asked)
    tessera.search(HERE, service=server.url, product="any")
    assert len(server.asked) == before + 2


def test_the_service_cuts_the_rows(api: Api, server: Server, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with Client(server.url, sleep=lambda _: api.run_jobs()) as client:
        found = tessera.search([HERE, (10.0, 10.0), (RA + 0.01, DEC)], service=client)
        made = found.cut(5, output_dir=tmp_path, progress=lambda done, total: told.append((done, total)))
        one = found[found["sector"] == 2][0].cut(5)
    assert [(item.target.number, item.status) for item in made] == [
        (0, "ok"),
        (0, "ok"),
        (1, "no overlap"),
        (2, "ok"),
        (2, "ok"),
    ]
    assert sorted(tmp_path.iterdir()) == sorted(item.path for item in made if item.path)
    assert told[-1] == (2, 2)
    assert [item.cube for item in one] == ["tess-s0002-4-2"]
    assert one[0].pixels.flux.shape == (N_CADENCES[2], 5, 5)


def test_trouble_with_a_service_is_one_error(server: Server) -> None:
    with pytest.raises(InvalidInputError, match="target is 'nobody'; allowed: a name that the service knows"):
        tessera.search("nobody", service=server.url)
    with Client("http://127.0.0.1:9", retries=0) as away, pytest.raises(UnreachableServiceError):
        tessera.search(HERE, service=away)
    for wrong in ("example.org", 5, Client):
        with pytest.raises(InvalidInputError, match="the address of a Tessera service"):
            tessera.search(HERE, service=wrong)
    with pytest.raises(InvalidInputError, match="because they say where to search"):
        tessera.search(HERE, service=server.url, cubes="a.fits")
