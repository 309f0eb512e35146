"""A search of one's own cubes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

import tessera
from tessera.errors import DataWarning, InvalidInputError, MissingFileError


def test_a_row_says_what_the_cube_says(cubes: dict[str, Path], stars: dict[str, SkyCoord]) -> None:
    found = tessera.search(stars["tess-s0001-4-2"], cubes=cubes["tess-s0001-4-2"])
    (row,) = found.rows
    assert (row.product, row.sector, row.camera, row.ccd) == ("SPOC", 1, 4, 2)
    assert (row.start, row.end) == ("2018-07-25T19:30:47", "2018-07-25T22:00:47")
    assert (row.cadence, row.n_cadences) == (1800, 5)
    assert (row.row, row.column, row.edge) == (20.0, 15.0, 14.5)
    assert row.cube == str(cubes["tess-s0001-4-2"])


def test_many_targets_of_a_folder_each_have_a_row_or_a_reason(
    cubes: dict[str, Path], stars: dict[str, SkyCoord]
) -> None:
    given = [stars["tica-s0027-1-4"], (10.0, 10.0), stars["tess-s0002-4-2"]]
    found = tessera.search(given, cubes=cubes["tess-s0001-4-2"].parent)
    assert [(row.target.number, row.product, row.sector) for row in found.rows] == [(0, "TICA", 27), (2, "SPOC", 2)]
    assert [(item.target.name, item.reason) for item in found.missing] == [
        ("10.000000 +10.000000", "no given cube sees it")
    ]


def test_sectors_and_products_limit_the_search(cubes: dict[str, Path], stars: dict[str, SkyCoord]) -> None:
    everything = list(cubes.values())
    given = list(stars.values())
    assert [row.sector for row in tessera.search(given, cubes=everything, sectors=[2, 27]).rows] == [2, 27]
    assert [row.sector for row in tessera.search(given, cubes=everything, product="tica").rows] == [27]
    found = tessera.search(stars["tess-s0001-4-2"], cubes=everything, sectors=range(2, 28))
    assert [item.reason for item in found.missing] == ["no given cube sees it in sectors 2-27"]


def test_a_cube_that_cannot_be_read_is_named_and_the_others_are_searched(
    cubes: dict[str, Path], stars: dict[str, SkyCoord], tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing.fits"
    with pytest.warns(DataWarning, match=r"nothing\.fits is not read: there is no such file"):
        found = tessera.search(stars["tess-s0001-4-2"], cubes=[nothing, cubes["tess-s0001-4-2"]])
    assert len(found) == 1
    assert found.unread == {str(nothing): "there is no such file"}
    with pytest.raises(MissingFileError):
        tessera.search(stars["tess-s0001-4-2"], cubes=nothing)


def test_rows_are_selected_by_numbers_slices_and_masks(cubes: dict[str, Path], stars: dict[str, SkyCoord]) -> None:
    found = tessera.search(list(stars.values()), cubes=list(cubes.values()))
    assert [row.sector for row in found[1].rows] == [2]
    assert [row.sector for row in found[-2:].rows] == [2, 27]
    assert [row.sector for row in found[found["sector"] < 20].rows] == [1, 2]
    assert [row.sector for row in found[[2, 0]].rows] == [27, 1]
    assert [one.rows[0].sector for one in found] == [1, 2, 27]
    assert len(found[[]]) == 0
    with pytest.raises(InvalidInputError, match="there are 3 rows"):
        found[3]
    assert found.table["edge"].unit == "pix"
    assert not np.ma.is_masked(found.table["row"])


def test_cutouts_are_those_of_the_rows(cubes: dict[str, Path], stars: dict[str, SkyCoord], tmp_path: Path) -> None:
    given = [*stars.values(), (10.0, 10.0)]
    found = tessera.search(given, cubes=list(cubes.values()))
    made = found.cut(5, output_dir=tmp_path)
    assert [item.status for item in made] == ["ok", "ok", "ok", "no overlap"]
    assert [item.target.number for item in made] == [0, 1, 2, 3]
    assert sorted(tmp_path.iterdir()) == sorted(item.path for item in made[:3] if item.path)
    assert made[3].reason == "no given cube sees it"
    in_memory = found[0].cut(5)
    assert in_memory[0].hdus[1].data["FLUX"].shape == (5, 5, 5)
    np.testing.assert_array_equal(in_memory[0].hdus[1].data["FLUX"], made[0].hdus[1].data["FLUX"])
