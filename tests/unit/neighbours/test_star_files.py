"""The file of a star catalogue: a circle has the stars that a look at all of them finds, and few bytes are read."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Distance, SkyCoord
from astropy.time import Time

from tessera.errors import InvalidInputError, InvalidValueError
from tessera_cloud import keys
from tessera_cloud.application.neighbours.find import MOST_READ, Circle, find_neighbours, read_star_file
from tessera_cloud.application.neighbours.layout import INDEX_BYTES, RECORD, Records, moved
from tessera_cloud.application.neighbours.make import make_star_file, put_star_file, remove_star_file
from tessera_cloud.application.neighbours.tables import StarTable
from tessera_cloud.errors import TooLargeError
from tessera_cloud.testing.memory_store import MemoryStore

BUCKET = "cubes"
EPOCH = 2016.0
N_STARS = 20_000


def all_sky() -> Records:
    """Stars everywhere, more of them at the poles and at right ascension 0; some move fast."""
    draw = np.random.default_rng(5)
    stars = np.zeros(N_STARS, RECORD)
    stars["id"] = draw.permutation(N_STARS)
    stars["ra"] = np.concatenate([draw.uniform(0, 360, N_STARS // 2), draw.normal(0, 0.3, N_STARS // 2) % 360])
    stars["dec"] = np.degrees(np.arcsin(draw.uniform(-1, 1, N_STARS)))
    stars["dec"][:2000] = np.where(draw.random(2000) < 0.5, -1, 1) * (90 - np.abs(draw.normal(0, 0.5, 2000)))
    stars["magnitude"] = draw.uniform(4, 16, N_STARS)
    stars["pm_ra"], stars["pm_dec"] = draw.normal(0, 100, (2, N_STARS))
    stars["pm_ra"][::500] *= 50
    stars["pm_dec"][::7] = np.nan
    return stars


def served(stars: Records, folder: Path, epoch: float | None = EPOCH, **more: Any) -> Any:
    """A backend that serves a catalogue of these stars."""
    store = MemoryStore()
    put_star_file(make_star_file([StarTable(stars, epoch)], "Test", None, folder / "stars", **more), store, BUCKET)
    return SimpleNamespace(store=store, settings=SimpleNamespace(cube_bucket=BUCKET))


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return served(all_sky(), tmp_path_factory.mktemp("stars"))


def sky(stars: Records) -> SkyCoord:
    return SkyCoord(stars["ra"] * u.deg, stars["dec"] * u.deg)


@pytest.mark.parametrize(
    ("ra", "dec", "epoch"),
    [
        (0.0, -90.0, EPOCH), (123.4, -89.8, 1950.0), (359.9999, 89.99, 2090.0), (0.0, 89.7, EPOCH),
        (0.0, 0.0, 1950.0), (359.9999, -30.0, 2090.0), (123.4, 60.01, EPOCH), (0.1, 45.0, 1950.0),
    ],
)  # fmt: skip
def test_a_circle_has_the_stars_that_astropy_finds_in_it(backend: Any, ra: float, dec: float, epoch: float) -> None:
    stars = all_sky()
    stars["ra"], stars["dec"] = moved(stars, epoch - EPOCH)
    counts = []
    for radius in (0.01, 0.5, 3.0):
        found = find_neighbours(Circle(ra, dec, radius), backend, epoch=epoch, most=N_STARS)
        inside = sky(stars).separation(SkyCoord(ra * u.deg, dec * u.deg)).deg <= radius
        assert found is not None
        assert sorted(found.records["id"]) == sorted(stars["id"][inside])
        assert (np.diff(found.records["magnitude"]) >= 0).all()
        counts.append(found.n_found)
    assert counts[-1] > 1, "the circle of 3 degrees has stars"


def test_stars_move_as_astropy_moves_them() -> None:
    stars = all_sky()[::20]
    known = stars[np.isfinite(stars["pm_ra"]) & np.isfinite(stars["pm_dec"]) & (np.abs(stars["dec"]) < 89.9)]
    start = SkyCoord(
        known["ra"] * u.deg,
        known["dec"] * u.deg,
        pm_ra_cosdec=known["pm_ra"] * u.mas / u.yr,
        pm_dec=known["pm_dec"] * u.mas / u.yr,
        distance=Distance(parallax=np.full(len(known), 100) * u.mas),
        obstime=Time(EPOCH, format="jyear", scale="tdb"),
    )
    there = start.apply_space_motion(Time(2030.5, format="jyear", scale="tdb"))
    ra, dec = moved(known, 14.5)
    assert there.separation(SkyCoord(ra * u.deg, dec * u.deg)).arcsec.max() < 1e-4


def test_a_fast_star_is_found_where_it_has_moved(tmp_path: Path) -> None:
    """It comes from another band of declination: 10 arcseconds a year, for 90 years."""
    star = np.zeros(1, RECORD)
    star["ra"], star["dec"], star["pm_dec"] = 50, 29.9, 10_000
    backend = served(star, tmp_path)
    counts = []
    for dec, epoch in ((29.9, EPOCH), (30.15, 2106.0), (29.9, 2106.0)):
        found = find_neighbours(Circle(50.0, dec, 0.01), backend, epoch=epoch)
        assert found is not None
        counts.append(found.n_found)
    assert counts == [1, 1, 0]


def test_only_the_cells_of_the_circle_are_read(backend: Any) -> None:
    backend.store.requests.clear()
    lengths: list[int] = []
    read = backend.store.read_range

    def counting(bucket: str, key: str, start: int, length: int, etag: str | None = None) -> Any:
        lengths.append(length)
        return read(bucket, key, start, length, etag)

    counted = SimpleNamespace(
        store=SimpleNamespace(read=backend.store.read, read_range=counting), settings=backend.settings
    )
    found = find_neighbours(Circle(0.0, 20.0, 0.2), counted)
    assert found is not None
    assert found.n_found > 0
    assert len(lengths) <= 8
    assert sum(lengths) < 20 * RECORD.itemsize * found.n_found + 200 < INDEX_BYTES


def test_the_brightest_are_kept_and_all_are_counted(backend: Any) -> None:
    circle = Circle(0.0, 10.0, 3.0)
    all_of_them = find_neighbours(circle, backend, most=N_STARS)
    some = find_neighbours(circle, backend, most=5)
    assert all_of_them is not None
    assert some is not None
    assert some.n_found == all_of_them.n_found > 5
    assert some.records["id"].tolist() == all_of_them.records["id"][:5].tolist()


def test_a_circle_with_too_many_stars_is_refused(tmp_path: Path) -> None:
    stars = np.zeros(MOST_READ + 1, RECORD)
    stars["id"], stars["dec"], stars["ra"] = np.arange(len(stars)), 10, 20
    backend = served(stars, tmp_path)
    with pytest.raises(TooLargeError, match=r"radius is 0\.02; allowed: a smaller radius; .* 100,000 stars"):
        find_neighbours(Circle(20.0, 10.0, 0.02), backend)
    found = find_neighbours(Circle(21.0, 10.0, 0.02), backend)
    assert found is not None
    assert found.n_found == 0


def test_a_star_of_several_tables_is_there_once(tmp_path: Path) -> None:
    stars = all_sky()[:100]
    tables = [StarTable(stars, EPOCH, {"a magnitude": 3}), StarTable(stars[50:], EPOCH, {"a magnitude": 1})]
    made = make_star_file(tables, "Test", None, tmp_path / "stars")
    assert made.file.n_stars == 100
    assert dict(made.left_out) == {"without a magnitude": 4, "there already": 50}
    assert (tmp_path / "stars").stat().st_size == INDEX_BYTES + 100 * RECORD.itemsize
    assert [path.name for path in tmp_path.iterdir()] == ["stars"], "nothing is left behind"


def test_a_new_catalogue_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    backend = served(all_sky()[:100], tmp_path)
    old = read_star_file(backend.store, BUCKET)
    made = make_star_file([StarTable(all_sky()[100:200], EPOCH)], "New", None, tmp_path / "new")
    for _ in range(2):  # the second time, the same file is there
        put_star_file(made, backend.store, BUCKET)
        assert sorted(key for _, key in backend.store.objects) == sorted([keys.STAR_DOCUMENT, made.file.key])
    assert not backend.store.uploads
    assert read_star_file(backend.store, BUCKET) == made.file != old
    assert remove_star_file(backend.store, BUCKET)
    assert not remove_star_file(backend.store, BUCKET)
    assert backend.store.objects == {}


def test_a_request_that_saw_the_old_catalogue_takes_the_new_one(tmp_path: Path) -> None:
    backend = served(all_sky()[:100], tmp_path)
    old = backend.store.read(BUCKET, keys.STAR_DOCUMENT)
    put_star_file(make_star_file([StarTable(all_sky(), EPOCH)], "New", None, tmp_path / "new"), backend.store, BUCKET)
    answers = iter([old, backend.store.read(BUCKET, keys.STAR_DOCUMENT)])
    store = SimpleNamespace(read=lambda *_: next(answers), read_range=backend.store.read_range)
    found = find_neighbours(Circle(0.0, 10.0, 3.0), SimpleNamespace(store=store, settings=backend.settings))
    assert found is not None
    assert found.file.name == "New"


@pytest.mark.parametrize(
    ("epochs", "moves", "said"),
    [
        ((None,), True, "epoch is 'missing'"),
        ((2000.0, 2016.0), False, "epoch is '2000 and 2016'; allowed: one Julian year for all tables"),
    ],
    ids=["unknown", "two"],
)
def test_positions_of_one_epoch_are_needed(
    tmp_path: Path, epochs: tuple[float | None, ...], moves: bool, said: str
) -> None:
    stars = all_sky()[:10]
    if not moves:
        stars["pm_ra"] = np.nan
    with pytest.raises(InvalidInputError, match=said):
        make_star_file([StarTable(stars, epoch) for epoch in epochs], "Test", None, tmp_path / "stars")
    with_option = make_star_file([StarTable(stars, epoch) for epoch in epochs], "Test", 2015.5, tmp_path / "stars")
    assert with_option.file.epoch == 2015.5


@pytest.mark.parametrize(
    ("name", "epoch", "said"), [("", None, "name is ''"), ("x" * 41, None, "1 to 40"), ("Gaia", 16.0, "epoch is 16.0")]
)
def test_a_wrong_name_or_year_is_refused(tmp_path: Path, name: str, epoch: float | None, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        make_star_file([StarTable(all_sky()[:1], None)], name, epoch, tmp_path / "stars")


def test_tables_without_stars_are_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="tables is 'without a star'"):
        make_star_file([StarTable(all_sky()[:0], EPOCH)], "Test", None, tmp_path / "stars")


def test_the_page_for_operators_says_how_the_file_is_made(tmp_path: Path) -> None:
    """Read the file as docs/operations/stars.md says."""
    page = (Path(__file__).parents[3] / "docs/operations/stars.md").read_text(encoding="utf-8")
    in_band = [max(1, round(1440 * math.cos(math.radians(-90 + 0.25 * (band + 0.5))))) for band in range(720)]
    n_cells = sum(in_band)
    index = 4 * (n_cells + 1)
    assert f"{n_cells:,} cells" in page
    assert f"| {index:,} |" in page
    made = make_star_file([StarTable(all_sky()[:1000], EPOCH)], "Test", None, tmp_path / "stars")
    data = made.path.read_bytes()
    before = struct.unpack_from(f"<{n_cells + 1}I", data)
    for star in struct.iter_unpack("<qdd3f", data[index:]):
        band = math.floor((star[2] + 90) * 4)
        cell = sum(in_band[:band]) + math.floor(star[1] / 360 * in_band[band])
        number = (before[cell], before[cell + 1])
        assert star in struct.iter_unpack("<qdd3f", data[index + 36 * number[0] : index + 36 * number[1]]) or any(
            map(math.isnan, star)
        )
    assert before[-1] == 1000
