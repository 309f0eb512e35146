"""Previews whose light curves are detrended."""

from __future__ import annotations

import copy
import csv
from collections.abc import Iterator

import numpy as np
import pytest

import tessera
from tessera import Client, NothingFoundError
from tessera.cli.main import main
from tessera.errors import NoOverlapError
from tessera.lightcurves.detrending.vector_files import vectors_fits
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera.tess.quality import SCATTERED_LIGHT
from tessera_cloud import measure_keys
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, RA, Api
from tests.support.builds import SETTINGS
from tests.support.previews import CUBE, N, ask, star_store, whole
from tests.support.service import service_of


@pytest.fixture(scope="module")
def filled() -> MemoryStore:
    return star_store()


@pytest.fixture
def api(filled: MemoryStore) -> Api:
    return Api(MemoryStore(objects=copy.copy(filled.objects)))


def give_vectors(api: Api, n_cadences: int = N, first: float = 0.0) -> None:
    """Put vectors beside the cube, as the workflow after a build does."""
    [cube] = [key for bucket, key in api.store.objects if key.endswith(f"{CUBE}-cube.fits")]
    values = np.sin(np.arange(n_cadences) / 3.0)[np.newaxis]
    vectors = CotrendingVectors(first + np.arange(n_cadences) / 48, None, np.zeros(n_cadences, bool), values)
    api.store.write(SETTINGS.cube_bucket, measure_keys.beside(cube, "-vectors.fits"), vectors_fits(vectors, [], 4, 2))


def test_a_preview_says_what_was_removed(api: Api) -> None:
    give_vectors(api)
    usual = whole(api)
    assert "detrended" not in usual
    assert "trend" not in usual["lightcurve"]
    for method, removed in (("pld", "pld: 3 of "), ("cbv", "cbv: 1 cotrending vectors")):
        found = whole(api, detrend=method)
        assert found["detrended"].startswith(removed)
        curve = found["lightcurve"]
        before = np.add(curve["flux"], curve["trend"])
        np.testing.assert_allclose(before, usual["lightcurve"]["flux"], rtol=1e-5)
        assert np.ptp(curve["trend"]) > 0
        assert [bits & ~SCATTERED_LIGHT for bits in curve["quality"]] == usual["lightcurve"]["quality"]
        assert f"detrend={method}" in found["pictures"]["median"]
    assert whole(api) == usual


def test_points_have_the_mean_trend(api: Api) -> None:
    curve, all_of_it = (whole(api, detrend="pld", points=points)["lightcurve"] for points in (10, 2000))
    assert len(curve["trend"]) == len(curve["time"]) <= 10
    assert min(all_of_it["trend"]) <= min(curve["trend"]) <= max(curve["trend"]) <= max(all_of_it["trend"])


def test_the_csv_has_the_trend(api: Api) -> None:
    rows = list(csv.DictReader(ask(api, "/v1/preview.csv", detrend="pld").content.decode().splitlines()))
    assert [*rows[0]] == ["time_btjd", "flux", "flux_err", "quality", "trend"]
    expected = whole(api, detrend="pld")["lightcurve"]["trend"]
    np.testing.assert_allclose([float(row["trend"]) for row in rows], expected)


def test_a_cube_without_vectors_says_so(api: Api) -> None:
    answer = ask(api, detrend="cbv")
    assert answer.status == 400
    assert "none or pld for this cube, because there are no cotrending vectors of it" in answer.content.decode()
    give_vectors(api)
    assert ask(api, detrend="cbv").status == 200


def test_a_light_curve_that_cannot_be_detrended_is_refused(api: Api) -> None:
    # a pixel alone has no other for its background
    for size, background in (("1", "median"), ("9", "none")):
        answer = ask(api, detrend="pld", size=size, background=background)
        assert answer.status == 400
        assert answer.json()["error"]["parameter"] == "detrend"
        assert "none or cbv without a subtracted background" in answer.json()["error"]["message"]


def test_vectors_of_other_cadences_are_a_defect(api: Api) -> None:
    give_vectors(api, N + 1)
    assert ask(api, detrend="cbv").status == 500


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with service_of(api) as server, Client(server.url, patience=0) as client:
        yield client


def test_the_client_asks_for_it(client: Client) -> None:
    plain = client.preview(CUBE, (RA, DEC), 9)
    preview = client.preview(CUBE, (RA, DEC), 9, detrend="pld")
    assert (plain.trend, plain.detrended) == (None, "")
    assert preview.detrended.startswith("pld: ")
    assert preview.trend is not None
    np.testing.assert_allclose(preview.trend, plain.flux - preview.flux, atol=1e-2)
    assert client.preview_csv(CUBE, (RA, DEC), 9, detrend="pld").startswith("time_btjd,flux,flux_err,quality,trend\n")


def test_a_search_of_the_service_detrends_with_its_vectors(api: Api, client: Client) -> None:
    found = tessera.search((RA, DEC), service=client)
    with pytest.raises(NothingFoundError):
        client.cotrending_vectors(CUBE)
    with pytest.raises(
        NoOverlapError, match="none or pld for this cube, because there are no cotrending vectors of it"
    ):
        found.stitch(9, detrend="cbv")
    give_vectors(api, first=client.preview(CUBE, (RA, DEC), 9).time[0])
    assert client.cotrending_vectors(CUBE).vectors.shape == (1, N)
    curve = found.stitch(9, detrend="cbv", quality="none", level="none")
    expected = client.preview(CUBE, (RA, DEC), 9, detrend="cbv").trend
    assert curve.trend is not None
    assert expected is not None
    np.testing.assert_allclose(curve.trend, expected, rtol=1e-4)


@pytest.mark.parametrize("more", [[], ["--stitch"]], ids=["each", "stitched"])
def test_the_command_line_asks_for_the_vectors_of_a_cube_once(
    api: Api, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    targets = [f"{RA} {DEC}", f"{RA} {DEC + 0.003:.6f}"]
    with service_of(api) as server:
        command = ["lightcurve", *targets, "--service", server.url, "-s", "5", "--quality", "none", "--detrend", "cbv"]
        assert main([*command, *more]) == 1
        assert server.lines.count(f"GET /v1/cubes/{CUBE}/vectors.fits") == 1
        assert capsys.readouterr().err.count("there are no cotrending vectors of it") == 2
        give_vectors(api, first=whole(api)["lightcurve"]["time"][0])
        assert main([*command, *more]) == 0
        assert server.lines.count(f"GET /v1/cubes/{CUBE}/vectors.fits") == 2
