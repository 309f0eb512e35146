"""The client against the real processes: a job from its beginning to its files."""

from __future__ import annotations

from pathlib import Path

import pytest

import tessera
from tests.api.conftest import N_NOISE, NOISE, Service, sky

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("api-stack")]


def test_a_job_is_begun_watched_and_its_files_are_written(service: Service, tmp_path: Path) -> None:
    counts: list[tuple[int, int]] = []
    target = sky(NOISE, (120, 120), 60, 60)
    with tessera.Client(service.stack.url) as client:
        job = client.job(target, (103, 102))
        assert job.wait(60, progress=lambda *count: counts.append(count)).status == "succeeded"
        (result,) = job.download(tmp_path)
        (same,) = client.cutouts(target, (103, 102))
    assert counts[-1] == job.progress == (1, 1)
    assert result.pixels.flux.shape == (N_NOISE, 103, 102)
    assert result.path is not None
    assert result.path.read_bytes() == same.data
