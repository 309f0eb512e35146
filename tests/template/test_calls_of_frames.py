"""The rights of those that read frames before there is a cube suffice: ingest, the API and jobs."""

from __future__ import annotations

import json

import pytest

from tessera_cloud.application.cutouts import order
from tests.support.api import DEC, N_CADENCES, RA, SHAPE
from tests.support.builds import put_frames
from tests.support.frames import tiny_sector
from tests.template.test_calls import PolicedStore
from tests.template.test_service_calls import PolicedApi


@pytest.fixture
def newest() -> PolicedApi:
    """A service with frames and no cube, whose functions may call what their policies allow, and no more."""
    api = PolicedApi(PolicedStore())
    put_frames(api.store, tiny_sector(N_CADENCES[1], SHAPE))
    record = {"messageId": "check", "body": json.dumps({"sweep": "SPOC/s0001"})}
    assert api.handlers.invoke("ingest", {"Records": [record]}) == {"batchItemFailures": []}
    assert api.handlers.invoke("ingest", {"task": "frames"}) == {"listed": 1, "left": 0}
    return api


def test_ingest_may_list_frames_again_and_again(newest: PolicedApi) -> None:
    assert newest.handlers.invoke("ingest", {"task": "frames"}) == {"listed": 0, "left": 0}


def test_the_api_may_cut_frames_and_show_previews(newest: PolicedApi) -> None:
    where = {"ra": RA, "dec": DEC, "size": 5}
    assert newest.get("/v1/cutouts", **where).status == 200
    assert newest.get("/v1/preview", cube="tess-s0001-4-2", **where).status == 200
    assert len(newest.get("/v1/targets", ra=RA, dec=DEC).json()["cubes"]) == 1


def test_a_job_may_cut_frames(newest: PolicedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "FRAMES_SYNC_REQUESTS", 3)
    job = newest.get("/v1/cutouts", ra=RA, dec=DEC, size=5).json()["id"]
    newest.run_jobs()
    assert newest.get(f"/v1/jobs/{job}").json()["status"] == "succeeded"
