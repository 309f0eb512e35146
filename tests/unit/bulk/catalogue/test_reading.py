"""Read light curves back from a catalogue: one at a time, by row, by position, and stitched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from tessera.bulk.catalogue.open import Catalogue, open_catalogue
from tessera.bulk.options import BulkOptions
from tessera.bulk.products.finish import finish_products
from tessera.bulk.products.local import LocalFolder
from tessera.bulk.status import format_status
from tessera.cubes.reader import Cube
from tessera.errors import InvalidInputError, UnreadableFileError
from tests.support.bands import some_band, some_curve, target_rows, write_band
from tests.support.web import Site, serve

RNG = np.random.default_rng(11)
N = 50
RA, DEC = RNG.uniform(60, 110, N).tolist(), RNG.uniform(-80, -60, N).tolist()
SECTORS = {1: 1325.0, 2: 1352.0}
OPTIONS = BulkOptions()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, cube: Cube) -> Path:
    """Results of a list: all targets in two sectors, and ten of them on the worse CCD of a sector, too."""
    folder = tmp_path_factory.mktemp("results")
    bands = [some_band(RA, DEC, number=number, sector=sector, hats_order=1) for number, sector in enumerate(SECTORS)]
    worse = np.zeros(10, np.bool_)
    bands.append(some_band(RA[:10], DEC[:10], number=2, sector=2, ccd=3, best=worse, hats_order=1))
    written = [
        write_band(folder, band, cube, OPTIONS, start=SECTORS[band.sector] + band.number / 1e4) for band in bands
    ]
    finish_products(
        LocalFolder(folder),
        rows=target_rows(RA, DEC),
        options=OPTIONS,
        fragments=[format_status(statuses) for _, statuses in written],
        files=[file for files, _ in written for file in files],
        document={},
    )
    return folder


@contextmanager
def serving_folder(folder: Path) -> Iterator[str]:
    """URL of a server of the files of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    with serve(Site({f"/list/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in files})) as site:
        yield f"{site.base}/list"


@pytest.fixture
def catalogue(results: Path) -> Catalogue:
    return open_catalogue(results)


def test_the_table_of_targets_has_every_light_curve(catalogue: Catalogue) -> None:
    targets = catalogue.targets

    assert len(catalogue) == len(targets) == 2 * N + 10
    assert targets["row"].tolist() == sorted([*range(1, N + 1), *range(1, N + 1), *range(1, 11)])
    assert [tuple(each) for each in targets[:3]["row", "sector", "ccd", "best", "n_cadences"]] == [
        (1, 1, 2, True, 12), (1, 2, 2, True, 12), (1, 2, 3, False, 12)
    ]  # fmt: skip
    assert np.array_equal(targets["ra"][targets["cube"] == "tess-s0001-4-2"], RA)
    assert (str(targets["ra"].unit), targets["edge"].description[:8]) == ("deg", "distance")


@pytest.mark.parametrize("row", [1, 17, N])
def test_a_light_curve_has_all_its_digits(catalogue: Catalogue, row: int) -> None:
    curve, written = catalogue.curve(row, 1), some_curve(row - 1, SECTORS[1])

    for name in ("time", "flux", "flux_err", "background", "quality", "mask"):
        assert np.array_equal(getattr(curve, name), getattr(written, name)), name
    assert (curve.time_system, curve.flux_unit, curve.background_subtracted) == ("BTJD", "e-/s", True)
    assert curve.cadence_numbers is None
    assert curve.facts["target"] == f"star {row - 1}"
    assert (curve.facts["sector"], curve.facts["camera"], curve.facts["ccd"]) == (1, 4, 2)
    assert (curve.facts["ra"], curve.facts["dec"]) == (RA[row - 1], DEC[row - 1])
    assert curve.facts.get("tic", 0) == (row - 1) * 11


def test_of_two_ccds_the_better_one_is_read_unless_a_cube_is_named(catalogue: Catalogue) -> None:
    assert all(catalogue.curve(3, sector).facts["ccd"] == 2 for sector in (2, [2], np.array(2), np.array([2])))  # type: ignore[arg-type] # arrays are taken, too
    other = catalogue.curve(3, cube="tess-s0002-4-3")

    assert other.facts["ccd"] == 3
    assert np.array_equal(other.flux, some_curve(2, SECTORS[2] + 2e-4).flux)


def test_stitched_sectors_are_divided_by_their_medians_and_joined_in_order_of_time(catalogue: Catalogue) -> None:
    curve = catalogue.curve(5, [2, 1], stitched=True)

    parts = [some_curve(4, start + number / 1e4) for number, start in enumerate(SECTORS.values())]
    medians = [np.median(part.flux[part.quality == 0]) for part in parts]
    assert np.array_equal(curve.time, np.concatenate([part.time for part in parts]))
    assert np.all(np.diff(curve.time) > 0)
    assert np.array_equal(
        curve.flux, np.concatenate([part.flux / median for part, median in zip(parts, medians, strict=True)])
    )
    assert np.array_equal(
        curve.flux_err, np.concatenate([part.flux_err / median for part, median in zip(parts, medians, strict=True)])
    )
    assert (curve.flux_unit, curve.background, curve.mask) == ("", None, None)
    assert curve.facts["target"] == "star 4"
    assert "sector" not in curve.facts
    assert curve.to_table()["flux"].unit in (None, u.dimensionless_unscaled)
    assert np.array_equal(catalogue.curve(5, stitched=True).flux, curve.flux)


def test_targets_are_found_by_position_as_astropy_finds_them(catalogue: Catalogue) -> None:
    stars = SkyCoord(RA, DEC, unit="deg")
    for ra, dec, radius in [
        (85.0, -70.0, 4 * 3600),
        (RA[7], DEC[7], 0),
        (RA[8], DEC[8] + 1e-4, 0.5),
        (0.0, 90.0, 648e3),
    ]:
        separation = stars.separation(SkyCoord(ra, dec, unit="deg")).to_value(u.arcsec)

        found = catalogue.near(ra, dec, radius)

        assert set(found["row"].tolist()) == set((np.flatnonzero(separation <= radius) + 1).tolist())
        assert np.allclose(found["separation"], separation[np.asarray(found["row"]) - 1], rtol=1e-9, atol=1e-6)
        assert np.all(np.diff(found["separation"]) >= 0)


def test_a_search_by_position_reads_no_other_partition(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "copy")
    kept = {path.parent.name for path in _parts(tmp_path / "copy") if path.parent.name == _partition_of(results, 7)}
    for path in _parts(tmp_path / "copy"):
        if path.parent.name not in kept:
            path.write_bytes(b"damaged")

    assert set(open_catalogue(tmp_path / "copy").near(RA[6], DEC[6], 1)["row"].tolist()) == {7}


def _parts(folder: Path) -> Iterator[Path]:
    yield from sorted((folder / "lightcurves/dataset").rglob("*.parquet"))


def _partition_of(results: Path, row: int) -> str:
    text = (results / "status.csv").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith(f"{row},"))
    return line.split("/")[4]


@pytest.mark.parametrize("name", ["", "/lightcurves/"])
def test_a_catalogue_is_read_from_a_server(results: Path, name: str) -> None:
    with serving_folder(results) as url:
        catalogue = open_catalogue(f"{url}{name}")

        assert len(catalogue) == 2 * N + 10
        assert np.array_equal(catalogue.curve(9, 2).flux, some_curve(8, SECTORS[2] + 1e-4).flux)


def test_a_catalogue_can_be_read_before_the_list_is_finished(results: Path, tmp_path: Path) -> None:
    first = next(iter(_parts(results)))
    part = tmp_path / "lightcurves" / first.relative_to(results / "lightcurves")
    part.parent.mkdir(parents=True)
    shutil.copy(first, part)
    (part.parent / ".00009-000.parquet.0.partial").write_bytes(b"not yet")

    assert 0 < len(open_catalogue(tmp_path)) < N


def test_a_list_without_light_curves_is_an_empty_catalogue(tmp_path: Path) -> None:
    finish_products(
        LocalFolder(tmp_path), rows=target_rows([80.0], [-60.0]), options=OPTIONS, fragments=[], files=[], document={}
    )

    with serving_folder(tmp_path) as url:
        for path in (tmp_path, url):
            catalogue = open_catalogue(path)
            assert (len(catalogue), catalogue.rows, len(catalogue.near(80, -60, 10))) == (0, [], 0)
            with pytest.raises(InvalidInputError, match="row is 1; allowed: a row with a light curve: there is none"):
                catalogue.curve(1)


@pytest.mark.parametrize(
    ("row", "sector", "more", "message"),
    [
        (99, None, {}, r"row is 99; allowed: a row with a light curve: 50 from 1 to 50"),
        (0, None, {}, "row is 0; allowed: an integer from 1"),
        ("TIC 1", None, {}, "row is 'TIC 1'; allowed: an integer"),
        (True, None, {}, "row is True"),
        (1, None, {}, "sector is None; allowed: one of 1, 2, or several with stitched=True"),
        (1, 3, {}, "sector is 3; allowed: a sector of this row: 1, 2"),
        (1, 1.5, {}, r"sector is 1\.5"),
        (1, "1", {}, "sector is '1'"),
        (1, [1, 7], {"stitched": True}, "sector is 7; allowed: a sector of this row: 1, 2"),
        (1, [], {"stitched": True}, r"sector is \[\]; allowed: at least one"),
        (1, None, {"stitched": "yes"}, "stitched is 'yes'; allowed: True or False"),
        (1, None, {"cube": "tess-s0009-1-1"}, "cube is 'tess-s0009-1-1'; allowed: a cube of this row"),
        (1, None, {"cube": 4}, "cube is 4"),
    ],
)
def test_what_is_not_there_is_said(
    catalogue: Catalogue, row: int, sector: int | None, more: dict[str, bool], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        catalogue.curve(row, sector, **more)  # type: ignore[arg-type] # wrong types are tested


@pytest.mark.parametrize(
    ("ra", "dec", "radius", "message"),
    [
        (0, 91, 1, "dec is 91; allowed: degrees from -90 to 90"),
        (float("nan"), 0, 1, "ra is nan"),
        ("x", 0, 1, "ra is 'x'"),
        (0, 0, -1, "radius is -1; allowed: arcseconds from 0 to 648,000"),
        (0, 0, float("nan"), "radius is nan"),
    ],
)
def test_wrong_circles_are_refused(catalogue: Catalogue, ra: float, dec: float, radius: float, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        catalogue.near(ra, dec, radius)


@pytest.mark.parametrize("path", ["", " ", None, 3, "nowhere", ".", "file:///nowhere", "x" * 5000])
def test_what_is_no_catalogue_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: object) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidInputError, match=r"path is .*; allowed: a folder or URL with the results of a list"):
        open_catalogue(path)  # type: ignore[arg-type] # wrong types are tested


def test_a_server_without_a_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[]", encoding="utf-8")

    with serving_folder(tmp_path) as url:
        for name in ("", "/missing"):
            with pytest.raises(InvalidInputError, match="allowed: a folder or URL with the results"):
                open_catalogue(f"{url}{name}")


def test_damaged_files_are_named(results: Path, tmp_path: Path) -> None:
    whole = next(iter(_parts(results))).read_bytes()
    part = tmp_path / "dataset/Norder=3/Dir=0/Npix=1/00000-000.parquet"
    part.parent.mkdir(parents=True)
    rng = np.random.default_rng(2)
    cut = [whole[: int(size)] for size in rng.integers(0, len(whole), 6)]
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    changed = [bytearray(whole) for _ in range(20)]
    for number, damaged in enumerate(changed):
        damaged[int(rng.integers(footer if number % 2 else 0, len(whole)))] ^= int(rng.integers(1, 255))
    for content in (b"", b"PAR1", *cut, *map(bytes, changed)):
        part.write_bytes(content)
        try:
            catalogue = open_catalogue(tmp_path)
            for row in catalogue.rows[:3]:
                catalogue.curve(row, stitched=True)
        except (UnreadableFileError, InvalidInputError) as error:
            assert isinstance(error, InvalidInputError) or "00000-000.parquet" in str(error), error  # noqa: PT017 - many contents


def test_a_sector_without_a_median_cannot_be_stitched(tmp_path: Path, cube: Cube) -> None:
    band = some_band([80.0], [-60.0])
    write_band(tmp_path, band, cube, OPTIONS, level=-5.0)

    with pytest.raises(InvalidInputError, match="median above 0; that of sector 1 is -"):
        open_catalogue(tmp_path).curve(1, stitched=True)
