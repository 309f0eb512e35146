"""`tessera-admin doctor` tells a coverage that is missing or old from one that shows what is served."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from tessera_cloud import keys
from tessera_cloud.admin.checks import data
from tessera_cloud.admin.checks.look import Look
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.covers import BUCKET, cube, put_index, written
from tests.support.moto_stack import NAME, REGION, make_stack, moto_server
from tests.template.test_doctor import Hand, lines, with_parameters


@pytest.fixture
def look() -> Iterator[Look]:
    with moto_server():
        make_stack(boto3.Session(region_name=REGION))
        yield with_parameters(Look(Hand(), Hand().stack(NAME)), CubeSources="", PublishedFootprints="")


def put(look: Look, store: MemoryStore, key: str) -> None:
    boto3.client("s3").put_object(Bucket=look.stack.physical("CubeBucket"), Key=key, Body=store.objects[BUCKET, key])


def test_a_coverage_that_is_missing_or_old_is_told_from_a_current_one(look: Look) -> None:
    store = MemoryStore()
    put_index(store, cube("tess-s0001-1-1"))
    written(store)
    put(look, store, keys.FOOTPRINT_INDEX)
    assert lines(data.coverage, look)[0].startswith("warn  coverage           not written yet")
    put(look, store, keys.COVERAGE_DOCUMENT)
    assert lines(data.coverage, look) == ["ok    coverage           4 parts, as the index"]
    put_index(store, cube("tess-s0001-1-1"), cube("tess-s0002-1-1", 100))
    put(look, store, keys.FOOTPRINT_INDEX)
    (line,) = lines(data.coverage, look)
    assert line.startswith("warn  coverage           4 of 6 parts do not show the cubes that are served")
