"""The date of a run of tests."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tessera_cloud import bootstrap


def test_tests_run_on_the_date_that_was_asked_for_or_today(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    (tmp_path / "now").touch()  # the kernel's clock does not travel
    today = datetime.datetime.fromtimestamp((tmp_path / "now").stat().st_mtime, datetime.UTC)
    asked: datetime.datetime | None = request.config.getoption("--date")
    began = asked.replace(tzinfo=datetime.UTC) if asked else today
    assert began <= bootstrap.utc_now() < began + datetime.timedelta(days=300)


def test_a_still_clock_shows_one_time(still_clock: datetime.datetime) -> None:
    assert bootstrap.utc_now() == still_clock
