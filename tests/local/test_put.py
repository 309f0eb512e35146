"""Frames that are copied to the service that runs become a cube that is served, without any other command."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from astropy.io import fits

from tessera.sky.wcs import frame_wcs
from tessera_local.cli import STABLE_SECONDS
from tests.local.test_restart import SOURCES, command, wait_for_line
from tests.support.frames import NamedFrame, centred_wcs, tiny_sector
from tests.support.tica import real_header, tiny_tica_sector

T = TypeVar("T")
SHAPE = (60, 50)
SECTOR, TICA_SECTOR = 5, 27


def write(folder: Path, frames: list[NamedFrame]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in frames:
        (folder / name).write_bytes(content)
    return folder


def put(home: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return run("put", str(folder), "--home", str(home))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tessera_local", *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES},
        capture_output=True,
        text=True,
        check=False,
    )


def eventually(ask: Callable[[], T | None], seconds: float = 60.0) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.5)
    raise AssertionError("it never came")


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        content: bytes = answer.read()
    return content


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def spoc_position() -> str:
    ra, dec = frame_wcs(dict(centred_wcs(SHAPE, SECTOR, 4, 2))).all_pix2world([[25.0, 30.0]], 0)[0]
    return f"ra={ra:.6f}&dec={dec:.6f}"


def tica_position() -> str:
    header = real_header()
    return f"ra={header['CRVAL1']}&dec={header['CRVAL2']}&product=TICA"


def cadences(url: str, sector: int, query: str) -> int | None:
    """Cadences of a cutout of a sector; None while it is not served."""
    found = json.loads(get(f"{url}/sector?{query}"))
    if sector not in {int(row["sector"]) for row in found["results"]}:
        return None
    archive = zipfile.ZipFile(io.BytesIO(get(f"{url}/astrocut?{query}&x=3&y=3&sector={sector}")))
    with fits.open(io.BytesIO(archive.read(archive.namelist()[0]))) as hdus:
        return len(hdus[1].data)


def neighbours(port: int) -> Any:
    """Stars of the catalogue around the target."""
    return json.loads(get(f"http://127.0.0.1:{port}/v1/neighbours?{spoc_position()}&cube=tess-s{SECTOR:04d}-4-2"))


def planned(home: Path) -> int:
    """Builds so far."""
    return (home / "logs/reports.jsonl").read_text(encoding="utf-8").count('"PlanCubeFunction"')


def count_lines(home: Path, text: str) -> int:
    """Lines of ingest's log with a text."""
    return sum(text in line for line in (home / "logs/IngestFunction.log").read_text(encoding="utf-8").splitlines())


@pytest.mark.slow
@pytest.mark.stack
def test_frames_that_are_put_are_served_and_grow_and_a_restart_builds_nothing_again(tmp_path: Path) -> None:
    frames = tiny_sector(6, SHAPE, sector=SECTOR)
    home, port = tmp_path / "home", free_port()
    url = f"http://127.0.0.1:{port}/tesscut/api/v0.1"
    with command(home, write(tmp_path / "first", tiny_sector(2)), port) as process:
        wait_for_line(process, "Tessera is ready")
        assert cadences(url, SECTOR, spoc_position()) is None

        assert put(home, write(tmp_path / "some", frames[:4])).returncode == 0
        assert eventually(lambda: cadences(url, SECTOR, spoc_position())) == 4

        assert "4 of them already loaded" in put(home, write(tmp_path / "some", frames)).stdout
        assert eventually(lambda: cadences(url, SECTOR, spoc_position()) == 6)

        assert put(home, write(tmp_path / "tica", tiny_tica_sector(3))).returncode == 0
        assert eventually(lambda: cadences(url, TICA_SECTOR, tica_position())) == 3

        assert neighbours(port)["catalogue"] is None, "only the demonstration has a catalogue of its own"
        (tmp_path / "stars.csv").write_text(f"tic,ra,dec,Tmag\n7,{spoc_position()[3:].replace('&dec=', ',')},9.5\n")
        made = run("stars", str(tmp_path / "stars.csv"), "--name", "TIC", "--home", str(home))
        assert (made.returncode, "TIC: 1 star down to magnitude 9.5" in made.stdout) == (0, True), made
        (star,) = neighbours(port)["stars"]
        assert (star["name"], star["row"], star["column"]) == (
            "TIC 7",
            pytest.approx(30, abs=0.01),
            pytest.approx(25, abs=0.01),
        )
        wrong = run("stars", str(tmp_path / "none.csv"), "--home", str(home))
        assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
        assert "none.csv cannot be read: there is no such file" in wrong.stderr
        process.terminate()
        assert process.wait(60) == 0
    plans, listings = planned(home), count_lines(home, "SPOC/s0005")
    with command(home, tmp_path / "first", port) as process:
        wait_for_line(process, "Tessera is ready")
        eventually(lambda: count_lines(home, "SPOC/s0005") > listings)
        assert cadences(url, SECTOR, spoc_position()) == 6
        time.sleep(2 * STABLE_SECONDS)
        assert planned(home) == plans, "a published cube was built again"
        process.terminate()
        assert process.wait(60) == 0
    gone = put(home, tmp_path / "some")
    assert (gone.returncode, str(home) in gone.stderr) == (1, True)
