"""Jobs on the real processes: a client of TESSCut waits for its archive without knowing it; ours watches."""

from __future__ import annotations

import io
import time
import zipfile

import pytest
import requests
from astropy.io import fits

from tests.api.conftest import N_NOISE, NOISE, Service, sky

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("api-stack")]
SHAPE = (120, 120)


def test_a_window_that_is_too_large_to_wait_for_comes_through_the_chain(service: Service) -> None:
    ra, dec = sky(NOISE, SHAPE, 60, 60)
    query = {"ra": ra, "dec": dec, "y": 110, "x": 111}
    first = requests.post(f"{service.url}/astrocut", data=query, timeout=30, allow_redirects=False)
    assert first.status_code == 303
    assert first.headers["Location"].startswith(f"{service.stack.url}/v1/jobs/")
    answer = requests.post(f"{service.url}/astrocut", data=query, timeout=120)
    assert [hop.status_code for hop in answer.history] == [303] * len(answer.history)
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    (name,) = archive.namelist()
    assert name == f"tess-s0003-3-3_{ra:.6f}_{dec:.6f}_111x110_astrocut.fits"
    with fits.open(io.BytesIO(archive.read(name))) as hdus:
        assert hdus["PIXELS"].data["FLUX"].shape == (N_NOISE, 110, 111)
    again = requests.get(f"{service.url}/astrocut", params=query, timeout=30, allow_redirects=False)
    assert "/results/" in again.headers["Location"]


def test_a_job_is_watched_and_its_files_are_fetched(service: Service) -> None:
    ra, dec = sky(NOISE, SHAPE, 60, 60)
    base = service.stack.url
    answer = requests.post(f"{base}/v1/jobs", json={"position": {"ra": ra, "dec": dec}, "size": [101, 102]}, timeout=30)
    assert answer.status_code == 202
    deadline = time.monotonic() + 60
    while (job := requests.get(answer.headers["Location"], timeout=30).json())["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert (job["status"], job["progress"]) == ("succeeded", {"cubes": 1, "done": 1, "failed": 0})
    (cube,) = job["cubes"]
    content = requests.get(cube["url"], timeout=30).content
    assert len(content) == cube["bytes"]
    with fits.open(io.BytesIO(content)) as hdus:
        assert hdus["PIXELS"].data["FLUX"].shape == (N_NOISE, 101, 102)
    assert requests.delete(job["url"], timeout=30).status_code == 409


def test_the_document_and_its_page_are_served(service: Service) -> None:
    document = requests.get(f"{service.stack.url}/openapi.json", timeout=30).json()
    assert document["servers"] == [{"url": service.stack.url}]
    page = requests.get(f"{service.stack.url}/docs", timeout=30)
    assert page.headers["Content-Type"].startswith("text/html")
    assert requests.get(f"{service.stack.url}/v1/health", timeout=30).json()["status"] == "ok"
    assert requests.get(service.stack.url, timeout=30).status_code == 200
