"""A light curve of one sector says what it was made of, and can be made again from that."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from tessera import CutoutOptions, TargetPixels, make_cutouts, verify_product
from tessera.cli.main import main
from tessera.lightcurves.curve_files import curve_ecsv, curve_fits
from tessera.lightcurves.detrending.vector_files import vectors_fits
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera.provenance.fits_files import read_provenance
from tessera.provenance.signing import PublicKey
from tests.support.checks import checksums_hold, fitsverify_complaints
from tests.support.keys import key_files
from tests.unit.lightcurves.conftest import N

FORMS = ("fits", "ecsv")


def give_vectors(path: Path, time: np.ndarray, step: float = 9.0) -> Path:
    values = np.sin(np.arange(N) / step)[np.newaxis]
    given = CotrendingVectors(time, None, np.zeros(N, bool), values)
    path.write_bytes(vectors_fits(given, [("SECTOR", 1, "sector")], 4, 2))
    return path


@pytest.fixture(params=FORMS)
def path(request: pytest.FixtureRequest, star_pixels: TargetPixels, tmp_path: Path) -> Path:
    return star_pixels.to_lightcurve().write(tmp_path / f"star.{request.param}")


@pytest.mark.parametrize("form", FORMS)
def test_it_comes_out_the_same(star_pixels: TargetPixels, star_cube: Path, tmp_path: Path, form: str) -> None:
    mask = np.eye(9, 11).astype(bool)
    curve = star_pixels.to_lightcurve(mask, background="rows", quality=7, detrend="pld")
    path = curve.write(tmp_path / f"star.{form}")
    found = verify_product(path, star_cube)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    assert found.record is not None
    assert found.record["kind"] == "light curve"
    assert [each["source"]["location"] for each in found.record["source"]["cutouts"]] == [star_cube.name]
    alone = verify_product(path)
    assert (alone.status, alone.notes[-1][:11]) == ("unknown", "its source ")


def test_the_files_are_those_without_a_record_and_programs_read_them(star_pixels: TargetPixels, tmp_path: Path) -> None:
    curve = star_pixels.to_lightcurve()
    content = (path := curve.write(tmp_path / "star.fits")).read_bytes()
    record = read_provenance(content)
    assert record is not None
    assert checksums_hold(content)
    assert fitsverify_complaints(path) == []
    with fits.open(path) as hdus:
        assert hdus[0].header["NEXTEND"] == len(hdus) - 2
    table = Table.read(path := curve.write(tmp_path / "star.ecsv"))
    np.testing.assert_array_equal(table["flux"], curve.flux)
    assert table.meta["provenance_record"]["kind"] == "light curve"
    kept = [line for line in path.read_bytes().splitlines(keepends=True) if b" provenance_" not in line]
    assert b"".join(kept) == curve_ecsv(curve)


def test_a_changed_number_is_named(star_pixels: TargetPixels, star_cube: Path, tmp_path: Path) -> None:
    curve = star_pixels.to_lightcurve()
    with fits.open(path := curve.write(tmp_path / "star.fits"), mode="update", checksum=True) as hdus:
        hdus["LIGHTCURVE"].data["FLUX"][7] *= 1.001
    found = verify_product(path, star_cube)
    assert found.status == "different"
    [value] = [item for item in found.problems if item.what == "value"]
    assert (value.text[:22], value.place["point"]) == ("FLUX, point 7: it is 2", 7)
    path = curve.write(tmp_path / "star.ecsv")
    lines = path.read_bytes().split(b"\n")
    lines[-3] = lines[-3].replace(b" ", b" 1", 1)
    path.write_bytes(b"\n".join(lines))
    found = verify_product(path, star_cube)
    assert [item.what for item in found.problems] == ["record", "value"]
    assert f"is {lines[-3].decode()!r}, not " in found.problems[1].text


def test_a_changed_record_or_cube_is_named(path: Path, star_cube: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"background":"default"', b'"background":"defaulT"'))
    assert "record" in {item.what for item in verify_product(path, star_cube).problems}
    path.write_bytes(content)
    cube = bytearray(star_cube.read_bytes())
    place = cube.index(b"XTENSION= 'IMAGE") + 2880 + 8 * N * (22 * 30 + 13)  # the pixel of the star
    cube[place : place + 8 * N] = np.full(2 * N, 9999.0, ">f4").tobytes()
    (tmp_path / star_cube.name).write_bytes(cube)
    found = verify_product(path)  # the cube is beside it
    assert found.status == "different"
    assert [item for item in found.problems if item.what == "value"]


@pytest.mark.parametrize("form", FORMS)
def test_cotrending_vectors_are_named(star_pixels: TargetPixels, star_cube: Path, tmp_path: Path, form: str) -> None:
    (folder := tmp_path / "sources").mkdir()
    shutil.copy(star_cube, folder)
    vectors = give_vectors(folder / star_cube.name.replace("-cube", "-vectors"), star_pixels.time)
    path = star_pixels.to_lightcurve(detrend="cbv", vectors=vectors).write(tmp_path / f"star.{form}")
    for sources in ([star_cube, vectors], folder / star_cube.name):
        found = verify_product(path, sources)
        assert (found.status, found.problems, found.notes) == ("same", [], [])
    assert found.record is not None
    assert found.record["request"]["vectors"]["location"] == vectors.name
    give_vectors(vectors, star_pixels.time, 8.0)
    found = verify_product(path, folder)
    assert found.status == "different"
    [source] = [item for item in found.problems if item.what == "source"]
    assert source.text.startswith(f"the source {vectors.name} was replaced: the digest of its values was ")
    vectors.unlink()
    missing = verify_product(path, folder)
    note = f"its source {vectors.name} is not beside it; name it with --from"
    assert (missing.status, missing.notes) == ("unknown", [note])


def test_without_a_record_of_the_cutout_there_is_none(star_cube: Path, star: SkyCoord, tmp_path: Path) -> None:
    (cutout,) = make_cutouts(star_cube, star, 9, options=CutoutOptions(provenance=False))
    curve = TargetPixels.read(cutout).to_lightcurve()
    assert curve.made is None
    for form in FORMS:
        assert verify_product(curve.write(tmp_path / f"star.{form}")).status == "unknown"


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_another_version_is_the_same(
    star_pixels: TargetPixels, star_cube: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr("tessera.lightcurves.made.__version__", "0.0.9")
    curve = star_pixels.to_lightcurve()
    assert curve.made is not None
    plain = replace(curve, made=None)
    if form == "fits":
        content = curve.made.sealed(curve_fits(plain, version="0.0.9"))
    else:
        content = curve.made.sealed_table(curve_ecsv(plain, "0.0.9"))
    (path := tmp_path / f"star.{form}").write_bytes(content)
    found = verify_product(path, star_cube)
    assert (found.status, found.problems) == ("same", [])
    assert found.notes[0].startswith("version 0.0.9 made it, and this is ")


def test_the_command_line_signs(star_cube: Path, star: SkyCoord, tmp_path: Path) -> None:
    private, public = key_files(tmp_path)
    outputs = [str(tmp_path / f"star.{form}") for form in FORMS]
    arguments = ["lightcurve", f"{star.ra.deg} {star.dec.deg}", "--cube", str(star_cube), "-q"]
    assert main([*arguments, "-o", outputs[0], "-o", outputs[1], "--sign", str(private)]) == 0
    for path in outputs:
        found = verify_product(path, star_cube, public)
        assert (found.status, found.problems, found.signed_by) == ("same", [], PublicKey(public).id)
    text = Path(outputs[1]).read_bytes()
    Path(outputs[1]).write_bytes(text.replace(b"'ed25519:", b"'ed25518:"))
    assert [item.what for item in verify_product(outputs[1], star_cube, public).problems] == ["signature"]
