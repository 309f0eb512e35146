"""`TessFootprintCutout`: which cubes cover a target, and cutouts of all of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from tessera import (
    DataWarning,
    InvalidInputError,
    InvalidQueryError,
    TessFootprintCutout,
    TicaCubeFactory,
    cube_cut_from_footprint,
    get_tess_sectors,
    ra_dec_crossmatch,
)
from tessera.compat.tess.tess_footprint_cutout import get_ffis
from tessera.coverage.footprint_index import INDEXES, FootprintIndexes, parse_index
from tessera.sky.footprint import frame_footprint
from tessera.sky.wcs import frame_wcs
from tessera_cloud.contracts import BuildRequest
from tests.conformance.bucket import bucket_server
from tests.support.builds import build_cube
from tests.support.frames import centred_wcs, tiny_flux, tiny_sector
from tests.support.paths import DATA
from tests.support.tica import tiny_tica_sector

INDEX = DATA / "tess_ffi_footprints.json"
LOOKUP = json.loads((DATA / "sector_lookup.json").read_text(encoding="utf-8"))
ANSWERS = json.loads((DATA / "tesscut_documented_answers.json").read_text(encoding="utf-8"))
POSITIONS_ANSWERED = [answer for answer in ANSWERS["sector_answers"] if set(answer["request"]) == {"ra", "dec"}]
SHAPE = (40, 30)
N = 3


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    INDEXES.forget()
    yield
    INDEXES.forget()


def sectors_of(table: Table) -> set[tuple[int, ...]]:
    return {(int(row["sector"]), int(row["camera"]), int(row["ccd"])) for row in table}


@pytest.mark.parametrize("place", LOOKUP["positions"], ids=lambda place: f"{place['ra']} {place['dec']}")
def test_sectors_of_a_position_are_those_that_two_other_sources_know(place: dict[str, Any]) -> None:
    found = sectors_of(get_tess_sectors(f"{place['ra']} {place['dec']}", 0, footprints=INDEX))
    certain = {tuple(ccd) for ccd in place["certain"]}
    assert certain <= found <= certain | {tuple(ccd) for ccd in place["uncertain"]}


@pytest.mark.parametrize(
    "answer", [a for a in ANSWERS["sector_answers"] if set(a["request"]) == {"ra", "dec"}], ids=str
)
def test_sectors_are_those_of_the_live_service(answer: dict[str, Any]) -> None:
    table = get_tess_sectors(SkyCoord(**answer["request"], unit="deg"), 0, footprints=INDEX)
    assert table.colnames == ["sectorName", "sector", "camera", "ccd"]
    wanted = {name for name in answer["answer"] if int(name[6:10]) <= 80}
    assert wanted <= {str(name) for name in table["sectorName"]}


def index_of(*boxes: str, **columns: list[Any]) -> Table:
    table = {
        "obs_id": [f"tess-s{sector:04d}-1-1" for sector, _ in enumerate(boxes, 1)],
        "s_region": list(boxes),
        "target_name": ["TESS FFI"] * len(boxes),
        "sequence_number": list(range(1, len(boxes) + 1)),
    }
    return parse_index(json.dumps(table | columns).encode())


def test_a_box_is_as_wide_on_the_sky_at_every_declination() -> None:
    beside = index_of("POLYGON 11 79 20 79 20 81 11 81")
    side = 1 * u.deg * np.cos(np.radians(80))  # the frame is so far away
    assert len(ra_dec_crossmatch(beside, "10 80", 2.1 * side)) == 1
    assert len(ra_dec_crossmatch(beside, "10 80", 1.9 * side)) == 0
    assert len(ra_dec_crossmatch(beside, "10 80", (2.1 * side, 0 * u.deg))) == 1
    assert len(ra_dec_crossmatch(beside, "10 80", (0 * u.deg, 2.1 * side))) == 0


def test_boxes_reach_across_zero_right_ascension_and_over_a_pole() -> None:
    index = index_of("POLYGON 359 -1 1 -1 1 1 359 1", "POLYGON 100 88 120 88 120 89.5 100 89.5")
    assert list(ra_dec_crossmatch(index, "359.5 0", 0)["sequence_number"]) == [1]
    assert list(ra_dec_crossmatch(index, "358.9 0", 0.3 * u.deg)["sequence_number"]) == [1]
    assert list(ra_dec_crossmatch(index, "290 89.8", 1.6 * u.deg)["sequence_number"]) == [2]


@pytest.mark.parametrize("size", [0, 0 * u.arcmin, (0, 0), [0 * u.pix, 0 * u.pix], 5, [5, 0], 5 * u.arcmin])
def test_the_footprints_text_is_enough(size: Any) -> None:
    index = get_ffis(INDEX)
    index.remove_column("polygon")
    assert len(ra_dec_crossmatch(index, "350 -80", size)) == 5


def test_every_ccd_of_a_sector_that_a_cutout_touches_is_found() -> None:
    names = list(get_tess_sectors("350 -80", 10 * u.deg, footprints=INDEX)["sectorName"])
    assert len([name for name in names if str(name).startswith("tess-s0001")]) > 1


@pytest.mark.parametrize("coordinates", ["400 -120", "nowhere", [SkyCoord(1, 2, unit="deg")] * 2])
def test_no_position_and_several_are_refused(coordinates: Any) -> None:
    with pytest.raises(InvalidInputError, match="coordinates"):
        get_tess_sectors(coordinates, 0, footprints=INDEX)


def test_a_position_that_no_sector_covers_has_an_empty_answer() -> None:
    table = ra_dec_crossmatch(index_of("POLYGON 0 0 1 0 1 1 0 1"), "180 0", 5)
    assert len(table) == 0


def test_a_footprint_of_another_form_is_left_out_with_a_warning() -> None:
    with pytest.warns(DataWarning) as caught:
        index = index_of("CIRCLE 1 2 3", "POLYGON 0 0 1 0 1 1 0 1", "POLYGON 0 0 1 0 1 1")
    assert list(index["sequence_number"]) == [2]
    assert [str(item.message)[:31] for item in caught] == [f"The footprint of tess-s000{n}-1-1" for n in (1, 3)]


def test_an_index_is_kept_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    now = 0.0
    indexes = FootprintIndexes(lambda: now)
    path = tmp_path / "index.json"
    path.write_bytes(INDEX.read_bytes())
    first = indexes.read(path)
    first["sequence_number"] = 0
    path.unlink()
    now = 899.0
    assert set(indexes.read(str(path))["sequence_number"]) == set(range(1, 81))
    now = 901.0
    with pytest.raises(FileNotFoundError):
        indexes.read(path)


def sector_cube(folder: Path, sector: int, ccd: int = 2) -> Path:
    path = folder / f"tess-s{sector:04d}-4-{ccd}-cube.fits"
    request = BuildRequest(sector=sector, camera=4, ccd=ccd)
    path.write_bytes(build_cube(tiny_sector(N, SHAPE, sector=sector, ccd=ccd), request))
    return path


def sector_row(sector: int, ccd: int = 2) -> dict[str, Any]:
    wcs = frame_wcs(dict(centred_wcs(SHAPE, sector, 4, ccd)))
    return {
        "obs_id": f"tess-s{sector:04d}-4-{ccd}",
        "s_region": frame_footprint(wcs, *SHAPE).format_s_region(),
        "target_name": "TESS FFI",
        "sequence_number": sector,
    }


def place_in(sector: int, row: float = 20.2, column: float = 10.2) -> SkyCoord:
    wcs = frame_wcs(dict(centred_wcs(SHAPE, sector, 4, 2)))
    return SkyCoord(*wcs.all_pix2world([[column, row]], 0)[0], unit="deg")


def write_index(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "index.json"
    path.write_text(json.dumps({name: [row[name] for row in rows] for name in rows[0]}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sectors that see different places, and a third whose cube is missing where the first one is."""
    folder = tmp_path_factory.mktemp("archive")
    for sector in (1, 2):
        sector_cube(folder, sector)
    missing = sector_row(1) | {"obs_id": "tess-s0003-4-2", "sequence_number": 3}
    write_index(folder, [sector_row(1), sector_row(2), missing])
    return folder


def test_cubes_that_cover_a_target_are_cut(archive: Path, tmp_path: Path) -> None:
    made = TessFootprintCutout(place_in(1), 4, sequence=[1, 2], footprints=archive / "index.json", cubes=archive)
    file = f"{archive}/tess-s0001-4-2-cube.fits"
    assert list(made.cutouts_by_file) == list(made.tpf_cutouts_by_file) == [file]
    (cutout,) = made.cutouts
    np.testing.assert_array_equal(cutout.data[1], tiny_flux(1, SHAPE)[18:22, 8:12])
    assert made.tess_cube_cutout.cutouts == made.cutouts
    assert isinstance(made.tpf_cutouts[0], fits.HDUList)
    (path,) = made.write_as_tpf(tmp_path, legacy_filenames=True)
    assert Path(path).name.startswith("tess-s0001-4-2_")
    with zipfile.ZipFile(made.write_as_zip(tmp_path, "all", legacy_filenames=True)) as members:
        assert members.namelist() == [Path(path).name]


def test_a_missing_cube_of_a_sector_is_named_and_skipped(archive: Path, tmp_path: Path) -> None:
    index = archive / "index.json"
    with pytest.warns(DataWarning, match="tess-s0003-4-2-cube.fits is skipped"):
        paths = cube_cut_from_footprint(place_in(1), 4, output_dir=tmp_path, footprints=index, cubes=archive)
    assert [Path(str(path)).name[:14] for path in paths] == ["tess-s0001-4-2"]
    with pytest.raises(FileNotFoundError, match="tess-s0003-4-2"):
        cube_cut_from_footprint(place_in(1), 4, 3, footprints=index, cubes=archive)


def test_each_of_several_targets_is_cut_from_the_cubes_that_cover_it(archive: Path) -> None:
    targets = [place_in(1), place_in(2), place_in(1, 30.2, 20.2), SkyCoord(10, 60, unit="deg")]
    with pytest.warns(DataWarning, match=r"10\.0+ 60\.0+ was not found"):
        made = TessFootprintCutout(targets, 4, sequence=[1, 2], footprints=archive / "index.json", cubes=archive)
    limits = {Path(file).name: len(found) for file, found in made.cutouts_by_file.items()}
    assert limits == {"tess-s0001-4-2-cube.fits": 2, "tess-s0002-4-2-cube.fits": 1}


def test_targets_and_sectors_without_cubes_have_no_answer(archive: Path) -> None:
    index = archive / "index.json"
    with pytest.raises(InvalidQueryError, match="No files were found for sequences: 7, 8"):
        TessFootprintCutout(place_in(1), 4, sequence=[7, 8], footprints=index)
    with pytest.raises(InvalidQueryError, match="not found within the specified sequence"):
        TessFootprintCutout(place_in(1), 4, sequence=2, footprints=index)
    for sequence in ([], "1", [1.5]):
        with pytest.raises(InvalidInputError, match="sequence"):
            TessFootprintCutout(place_in(1), 4, sequence=sequence, footprints=index)  # type: ignore[arg-type]


def test_an_index_that_knows_where_the_cubes_are_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = sector_row(1) | {"bucket": "cubes", "key": "cubes/s0001-4-2/build/tess-s0001-4-2-cube.fits"}
    files: list[str] = []
    monkeypatch.setattr(
        "tessera.compat.tess.tess_footprint_cutout._MatchedCubeCutout", lambda found, *_: files.extend(found)
    )
    TessFootprintCutout(place_in(1), 4, footprints=write_index(tmp_path, [row]))
    TessFootprintCutout(place_in(1), 4, footprints=tmp_path / "index.json", cubes="https://cubes/of/mine/")
    assert files == [f"s3://cubes/{row['key']}", "https://cubes/of/mine/tess-s0001-4-2-cube.fits"]


@pytest.mark.parametrize("obs_id", ["hlsp_tica_s0027-cam1-ccd4", "tica-s0027-1-4"])
def test_tica_cubes_are_found_by_their_product(tmp_path: Path, obs_id: str) -> None:
    frames = tiny_tica_sector(N, SHAPE)
    for name, data in frames:
        (tmp_path / name).write_bytes(data)
    cube = tmp_path / "tica-s0027-1-4-cube.fits"
    TicaCubeFactory().make_cube([tmp_path / name for name, _ in frames], cube, verbose=False)
    wcs = frame_wcs(dict(fits.Header.fromstring(frames[0][1][: 2880 * 20].decode("latin-1"))))
    sky = SkyCoord(*wcs.all_pix2world([[10.2, 20.2]], 0)[0], unit="deg")
    row = {
        "obs_id": obs_id,
        "s_region": frame_footprint(wcs, *SHAPE).format_s_region(),
        "target_name": "TICA FFI",
        "sequence_number": 27,
    }
    index = write_index(tmp_path, [row])
    made = TessFootprintCutout(sky, 4, product="TICA", footprints=index, cubes=tmp_path)
    np.testing.assert_array_equal(made.cutouts[0].data[1], tiny_flux(1, SHAPE)[18:22, 8:12])
    with pytest.raises(InvalidQueryError):
        TessFootprintCutout(sky, 4, footprints=index, cubes=tmp_path)


@pytest.mark.parametrize("scheme", ["s3", "http"])
@pytest.mark.slow
def test_cubes_and_indexes_are_read_from_addresses(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with bucket_server() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
        if scheme == "s3":
            made = TessFootprintCutout("350 -80", (5, 3), sequence=[1, 13])
        else:
            folder = f"{endpoint}/stpubdata/tess/public"
            index = f"{folder}/footprints/tess_ffi_footprint_cache.json"
            options: dict[str, Any] = {"footprints": index, "cubes": f"{folder}/mast/"}
            made = TessFootprintCutout("350 -80", (5, 3), sequence=[1, 13], **options)
    assert [cutout.shape for cutout in made.cutouts] == [(2, 3, 5)] * 2
    assert {tpf[0].header["SECTOR"] for tpf in made.tpf_cutouts} == {1, 13}
