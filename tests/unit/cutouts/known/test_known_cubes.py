"""What is known of a cube is used again: fewer requests, and never another cube's headers, pixels or rights."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time
from fsspec.implementations.memory import MemoryFileSystem

from tessera import TessCubeCutout, make_cutouts
from tessera.cutouts import open_cube
from tessera.cutouts.known.cubes import forget_cubes
from tessera.errors import DownloadWarning
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tests.support.known_cubes import NAME, PATH, ROWS, asked, cut, header
from tests.support.web import Site

pytestmark = pytest.mark.usefixtures("still_clock")


def test_a_first_call_asks_for_both_ends_and_then_for_the_pixels(web: Site, target: SkyCoord) -> None:
    assert cut(web.base + PATH, target).status == "ok"
    ranges = asked(web)
    assert sorted(ranges[:3]) == ["-30000", "-60000", "0-34559"]
    assert len(ranges) == 3 + ROWS


@pytest.mark.parametrize("status", [403, 416, 200])
def test_a_server_without_ranges_from_the_end_is_asked_for_the_table_afterwards(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord, status: int
) -> None:
    web.judge = lambda heads: status if heads.get("range", "").startswith("bytes=-") else 0
    assert cut(web.base + PATH, target).data == cut(cubes[0], target).data
    assert 4 + ROWS <= len(asked(web)) <= 6 + ROWS  # a first look at the table takes two


def test_a_second_call_asks_for_nothing_but_the_pixels_of_the_same_version(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord
) -> None:
    expected = cut(cubes[0], target)
    first = cut(web.base + PATH, target)
    asked(web)
    second = cut(web.base + PATH, target)
    pinned = [header(heads, "if-match") for _, _, heads in web.requests]
    n_bytes = sum(int(end) - int(start) + 1 for start, end in (item.split("-") for item in asked(web)))
    assert n_bytes == ROWS * ROWS * 3 * 2 * 4
    assert len(pinned) == ROWS
    assert all(pinned)
    assert first.data == second.data == expected.data


def test_all_functions_use_what_one_of_them_found_out(web: Site, cubes: tuple[Path, Path], target: SkyCoord) -> None:
    url = web.base + PATH
    assert cut(url, target).status == "ok"
    asked(web)
    cutout = TessCubeCutout(url, target, ROWS)
    assert len(asked(web)) == ROWS
    assert (cutout.cutouts[0].cutout.planes == TessCubeCutout(cubes[0], target, ROWS).cutouts[0].cutout.planes).all()
    with open_cube.open_cube(url) as file:
        assert asked(web) == ["0-0"]
        assert file.cube.layout.n_cadences == 3
    times = Time(np.linspace(2_458_300, 2_458_360, 9), format="jd", scale="utc")
    path = Ephemeris(times, np.full(9, target.ra.deg), np.full(9, target.dec.deg))
    (moving,) = make_moving_cutouts([url], path, ROWS)
    assert moving.status == "ok"
    assert not {"-60000", "0-34559"} & set(asked(web))


@pytest.mark.parametrize("pins", [True, False])
def test_a_cube_that_was_replaced_between_two_calls_is_read_anew(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord, pins: bool
) -> None:
    web.pins = pins
    assert cut(web.base + PATH, target).data == cut(cubes[0], target).data
    web.files[PATH] = cubes[1].read_bytes()
    assert cut(web.base + PATH, target).data == cut(cubes[1], target).data
    web.files[PATH] = cubes[0].read_bytes()
    assert TessCubeCutout(web.base + PATH, target, ROWS).cutouts[0].cutout.planes.shape[1] == 3
    web.files[PATH] = cubes[1].read_bytes()
    with open_cube.open_cube(web.base + PATH) as file:
        assert file.cube.layout.n_cadences == 4


def test_a_cube_that_is_replaced_while_it_is_read_is_read_anew_once(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord
) -> None:
    old, new = (path.read_bytes() for path in cubes)
    assert cut(web.base + PATH, target).status == "ok"
    web.forget_requests()

    def replace_at(numbers: tuple[int, ...]) -> Any:
        def judge(_: dict[str, str]) -> int:
            if len(web.requests) in numbers:
                web.files[PATH] = new if web.files[PATH] is old else old
            return 0

        return judge

    web.files[PATH] = old
    web.judge = replace_at((3,))
    assert cut(web.base + PATH, target).data == cut(cubes[1], target).data
    web.forget_requests()
    web.judge = replace_at(tuple(range(2, 100)))
    result = cut(web.base + PATH, target)
    assert result.status == "error"
    assert "was replaced while it was read" in result.reason


@pytest.mark.parametrize(("etag", "changed"), [("", "Fri, 20 Nov 2026 00:00:00 GMT"), ('W/"{}"', ""), ("", "")])
def test_nothing_is_kept_of_a_cube_whose_versions_cannot_be_told_apart(
    web: Site, target: SkyCoord, etag: str, changed: str
) -> None:
    web.etag, web.changed = etag, changed
    assert cut(web.base + PATH, target).status == "ok"
    first = len(asked(web))
    assert cut(web.base + PATH, target).status == "ok"
    assert len(asked(web)) == first


def test_that_a_target_is_not_on_a_known_cube_is_only_said_of_the_cube_as_it_is(web: Site, target: SkyCoord) -> None:
    far = SkyCoord(target.ra, -target.dec)
    assert cut(web.base + PATH, target).status == "ok"
    asked(web)
    heard: list[str] = []
    (result,) = make_cutouts(web.base + PATH, far, ROWS, on_result=lambda _, item: heard.append(item.status))
    assert (result.status, heard, asked(web)) == ("no overlap", ["no overlap"], ["0-0"])
    web.judge = lambda _: 403
    assert "403 Forbidden" in cut(web.base + PATH, far).reason
    with pytest.raises(OSError, match="403 Forbidden"), open_cube.open_cube(web.base + PATH):
        pass


def test_a_result_without_pixels_is_only_reported_of_the_cube_as_it_is(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord
) -> None:
    both = SkyCoord([target.ra, target.ra], [-target.dec, target.dec])
    assert cut(web.base + PATH, target).status == "ok"
    web.files[PATH] = cubes[1].read_bytes()
    heard: list[int] = []
    make_cutouts(web.base + PATH, both, ROWS, on_result=lambda number, _: heard.append(number))
    assert heard == [0, 1]


@pytest.mark.parametrize("kind", ["whole", "part, unknown size"])
def test_a_known_cube_is_read_in_another_way_when_its_server_changes(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord, kind: str
) -> None:
    expected = cut(cubes[0], target).data
    assert cut(web.base + PATH, target).data == expected
    web.kind = kind
    with pytest.warns(DownloadWarning):
        assert cut(web.base + PATH, target).data == expected
    web.kind = "ranges"
    assert cut(web.base + PATH, target).data == expected


def test_a_known_public_cube_is_read_without_credentials_when_they_expire(
    web: Site, target: SkyCoord, aws: str
) -> None:
    web.files[f"/some-bucket{PATH}"] = web.files[PATH]
    expected = cut(aws, target).data
    assert expected
    web.judge = lambda heads: 403 if "authorization" in heads else 0
    assert cut(aws, target).data == expected


def test_what_was_read_without_checks_does_not_count_as_checked(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord
) -> None:
    damaged = bytearray(cubes[0].read_bytes())
    damaged[damaged.rfind(b"ffic.fits")] ^= 1
    web.files[PATH] = bytes(damaged)
    assert cut(web.base + PATH, target, check=False).status == "ok"
    assert "the info table is damaged" in cut(web.base + PATH, target).reason
    asked(web)
    assert cut(web.base + PATH, target, check=False).status == "ok"
    assert len(set(asked(web))) == ROWS


def test_one_identity_does_not_see_what_another_one_read(
    web: Site, target: SkyCoord, monkeypatch: pytest.MonkeyPatch, aws: str
) -> None:
    web.files[f"/some-bucket{PATH}"] = web.files[PATH]
    web.judge = lambda heads: 0 if "Credential=FRIEND/" in heads.get("authorization", "") else 403
    far = SkyCoord(target.ra, -target.dec)
    for name, expected in (("FRIEND", ""), ("STRANGER", "403 Forbidden"), ("FRIEND", "")):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", name)
        assert expected in cut(aws, target).reason
        assert (expected or "far from") in cut(aws, far).reason


def test_a_file_system_that_knows_an_old_listing_says_nothing_old(cubes: tuple[Path, Path], target: SkyCoord) -> None:
    class Listed(MemoryFileSystem):  # type: ignore[misc] # fsspec has no types
        """A file system with ETags that answers from a listing until this is invalidated."""

        protocol, cachable = "listed", False

        def __init__(self) -> None:
            super().__init__()
            self.store: dict[str, Any] = {}
            self.listing: dict[str, dict[str, Any]] = {}

        def info(self, path: str, **options: Any) -> dict[str, Any]:
            known = {**super().info(path, **options), "ETag": hashlib.md5(self.cat_file(path)).hexdigest()}
            return self.listing.setdefault(path, known)

        def invalidate_cache(self, path: str | None = None) -> None:
            self.listing.pop(path or "", None)

    forget_cubes()
    files, other = Listed(), Listed()
    for place, cube in ((files, cubes[0]), (other, cubes[1])):
        place.pipe_file(PATH, cube.read_bytes())
    for place, n in ((files, 3), (other, 4), (files, 3)):
        with open_cube.open_cube(PATH, filesystem=place) as file:
            assert file.cube.layout.n_cadences == n
    files.pipe_file(PATH, cubes[1].read_bytes())
    with open_cube.open_cube(PATH, filesystem=files) as file:
        assert file.cube.layout.n_cadences == 4


def test_threads_that_cut_one_cube_get_what_one_thread_gets(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord
) -> None:
    expected = cut(cubes[0], target).data
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: cut(web.base + PATH, target).data, range(24)))
    assert all(data == expected for data in found)


def test_a_caller_who_changes_a_cube_changes_it_for_nobody_else(cubes: tuple[Path, Path], target: SkyCoord) -> None:
    forget_cubes()
    cube = TessCubeCutout(cubes[0], target, ROWS).cutouts[0].cube
    start = cube.series["start"].copy()
    cube.series["start"][:] = 0
    cube.wcs_cards["CRVAL1"] = 0.0
    cube.wcs.wcs.crval = [0, 0]
    again = TessCubeCutout(cubes[0], target, ROWS).cutouts[0].cube
    assert (again.series["start"] == start).all()
    assert again.wcs_cards["CRVAL1"] != 0
    assert again.wcs.wcs.crval[0] != 0


def test_a_local_cube_that_is_changed_in_place_is_read_anew(
    cubes: tuple[Path, Path], target: SkyCoord, tmp_path: Path
) -> None:
    path = tmp_path / NAME
    path.write_bytes(cubes[0].read_bytes())
    before = path.stat()
    assert cut(path, target).data == cut(cubes[0], target).data
    with fits.open(path, mode="update") as hdus:
        hdus[2].data["TSTART"] += 1
        hdus[2].add_checksum()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    (old,), (new,) = (TessCubeCutout(item, target, ROWS).tpf_cutouts for item in (cubes[0], path))
    assert np.allclose(new[1].data["TIME"] - old[1].data["TIME"], 0.5)


# ---------------------------------------------------------------- forks

FORKING = """
import os, sys
from tessera import make_cutouts
web, local, ra, dec = sys.argv[1:]
for place in (local, web):
    assert make_cutouts(place, f"{ra} {dec}", 5)[0].status == "ok"
child = os.fork()
if not child:
    print(make_cutouts(local, f"{ra} {dec}", 5)[0].status, make_cutouts(web, f"{ra} {dec}", 5)[0].reason, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(make_cutouts(web, f"{ra} {dec}", 5)[0].status)
"""


def test_a_forked_process_cuts_local_cubes_and_says_why_it_cannot_cut_remote_ones(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord
) -> None:
    arguments = [web.base + PATH, str(cubes[0]), str(target.ra.deg), str(target.dec.deg)]
    command = [sys.executable, "-W", "ignore", "-c", FORKING, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    child, parent = answer.stdout.splitlines()
    assert child.startswith("ok ")
    assert child.endswith(
        "connections do not outlive a fork; start the process with multiprocessing's 'spawn' or 'forkserver'"
    )
    assert parent == "ok"
