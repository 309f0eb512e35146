"""The S3 store over a network that fails: what is tried again, how often, and what comes out in the end."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator

import boto3
import pytest

from tessera import __version__
from tessera_cloud.adapters.s3 import S3Store
from tessera_cloud.application.builds.build_block import build_block
from tessera_cloud.application.builds.complete_upload import complete_upload
from tessera_cloud.application.builds.uploads import begin_upload
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.bootstrap import open_s3_store
from tessera_cloud.contracts import BuildState, PlanRef, UploadRef
from tessera_cloud.errors import FatalError, ObjectChangedError, TransientError
from tessera_cloud.patience import Pace, Patience
from tests.support.builds import SETTINGS, frame_key, plan, put_frames, run_build, store_with, task
from tests.support.fault_proxy import Decide, FaultProxy, Request
from tests.support.frames import tiny_sector
from tests.support.s3_servers import SERVERS, S3Server, s3_server
from tests.support.same_bytes import assert_same_bytes

SHAPE = (1200, 500)
FRAMES = tiny_sector(3, SHAPE)
KINDS = ("busy", "drop", "truncate")
ATTEMPTS = 8


@pytest.fixture(scope="module", params=[name for name in SERVERS if name != "local"])
def upstream(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(request.param, tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def proxy(upstream: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    upstream.let_in(monkeypatch)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for bucket in (SETTINGS.ffi_bucket, SETTINGS.cube_bucket):
        upstream.empty(bucket)
    with FaultProxy(upstream.address) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        yield proxy


@pytest.fixture
def store(proxy: FaultProxy) -> S3Store:
    patience = Patience(ATTEMPTS, 0.001, 0.01, time.sleep, random.Random(1).uniform)
    store = open_s3_store(patience, timeout="1s")
    put_frames(store, FRAMES)
    proxy.requests.clear()
    return store


@pytest.fixture(scope="module")
def cube() -> bytes:
    memory = store_with(FRAMES)
    published = run_build(memory)
    return memory.objects[published.bucket, published.key]


def seeded(share: float, kinds: tuple[str, ...], seed: int, wanted: Callable[[Request], bool]) -> Decide:
    """Spoil a share of the requests, at most three in a row per address."""
    rng, in_a_row = random.Random(seed), Counter[tuple[str, str]]()

    def decide(request: Request) -> str | None:
        where = (request.path, request.headers.get("range", request.headers.get("Range", "")))
        if not wanted(request) or in_a_row[where] == 3 or rng.random() >= share:
            in_a_row[where] = 0
            return None
        in_a_row[where] += 1
        return rng.choice(kinds)

    return decide


def is_get(request: Request) -> bool:
    return request.method == "GET" and "?" not in request.path


def times(n: int, fault: str, wanted: Callable[[Request], bool]) -> Decide:
    """Spoil the first n requests of a kind."""
    left = [n]

    def decide(request: Request) -> str | None:
        if not wanted(request) or left[0] == 0:
            return None
        left[0] -= 1
        return fault

    return decide


@pytest.mark.parametrize("seed", [1, 2])
def test_a_build_over_a_bad_network_gives_the_same_cube(
    proxy: FaultProxy, store: S3Store, cube: bytes, seed: int
) -> None:
    run_build(store_with(FRAMES))
    proxy.decide = seeded(0.4, KINDS, seed, is_get)
    published = run_build(store)
    assert len(proxy.faults) > 5
    assert set(proxy.faults) == set(KINDS)
    proxy.decide = lambda request: None
    assert_same_bytes(store.read(published.bucket, published.key)[0], cube)


def test_each_fault_costs_one_more_request(proxy: FaultProxy, store: S3Store) -> None:
    memory = store_with(FRAMES)
    run_build(memory)
    needed = sum(
        operation == "read_range" and bucket == SETTINGS.ffi_bucket for operation, bucket, _ in memory.requests
    )
    proxy.decide = seeded(0.3, KINDS, 3, lambda request: request.is_frame_read)
    run_build(store)
    assert proxy.faults
    assert proxy.frame_reads == needed + len(proxy.faults)


def first_frame(store: S3Store) -> tuple[str, str]:
    key = frame_key(FRAMES[0][0])
    return key, store.head(SETTINGS.ffi_bucket, key).etag


@pytest.mark.parametrize("fault", [*KINDS, "stall"])
def test_a_range_read_survives_a_fault(proxy: FaultProxy, store: S3Store, fault: str) -> None:
    key, etag = first_frame(store)
    proxy.decide = times(2, fault, lambda request: request.is_frame_read)
    data = store.read_range(SETTINGS.ffi_bucket, key, 1000, 5000, etag)
    assert bytes(data) == FRAMES[0][1][1000:6000]
    assert proxy.faults == [fault, fault]
    assert proxy.frame_reads == 3


@pytest.mark.parametrize("fault", KINDS)
def test_a_fault_that_stays_is_transient_after_so_many_requests(proxy: FaultProxy, store: S3Store, fault: str) -> None:
    key, etag = first_frame(store)
    proxy.decide = lambda request: fault if request.is_frame_read else None
    with pytest.raises(TransientError, match=rf"{FRAMES[0][0]}.*attempt {ATTEMPTS} of {ATTEMPTS}") as caught:
        store.read_range(SETTINGS.ffi_bucket, key, 0, 5000, etag)
    assert type(caught.value) is TransientError  # Step Functions knows no subclasses
    assert proxy.frame_reads == ATTEMPTS
    assert len(str(caught.value)) < 1000


def test_a_whole_object_that_is_cut_off_is_read_again(proxy: FaultProxy, store: S3Store) -> None:
    store.write(SETTINGS.cube_bucket, "builds/plan.json", b"x" * 100_000)
    proxy.decide = times(2, "truncate", is_get)
    assert store.read(SETTINGS.cube_bucket, "builds/plan.json")[0] == b"x" * 100_000


def test_a_replaced_frame_is_fatal_at_once_and_named(proxy: FaultProxy, store: S3Store) -> None:
    key, etag = first_frame(store)
    store.write(SETTINGS.ffi_bucket, key, FRAMES[1][1])
    with pytest.raises(ObjectChangedError, match=FRAMES[0][0]):
        store.read_range(SETTINGS.ffi_bucket, key, 0, 100, etag)
    assert proxy.frame_reads == 1


def test_a_refused_read_is_fatal_at_once(proxy: FaultProxy, store: S3Store) -> None:
    key, etag = first_frame(store)
    proxy.decide = lambda request: "refused" if request.is_frame_read else None
    with pytest.raises(FatalError, match="403"):
        store.read_range(SETTINGS.ffi_bucket, key, 0, 100, etag)
    assert proxy.frame_reads == 1


@pytest.mark.parametrize("fault", ["busy", "throttled"])
def test_a_storm_of_refusals_slows_the_task_down(proxy: FaultProxy, store: S3Store, fault: str) -> None:
    key, etag = first_frame(store)
    pace = Pace(500.0, clock=time.monotonic, sleep=time.sleep)
    proxy.decide = times(3, fault, lambda request: request.is_frame_read)
    store.read_range(SETTINGS.ffi_bucket, key, 0, 100, etag, pace=pace)
    assert 240 < pace.rate < 260
    proxy.decide = times(3, "drop", lambda request: request.is_frame_read)
    store.read_range(SETTINGS.ffi_bucket, key, 0, 100, etag, pace=pace)
    assert pace.rate > 250


def test_requests_of_both_clients_say_who_we_are(proxy: FaultProxy, store: S3Store) -> None:
    run_build(store)
    agents = Counter(
        next(value for name, value in request.headers.items() if name.lower() == "user-agent")
        for request in proxy.requests
    )
    assert len(agents) >= 2
    assert all(f"tessera/{__version__}" in agent for agent in agents)


# ---------------------------------------------------------------- completion


@pytest.fixture
def built(store: S3Store) -> tuple[PlanRef, UploadRef]:
    """A build of which all but the last step is done."""
    ref = plan(store)
    upload = begin_upload(ref, store=store)
    for block in ref.blocks:
        build_block(task(ref, upload, block), store=store)
    return ref, upload


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("fault", ["error-in-200", "error-in-200-after", "busy", "drop"])
def test_a_completion_that_fails_once_is_tried_again(
    proxy: FaultProxy, store: S3Store, built: tuple[PlanRef, UploadRef], cube: bytes, fault: str
) -> None:
    ref, upload = built
    proxy.decide = times(1, fault, lambda request: request.is_completion)
    published = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert proxy.faults == [fault]
    data, info = store.read(published.bucket, published.key)
    assert (data, info.etag) == (cube, published.etag)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("fault", ["error-in-200", "error-in-200-after"])
def test_an_error_behind_200_is_transient_and_the_next_try_publishes(
    proxy: FaultProxy, store: S3Store, built: tuple[PlanRef, UploadRef], cube: bytes, fault: str
) -> None:
    ref, upload = built
    proxy.decide = lambda request: fault if request.is_completion else None
    with pytest.raises(TransientError, match="InternalError"):
        complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert 1 < len(proxy.faults) < 10
    assert not read_index(store, SETTINGS.cube_bucket)[0].cubes
    proxy.decide = lambda request: None
    published = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    data, info = store.read(published.bucket, published.key)
    assert (data, info.etag) == (cube, published.etag)


def test_a_second_upload_of_a_build_leaves_the_first_cube_alone(
    store: S3Store, built: tuple[PlanRef, UploadRef]
) -> None:
    ref, upload = built
    store.delete(ref.bucket, f"{ref.prefix}upload.json")
    other = begin_upload(ref, store=store)
    assert other.upload_id != upload.upload_id
    for block in ref.blocks:
        build_block(task(ref, other, block), store=store)
    first = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    second = complete_upload(BuildState(plan=ref, upload=other), store=store)
    assert first == second
    assert store.head(first.bucket, first.key).etag == first.etag
