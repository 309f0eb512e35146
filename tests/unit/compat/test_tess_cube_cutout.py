"""`TessCubeCutout` and `CutoutFactory`: pixels, names, warnings and errors."""

from __future__ import annotations

import shutil
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, NoWcsKeywordsFoundError

import tessera
from tessera import (
    CubeFactory,
    CutoutFactory,
    DataWarning,
    InputWarning,
    InvalidInputError,
    InvalidQueryError,
    TessCubeCutout,
    TicaCubeFactory,
    cube_cut,
)
from tessera.cutouts.open_cube import open_cube
from tessera.sky.sphere import unit_vectors
from tests.support.checks import checksums_hold
from tests.support.frames import NamedFrame, tiny_error, tiny_flux, tiny_sector
from tests.support.same_bytes import assert_same_bytes
from tests.support.tica import tiny_tica_sector

SHAPE = (40, 30)
N = 4


def write_frames(folder: Path, frames: list[NamedFrame]) -> list[str]:
    for name, data in frames:
        (folder / name).write_bytes(data)
    return [str(folder / name) for name, _ in frames]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoc")
    files = write_frames(folder, tiny_sector(N, SHAPE))
    return Path(CubeFactory().make_cube(files, folder / "tess-s0001-4-2-cube.fits", sector=1, verbose=False))


@pytest.fixture(scope="module")
def tica(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tica")
    files = write_frames(folder, tiny_tica_sector(N, SHAPE))
    return Path(TicaCubeFactory().make_cube(files, folder / "tica-s0027-1-4-cube.fits", verbose=False))


@pytest.fixture(scope="module")
def wcs(path: Path) -> WCS:
    with open_cube(path) as file:
        return file.cube.wcs


def at(wcs: WCS, row: float, column: float) -> SkyCoord:
    return SkyCoord(*wcs.all_pix2world([[column, row]], 0)[0], unit="deg")


def test_a_cutout_has_the_pixels_of_its_window(path: Path, wcs: WCS) -> None:
    made = TessCubeCutout(path, at(wcs, 20.2, 10.2), (4, 6))
    (cutout,) = made.cutouts
    assert made.cutouts_by_file == {path: cutout}
    assert cutout.cutout_lims.tolist() == [[8, 12], [17, 23]]
    assert cutout.shape == (N, 6, 4)
    assert cutout.uncertainty is not None
    for cadence in range(N):
        np.testing.assert_array_equal(cutout.data[cadence], tiny_flux(cadence, SHAPE)[17:23, 8:12])
        np.testing.assert_array_equal(cutout.uncertainty[cadence], tiny_error(cadence, SHAPE)[17:23, 8:12])
    assert (cutout.aperture == 1).all()
    assert cutout.aperture.dtype == np.int32
    assert cutout.cube_filename is path
    assert (cutout.wcs.pixel_shape, cutout.cube_wcs.pixel_shape) == ((4, 6), (30, 40))


def test_pixels_beyond_the_frame_are_filled(path: Path, wcs: WCS) -> None:
    (cutout,) = TessCubeCutout(path, at(wcs, 0.2, 29.2), 4, fill_value=-7).cutouts
    assert cutout.cutout_lims.tolist() == [[27, 31], [-2, 2]]
    assert cutout.aperture.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 0]]
    assert (cutout.data[:, cutout.aperture == 0] == -7).all()
    np.testing.assert_array_equal(cutout.data[1, 2:, :3], tiny_flux(1, SHAPE)[:2, 27:30])


@pytest.mark.parametrize(
    ("method", "size", "limits"),
    [("round", 5, [8, 13]), ("ceil", 5, [8, 13]), ("floor", 5, [7, 12]), ("round", 0.01, [10, 11])],
)
def test_limits_are_rounded_each_by_itself(path: Path, wcs: WCS, method: str, size: float, limits: list[int]) -> None:
    (cutout,) = TessCubeCutout(path, at(wcs, 20.2, 10.2), size, limit_rounding_method=method).cutouts
    assert cutout.cutout_lims[0].tolist() == limits


def test_ceil_centres_odd_sizes_and_round_does_not(path: Path, wcs: WCS) -> None:
    def first(method: str, column: float) -> int:
        (cutout,) = TessCubeCutout(path, at(wcs, 20.2, column), 5, limit_rounding_method=method).cutouts
        return int(cutout.cutout_lims[0, 0])

    assert [first("ceil", 10 + step / 10) for step in (-4, -1, 1, 4)] == [8, 8, 8, 8]
    assert [first("round", 10 + step / 10) for step in (-4, -1, 1, 4)] == [7, 7, 8, 8]


def test_the_fit_is_as_far_from_the_truth_as_it_says(path: Path, wcs: WCS) -> None:
    (cutout,) = TessCubeCutout(path, at(wcs, 20.2, 15.2), 20).cutouts
    columns, rows = (axis.ravel() for axis in np.meshgrid(np.arange(20), np.arange(20)))
    truth = wcs.all_pix2world(columns + cutout.cutout_lims[0, 0], rows + cutout.cutout_lims[1, 0], 0)
    fit = cutout.wcs.all_pix2world(columns, rows, 0)
    distance = np.degrees(np.linalg.norm(unit_vectors(*truth) - unit_vectors(*fit), axis=1))
    assert cutout.wcs_fit["WCS_MSEP"][0] == pytest.approx(distance.max(), rel=1e-3) != 0
    assert cutout.wcs_fit["WCS_SIG"][0] == pytest.approx(np.sqrt((distance**2).sum()), rel=1e-3)


def test_every_target_of_a_list_is_cut(path: Path, wcs: WCS) -> None:
    targets = SkyCoord([at(wcs, 20.2, 10.2), at(wcs, 5.2, 8.2)])
    made = TessCubeCutout(path, targets, 4)
    assert [cutout.cutout_lims[1, 0] for cutout in made.cutouts] == [18, 3]
    names = [f"{sky.ra.deg:.8f} {sky.dec.deg:.8f}" for sky in targets]
    assert list(made.cutouts_by_file[path]) == list(made.tpf_cutouts_by_file[path]) == names
    mixed = TessCubeCutout(path, [targets[0], f"{targets[1].ra.deg} {targets[1].dec.deg}"], 4)
    np.testing.assert_array_equal(mixed.cutouts[1].data, made.cutouts[1].data)


def test_a_position_of_another_frame_is_the_same_place(path: Path, wcs: WCS) -> None:
    sky = at(wcs, 20.2, 10.2)
    first, second = (TessCubeCutout(path, item, 3).cutouts[0] for item in (sky, sky.galactic))
    np.testing.assert_array_equal(first.data, second.data)


@pytest.mark.parametrize("place", [(-20, -20), (20, -20), (20, 60), (70, 15), (-20, 15)])
def test_a_target_beside_the_frame_is_told_before_any_pixel_is_read(
    path: Path, wcs: WCS, place: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.cutouts.open_cube.CubeFile.read_window", lambda *_: pytest.fail("pixels are read"))
    with (
        pytest.warns(DataWarning, match="Cutout footprint does not overlap with data in .*tess-s0001-4-2-cube"),
        pytest.raises(InvalidQueryError, match="Cube cutout contains no data!"),
    ):
        TessCubeCutout(path, at(wcs, *place), 5)


def test_a_target_far_away_is_beside_the_frame_too(path: Path) -> None:
    with pytest.warns(DataWarning, match="does not overlap"), pytest.raises(InvalidQueryError):
        TessCubeCutout(path, "10 10", 5)


def n_open_files() -> int:
    """Number of open FITS files. A thread of another test may open other files meanwhile."""
    return sum(each.resolve().suffix == ".fits" for each in Path("/proc/self/fd").iterdir())


def damaged(path: Path, folder: Path, kind: str) -> Path:
    cube = folder / f"{kind.replace(' ', '-')}.fits"
    content = path.read_bytes()
    contents = {
        "short": content[:10_000],
        "short in the table": content[: -len(content) // 20],
        "no fits": b"nothing of this kind" * 1000,
        "empty": b"",
        "noise for a table": content[:-60_000] + bytes(range(32, 127)) * 631,
    }
    if kind in contents:
        cube.write_bytes(contents[kind])
    return cube


@pytest.mark.parametrize("kind", ["missing", "short", "short in the table", "no fits", "empty", "noise for a table"])
def test_one_bad_cube_is_named_and_the_others_are_cut(path: Path, wcs: WCS, tmp_path: Path, kind: str) -> None:
    bad = damaged(path, tmp_path, kind)
    with pytest.warns(DataWarning, match=bad.name):
        made = TessCubeCutout([bad, path], at(wcs, 20, 10), 5)
    assert list(made.cutouts_by_file) == [path]
    n_open = n_open_files()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        for _ in range(5):
            TessCubeCutout([bad, path], at(wcs, 20, 10), 5)
    assert n_open_files() == n_open


def test_the_only_cube_raises_its_own_error(path: Path, wcs: WCS, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.fits"):
        TessCubeCutout(tmp_path / "missing.fits", at(wcs, 20, 10), 5)
    with pytest.warns(DataWarning, match="missing"), pytest.raises(InvalidQueryError):
        TessCubeCutout([tmp_path / "missing-1.fits", tmp_path / "missing-2.fits"], at(wcs, 20, 10), 5)


def test_a_spoc_cube_without_errors_is_refused(path: Path, wcs: WCS, tmp_path: Path) -> None:
    with fits.open(path) as hdus:
        hdus[1].data = hdus[1].data[..., :1]
        hdus.writeto(tmp_path / "one-plane.fits", checksum=True)
    with pytest.raises(InvalidInputError, match="Cube must have at least 2 planes"):
        TessCubeCutout(tmp_path / "one-plane.fits", at(wcs, 20, 10), 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit_rounding_method": "ROUND"}, "Limit rounding method ROUND is not recognized"),
        ({"limit_rounding_method": None}, "is not recognized"),
        ({"fill_value": "nan"}, "Fill value must be an integer or a float"),
        ({"coordinates": []}, "At least one coordinate must be provided"),
        ({"coordinates": "over there"}, "Invalid coordinates input"),
        ({"coordinates": 5}, "Invalid coordinates input"),
        ({"cutout_size": 0}, "Cutout size dimensions must be greater than zero"),
        ({"cutout_size": (5, -1)}, "Cutout size dimensions must be greater than zero"),
        ({"cutout_size": float("nan")}, "Cutout size dimensions"),
        ({"cutout_size": 5 * u.m}, "Cutout size unit meter is not supported"),
        ({"cutout_size": "5"}, "cutout_size"),
        ({"cutout_size": []}, "cutout_size"),
        ({"cutout_size": None}, "cutout_size"),
        ({"cutout_size": [[5, 5]]}, "cutout_size"),
        ({"threads": "all"}, "threads"),
        ({"product": "K2"}, 'either "SPOC" or "TICA"'),
        ({"product": "TICA"}, "product is 'TICA'"),
        ({"input_files": []}, "input_files"),
        ({"input_files": [5]}, "input_files"),
    ],
)
def test_bad_input_is_refused_in_words(path: Path, arguments: dict[str, object], message: str) -> None:
    given = {"input_files": path, "coordinates": "83.9 -80.6"} | arguments
    with pytest.raises(InvalidInputError, match=message):
        TessCubeCutout(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "lims", "text"),
    [
        ([5], (5, 5), "5-x-5"),
        (np.array([4, 6]), (4, 6), "4-x-6"),
        ((4.0, 6), (4, 6), "4.0-x-6"),
        (4 * u.pix, (4, 4), "4.0pix-x-4.0pix"),
        ([4 * u.pix, 6], (4, 6), "4.0pix-x-6"),
        (np.float32(4), (4, 4), "4.0-x-4.0"),
        (np.int64(4), (4, 4), "4-x-4"),
        (1 * u.arcmin, (3, 3), "1.0arcmin-x-1.0arcmin"),
    ],
)
def test_sizes_are_columns_and_rows_and_stand_in_the_name(
    path: Path, wcs: WCS, size: object, lims: tuple[int, int], text: str
) -> None:
    made = TessCubeCutout(path, at(wcs, 20.2, 10.2), size)
    assert tuple(np.diff(made.cutouts[0].cutout_lims)[:, 0]) == lims
    assert made._names(legacy=False)[0].endswith(f"_{text}_astrocut.fits")


def test_more_than_two_sides_are_cut_with_a_warning(path: Path, wcs: WCS) -> None:
    with pytest.warns(InputWarning, match="Too many dimensions"):
        made = TessCubeCutout(path, at(wcs, 20.2, 10.2), [4, 6, 9])
    assert made.cutouts[0].shape == (N, 6, 4)


def test_files_are_named_for_cube_target_and_size(path: Path, wcs: WCS, tmp_path: Path) -> None:
    sky = at(wcs, 20.2, 10.2)
    made = TessCubeCutout(str(path), sky, (4, 6))
    (name,) = made.write_as_tpf(tmp_path / "new" / "folder")
    assert name == f"{tmp_path}/new/folder/tess-s0001-4-2_{sky.ra.deg:.7f}_{sky.dec.deg:.7f}_4-x-6_astrocut.fits"
    (legacy,) = made.write_as_tpf(tmp_path, legacy_filenames=True)
    assert Path(legacy).name == f"tess-s0001-4-2_{sky.ra.deg:.6f}_{sky.dec.deg:.6f}_4x6_astrocut.fits"
    assert made.write_as_tpf(tmp_path, "mine.fits") == [f"{tmp_path}/mine.fits"]
    assert checksums_hold((tmp_path / "mine.fits").read_bytes())


@pytest.mark.parametrize(
    ("file", "stem"),
    [("cube.fits", "cube"), ("tube.fits", "tube"), ("test_b-cube.fits", "test_b"), ("mycube.fits", "mycube")],
)
def test_only_the_end_of_a_cubes_name_is_left_out(path: Path, wcs: WCS, tmp_path: Path, file: str, stem: str) -> None:
    copy = shutil.copy(path, tmp_path / file)
    (name,) = TessCubeCutout(copy, at(wcs, 20.2, 10.2), 4).write_as_tpf(tmp_path)
    assert Path(name).name.startswith(f"{stem}_8")


def test_cubes_of_the_same_name_do_not_overwrite_each_other(path: Path, wcs: WCS, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    copy = shutil.copy(path, tmp_path / "other")
    made = TessCubeCutout([path, copy, path], at(wcs, 20.2, 10.2), 4)
    assert list(made.cutouts_by_file) == [path, copy]
    names = [Path(name).name.partition("_")[0] for name in made.write_as_tpf(tmp_path)]
    assert names == ["tess-s0001-4-2", "tess-s0001-4-2-2"]
    with zipfile.ZipFile(made.write_as_zip(tmp_path)) as archive:
        assert len(set(archive.namelist())) == 2
    with pytest.warns(InputWarning, match=r"mine\.fits is not used"):
        assert len(made.write_as_tpf(tmp_path, "mine.fits")) == 2


def test_an_archive_has_the_files(path: Path, wcs: WCS, tmp_path: Path) -> None:
    sky = at(wcs, 20.2, 10.2)
    made = TessCubeCutout(path, sky, 4)
    name = made.write_as_zip(tmp_path)
    assert Path(name).name == f"astrocut_{sky.ra.deg:.7f}_{sky.dec.deg:.7f}_4-x-4.zip"
    assert made.write_as_zip(tmp_path, "mine_1.5").endswith("/mine_1.5.zip")
    with zipfile.ZipFile(name) as archive:
        (member,) = archive.namelist()
        assert_same_bytes(archive.read(member), Path(made.write_as_tpf(tmp_path)[0]).read_bytes())
    with zipfile.ZipFile(made.write_as_zip(tmp_path, "l.zip", legacy_filenames=True)) as archive:
        assert archive.namelist()[0].endswith("_4x4_astrocut.fits")
    several = TessCubeCutout(path, [sky, at(wcs, 9, 9)], 4).write_as_zip(tmp_path)
    assert Path(several).name == "astrocut_tess_cutouts.zip"


def test_what_a_user_changes_in_a_target_pixel_file_is_written(path: Path, wcs: WCS, tmp_path: Path) -> None:
    made = TessCubeCutout(path, at(wcs, 20.2, 10.2), 4)
    (tpf,) = made.tpf_cutouts
    assert made.tpf_cutouts_by_file == {path: tpf}
    assert (tpf[0].header["CREATOR"], tpf[0].header["FFI_TYPE"]) == ("tessera", "SPOC")
    np.testing.assert_array_equal(tpf["PIXELS"].data["FLUX"], made.cutouts[0].data)
    tpf[0].header["OBJECT"] = "Proxima"
    (name,) = made.write_as_tpf(tmp_path)
    assert fits.getheader(name)["OBJECT"] == "Proxima"
    assert checksums_hold(Path(name).read_bytes())


@pytest.mark.parametrize("product", [None, "TICA", "tica"])
def test_tica_cubes_have_flux_and_no_errors(tica: Path, product: str | None) -> None:
    with open_cube(tica) as file:
        sky = at(file.cube.wcs, 20.2, 10.2)
    made = TessCubeCutout(tica, sky, (4, 6), product=product)
    (cutout,) = made.cutouts
    assert cutout.uncertainty is None
    np.testing.assert_array_equal(cutout.data[2], tiny_flux(2, SHAPE)[17:23, 8:12])
    table = made.tpf_cutouts[0]["PIXELS"]
    assert len(table.columns) == 11
    assert (table.data["FLUX_ERR"] == 0).all()
    assert made.tpf_cutouts[0][0].header["FFI_TYPE"] == "TICA"


def test_the_factory_tells_what_it_did(path: Path, wcs: WCS, tmp_path: Path) -> None:
    sky = at(wcs, 20.2, 10.2)
    factory = CutoutFactory()
    name = factory.cube_cut(path, sky, (4, 6), output_path=tmp_path, legacy_filenames=True)
    assert str(name).endswith("_4x6_astrocut.fits")
    assert factory.cutout_lims.tolist() == [[8, 12], [17, 23]]
    assert factory.center_coord.separation(sky) == 0
    assert list(factory.cube_wcs.wcs.crval) == list(wcs.wcs.crval)
    assert factory.cutout_wcs.pixel_shape == (4, 6)
    assert factory.cutout_wcs_fit["WCS_MSEP"][0] > 0
    assert factory.product == "SPOC"
    memory = cube_cut(path, sky, (4, 6), memory_only=True)
    assert isinstance(memory, fits.HDUList)
    assert cube_cut(path, sky, 4, "mine.fits", tmp_path) == f"{tmp_path}/mine.fits"


def test_the_factory_refuses_several_targets_and_the_old_order_of_arguments(path: Path, wcs: WCS) -> None:
    sky = at(wcs, 20.2, 10.2)
    with pytest.raises(InvalidInputError, match="TessCubeCutout takes several"):
        cube_cut(path, SkyCoord([sky, sky]), 4)
    with pytest.raises(InvalidInputError, match="product='TICA'"):
        cube_cut(path, sky, 4, "TICA")


def test_a_notebook_of_astrocuts_runs_with_other_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    manifest = {"Local Path": np.array(write_frames(tmp_path, tiny_tica_sector(N, SHAPE)))}
    tica_cube_maker = tessera.TicaCubeFactory()
    cube = tica_cube_maker.make_cube(manifest["Local Path"])  # type: ignore[arg-type] # a column of a table
    assert cube == "img-cube.fits"
    with open_cube(cube) as file:
        coordinates = at(file.cube.wcs, 20, 15)
    cutout_maker = tessera.CutoutFactory()
    cutout_file = cutout_maker.cube_cut(cube, coordinates=coordinates, cutout_size=25, product="TICA")
    with fits.open(cutout_file) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "PIXELS", "APERTURE"]
        assert hdus[1].data["FLUX"].shape == (N, *np.diff(cutout_maker.cutout_lims)[::-1, 0])


def table_of(ctype2: list[str]) -> fits.FITS_rec:
    columns = [
        fits.Column("CTYPE1", "24A", array=["RA---TAN-SIP"] * len(ctype2)),
        fits.Column("CTYPE2", "24A", array=ctype2),
        fits.Column("CRVAL1", "D", array=np.arange(len(ctype2)) + 100.0),
        fits.Column("CRPIX1", "D", array=np.full(len(ctype2), np.nan)),
        fits.Column("NAXIS1", "J", array=np.full(len(ctype2), 30)),
        fits.Column("NAXIS2", "J", array=np.full(len(ctype2), 40)),
    ]
    return fits.BinTableHDU.from_columns(columns).data


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_the_wcs_of_a_table_is_found_wherever_it_is(n: int) -> None:
    for row in range(n):
        ctype2 = ["DEC--TAN-SIP" if index == row else "" for index in range(n)]
        wcs, header = TessCubeCutout.parse_table_wcs(table_of(ctype2), return_header=True)
        assert wcs.wcs.crval[0] == 100 + row
        assert (header["CRVAL1"], "CRPIX1" in header, wcs.pixel_shape) == (100 + row, False, (30, 40))
    with pytest.raises(NoWcsKeywordsFoundError, match="No FFI rows contain valid WCS keywords"):
        TessCubeCutout.parse_table_wcs(table_of([""] * n))
