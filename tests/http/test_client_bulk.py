"""Lists of targets: the client against the API and the functions of this process, over real HTTP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

import tessera
from tessera import InvalidInputError
from tessera.cli.main import main
from tessera.verify.products.catalogue import read_curves
from tests.support.api import DEC, N_CADENCES, RA, Api, sky
from tests.support.coroutines import run_coroutine
from tests.support.run_lists import run_lists
from tests.support.service import Server, service_of

STARS = [sky(20.3, 14.2), sky(20.9, 15.7), sky(31.0, 22.4)]


@pytest.fixture
def server(api: Api) -> Iterator[Server]:
    with service_of(api) as server:
        yield server


@pytest.fixture
def client(api: Api, server: Server) -> Iterator[tessera.Client]:
    """A client whose pauses are as long as the work on lists."""
    with tessera.Client(server.url, sleep=lambda _: run_lists(api)) as client:
        yield client


def test_the_price_is_the_same_for_a_file_a_table_and_positions(client: tessera.Client, tmp_path: Path) -> None:
    path = tmp_path / "stars.csv"
    path.write_text("ra,dec\n" + "".join(f"{ra!r},{dec!r}\n" for ra, dec in STARS), encoding="utf-8")
    columns = {"ra": [ra for ra, _ in STARS], "dec": [dec for _, dec in STARS]}
    lists = (path, columns, STARS, SkyCoord(STARS, unit="deg"))
    plans = [client.bulk_plan(given, size=5, outputs=["parquet", "tpf"]) for given in lists]
    assert (plans[0].rows, plans[0].cutouts, plans[0].cubes, plans[0].allowed) == (3, 6, 2, True)
    assert plans[0].usd > 0
    assert [plan.bytes for plan in plans] == [plans[0].bytes] * 4


def test_a_list_is_sent_waited_for_and_loaded(client: tessera.Client, server: Server, tmp_path: Path) -> None:
    given = [*STARS, (RA, 95.0), (200.0, 10.0)]
    job = client.bulk(given, size=5, outputs=["parquet", "lightcurves", "tpf"])
    assert job.status in ("queued", "running")
    counts: list[tuple[int, int]] = []
    paths = job.download(tmp_path / "out", progress=lambda *count: counts.append(count))
    assert (job.status, job.progress, job.state.rows) == ("succeeded", (5, 5), 5)
    assert counts[-1] == (len(paths) - 1, len(paths) - 1)  # without the manifest
    manifest = json.loads((tmp_path / "out/manifest.json").read_bytes())
    for file in manifest["files"]:
        assert hashlib.sha256((tmp_path / "out" / file["name"]).read_bytes()).hexdigest() == file["sha256"]
    assert {file["name"] for file in manifest["files"]} <= {str(p.relative_to(tmp_path / "out")) for p in paths}

    table = job.status_table()
    made = {(row["row"], row["status"]) for row in table}
    assert made == {(1, "ok"), (2, "ok"), (3, "ok"), (4, "error"), (5, "no overlap")}
    catalogue = tessera.open_catalogue(tmp_path / "out")
    assert sorted(set(catalogue.targets["row"])) == [1, 2, 3]
    assert [len(catalogue.curve(1, sector)) for sector in N_CADENCES] == list(N_CADENCES.values())


def test_the_light_curves_of_a_list_are_those_of_single_cutouts(client: tessera.Client, tmp_path: Path) -> None:
    client.bulk(STARS, size=5, sectors=1).download(tmp_path)
    catalogue = tessera.open_catalogue(tmp_path)
    for row, star in enumerate(STARS, 1):
        (cutout,) = client.cutouts(star, 5, sectors=1)
        expected = cutout.pixels.to_lightcurve("default", "default", "none")
        np.testing.assert_array_equal(catalogue.curve(row).flux, expected.flux)


def test_the_files_of_a_list_are_made_again_from_their_cubes(api: Api, client: tessera.Client, tmp_path: Path) -> None:
    client.bulk(STARS, size=5).download(tmp_path / "out")
    paths = sorted((tmp_path / "out").rglob("Npix=*/*.parquet"))
    assert len(paths) == len(N_CADENCES)
    for path in paths:
        record = read_curves(path.read_bytes()).record
        assert record is not None
        bucket, _, key = record.origin.location.removeprefix("s3://").partition("/")
        content, about = api.store.read(bucket, key)
        assert (record.origin.etag, record.origin.size) == (about.etag.strip('"'), len(content))
        cube = tmp_path / key.rpartition("/")[2]
        cube.write_bytes(content)
        found = tessera.verify_product(path, cube)
        assert (found.status, found.problems, found.notes) == ("same", [], [])


def test_a_list_that_is_too_long_for_a_request_is_uploaded(
    client: tessera.Client, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.client.bulk.lists.BODY_ROWS", 2)
    (tmp_path / "stars.csv").write_text(f"ra,dec\n{RA!r},{DEC!r}\n{RA!r},{DEC!r}\n200,10\n", encoding="utf-8")
    job = client.bulk(tmp_path / "stars.csv", size=5, sectors=1)
    assert [line for line in server.lines if line.startswith("PUT")] != []
    assert job.wait().status == "succeeded"
    assert list(job.status_table()["status"]) == ["ok", "ok", "no overlap"]


def test_the_same_list_is_the_same_work_and_is_found_by_its_address(client: tessera.Client) -> None:
    first, again = client.bulk(STARS, size=5), client.bulk(STARS, size=5)
    assert first.id == again.id
    assert client.bulk(STARS, size=7).id != first.id
    assert client.open_bulk(f"{client.url}/v1/bulk/{first.id}").id == first.id
    with pytest.raises(tessera.NothingFoundError):
        client.open_bulk("0" * 32)


def test_what_is_finished_can_be_loaded_before_the_end(api: Api, client: tessera.Client, tmp_path: Path) -> None:
    job = client.bulk(STARS, size=5)
    assert job.download(tmp_path, wait=False) == []
    assert run_lists(api, most_bands=1) == 1
    (path,) = job.download(tmp_path, wait=False)
    assert path.suffix == ".parquet"
    assert job.status == "running"
    assert len(tessera.open_catalogue(tmp_path)) == 3
    assert len(job.download(tmp_path)) > 2
    assert len(tessera.open_catalogue(tmp_path)) == 6


def test_a_list_is_cancelled_and_goes_on_when_it_is_asked_for_again(client: tessera.Client) -> None:
    job = client.bulk(STARS, size=5)
    with pytest.raises(tessera.RefusedRequestError):
        client.open_bulk(job.id).cancel()
    assert job.cancel().status == "cancelled"
    again = client.bulk(STARS, size=5)
    assert (again.id, again.wait().status) == (job.id, "succeeded")


def test_errors_say_which_argument_and_what_is_allowed(client: tessera.Client, server: Server, tmp_path: Path) -> None:
    with pytest.raises(tessera.RefusedRequestError) as caught:
        client.bulk(Table({"brightness": [1, 2]}))
    assert caught.value.status == 400
    assert "ra and dec" in str(caught.value)
    (tmp_path / "no.parquet").write_bytes(b"no table")
    with pytest.raises(tessera.RefusedRequestError):
        client.bulk_plan(tmp_path / "no.parquet")
    n_asked = len(server.lines)
    with pytest.raises(InvalidInputError, match="a list with the columns brightness'; allowed: a table"):
        client.bulk({"brightness": [1, 2]})
    with pytest.raises(InvalidInputError, match="outputs is 'csv'; allowed: 'parquet', 'lightcurves', 'tpf'"):
        client.bulk(STARS, outputs="csv")
    assert len(server.lines) == n_asked


def test_the_command_line_asks_the_same(
    client: tessera.Client, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client.bulk(STARS, size=5, outputs=["tpf"]).wait()
    places = [f"{ra!r} {dec!r}" for ra, dec in STARS]
    assert main(["lightcurve", *places, "--service", server.url, "-s", "5", "--plan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["cutouts"] == 6


def test_the_asynchronous_client_does_the_same(api: Api, server: Server, tmp_path: Path) -> None:
    async def pause(_: float) -> None:
        run_lists(api)

    async def ask() -> None:
        async with tessera.AsyncClient(server.url, sleep=pause) as client:
            plan = await client.bulk_plan(STARS, size=5)
            job = await client.bulk(STARS, size=5)
            await job.download(tmp_path)
            assert job.progress == (plan.rows, plan.rows)

    run_coroutine(ask())
    assert len(tessera.open_catalogue(tmp_path)) == 6
