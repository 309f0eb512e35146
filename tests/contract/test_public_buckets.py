"""Public buckets are read without credentials, all others with them."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tessera_cloud.adapters.s3 import S3Store
from tessera_cloud.bootstrap import open_s3_store
from tessera_cloud.errors import ObjectChangedError, ObjectMissingError
from tests.support.fault_proxy import FaultProxy, Request

PUBLIC, OWN = "stpubdata", "cubes"
KEY = "tess/public/mast/tess-s0001-1-1-cube.fits"


@pytest.fixture(scope="module")
def upstream() -> Iterator[tuple[str, int]]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def proxy(upstream: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    direct = f"http://{upstream[0]}:{upstream[1]}"
    urllib.request.urlopen(urllib.request.Request(f"{direct}/moto-api/reset", method="POST")).read()
    keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("s3", endpoint_url=direct, **keys)
    for bucket, access in ((PUBLIC, "public-read"), (OWN, "private")):
        client.create_bucket(Bucket=bucket, ACL=access)
        client.put_object(Bucket=bucket, Key=KEY, Body=b"a cube", ACL=access)
    with FaultProxy(upstream) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        yield proxy


@pytest.fixture
def store(proxy: FaultProxy) -> S3Store:
    return open_s3_store(public=frozenset({PUBLIC}))


def read_everything(store: S3Store, bucket: str) -> None:
    (listed,) = store.list_objects(bucket, "tess/public/mast/")
    assert store.head(bucket, KEY) == listed
    assert store.read(bucket, KEY)[0] == b"a cube"
    assert bytes(store.read_range(bucket, KEY, 2, 4, listed.etag)) == b"cube"


def header(request: Request, wanted: str) -> str:
    return next((value for name, value in request.headers.items() if name.lower() == wanted), "")


def signed(request: Request) -> bool:
    return bool(header(request, "authorization"))


def test_a_public_bucket_is_read_without_credentials(
    store: S3Store, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    read_everything(store, PUBLIC)
    assert [signed(request) for request in proxy.requests] == [False] * 4
    assert all("tessera/" in header(request, "user-agent") for request in proxy.requests)


def test_a_public_bucket_is_read_where_there_are_no_credentials_at_all(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    read_everything(store, PUBLIC)


def test_other_buckets_are_read_with_credentials(
    store: S3Store, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    read_everything(open_s3_store(public=frozenset({PUBLIC})), OWN)
    assert [signed(request) for request in proxy.requests] == [True] * 4


def test_errors_of_a_public_bucket_are_those_of_any_other(store: S3Store) -> None:
    with pytest.raises(ObjectMissingError, match="missing"):
        store.head(PUBLIC, "missing")
    with pytest.raises(ObjectMissingError, match="missing"):
        store.read_range(PUBLIC, "missing", 0, 1)
    with pytest.raises(ObjectChangedError, match="has been replaced"):
        store.read_range(PUBLIC, KEY, 0, 1, "0" * 32)


def test_public_buckets_may_be_elsewhere_than_all_others(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("TESSERA_PUBLIC_ENDPOINT_URL", proxy.url)
    read_everything(open_s3_store(public=frozenset({PUBLIC})), PUBLIC)
