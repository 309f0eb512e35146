"""The sector of a cube is that in the names of its frames, and nobody may say something else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from astropy.io import fits

from tessera import CubeFactory, InvalidInputError, TicaCubeFactory
from tessera.errors import InconsistentFramesError
from tests.support.frames import NamedFrame, tiny_sector
from tests.support.same_bytes import assert_same_bytes
from tests.support.tica import tiny_tica_sector

SHAPE = (40, 30)
FRAMES = tiny_sector(4, SHAPE)


def lay(folder: Path, frames: list[NamedFrame]) -> list[Path]:
    folder.mkdir(exist_ok=True, parents=True)
    for name, data in frames:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in frames]


@pytest.mark.parametrize("sector", [-5, 0, 1.5, "1", True, 7, 2**40])
def test_a_sector_that_is_none_or_another_one_than_in_the_names_is_refused(tmp_path: Path, sector: object) -> None:
    paths = lay(tmp_path / "frames", FRAMES)
    with pytest.raises(InvalidInputError, match=f"sector is {sector!r}; allowed: (1, the sector|an integer from 1)"):
        CubeFactory().make_cube(paths, tmp_path / "out" / "cube.fits", sector)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("tica", [False, True])
def test_the_sector_is_that_in_the_names_unless_they_have_none(tmp_path: Path, tica: bool) -> None:
    factory = TicaCubeFactory() if tica else CubeFactory()
    named = tiny_tica_sector(2, SHAPE) if tica else tiny_sector(2, SHAPE)
    unnamed = [(f"{number}.fits", data) for number, (_, data) in enumerate(named)]

    def sector_of(frames: list[NamedFrame], sector: int | None = None) -> object:
        cube = factory.make_cube(lay(tmp_path, frames), tmp_path / "cube.fits", sector)
        return fits.getheader(cube)["SECTOR"]

    told = 27 if tica else 1
    assert sector_of(named) == sector_of(named, told) == told
    assert sector_of(unnamed) is None or isinstance(sector_of(unnamed), fits.card.Undefined)
    assert sector_of(unnamed, 5) == 5
    assert sector_of([named[0], unnamed[1]]) == told
    with pytest.raises(InvalidInputError, match=f"sector is 5; allowed: {told}, the sector in the frames' names"):
        sector_of([named[0], unnamed[1]], 5)


@pytest.mark.parametrize("tica", [False, True])
def test_frames_whose_names_tell_another_ccd_are_refused(tmp_path: Path, tica: bool) -> None:
    named = tiny_tica_sector(2, SHAPE) if tica else FRAMES[:2]
    mark, other = ("-cam1-ccd4_", "-cam1-ccd3_") if tica else ("-4-2-", "-4-3-")
    assert all(mark in name for name, _ in named)
    paths = lay(tmp_path / "frames", [(name.replace(mark, other), data) for name, data in named])
    told, cards = ((1, 3), (1, 4)) if tica else ((4, 3), (4, 2))
    with pytest.raises(InconsistentFramesError, match=re.escape(f"are {cards}, in its name {told}")):
        (TicaCubeFactory() if tica else CubeFactory()).make_cube(paths, tmp_path / "out" / "cube.fits")
    assert not (tmp_path / "out").exists()


def test_frames_of_another_sector_are_not_added(tmp_path: Path) -> None:
    cube = tmp_path / "cube.fits"
    CubeFactory().make_cube(lay(tmp_path, FRAMES[:2]), cube)
    before = cube.read_bytes()
    other = lay(tmp_path, [tiny_sector(3, SHAPE, sector=2)[2]])
    with pytest.raises(InconsistentFramesError, match=r"its sector is 2, of cube\.fits 1"):
        CubeFactory().update_cube(other, cube)
    with pytest.raises(InvalidInputError, match="sector is 2; allowed: 1, the sector"):
        CubeFactory().update_cube(lay(tmp_path, FRAMES[2:]), cube, sector=2)
    assert_same_bytes(cube.read_bytes(), before)
    CubeFactory().update_cube(lay(tmp_path, FRAMES[2:]), cube)
    assert fits.getheader(cube)["SECTOR"] == 1
