"""Lists of the service whose light curves are detrended by the vectors beside their cubes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tessera.lightcurves.detrending.vector_files import vectors_fits
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera_cloud import measure_keys
from tessera_cloud.errors import NoCutoutsError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import N_CADENCES, store_of_cubes
from tests.support.builds import SETTINGS
from tests.support.bulk_machine import CURVES, BulkWorld
from tests.support.handlers import Handlers

OPTIONS = replace(CURVES, detrend="cbv", outputs=("lightcurves",), sectors=(1,))


@pytest.fixture
def world() -> BulkWorld:
    return BulkWorld(Handlers(store_of_cubes()))


def give_vectors(store: MemoryStore, n_cadences: int) -> None:
    [cube] = [key for bucket, key in store.objects if key.endswith("tess-s0001-4-2-cube.fits")]
    values = np.sin(np.arange(n_cadences))[np.newaxis]
    vectors = CotrendingVectors(np.arange(n_cadences) / 48, None, np.zeros(n_cadences, bool), values)
    store.write(SETTINGS.cube_bucket, measure_keys.beside(cube, "-vectors.fits"), vectors_fits(vectors, [], 4, 2))


def test_a_list_is_detrended_by_the_vectors_of_its_cubes(world: BulkWorld) -> None:
    give_vectors(world.store, N_CADENCES[1])
    job = world.ask(OPTIONS)
    world.run(job)
    assert {status.status for status in world.statuses(job)} == {"ok"}
    world.check_products(job)


def test_a_list_whose_cubes_have_no_vectors_is_refused(world: BulkWorld) -> None:
    job = world.ask(OPTIONS)
    plan = world.handlers.invoke("plan_bulk", {"job": job, "attempt": 1})
    assert plan["n_bands"] == 0
    assert "there are no cotrending vectors of tess-s0001-4-2" in plan["refused"]


def test_vectors_of_other_cadences_cost_the_band(world: BulkWorld) -> None:
    give_vectors(world.store, N_CADENCES[1] + 1)
    job = world.ask(OPTIONS)
    with pytest.raises(NoCutoutsError, match="it has the cadences of another cube"):
        world.run(job)
    assert {status.status for status in world.statuses(job)} == {"error"}
