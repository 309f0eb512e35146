"""A stitched light curve says what it was made of, and can be made again from that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tessera import CutoutOptions, SearchResult, StitchedCurve, stitch
from tessera.cutouts.open_cube import open_cube
from tessera.lightcurves.detrending.vector_files import vectors_fits
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera.provenance.fits_files import read_provenance
from tessera.stitching.parts import join_parts
from tessera.verify.verify import verify_product
from tests.support.checks import fitsverify_complaints


@pytest.fixture
def path(stitched: StitchedCurve, tmp_path: Path) -> Path:
    return stitched.write(tmp_path / "star.fits")


def test_the_record_has_those_of_the_cutouts(path: Path) -> None:
    found = read_provenance(path.read_bytes())
    assert found is not None
    record = found.record
    assert record.kind == "stitched light curve"
    names = [cutout["source"]["location"] for cutout in record.source["cutouts"]]
    assert names == [f"tess-s000{sector}-4-2-cube.fits" for sector in (1, 2, 5)]
    assert (record.request["level"], record.request["quality"]) == ("divide", "default")
    assert fitsverify_complaints(path) == []
    with fits.open(path) as hdus:
        assert hdus[-1].name == "PROVENANCE"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mask": np.eye(9, 11).astype(bool), "background": False, "quality": "none", "level": "shift"},
        {"detrend": "pld", "background": "rows", "gap": 3, "options": CutoutOptions(time=(1300, 1400))},
    ],
)
def test_it_comes_out_the_same(
    found: SearchResult, sector_cubes: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    path = found.stitch((9, 11), **options).write(tmp_path / "star.fits")  # type: ignore[arg-type]
    done = verify_product(path, sector_cubes)
    assert (done.status, done.problems) == ("same", [])
    assert verify_product(path, list(sector_cubes.iterdir())).status == "same"
    alone = verify_product(path)
    assert (alone.status, alone.notes[-1][:11]) == ("unknown", "its source ")


def test_the_cotrending_vectors_of_each_sector_are_named(
    found: SearchResult, sector_cubes: Path, tmp_path: Path
) -> None:
    (folder := tmp_path / "vectors").mkdir()
    for curve, one in zip((usual := found.stitch((9, 11), quality="none")).curves, usual.sectors, strict=True):
        n = len(curve)
        values = np.sin(np.arange(n) / (3.0 + one.sector))[np.newaxis]
        content = vectors_fits(CotrendingVectors(curve.time, None, np.zeros(n, bool), values), [], one.camera, one.ccd)
        (folder / Path(one.cube).name.replace("-cube", "-vectors")).write_bytes(content)
    curve = found.stitch((9, 11), detrend="cbv", vectors=folder)
    path = curve.write(tmp_path / "star.fits")
    done = verify_product(path, [sector_cubes, folder])
    assert (done.status, done.problems, done.notes) == ("same", [], [])
    assert done.record is not None
    names = [each["location"] for each in done.record["request"]["vectors"]]
    assert names == [f"tess-s000{sector}-4-2-vectors.fits" for sector in (1, 2, 5)]
    parts = [found[[row.sector in some for row in found.rows]] for some in ((2,), (1, 5))]
    joined = join_parts([one.stitch((9, 11), detrend="cbv", vectors=folder) for one in parts], "divide", 1.0)
    assert joined.made == curve.made
    (folder / names[1]).write_bytes((folder / names[0]).read_bytes())
    done = verify_product(path, [sector_cubes, folder])
    assert done.status == "unknown"
    assert done.notes[-1].startswith(f"the source {names[1]} was replaced: the digest of its values was ")
    assert done.notes[-1].endswith("; allowed: vectors that have all cadences of the light curve")


def test_light_curves_that_a_user_stitches_have_a_record_if_they_were_measured_alike(
    stitched: StitchedCurve, sector_cubes: Path, tmp_path: Path
) -> None:
    curve = stitch(stitched.curves, level="shift", gap=2)
    done = verify_product(curve.write(tmp_path / "star.fits"), sector_cubes)
    assert (done.status, done.problems, done.notes) == ("same", [], [])
    first, *others = stitched.curves
    assert first.made is not None
    other = replace(first, made=replace(first.made, request=dict(first.made.request) | {"mask": "all"}))
    assert stitch([other, *others]).made is None


def test_a_changed_number_or_pixel_is_named(path: Path, sector_cubes: Path, tmp_path: Path) -> None:
    for cube in sector_cubes.iterdir():
        content = bytearray(cube.read_bytes())
        if "s0002-4-2" in cube.name:
            with open_cube(cube) as file:
                place = file.cube.data_offset + 4 * 2 * (24 * (20 * 30 + 14) + 9)  # row 20, column 14, cadence 9
            content[place : place + 4] = np.array([9999.0], ">f4").tobytes()
        (tmp_path / cube.name).write_bytes(content)
    done = verify_product(path)
    assert done.status == "different"
    assert any(problem.text.startswith("SAP_FLUX, point ") for problem in done.problems)
    with fits.open(path, mode="update", checksum=True) as hdus:
        hdus["LIGHTCURVE"].data["FLUX"][7] *= 1.001
    done = verify_product(path, sector_cubes)
    assert done.status == "different"
    [value] = [problem for problem in done.problems if problem.place.get("hdu") == "LIGHTCURVE"]
    assert value.text.startswith("FLUX, point 7: it is ")


def test_without_records_of_the_cutouts_there_is_none(found: SearchResult, tmp_path: Path) -> None:
    path = found.stitch((9, 11), options=CutoutOptions(provenance=False)).write(tmp_path / "star.fits")
    assert read_provenance(path.read_bytes()) is None
    assert StitchedCurve.read(path).made is None
