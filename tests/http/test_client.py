"""The client of a service against the API of this process, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

import tessera
from tessera import Client, CutoutOptions, InvalidInputError, Region
from tessera.client.wire.failures import FailedJobError, NothingFoundError, RefusedRequestError
from tessera_cloud.application.switch import pause
from tests.support.api import DEC, N_CADENCES, RA, Api
from tests.support.coroutines import run_coroutine
from tests.support.service import Server, service_of

NAMES = [f"tess-s{sector:04d}-4-2_{RA:.6f}_{DEC:.6f}_5x5_astrocut.fits" for sector in (1, 2)]


@pytest.fixture
def server(api: Api) -> Iterator[Server]:
    with service_of(api) as server:
        yield server


@pytest.fixture
def client(api: Api, server: Server) -> Iterator[Client]:
    """A client whose pauses are as long as the jobs that wait."""
    with Client(server.url, sleep=lambda _: api.run_jobs()) as client:
        yield client


def test_the_service_says_what_it_has(client: Client) -> None:
    assert client.health().cubes == 3
    assert [cube.name for cube in client.cubes()] == ["tess-s0001-4-2", "tess-s0002-4-2", "tica-s0027-1-4"]
    assert [cube.name for cube in client.cubes(sector=2, product="spoc")] == ["tess-s0002-4-2"]
    assert [(each.sector, [ccd.corners.shape[1] for ccd in each.ccds]) for each in client.sky_map()] == [
        (1, [2]),
        (2, [2]),
    ]
    place = client.resolve("pi Men")
    assert (place.name, round(place.ra, 2), round(place.dec, 2)) == ("pi Mensae", 84.29, -80.47)


def test_all_pages_of_cubes_are_read(client: Client, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera.client.operations._PAGE", 1)
    assert [cube.sector for cube in client.cubes()] == [1, 2, 27]
    assert server.lines == ["GET /v1/cubes"] * 3


def test_a_position_is_found_on_the_pixels_of_cubes(client: Client) -> None:
    seen = client.targets(RA, DEC)
    assert [(each.sector, round(each.row, 1), round(each.column, 1)) for each in seen] == [
        (1, 20.3, 14.2),
        (2, 20.3, 14.2),
    ]
    assert [each.edge for each in seen] == [14.7, 14.7]
    region = Region([(RA - 0.01, DEC - 0.01), (RA + 0.01, DEC - 0.01), (RA, DEC + 0.01)])
    for place in ((RA, DEC), f"{RA} {DEC}", region):
        assert [each.cube for each in client.footprints(place)] == ["tess-s0001-4-2", "tess-s0002-4-2"]


@pytest.mark.parametrize("target", [(RA, DEC), f"{RA} {DEC}", SkyCoord(RA, DEC, unit="deg").galactic])
def test_small_cutouts_come_at_once(client: Client, server: Server, target: object) -> None:
    results = client.cutouts(target, 5)
    assert [result.cube for result in results] == ["tess-s0001-4-2", "tess-s0002-4-2"]
    for result, n_cadences in zip(results, N_CADENCES.values(), strict=True):
        assert (result.status, result.reason, result.path) == ("ok", "", None)
        assert result.hdus["PIXELS"].data["FLUX"].shape == (n_cadences, 5, 5)
        assert (round(result.ra, 6), round(result.dec, 6)) == (round(RA, 6), round(DEC, 6))
    assert server.lines == ["GET /v1/cutouts"]


def test_the_options_are_those_of_make_cutouts(client: Client, server: Server) -> None:
    first = client.targets(RA, DEC)[0]
    assert first.science_pixels is None
    assert client.targets(RA, DEC, size=(5, 7))[0].science_pixels == 35
    with pytest.raises(InvalidInputError, match="size"):
        client.targets(RA, DEC, size=0)
    options = CutoutOptions(time=(-np.inf, 1325.36), layout="slim", quality_mask=7, placement="tesscut")
    (result,) = client.cutouts((RA, DEC), (3, 4), sectors=[1, 1], options=options)
    table = result.hdus["PIXELS"].data
    assert table["FLUX"].shape[1:] == (3, 4)
    assert 0 < len(table) < first.n_cadences
    assert table["TIME"].max() <= 1325.36
    assert "FLUX_BKG" not in table.names
    (angular,) = client.cutouts((RA, DEC), 84 * u.arcsec, sectors=1, options=CutoutOptions(cadences=(1, 2)))
    assert angular.hdus["PIXELS"].data["FLUX"].shape == (2, 4, 4)
    assert server.lines[-1] == "POST /v1/cutouts"


def test_files_mark_an_aperture_that_is_asked_for(client: Client) -> None:
    preview = client.preview("tess-s0001-4-2", (RA, DEC), 5)
    ours = client.cutouts((RA, DEC), 5, aperture="default,tess-s0002-4-2:4F10800")
    wanted = np.unpackbits(np.frombuffer(bytes.fromhex("4f108000"), np.uint8))[:25].reshape(5, 5)
    np.testing.assert_array_equal(ours[0].pixels.mask("pipeline"), preview.aperture)
    np.testing.assert_array_equal(ours[1].pixels.mask(), wanted)
    job = client.job((RA, DEC), 5, aperture="all")
    job.wait()
    assert all(result.pixels.mask().all() for result in job.download())


@pytest.mark.parametrize("target", [(RA, DEC), Region([(1, 1), (2, 1), (2, 2)])])
@pytest.mark.parametrize("aperture", ["07g0", "tess-s1:07c0", "tess-s0001-5-2:07c0", 7])
def test_an_aperture_that_nobody_reads_is_refused_before_any_request(
    client: Client, server: Server, target: Any, aperture: Any
) -> None:
    with pytest.raises(InvalidInputError, match=r"aperture is .*; allowed: 'default', 'all' or hexadecimal digits"):
        client.cutouts(target, aperture=aperture)
    for size in (None, 0.1 * u.deg):
        if size is not None or isinstance(target, Region):
            with pytest.raises(InvalidInputError, match="allowed: a position or name, and a size in pixels, with it"):
                client.cutouts(target, size if isinstance(target, tuple) else None, aperture="default")
    assert server.lines == []


def test_files_go_to_a_folder(client: Client, tmp_path: Path) -> None:
    results = client.cutouts((RA, DEC), 5, output_dir=tmp_path / "new")
    assert [result.path for result in results] == [tmp_path / "new" / name for name in NAMES]
    again = client.cutouts((RA, DEC), 5, output_dir=tmp_path / "new")
    assert [result.hdus[0].header["SECTOR"] for result in again] == [1, 2]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == NAMES


def test_a_file_of_something_else_is_kept_and_nothing_is_written(client: Client, tmp_path: Path) -> None:
    (tmp_path / NAMES[1]).write_text("notes")
    with pytest.raises(tessera.errors.KeptFileError, match="is kept, because it is not a target pixel file"):
        client.cutouts((RA, DEC), 5, output_dir=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [NAMES[1]]
    assert (tmp_path / NAMES[1]).read_text() == "notes"


def test_large_cutouts_are_a_job_that_is_waited_for(client: Client, server: Server, tmp_path: Path) -> None:
    counts: list[tuple[int, int]] = []
    results = client.cutouts((RA, DEC), (12, 11), output_dir=tmp_path, progress=lambda *count: counts.append(count))
    assert [result.hdus["PIXELS"].data["FLUX"].shape for result in results] == [(5, 12, 11), (4, 12, 11)]
    assert (counts[0], counts[-1]) == ((0, 2), (2, 2))
    again = client.cutouts((RA, DEC), (12, 11))  # 303 to the archive of the job
    assert [result.cube for result in again] == [result.cube for result in results]
    assert server.lines.count("GET /v1/cutouts") == 2


def test_a_region_is_cut_out(client: Client, server: Server) -> None:
    region = Region(SkyCoord([RA, RA + 0.02, RA], [DEC, DEC, DEC + 0.02], unit="deg"))
    assert [result.status for result in client.cutouts(region)] == ["ok", "ok"]
    with pytest.raises(InvalidInputError, match="size is 5; allowed: a Region without size"):
        client.cutouts(region, 5)
    assert server.lines == ["POST /v1/cutouts"]


def test_many_targets_are_cut_and_a_bad_one_stops_no_other(client: Client) -> None:
    targets = [(RA, DEC), "no such star", (0.0, 0.0), np.nan, (RA, DEC + 0.01)]
    counts: list[tuple[int, int]] = []
    results = list(client.cutouts_many(targets, 5, parallel=3, progress=lambda *count: counts.append(count)))
    by_number = sorted((result.number, result.cube[:10], result.status) for result in results)
    assert by_number == [
        (0, "tess-s0001", "ok"),
        (0, "tess-s0002", "ok"),
        (1, "", "no overlap"),
        (2, "", "no overlap"),
        (3, "", "error"),
        (4, "tess-s0001", "ok"),
        (4, "tess-s0002", "ok"),
    ]
    reasons = {result.number: result.reason for result in results}
    assert "no cube sees ra 0, dec 0" in reasons[2]
    assert reasons[3].startswith("target is nan; allowed: (ra, dec) in degrees")
    assert counts[-1] == (5, 5)


def test_a_loop_over_many_targets_may_be_left(client: Client, server: Server) -> None:
    for result in client.cutouts_many([(RA, DEC)] * 50, 5, parallel=2):
        assert result.status == "ok"
        break
    assert len(server.lines) < 10


def test_a_job_is_begun_watched_and_loaded(api: Api, client: Client, tmp_path: Path) -> None:
    job = client.job((RA, DEC), 12)
    assert (job.status, job.progress) == ("running", (0, 2))
    with pytest.raises(FailedJobError, match=r"has not ended the job .* after 0 s; 0 of 2 cubes are done"):
        job.wait(timeout=0)
    assert client.open_job(job.id).wait().status == "succeeded"
    assert client.open_job(f"{client.url}/v1/jobs/{job.id}/wait").id == job.id
    assert [result.hdus["PIXELS"].data["FLUX"].shape for result in job.download()] == [(5, 12, 12), (4, 12, 12)]
    assert (job.status, job.progress) == ("succeeded", (2, 2))
    assert job.save_archive(tmp_path / "all.zip").read_bytes().startswith(b"PK")
    with pytest.raises(RefusedRequestError) as caught:
        job.cancel()
    assert (caught.value.status, caught.value.code) == (409, "conflict")


def test_a_job_that_lacks_a_cube_says_why(api: Api, client: Client, tmp_path: Path) -> None:
    job = client.job((RA, DEC), 12)
    (cube,) = [name for name in api.store.objects if "tess-s0002-4-2" in name[1] and name[1].endswith("-cube.fits")]
    del api.store.objects[cube]
    results = job.download(tmp_path)
    assert job.status == "partial"
    assert [(result.cube, result.status) for result in results] == [("tess-s0001-4-2", "ok"), ("", "error")]
    assert "tess-s0002-4-2" in results[1].reason
    assert [path.name for path in tmp_path.iterdir()] == [results[0].name]
    with pytest.raises(tessera.InvalidQueryError, match="the service has no cutout of"):
        _ = results[1].pixels


def test_targets_are_a_table(client: Client) -> None:
    table = Table({"name": ["here", "pi Men"], "ra": [RA, 84.29], "dec": [DEC, -80.47]})
    results = sorted(client.cutouts_many(table, 5, sectors=1), key=lambda result: result.number)
    assert [(result.number, result.target.name, result.status) for result in results] == [
        (0, "here", "ok"),
        (1, "pi Men", "no overlap"),
    ]
    assert [seen.cube for seen in client.targets(f"{RA} {DEC}")] == ["tess-s0001-4-2", "tess-s0002-4-2"]


def test_a_cancelled_job_has_no_files(client: Client) -> None:
    job = client.job((RA, DEC), 12)
    assert job.cancel().status == "cancelled"
    with pytest.raises(FailedJobError, match=r"has no result of the job .*, which is cancelled"):
        job.download()


def test_a_job_that_was_opened_is_cancelled_with_the_token_of_the_one_that_was_begun(client: Client) -> None:
    job = client.job((RA, DEC), 12)
    opened = client.open_job(job.id)
    with pytest.raises(RefusedRequestError, match="cancel_token is not one of this job") as caught:
        opened.cancel()
    assert (caught.value.status, caught.value.code, opened.cancel_token) == (403, "forbidden", "")
    assert job.refresh().cancel_token == ""
    assert opened.cancel(job.cancel_token).status == "cancelled"


def test_errors_of_the_service_say_what_is_allowed(client: Client, server: Server) -> None:
    with pytest.raises(RefusedRequestError) as caught:
        client.cutouts((RA, DEC), 500)
    assert (caught.value.status, caught.value.parameter, caught.value.value) == (413, "size", "500 x 500")
    assert caught.value.allowed == "at most 900 pixels in a window"
    assert str(caught.value).startswith(f"{server.url} refuses the request: size is 500 x 500")
    with pytest.raises(NothingFoundError) as nothing:
        client.cutouts((RA, DEC), 5, sectors=9)
    assert (nothing.value.parameter, nothing.value.allowed) == ("sectors", "1, 2")


def test_the_asynchronous_client_does_the_same(api: Api, server: Server, tmp_path: Path) -> None:
    async def pause(_: float) -> None:
        api.run_jobs()

    async def ask() -> None:
        async with tessera.AsyncClient(server.url, sleep=pause) as client:
            first, large, many = await asyncio.gather(
                client.cutouts((RA, DEC), 5),
                client.cutouts((RA, DEC), 12, output_dir=tmp_path),
                _collect(client.cutouts_many([(RA, DEC), "no such star"], 5)),
            )
            assert [result.name for result in first] == NAMES
            assert [result.hdus["PIXELS"].data["FLUX"].shape for result in large] == [(5, 12, 12), (4, 12, 12)]
            assert sorted((result.number, result.status) for result in many) == [
                (0, "ok"),
                (0, "ok"),
                (1, "no overlap"),
            ]
            job = await client.job((RA, DEC), 13)
            assert [result.cube for result in await job.download()] == [result.cube for result in large]
            with pytest.raises(NothingFoundError):
                await client.resolve("no such star")

    run_coroutine(ask())


async def _collect(results: object) -> list[tessera.client.cuts.results.ServiceCutout]:
    return [result async for result in results]  # type: ignore[attr-defined]


def test_a_paused_service_is_asked_once_and_its_reason_is_told(api: Api, server: Server, client: Client) -> None:
    pause(api.handlers.services, reason="we move to another region", by="operator")
    with pytest.raises(tessera.BusyServiceError, match=r"asks to wait for 600 s .*: the service is paused: we move"):
        client.cutouts((RA, DEC), size=5)
    assert [line for line in server.lines if "cutouts" in line] == ["GET /v1/cutouts"]
