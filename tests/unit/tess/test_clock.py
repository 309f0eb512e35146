"""Times are converted without the network, also when the leap seconds of this machine have expired."""

from __future__ import annotations

import subprocess
import sys

from tests.support.paths import ROOT

PROGRAM = """
import datetime, socket, time_machine
asked = []
def refuse(*arguments, **options):
    asked.append(arguments[:2])
    raise OSError("there is no network")
socket.getaddrinfo = socket.socket.connect = refuse
with time_machine.travel(datetime.datetime(2031, 6, 1, tzinfo=datetime.timezone.utc)):
    from tessera.tess.clock import Time
    print(Time("2018-07-25T19:30:00", scale="utc").tdb.jd, Time(2458325.5, format="jd", scale="tdb").utc.isot, asked)
"""


def test_nothing_is_downloaded_when_leap_seconds_have_expired() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": str(ROOT / "layers/engine/src"), "PATH": "/usr/bin", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=True,
    )
    day, date, asked = done.stdout.strip().split(" ", 2)
    assert abs(float(day) - (2458325.3125 + 69.184 / 86400)) < 1e-8
    assert (date[:-1], asked) == ("2018-07-25T23:58:50.81", "[]")
    assert done.stderr == ""


def test_every_module_takes_time_from_there() -> None:
    sources = [path for folder in ("layers/engine", "shared", "local") for path in (ROOT / folder).rglob("*.py")]
    users = [path.name for path in sources if "from astropy.time import Time" in path.read_text(encoding="utf-8")]
    assert users == ["clock.py"]
