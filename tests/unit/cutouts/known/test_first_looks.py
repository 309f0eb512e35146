"""The pixels of a remote cube are asked for while its info table is on its way, and a wrong guess changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from astropy.coordinates import SkyCoord

from tessera.cubes.glimpse import glimpse
from tessera.cubes.reader import Cube
from tessera.cutouts import open_cube
from tests.support.known_cubes import NAME, PATH, ROWS, asked, cut, header, make_cube
from tests.support.web import Site

PIXELS = ROWS * 3 * 2 * 4
"""Bytes of a row of a cutout."""

pytestmark = pytest.mark.usefixtures("still_clock")


def n_bytes(span: str) -> int:
    first, _, last = span.partition("-")
    return int(last) - int(first) + 1 if first else 0


def test_pixels_are_asked_for_before_the_info_table_has_arrived(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_cube, "PART_BYTES", 20_000)
    come, waited = Event(), []

    def judge(heads: dict[str, str]) -> int:
        span = header(heads, "range").removeprefix("bytes=")
        if n_bytes(span) == PIXELS:
            come.set()
        if n_bytes(span) == open_cube.PART_BYTES:  # a part of the table
            waited.append(come.wait(20))
        return 403 if span.startswith("-") else 0

    web.judge = judge
    assert cut(web.base + PATH, target).data == cut(cubes[0], target).data
    assert waited
    assert all(waited)
    assert sum(n_bytes(span) == PIXELS for span in asked(web)) == ROWS


def test_a_table_of_several_parts_comes_with_the_end_of_the_file(
    web: Site, target: SkyCoord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_cube, "PART_BYTES", 40_000)
    monkeypatch.setattr(open_cube, "_CHUNK_BYTES", 1_000)
    assert cut(web.base + PATH, target).status == "ok"
    assert len(asked(web)) == 3 + ROWS


@pytest.mark.parametrize("moved", [{"CRPIX1": 2.0}, {"CRPIX2": 1000.0}, {"CTYPE2": "none"}], ids=str)
def test_a_wrong_first_look_changes_nothing(
    web: Site,
    cubes: tuple[Path, Path],
    target: SkyCoord,
    monkeypatch: pytest.MonkeyPatch,
    moved: dict[str, Any],
) -> None:
    looks = []

    def wrong(*arguments: Any) -> Cube:
        cube = glimpse(*arguments)
        cards = {key: cube.wcs_cards[key] + value if key != "CTYPE2" else value for key, value in moved.items()}
        looks.append(cards)
        return replace(cube, wcs_cards=cube.wcs_cards | cards)

    monkeypatch.setattr(open_cube, "glimpse", wrong)
    assert cut(web.base + PATH, target).data == cut(cubes[0], target).data
    assert looks


def test_a_cube_of_one_cadence_is_looked_at(web: Site, target: SkyCoord, tmp_path: Path) -> None:
    single = make_cube(tmp_path / "single", 1)
    web.files[f"/single/{NAME}"] = single.read_bytes()
    assert cut(f"{web.base}/single/{NAME}", target).data == cut(single, target).data
