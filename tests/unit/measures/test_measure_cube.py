"""`tessera.measure_cube` and `tessera cube measure`: the reference frame, the changes, and cutouts of differences."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera import (
    CubeFactory,
    CutoutOptions,
    InvalidInputError,
    TicaCubeFactory,
    make_cutouts,
    measure_cube,
    read_frames,
)
from tessera.cli.main import main
from tessera.cutouts.open_cube import open_cube
from tessera.cutouts.results import CutoutResult
from tessera.errors import CubeFormatError, KeptFileError
from tessera.measures.bins import plan_bins
from tessera.measures.block import measure_block
from tessera.measures.change_list import change_csv, read_about, read_changes
from tessera.measures.products import build_products, join_blocks
from tessera.measures.stars import BrightStar
from tessera.measures.thresholds import Thresholds
from tests.support.cubes import target_of
from tests.support.frames import NamedFrame, tiny_sector, tiny_times
from tests.support.tica import tiny_tica_sector
from tests.unit.measures.conftest import COLUMN, FLARE, NAME, ROW, SHAPE, N

STEM = NAME.removesuffix("-cube.fits")
GOOD = np.delete(np.arange(N), 2)


def pixels_of(cube: Path) -> NDArray[np.float32]:
    """Flux and error: shape (rows, columns, cadences, planes)."""
    return np.asarray(fits.getdata(cube, 1), np.float32)


def hdus_of(result: CutoutResult) -> fits.HDUList:
    assert result.data is not None, result.reason
    return fits.open(io.BytesIO(bytes(result.data)), checksum=True)


def laid(folder: Path, frames: list[NamedFrame]) -> list[Path]:
    folder.mkdir()
    for name, content in frames:
        (folder / name).write_bytes(content)
    return sorted(folder.iterdir())


def test_the_reference_is_the_median_of_the_good_cadences(cube: Path) -> None:
    made = measure_cube(cube)
    assert made.reference == cube.with_name(f"{STEM}-reference.fits")
    flux, error = (pixels_of(cube)[:, :, GOOD, plane] for plane in (0, 1))
    with fits.open(made.reference, checksum=True) as hdus, fits.open(cube) as whole:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus[1:]] == ["REFERENCE", "REFERENCE_ERR", "RMS", "NGOOD", "PROVENANCE"]
        np.testing.assert_allclose(hdus[1].data, np.median(flux, axis=2), rtol=1e-6)
        expected = 1.2533 * np.sqrt(np.mean(np.square(error, dtype=float), axis=2) / len(GOOD))
        np.testing.assert_allclose(hdus[2].data, expected, rtol=1e-5)
        assert (hdus[4].data == len(GOOD)).all()
        assert (hdus[0].header["SECTOR"], hdus[0].header["CAMERA"], hdus[0].header["CCD"]) == (1, 4, 2)
        assert (hdus[0].header["NGOOD"], hdus[0].header["NCADENCE"]) == (len(GOOD), N)
        sky = WCS(hdus[1].header).all_pix2world([[COLUMN, ROW]], 0)[0]
        assert whole[0].header["SECTOR"] == 1
    place = target_of(cube)
    assert sky == pytest.approx([place.ra.deg, place.dec.deg], abs=1e-8)


def test_a_flare_is_in_the_list_of_changes(cube: Path, tmp_path: Path) -> None:
    made = measure_cube(cube, tmp_path / "other", bin_days=0.065)
    table = Table.read(made.changes)
    assert len(table) == 1
    assert (table["row"][0], table["column"][0]) == pytest.approx((ROW, COLUMN), abs=0.2)
    start, stop = tiny_times(FLARE.start)[0], tiny_times(FLARE.stop - 1)[1]
    assert (table["start"][0], table["end"][0]) == pytest.approx((start, stop), abs=0.066)
    assert table["difference"].unit == "electron/s"
    assert (table.meta["cube"], table.meta["n_sigma"], table.meta["bin_days"]) == (NAME, 7.0, 0.065)
    place = target_of(cube)
    assert (table["ra"][0], table["dec"][0]) == pytest.approx((place.ra.deg, place.dec.deg), abs=0.002)
    content = made.changes.read_bytes()
    assert read_changes(content)[0] == {name: table[name][0] for name in table.colnames}
    assert read_about(content) == table.meta
    assert change_csv(content).startswith("ra,dec,row,column,start")


def test_vectors_are_those_of_the_bright_stars(cube: Path) -> None:
    assert measure_cube(cube).vectors is None  # there is one star
    with open_cube(cube) as file:
        bins = plan_bins(file.cube, 0.1)
        one = join_blocks([measure_block(file.cube, range(SHAPE[0]), file.source.read_buffer, bins)])
        curves = np.random.default_rng(2).normal(0, 1, (4, N)) + np.arange(N)
        stars = [BrightStar(row, 5, 900.0, curve.astype(np.float32)) for row, curve in enumerate(curves)]
        nothing = np.zeros((len(bins), *SHAPE), np.float32)
        made = build_products(file.cube, replace(one, stars=stars), bins, nothing, Thresholds())
    with fits.open(io.BytesIO(made["-vectors.fits"]), checksum=True) as hdus:
        table = hdus["CBV.single-scale.4.2"].data
        assert np.flatnonzero(table["GAP"]).tolist() == [2]
        assert abs(np.corrcoef(table["VECTOR_1"][GOOD], GOOD)[0, 1]) > 0.98
        assert hdus["STARS"].data["ROW"].tolist() == [0, 1, 2, 3]
        assert (hdus[0].header["NSTARS"], hdus[0].header["CUBE"], hdus[0].header["CAMERA"]) == (4, NAME, 4)


def test_vectors_of_the_cube_as_it_was_are_removed(cube: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = cube.with_name(f"{STEM}-vectors.fits")
    old.write_bytes(b"CREATOR = 'tessera 0.1'")
    assert main(["cube", "measure", str(cube)]) == 0
    assert not old.exists()
    assert "no cotrending vectors: the cube has too few stars" in capsys.readouterr().err


def test_tica_cubes_and_cubes_of_other_names_are_measured(cube: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tica"
    frames = laid(folder, tiny_tica_sector(3, (12, 10)))
    tica = TicaCubeFactory().make_cube(frames, folder / "tica-s0027-1-4-cube.fits", verbose=False)
    made = [measure_cube(path).reference for path in (tica, cube.rename(tmp_path / "img-cube.fits"))]
    assert [path.name for path in made] == ["tica-s0027-1-4-reference.fits", "img-reference.fits"]
    found = [[fits.getheader(path)[name] for name in ("SECTOR", "CAMERA", "CCD")] for path in made]
    assert found == [[27, 1, 4], [1, 4, 2]]


def test_a_growing_cube_gives_differences_and_frames_do_not(tmp_path: Path) -> None:
    frames = laid(tmp_path / "frames", tiny_sector(3, SHAPE))
    table = CubeFactory().grow_cube(frames, tmp_path / f"{STEM}-cube.json", verbose=False)
    measure_cube(table)
    options = CutoutOptions(difference=True, layout="slim")
    (made,) = make_cutouts(table, target_of(Path(table)), 3, options=options)
    np.testing.assert_array_equal(hdus_of(made)[1].data["FLUX"][1], 0)  # the median of three frames is the second
    (refused,) = make_cutouts(read_frames(frames), target_of(Path(table)), 3, options=options)
    assert refused.reason == "difference is True; allowed: False for frames, because only a cube has a reference frame"


def test_blocks_of_any_height_give_the_same(cube: Path) -> None:
    with open_cube(cube) as file:
        bins, read = plan_bins(file.cube, 0.1), file.source.read_buffer
        whole = measure_block(file.cube, range(SHAPE[0]), read, bins)
        parts = [measure_block(file.cube, rows, read, bins) for rows in (range(20), range(20, 21), range(21, SHAPE[0]))]
        sent = [type(part).from_bytes(part.to_bytes(), part.differences) for part in reversed(parts)]
    one, other = join_blocks([whole]), join_blocks(sent)
    for name in ("flux", "error", "rms", "n_good"):
        np.testing.assert_array_equal(getattr(one.frame, name), getattr(other.frame, name))
    assert [(star.row, star.column) for star in one.stars] == [(ROW, COLUMN)]
    assert [(star.row, star.column) for star in other.stars] == [(ROW, COLUMN)]
    np.testing.assert_array_equal(one.stars[0].curve, other.stars[0].curve)
    np.testing.assert_array_equal(np.concatenate([part.differences for part in parts], axis=1), whole.differences)


@pytest.mark.parametrize("in_folder", [False, True])
def test_differences_are_flux_minus_reference(cube: Path, tmp_path: Path, *, in_folder: bool) -> None:
    made = measure_cube(cube)
    target, out = target_of(cube), tmp_path / "cutouts" if in_folder else None
    results = []
    for difference in (False, True):
        options = CutoutOptions(difference=difference, cadences=(5, 20), layout="slim")
        results += make_cutouts(cube, target, (5, 40), options=options, output_dir=out)
    plain, cut = results
    assert (plain.name.rsplit("_", 1)[1], cut.name.rsplit("_", 1)[1]) == ("astrocut.fits", "difference.fits")
    with fits.open(plain.path or io.BytesIO(bytes(plain.data or b""))) as usual, fits.open(made.reference) as of_cube:
        with fits.open(cut.path or io.BytesIO(bytes(cut.data or b"")), checksum=True) as hdus:
            header = hdus[1].header
            corner = header["2CRV4P"] - 1, header["1CRV4P"] - 1
            inside = np.s_[:, :, max(0, -corner[1]) : SHAPE[1] - corner[1]]
            on_frame = np.s_[corner[0] : corner[0] + 5, max(0, corner[1]) : corner[1] + 40]
            reference, error = (of_cube[number].data[on_frame] for number in (1, 2))
            flux, errors = usual[1].data["FLUX"][inside], usual[1].data["FLUX_ERR"][inside]
            np.testing.assert_array_equal(hdus[1].data["FLUX"][inside], flux - reference)
            np.testing.assert_array_equal(hdus[1].data["FLUX_ERR"][inside], np.hypot(errors, error))
            assert np.isnan(hdus[1].data["FLUX"]).sum() == np.isnan(usual[1].data["FLUX"]).sum() > 0
            primary = hdus[0].header
        assert "DIFFIMG" not in usual[0].header
    assert (primary["DIFFIMG"], primary["REFFILE"], primary["REFNGOOD"]) == (True, made.reference.name, len(GOOD))


def test_a_cutout_without_differences_does_not_know_of_references(cube: Path) -> None:
    before = make_cutouts(cube, target_of(cube), 5)[0].data
    measure_cube(cube)
    assert make_cutouts(cube, target_of(cube), 5)[0].data == before


def test_without_a_reference_frame_the_result_says_how_to_make_one(cube: Path) -> None:
    result = make_cutouts(cube, target_of(cube), 5, options=CutoutOptions(difference=True))[0]
    assert result.status == "error"
    assert "tess-s0001-4-2-reference.fits cannot be read: the cube has no reference frame beside it" in result.reason
    assert "tessera cube measure" in result.reason


def test_a_reference_frame_of_another_cube_is_refused(cube: Path) -> None:
    made = measure_cube(cube)
    content = made.reference.read_bytes()
    place = content.index(b"CUBEHASH= '") + len("CUBEHASH= '")
    for changed, reason in (
        (content[:place] + b"0000" + content[place + 4 :], "is the reference frame of another cube"),
        (content[:30_000], "or more are needed|is not a reference frame|has 30,000 bytes"),
        (cube.read_bytes(), "there is no image REFERENCE|is not a reference frame"),
    ):
        made.reference.write_bytes(changed)
        result = make_cutouts(cube, target_of(cube), 5, options=CutoutOptions(difference=True))[0]
        assert result.status == "error"
        with pytest.raises(CubeFormatError, match=reason):
            raise CubeFormatError(result.reason)


def test_a_file_of_somebody_else_is_kept(cube: Path) -> None:
    other = cube.with_name(f"{STEM}-changes.ecsv")
    other.write_text("my notes")
    with pytest.raises(KeptFileError, match="is kept, because it is no measure of a cube"):
        measure_cube(cube)
    assert {path.name for path in cube.parent.iterdir()} == {NAME, other.name}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_sigma": 2}, "n_sigma is 2; allowed: a number from 3 to 1000"),
        ({"bin_days": float("nan")}, "bin_days is nan; allowed: a number from 0.01 to 30"),
        ({"output_dir": "s3://bucket/x"}, "output_dir is 's3://bucket/x'"),
    ],
)
def test_values_that_are_not_allowed_are_named(cube: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message.replace("(", r"\(")):
        measure_cube(cube, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [("--n-sigma", "2", "a number from 3 to 1000"), ("--bin-days", "nan", "a number from 0.01 to 30")],
)
def test_the_command_names_its_options(
    cube: Path, option: str, value: str, allowed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cube", "measure", str(cube), option, value]) == 1
    assert capsys.readouterr().err == f"tessera: {option} is {float(value)}; allowed: {allowed}\n"


def test_the_command_measures_and_cuts(cube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cube", "measure", str(cube), "--bin-days", "0.05", "-q"]) == 0
    place = target_of(cube)
    where = f"{place.ra.deg} {place.dec.deg}"
    out = str(tmp_path / "cutouts")
    assert main(["cut", where, "--cube", str(cube), "-s", "5", "--difference", "-o", out, "-q"]) == 0
    (made,) = Path(out).glob("*_difference.fits")
    assert fits.getval(made, "DIFFIMG") is True
    assert main(["cut", where, "--cube", str(cube), "--bulk", "--difference", "-o", out, "-q"]) == 1
    assert "--difference is" in capsys.readouterr().err
