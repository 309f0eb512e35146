"""A list of targets through the service: nothing missing, nothing twice, astrocut's pixels, though workers die."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tessera_cloud.names import CubeId
from tests.page.conftest import CUBES, Site
from tests.support import list_results
from tests.support.list_results import Results
from tests.support.running_lists import Killer, Lists, copy_cube

N_ROWS, SIZE, SEED = 200, 7, 16
N_COMPARED = 25
HOSTILE = {50: "400,10", 100: "north,10", 150: ","}
ELSEWHERE = 60


def test_a_list_whose_workers_are_killed_is_made_once_and_whole(site: Site, tmp_path: Path) -> None:
    stack = site.stack
    cubes = {
        CubeId(ccd).obs_id: copy_cube(stack, CubeId(ccd), tmp_path / f"{CubeId(ccd).obs_id}-cube.fits") for ccd in CUBES
    }
    frames = list_results.frames_of(cubes)
    chance = np.random.default_rng(SEED)
    places, lines = {}, ["ra,dec"]
    for row in range(1, N_ROWS + 1):
        wcs, n_rows, n_columns = frames[list(cubes)[row % 2]]
        pixel = chance.uniform(-5, n_columns + 4), chance.uniform(-5, n_rows + 4)
        ra, dec = wcs.all_pix2world([pixel], 0)[0]
        if row == ELSEWHERE:
            ra, dec = 10, 80
        if row not in HOSTILE:
            places[row] = round(float(ra), 7), round(float(dec), 7)
        lines.append(HOSTILE.get(row, "{!r},{!r}".format(*places.get(row, (0, 0)))))
    lists = Lists(stack)
    killer = Killer(stack, 2, SEED, longest=0.5)
    job = lists.begin("\n".join(lines), outputs="parquet,tpf", size=str(SIZE))
    killer.start()
    ended = lists.wait(job["id"], 120)
    killer.stop()
    assert ended["status"] == "succeeded", ended["reason"]

    results = Results(lists.download(job["id"], tmp_path))
    statuses = results.statuses()
    expected, unsure = list_results.expected_pairs(places, frames, (SIZE, SIZE))
    list_results.check_nothing_missing_and_nothing_twice(statuses, N_ROWS, expected, unsure, ("parquet", "tpf"))
    assert {int(each["row"]) for each in statuses if each["status"] == "error"} == set(HOSTILE)
    assert set(results.members().values()) == {1}
    curves = {
        (int(each["row"]), each["cube"]) for each in statuses if (each["product"], each["status"]) == ("parquet", "ok")
    }
    assert (set(results.curves()), len(curves) > N_ROWS) == (curves, True)
    files = [each for each in statuses if each["product"] == "tpf"]
    for file in chance.choice(np.array(files), N_COMPARED, replace=False):
        list_results.check_pixels(results.member(file), cubes[file["cube"]], places[int(file["row"])])
    assert {each["cube"] for each in files} == cubes.keys()
