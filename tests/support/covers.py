"""Indexes for tests of the coverage, and what is written for them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from tessera_cloud import keys
from tessera_cloud.application.coverage.write_coverage import CoverageSummary, write_coverage
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import SETTINGS as BUILD_SETTINGS

BUCKET = BUILD_SETTINGS.cube_bucket
SETTINGS = dataclasses.replace(BUILD_SETTINGS, cube_sources=(), published_footprints="")
DAY = 86_400.0


def cube(
    obs_id: str, ra: float = 10.0, dec: float = 20.0, *, side: float = 4.0, start: float = 58324.5
) -> PublishedCube:
    """A cube that sees a square of the sky for 27 days."""
    half = side / 2
    corners = ((ra - half, dec - half), (ra - half, dec + half), (ra + half, dec + half), (ra + half, dec - half))
    closed = [*corners, corners[0]]
    return PublishedCube(
        obs_id=obs_id,
        sequence_number=int(obs_id.split("-")[1][1:]),
        s_region="POLYGON " + " ".join(f"{lon % 360:.6f} {lat:.6f}" for lon, lat in closed),
        t_min=start,
        t_max=start + 27,
        n_cadences=5,
        build_id="b",
        bucket=BUCKET,
        key=f"cubes/{obs_id}",
        size=1,
        etag="e",
    )


def put_index(store: MemoryStore, *cubes: PublishedCube) -> None:
    """Make an index of some cubes the current one."""
    store.write(BUCKET, keys.FOOTPRINT_INDEX, FootprintIndex.of(cubes).to_json())


def written(store: MemoryStore, now: float = 0.0) -> CoverageSummary:
    """Write the coverage."""
    return write_coverage(store=store, settings=SETTINGS, now=now)


def document(store: MemoryStore) -> dict[str, Any]:
    """Parts by product and name."""
    products: dict[str, Any] = json.loads(store.objects[BUCKET, keys.COVERAGE_DOCUMENT])["products"]
    return products


def file_of(store: MemoryStore, product: str, name: str) -> bytes:
    """Bytes of a current file."""
    part = name.partition(".")[0].removesuffix("-st")
    return store.objects[BUCKET, keys.coverage_file(product, name, document(store)[product][part]["hash"])]


def coverage_objects(store: MemoryStore) -> dict[str, bytes]:
    """Objects of the coverage, key to bytes."""
    return {key: data for (bucket, key), data in store.objects.items() if key.startswith(keys.COVERAGE)}
