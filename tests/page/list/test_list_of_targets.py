"""A list of targets through the service: nothing missing, nothing twice, astrocut's pixels, though workers die."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tessera_cloud.names import CubeId
from tests.page.conftest import CUBES, Site, Visit
from tests.support import list_results
from tests.support.list_results import Results
from tests.support.running_lists import Killer, Lists, copy_cube

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

N_ROWS, SIZE, SEED = 200, 7, 16
N_COMPARED = 12
HOSTILE = {50: "400,10", 100: "north,10", 150: ","}
ELSEWHERE = 60


@dataclass(frozen=True)
class MadeList:
    """A list whose work has ended."""

    id: str
    cubes: dict[str, Path]
    places: dict[int, tuple[float, float]]


@pytest.fixture(scope="module")
def made(site: Site, tmp_path_factory: pytest.TempPathFactory) -> MadeList:
    """A list of targets on and around two cubes, during whose work two workers were killed."""
    folder = tmp_path_factory.mktemp("cubes")
    cubes = {cube.obs_id: copy_cube(site.stack, cube, folder / f"{cube.obs_id}.fits") for cube in map(CubeId, CUBES)}
    wcs, n_rows, n_columns = list_results.frames_of(cubes)[next(iter(cubes))]
    chance = np.random.default_rng(SEED)
    places: dict[int, tuple[float, float]] = {}
    lines = ["ra,dec"]
    for row in range(1, N_ROWS + 1):
        pixel = chance.uniform(-5, n_columns + 4), chance.uniform(-5, n_rows + 4)
        ra, dec = (10, 80) if row == ELSEWHERE else wcs.all_pix2world([pixel], 0)[0]
        if row not in HOSTILE:
            places[row] = round(float(ra), 7), round(float(dec), 7)
        lines.append(HOSTILE.get(row) or "{!r},{!r}".format(*places[row]))
    lists = Lists(site.stack)
    job = lists.begin("\n".join(lines), outputs="parquet,tpf", size=str(SIZE))
    killer = Killer(site.stack, 2, SEED, longest=0.5)
    killer.start()
    ended = lists.wait(job["id"], 120)
    killer.stop()
    assert ended["status"] == "succeeded", ended["reason"]
    return MadeList(job["id"], cubes, places)


def test_a_list_whose_workers_are_killed_is_made_once_and_whole(site: Site, made: MadeList, tmp_path: Path) -> None:
    results = Results(Lists(site.stack).download(made.id, tmp_path))
    statuses = results.statuses()
    expected, unsure = list_results.expected_pairs(made.places, list_results.frames_of(made.cubes), (SIZE, SIZE))
    list_results.check_nothing_missing_and_nothing_twice(statuses, N_ROWS, expected, unsure, ("parquet", "tpf"))
    assert {int(each["row"]) for each in statuses if each["status"] == "error"} == set(HOSTILE)
    assert set(results.members().values()) == {1}
    good = [each for each in statuses if each["status"] == "ok"]
    assert set(results.curves()) == {(int(each["row"]), each["cube"]) for each in good if each["product"] == "parquet"}
    files = [each for each in good if each["product"] == "tpf"]
    for file in np.random.default_rng(SEED).choice(np.array(files), N_COMPARED, replace=False):
        list_results.check_pixels(results.member(file), made.cubes[file["cube"]], made.places[int(file["row"])])
    assert {each["cube"] for each in files} == made.cubes.keys()


def saved(page: Any, click: Any) -> str:
    """What a click downloads."""
    with page.expect_download() as found:
        click()
    return Path(found.value.path()).read_text(encoding="utf-8")


def test_a_list_that_has_ended_is_shown_with_its_files(visit: Visit, made: MadeList) -> None:
    page = visit.open(f"{visit.site.url}/#bulk={made.id}")
    expect(page.locator(".job")).to_contain_text("Ready: ")
    expect(page.locator("#list-job")).to_contain_text("3 rows cannot be understood")
    expect(page.locator("#list-job-body tbody tr").nth(1)).to_contain_text("100ra and dec are 'north 10'")
    expect(page.locator("#list-files")).to_contain_text("Npix=")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    status = saved(page, page.get_by_role("link", name="status.csv").first.click)
    assert {line.split(",")[0] for line in status.splitlines()} == {"row", *map(str, range(1, N_ROWS + 1))}
    links = saved(page, page.get_by_role("button", name="All links, for curl").click)
    names = re.findall(r'^output = "(.*)"$', links, re.MULTILINE)
    assert {"status.csv", "manifest.json"} < set(names)
    assert sum(name.endswith((".zip", ".parquet")) for name in names) >= 4
