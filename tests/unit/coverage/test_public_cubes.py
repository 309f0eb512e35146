"""A search of the public cubes at MAST, by real rows of its index of footprints, in a bucket on a local port."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.coordinates import SkyCoord
from fsspec.implementations.memory import MemoryFileSystem

import tessera
from tessera.coverage.footprint_index import INDEXES
from tessera.coverage.result import SearchResult
from tessera.errors import DataWarning, MissingFileError, RemoteError, UnreadableFileError
from tessera.io import buckets, remote
from tests.support.paths import DATA
from tests.support.sources import small_cube
from tests.support.web import Site, serve

INDEX = DATA / "tess_ffi_footprints.json"
LOOKUP = json.loads((DATA / "sector_lookup.json").read_text(encoding="utf-8"))
FIRST = "/stpubdata/tess/public/mast/tess-s0001-4-2-cube.fits"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    INDEXES.forget()
    yield
    INDEXES.forget()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    """MAST's bucket with its index of footprints and one small cube."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(remote, "RETRIES", {"max_retries": 0})
    monkeypatch.setattr(buckets, "_VENDOR", tmp_path / "vendor")
    files = {
        "/stpubdata/tess/public/footprints/tess_ffi_footprint_cache.json": INDEX.read_bytes(),
        FIRST: small_cube(),
    }
    with serve(Site(files)) as site:
        monkeypatch.setenv("AWS_ENDPOINT_URL", site.base)
        yield site


def ccds(found: SearchResult, number: int = 0) -> set[tuple[int | None, ...]]:
    return {(row.sector, row.camera, row.ccd) for row in found.rows if row.target.number == number}


def test_ccds_of_many_positions_are_those_that_two_other_sources_know() -> None:
    places = LOOKUP["positions"]
    found = tessera.search([(place["ra"], place["dec"]) for place in places], footprints=INDEX)
    for number, place in enumerate(places):
        certain = {tuple(ccd) for ccd in place["certain"]}
        assert certain <= ccds(found, number) <= certain | {tuple(ccd) for ccd in place["uncertain"]}
    rows = [row.order for row in found.rows]
    assert rows == sorted(rows)


def test_a_row_says_what_the_index_says_and_no_more(bucket: Site, stars: dict[str, SkyCoord]) -> None:
    found = tessera.search(stars["tess-s0001-4-2"], sectors=1)
    (row,) = found.rows
    assert (row.product, row.sector, row.camera, row.ccd) == ("SPOC", 1, 4, 2)
    assert (row.start, row.end) == ("2018-07-25T19:30:47", "2018-08-22T16:00:20")
    assert row.cube == "s3://stpubdata/tess/public/mast/tess-s0001-4-2-cube.fits"
    assert (row.cadence, row.n_cadences, row.row, row.column, row.edge) == (1800, None, None, None, None)
    assert found.table["edge"].mask.all()
    assert [path for path in bucket.paths() if "mast/" in path] == []


def test_the_headers_of_a_cube_are_read_when_they_are_wanted(bucket: Site, stars: dict[str, SkyCoord]) -> None:
    found = tessera.search([stars["tess-s0001-4-2"]], sectors=[1, 2])
    with pytest.warns(DataWarning, match="tess-s0002-4-2-cube.fits is not read: there is no such file"):
        located = found.locate()
    assert [(row.sector, row.row, row.column, row.edge, row.n_cadences) for row in located.rows] == [
        (1, 20.0, 15.0, 14.5, 5),
        (2, None, None, None, None),
    ]
    assert list(located.unread) == ["s3://stpubdata/tess/public/mast/tess-s0002-4-2-cube.fits"]
    assert len([path for path in bucket.paths() if path == FIRST]) <= 3
    with pytest.raises(MissingFileError):
        found[1].locate()


def test_rows_are_cut_from_the_public_cubes(bucket: Site, stars: dict[str, SkyCoord], tmp_path: Path) -> None:
    made = tessera.search(stars["tess-s0001-4-2"], sectors=[1, 2]).cut(5, output_dir=tmp_path / "cuts")
    assert [(item.status, item.reason.partition("read: ")[2]) for item in made] == [
        ("ok", ""),
        ("error", "there is no such file"),
    ]
    assert made[0].hdus[1].data["FLUX"].shape == (5, 5, 5)
    assert [path.name for path in (tmp_path / "cuts").iterdir()] == [made[0].name]


def test_a_target_that_no_sector_saw_is_missing_with_the_sectors_that_did(bucket: Site) -> None:
    found = tessera.search(["88.95 -75.39", "0 0"], sectors=[14, 15, 16, 20])
    assert len(found) == 0
    assert [item.reason for item in found.missing] == [
        "no public SPOC cube sees it in sectors 14-16, 20; it is in sectors 1-13, 27-39, 61-69",
        "no public SPOC cube sees it in sectors 14-16, 20; it is in sectors 42, 70",
    ]


def test_a_file_system_has_the_index_and_the_cubes(stars: dict[str, SkyCoord]) -> None:
    files = MemoryFileSystem(skip_instance_cache=True)
    files.store = {}
    files.pipe("/stpubdata/tess/public/footprints/tess_ffi_footprint_cache.json", INDEX.read_bytes())
    files.pipe("/index.json", INDEX.read_bytes())
    found = tessera.search(stars["tess-s0001-4-2"], footprints="/index.json", filesystem=files, sectors=1)
    assert getattr(found.rows[0].cube, "filesystem", None) is files


def test_an_index_that_cannot_be_read_is_one_error(bucket: Site, tmp_path: Path) -> None:
    bucket.files.clear()
    with pytest.raises(RemoteError, match=r"tess_ffi_footprint_cache\.json cannot be read: there is no such file"):
        tessera.search("88.95 -75.39")
    (tmp_path / "index.json").write_text("[]")
    with pytest.raises(UnreadableFileError, match="it is not an index of footprints"):
        tessera.search("88.95 -75.39", footprints=tmp_path / "index.json")
