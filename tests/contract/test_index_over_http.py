"""A run of the index over HTTP: what is asked of a public source, and how often."""

from __future__ import annotations

import time
import urllib.request
from collections import Counter
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tessera_cloud.adapters.s3 import S3Store
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.bootstrap import open_s3_store
from tessera_cloud.patience import Patience
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.fault_proxy import FaultProxy
from tests.support.sources import BUCKET, SETTINGS, key, run_index, small_cube

CUBES = {f"tess-s0001-{camera}-{ccd}": small_cube(camera, ccd) for camera, ccd in ((1, 1), (2, 3), (4, 2))}


@pytest.fixture(scope="module")
def upstream() -> Iterator[tuple[str, int]]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def proxy(upstream: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    direct = f"http://{upstream[0]}:{upstream[1]}"
    urllib.request.urlopen(urllib.request.Request(f"{direct}/moto-api/reset", method="POST")).read()
    client = boto3.client("s3", endpoint_url=direct)
    client.create_bucket(Bucket=SETTINGS.cube_bucket)
    client.create_bucket(Bucket=BUCKET, ACL="public-read")
    for obs_id, data in CUBES.items():
        client.put_object(Bucket=BUCKET, Key=key(obs_id), Body=data, ACL="public-read")
    with FaultProxy(upstream) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        yield proxy


@pytest.fixture
def store(proxy: FaultProxy) -> S3Store:
    patience = Patience(8, 0.001, 0.01, time.sleep, lambda low, high: low)
    return open_s3_store(patience, public=SETTINGS.public_buckets)


def asked(proxy: FaultProxy) -> Counter[str]:
    """Requests to the source by kind; all of them without credentials."""
    requests = [request for request in proxy.requests if request.path.startswith(f"/{BUCKET}")]
    assert not any(name.lower() == "authorization" for request in requests for name in request.headers)
    proxy.requests.clear()
    return Counter("list" if "list-type" in request.path else request.method for request in requests)


def test_a_first_run_lists_once_and_reads_each_cube_twice(store: S3Store, proxy: FaultProxy) -> None:
    assert run_index(store).read == 3
    assert asked(proxy) == {"list": 1, "GET": 6}


def test_a_second_run_only_lists(store: S3Store, proxy: FaultProxy) -> None:
    run_index(store)
    asked(proxy)
    assert run_index(store, "run-2").kept == 3
    assert asked(proxy) == {"list": 1}


def test_a_lost_index_costs_the_source_a_listing(store: S3Store, proxy: FaultProxy) -> None:
    run_index(store)
    before = read_index(store, SETTINGS.cube_bucket)
    store.delete(SETTINGS.cube_bucket, "index/footprints.json")
    asked(proxy)
    run_index(store, "run-2")
    assert asked(proxy) == {"list": 1}
    assert read_index(store, SETTINGS.cube_bucket)[0].cubes == before[0].cubes


def test_the_index_is_that_of_a_store_in_memory(store: S3Store) -> None:
    memory = MemoryStore({(BUCKET, key(obs_id)): data for obs_id, data in CUBES.items()})
    run_index(store)
    run_index(memory)
    assert read_index(store, SETTINGS.cube_bucket)[0].cubes == read_index(memory, SETTINGS.cube_bucket)[0].cubes


def test_faults_of_the_network_change_nothing(store: S3Store, proxy: FaultProxy) -> None:
    seen: Counter[str] = Counter()

    def decide(request: object) -> str | None:
        seen["all"] += 1
        return ("busy", "drop", "truncate", None)[seen["all"] % 4] if seen["all"] < 60 else None

    proxy.decide = lambda request: decide(request) if request.method == "GET" and "?" not in request.path else None
    assert run_index(store).read == 3
    assert len(proxy.faults) > 5
