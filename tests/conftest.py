"""Settings of all tests, and time in tests: what `pytest --date 2031-06-01T12:00` and the fixture `still_clock` do.

Only this process travels, and only its clock of the day: the programs that tests start keep theirs.
"""

from __future__ import annotations

import copy
import datetime
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import time_machine
from astropy.utils import iers
from hypothesis import settings

from tests.support.clocks import STILL_DAY, still_day

# A busy machine must not fail a test. Loaded here, so that --hypothesis-profile can still choose another profile.
settings.register_profile("tessera", deadline=None)
settings.load_profile("tessera")

# A shell lets what runs behind it ignore interrupts, and programs inherit that. Some tests interrupt programs.
signal.signal(signal.SIGINT, signal.default_int_handler)

DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True, scope="session")
def leap_seconds_of_the_lock() -> Iterator[None]:
    """The leap seconds that are installed, however old: astropy would fetch others and warn."""
    with iers.conf.set_temp("auto_download", value=False), iers.conf.set_temp("auto_max_age", value=None):
        yield


@pytest.fixture(autouse=True)
def settings_of_moto() -> Iterator[None]:
    """The settings of moto, which hold for the whole process: a test that leaves others fails here, not in another."""
    moto = sys.modules.get("moto.core.config")
    before = copy.deepcopy(moto.default_user_config) if moto else None
    yield
    assert moto is None or moto.default_user_config == before


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The second interpreter of state machines."""
    from tests.support.ministack import PYTHON, running_ministack  # noqa: PLC0415 - others need no moto

    if not PYTHON.exists():
        pytest.skip(f"ministack is not installed at {PYTHON}; `make test-interpreters` installs it")
    with running_ministack(tmp_path_factory.mktemp("ministack")) as program:
        yield program


@pytest.fixture
def still_clock() -> Iterator[datetime.datetime]:
    """A clock that stands still, for tests that compare files with their dates."""
    with still_day():
        yield STILL_DAY


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--date", type=datetime.datetime.fromisoformat, help="time in UTC at which every test begins")
    parser.addoption(
        "--installed", type=Path, metavar="ENVIRONMENT", help="an environment with the wheel, for programs of pages"
    )
    parser.addoption(
        "--interpreter", choices=["moto", "ministack"], default="moto", help="what runs the state machines"
    )
    parser.addoption("--day-lasts", type=float, metavar="SECONDS", help="with --date: how long until the next day")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    date, day_lasts = item.config.getoption("--date"), item.config.getoption("--day-lasts")
    if date is None:
        return (yield)
    over = threading.Event()
    with time_machine.travel(date.replace(tzinfo=datetime.UTC)) as clock:
        days = threading.Thread(target=_let_days_pass, args=(clock, day_lasts, over))
        days.start()
        try:
            return (yield)
        finally:
            over.set()
            days.join()


def _let_days_pass(clock: time_machine.Traveller, day_lasts: float | None, over: threading.Event) -> None:
    while not over.wait(day_lasts):
        clock.shift(DAY)
