"""What sees a position: every operation of the service gives the same answer, also at the edges of real frames."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import Cube, read_cube
from tessera.sky.footprint import Footprint, find_distances, footprint_vectors, frame_footprint
from tessera.sky.sphere import unit_vectors
from tessera.sky.wcs import frame_wcs
from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.index.messages import FoundCube
from tessera_cloud.application.index.read_cube import build_row
from tessera_cloud.application.index.seen import pixel_on
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.ports import Buffer
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, Api
from tests.support.builds import SETTINGS, build_cube
from tests.support.frames import tiny_sector
from tests.support.wcs import FRAME_SHAPE, ffi_wcs_header

CCDS = [(1, 4, 2), (1, 1, 1), (1, 2, 1), (7, 4, 1), (19, 1, 2), (64, 4, 1)]
"""Sector, camera and CCD. An edge of 1-2-1 bulges by 71 pixels, beyond the science pixels."""
BULGE = {"ra": 68.485203, "dec": -78.508469}
"""A star on silicon of 1-4-2, and outside the polygon through the corners."""
ARCSEC = 3600.0
PIXEL = 21.0 / ARCSEC


class Wide(MemoryStore):
    """Store whose cubes have no pixels but zeros, because whole frames are large."""

    def read_range(self, bucket: str, key: str, start: int, length: int, *args: Any, **more: Any) -> Buffer:
        if key.endswith("-cube.fits"):
            return bytes(length)
        return super().read_range(bucket, key, start, length, *args, **more)


def whole_cube(tiny: Cube, sector: int, camera: int, ccd: int) -> Cube:
    """A cube of whole frames with the real WCS of a CCD."""
    layout = CubeLayout(*FRAME_SHAPE, tiny.layout.n_cadences, tiny.layout.n_planes)
    name = f"tess-s{sector:04d}-{camera}-{ccd}-cube.fits"
    return dataclasses.replace(
        tiny, name=name, layout=layout, wcs_cards=tiny.wcs_cards | dict(ffi_wcs_header(sector, camera, ccd))
    )


def served_row(cube: Cube) -> PublishedCube:
    name = cube.name.removesuffix("-cube.fits")
    key = keys.cube(FoundCube(obs_id=name, bucket="", key="", size=0, etag="").cube_id, "b")
    found = FoundCube(obs_id=name, bucket=SETTINGS.cube_bucket, key=key, size=1, etag=name)
    return build_row(found, cube).model_copy(update={"build_id": "b"})


@pytest.fixture(scope="module")
def cubes() -> dict[str, Cube]:
    data = build_cube(tiny_sector(2))
    tiny = read_cube("tess-s0001-4-2-cube.fits", len(data), lambda start, length: data[start : start + length])
    made = [whole_cube(tiny, *ccd) for ccd in CCDS]
    return {cube.name.removesuffix("-cube.fits"): cube for cube in made}


def service(cubes: dict[str, Cube], **change: Any) -> Api:
    store = Wide()
    rows = [served_row(cube).model_copy(update=change) for cube in cubes.values()]
    store.objects[SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX] = FootprintIndex.of(rows).to_json()
    for row, cube in zip(rows, cubes.values(), strict=True):
        store.objects[SETTINGS.cube_bucket, keys.sidecar(row.etag)] = cube.to_sidecar()
    return Api(store, API_SETTINGS)


@pytest.fixture(scope="module")
def api(cubes: dict[str, Cube]) -> Api:
    return service(cubes)


def at_the_edges(n: int, reach: float = 3.0) -> list[tuple[str, float, float]]:
    """Random positions within some pixels of all four edges of each CCD."""
    rng, (n_rows, n_columns) = np.random.default_rng(13), FRAME_SHAPE
    found = []
    for sector, camera, ccd in CCDS:
        wcs = frame_wcs(dict(ffi_wcs_header(sector, camera, ccd)))
        along, across = rng.uniform(0, 1, (4, n)), rng.uniform(-reach, reach, (4, n))
        columns, rows = along * (n_columns - 1), along * (n_rows - 1)
        columns[0], columns[1] = across[0] - 0.5, n_columns - 0.5 + across[1]
        rows[2], rows[3] = across[2] - 0.5, n_rows - 0.5 + across[3]
        sky = wcs.all_pix2world(np.column_stack([columns.ravel(), rows.ravel()]), 0)
        found += [(f"tess-s{sector:04d}-{camera}-{ccd}", float(ra) % 360, float(dec)) for ra, dec in sky]
    return found


def doors(api: Api, ra: float, dec: float) -> dict[str, set[str]]:
    """Cubes that each operation knows at a position."""
    place = {"ra": repr(ra), "dec": repr(dec)}
    point = json.dumps({"type": "Point", "coordinates": [ra, dec]})
    cut = api.get("/v1/cutouts", **place, size=1)
    return {
        "sector": {row["sectorName"] for row in api.get("/tesscut/api/v0.1/sector", **place).json()["results"]},
        "footprints": {row["cube"] for row in api.get("/v1/footprints", **place).json()["footprints"]},
        "region": {row["cube"] for row in api.get("/v1/footprints", region=point).json()["footprints"]},
        "targets": {row["cube"] for row in api.get("/v1/targets", **place).json()["cubes"]},
        "cutouts": {name.split("_")[0] for name in cut.files} if cut.status == 200 else set(),
    }


def one_ccd_a_sector(names: set[str]) -> set[str]:
    return set({name[:10]: name for name in sorted(names, reverse=True)}.values())


def test_every_operation_knows_the_same_cubes_at_the_edges(api: Api, cubes: dict[str, Cube]) -> None:
    n_seen = 0
    for _, ra, dec in at_the_edges(3):
        truth = {name for name, cube in cubes.items() if pixel_on(cube, ra, dec) is not None}
        n_seen += bool(truth)
        answers = doors(api, ra, dec)
        assert answers.pop("sector") == one_ccd_a_sector(truth), (ra, dec)
        assert answers == dict.fromkeys(answers, truth), (ra, dec)
        around = api.get("/tesscut/api/v0.1/sector", ra=repr(ra), dec=repr(dec), radius="1s").json()["results"]
        assert truth <= {row["sectorName"] for row in around}
    assert 20 < n_seen < 60


def test_a_star_on_the_bulge_of_an_edge_is_seen_by_all(api: Api) -> None:
    answers = doors(api, **BULGE)
    assert set(map(frozenset, answers.values())) == {frozenset({"tess-s0001-4-2"})}
    (target,) = api.get("/v1/targets", **BULGE).json()["cubes"]
    assert target["on_silicon"]
    archive = api.get("/tesscut/api/v0.1/astrocut", **BULGE, y=5, x=5, sector=1)
    assert [name[:14] for name in archive.members] == ["tess-s0001-4-2"]
    wcs = frame_wcs(dict(ffi_wcs_header(1, 4, 2)))
    corners = footprint_vectors([frame_footprint(wcs, *FRAME_SHAPE, most_error=np.inf).format_s_region()])
    direction = unit_vectors(np.array([BULGE["ra"]]), np.array([BULGE["dec"]]))
    assert find_distances(corners, direction)[0, 0] == -np.inf


def test_footprints_of_corners_alone_get_the_same_answers(cubes: dict[str, Cube]) -> None:
    """Rows of MAST's footprint file, and of indexes of before footprints followed the edges."""
    name = "tess-s0001-4-2"
    wcs = frame_wcs(dict(ffi_wcs_header(1, 4, 2)))
    api = service({name: cubes[name]}, s_region=frame_footprint(wcs, *FRAME_SHAPE, most_error=np.inf).format_s_region())
    for owner, ra, dec in at_the_edges(3):
        if owner == name:
            seen = pixel_on(cubes[name], ra, dec) is not None
            answers = doors(api, ra, dec)
            assert answers == dict.fromkeys(answers, {name} if seen else set())


def test_the_polygons_of_index_and_map_follow_the_edges_within_a_pixel(api: Api, cubes: dict[str, Cube]) -> None:
    shown = {ccd["cube"]: ccd["corners"] for sector in api.get("/v1/map").json()["sectors"] for ccd in sector["ccds"]}
    index = {row["name"]: row["s_region"] for row in api.get("/v1/cubes").json()["cubes"]}
    for name, cube in cubes.items():
        polygons = footprint_vectors([index[name], Footprint(np.array(shown[name])).format_s_region()])
        t = np.linspace(0, 1, 200)
        rows, columns = (side - 1 for side in FRAME_SHAPE)
        edge = [(t * columns, 0 * t), (t * columns, 0 * t + rows), (0 * t, t * rows), (0 * t + columns, t * rows)]
        for x, y in edge:
            directions = unit_vectors(*cube.wcs.all_pix2world(np.column_stack([x, y]), 0).T)
            distances = find_distances(polygons, directions, 1.0)
            assert np.abs(distances[0]).max() < 0.55 * PIXEL, name
            assert np.abs(distances[1]).max() < 0.8 * PIXEL, name
        assert len(shown[name]) < 40
