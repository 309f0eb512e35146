"""One contract for every object store: memory and S3 behave alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import numpy as np
import pytest
from botocore.config import Config

from tessera.builds.plan import MIN_PART_BYTES
from tessera.builds.transpose import RowStream
from tessera_cloud.adapters.s3 import S3Store
from tessera_cloud.bootstrap import open_s3_store
from tessera_cloud.errors import FatalError, NoSuchUploadError, ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.patience import Patience
from tessera_cloud.ports import ObjectStore, UploadedPart
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.s3_servers import SERVERS, S3Server, expect_gap, s3_server

BUCKET = "store-contract"
ONCE = Patience(1, 0.0, 0.0, lambda seconds: None, lambda low, high: low)
BIG = bytes(range(256)) * (MIN_PART_BYTES // 256)


@pytest.fixture(scope="module", params=["memory", *SERVERS])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server | None]:
    if request.param == "memory":
        yield None
        return
    with s3_server(request.param, tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def store(server: S3Server | None, request: pytest.FixtureRequest) -> ObjectStore:
    if server is None:
        return MemoryStore()
    expect_gap(request, server.program)
    server.empty(BUCKET)
    return server.store(ONCE)


def test_what_is_written_can_be_read(store: ObjectStore) -> None:
    etag = store.write(BUCKET, "a/b c+ü.txt", b"hello")
    data, info = store.read(BUCKET, "a/b c+ü.txt")
    assert (data, info.size, info.etag) == (b"hello", 5, etag)
    assert store.head(BUCKET, "a/b c+ü.txt") == info


def test_a_missing_object_is_named(store: ObjectStore) -> None:
    for call in (
        lambda: store.read(BUCKET, "missing"),
        lambda: store.head(BUCKET, "missing"),
        lambda: store.read_range(BUCKET, "missing", 0, 1),
    ):
        with pytest.raises(ObjectMissingError, match="missing"):
            call()


@pytest.mark.parametrize(("start", "length"), [(0, 1), (0, 256), (100, 50), (255, 1)])
def test_a_range_is_exactly_those_bytes(store: ObjectStore, start: int, length: int) -> None:
    etag = store.write(BUCKET, "range", bytes(range(256)))
    assert bytes(store.read_range(BUCKET, "range", start, length)) == bytes(range(256))[start : start + length]
    assert bytes(store.read_range(BUCKET, "range", start, length, etag)) == bytes(range(256))[start : start + length]


def test_a_range_that_the_object_does_not_have_is_an_error(store: ObjectStore) -> None:
    store.write(BUCKET, "short", b"0123456789")
    with pytest.raises(TransientError, match="short"):
        store.read_range(BUCKET, "short", 5, 10)


def test_a_replaced_object_is_noticed(store: ObjectStore) -> None:
    etag = store.write(BUCKET, "replaced", b"old")
    store.write(BUCKET, "replaced", b"new")
    with pytest.raises(ObjectChangedError, match="replaced"):
        store.read_range(BUCKET, "replaced", 0, 3, etag)


def test_listings_are_in_key_order_and_below_the_prefix(store: ObjectStore) -> None:
    for key in ("x/2", "x/10", "x/1", "y/1"):
        store.write(BUCKET, key, key.encode())
    listed = list(store.list_objects(BUCKET, "x/"))
    assert [info.key for info in listed] == ["x/1", "x/10", "x/2"]
    assert listed[0] == store.head(BUCKET, "x/1")


def test_folders_are_listed_once_and_in_order(store: ObjectStore) -> None:
    for key in ("f/s0002/a", "f/s0002/b/c", "f/s0010/a", "f/s0001/a", "f/loose", "g/s0003/a"):
        store.write(BUCKET, key, b"")
    assert list(store.list_folders(BUCKET, "f/")) == ["s0001/", "s0002/", "s0010/"]
    assert list(store.list_folders(BUCKET, "f/s0002/")) == ["b/"]
    assert list(store.list_folders(BUCKET, "none/")) == []


def test_a_conditional_write_happens_only_under_its_condition(store: ObjectStore) -> None:
    etag = store.write(BUCKET, "pointer", b"1", only_new=True)
    with pytest.raises(ObjectChangedError):
        store.write(BUCKET, "pointer", b"2", only_new=True)
    second = store.write(BUCKET, "pointer", b"2", only_over=etag)
    with pytest.raises(ObjectChangedError):
        store.write(BUCKET, "pointer", b"3", only_over=etag)
    assert store.read(BUCKET, "pointer")[1].etag == second


def test_parts_in_any_order_become_one_object(store: ObjectStore) -> None:
    upload = store.begin_upload(BUCKET, "parts")
    last = store.upload_part(BUCKET, "parts", upload, 7, b"tail")
    store.upload_part(BUCKET, "parts", upload, 1, b"replaced later")
    first = store.upload_part(BUCKET, "parts", upload, 1, memoryview(BIG))
    parts = store.list_parts(BUCKET, "parts", upload)
    assert parts == [UploadedPart(1, len(BIG), first), UploadedPart(7, 4, last)]
    etag = store.complete_upload(BUCKET, "parts", upload, parts)
    assert store.head(BUCKET, "parts").size == len(BIG) + 4
    assert store.head(BUCKET, "parts").etag == etag
    assert bytes(store.read_range(BUCKET, "parts", len(BIG) - 2, 6, etag)) == BIG[-2:] + b"tail"


def test_rows_that_are_made_while_they_are_read_arrive_whole(store: ObjectStore) -> None:
    block = np.arange(40 * 2 * 3 * 30, dtype=np.uint32).reshape(40, 2, 3, 30)
    expected = np.transpose(block, (2, 3, 0, 1)).tobytes()
    etag = store.write(BUCKET, "rows", RowStream(block, 0, 3, piece_bytes=1000))
    upload = store.begin_upload(BUCKET, "part")
    part = store.upload_part(BUCKET, "part", upload, 1, RowStream(block, 0, 3, piece_bytes=1000))
    assert part == etag == store.write(BUCKET, "rows as bytes", expected)
    assert store.read(BUCKET, "rows")[0] == expected


def test_a_page_of_parts_begins_where_it_should(store: ObjectStore) -> None:
    upload = store.begin_upload(BUCKET, "page")
    sent = [UploadedPart(n, 4, store.upload_part(BUCKET, "page", upload, n, b"%4d" % n)) for n in range(1, 6)]
    assert store.list_parts(BUCKET, "page", upload, first=3, count=2) == sent[2:4]
    assert store.list_parts(BUCKET, "page", upload, first=4, count=9) == sent[3:]
    assert store.list_parts(BUCKET, "page", upload) == sent


def test_a_page_of_parts_may_have_gaps_in_front(store: ObjectStore) -> None:
    upload = store.begin_upload(BUCKET, "gap")
    for number in (2, 3, 7):
        store.upload_part(BUCKET, "gap", upload, number, b"data")
    assert [part.number for part in store.list_parts(BUCKET, "gap", upload, first=3, count=2)] == [3, 7]


def test_unfinished_uploads_are_listed(store: ObjectStore) -> None:
    names = {store.begin_upload(BUCKET, key): key for key in ("cubes/b", "cubes/a", "builds/c")}
    found = sorted(store.list_uploads(BUCKET, "cubes/"))
    assert [key for key, _, _ in found] == ["cubes/a", "cubes/b"]
    assert {name: key for key, name, _ in found}.items() <= names.items()
    store.abort_upload(BUCKET, "cubes/a", found[0][1])
    assert [key for key, _, _ in store.list_uploads(BUCKET, "cubes/")] == ["cubes/b"]


def test_an_upload_is_not_completed_over_an_object(store: ObjectStore) -> None:
    etag = store.write(BUCKET, "first", b"the first one stays")
    upload = store.begin_upload(BUCKET, "first")
    store.upload_part(BUCKET, "first", upload, 1, b"second")
    with pytest.raises(ObjectChangedError, match="first"):
        store.complete_upload(BUCKET, "first", upload, store.list_parts(BUCKET, "first", upload))
    assert store.head(BUCKET, "first").etag == etag
    assert len(store.list_parts(BUCKET, "first", upload)) == 1


def test_a_completed_upload_is_gone(store: ObjectStore) -> None:
    upload = store.begin_upload(BUCKET, "gone")
    store.upload_part(BUCKET, "gone", upload, 1, b"data")
    parts = store.list_parts(BUCKET, "gone", upload)
    store.complete_upload(BUCKET, "gone", upload, parts)
    with pytest.raises(NoSuchUploadError):
        store.list_parts(BUCKET, "gone", upload)


def test_a_deleted_object_is_gone_and_may_be_deleted_again(store: ObjectStore) -> None:
    store.write(BUCKET, "deleted", b"data")
    store.delete(BUCKET, "deleted")
    store.delete(BUCKET, "deleted")
    with pytest.raises(ObjectMissingError):
        store.head(BUCKET, "deleted")


def test_a_small_part_in_front_of_the_last_is_refused(store: ObjectStore) -> None:
    upload = store.begin_upload(BUCKET, "small")
    store.upload_part(BUCKET, "small", upload, 1, b"small")
    store.upload_part(BUCKET, "small", upload, 2, b"tail")
    with pytest.raises(FatalError):
        store.complete_upload(BUCKET, "small", upload, store.list_parts(BUCKET, "small", upload))


def test_an_unfinished_upload_is_no_object_and_can_be_thrown_away(store: ObjectStore) -> None:
    upload = store.begin_upload(BUCKET, "unfinished")
    store.upload_part(BUCKET, "unfinished", upload, 1, b"data")
    with pytest.raises(ObjectMissingError):
        store.head(BUCKET, "unfinished")
    store.abort_upload(BUCKET, "unfinished", upload)
    store.abort_upload(BUCKET, "unfinished", upload)
    with pytest.raises(NoSuchUploadError):
        store.list_parts(BUCKET, "unfinished", upload)


def test_a_presigned_url_names_the_object_and_its_end() -> None:
    keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    s3 = S3Store(boto3.client("s3", **keys), lambda bucket: None, ONCE)
    url = s3.presign(BUCKET, "results/x.zip", 3600, "tesscut.zip")
    assert "results/x.zip" in url
    assert "Expires" in url
    assert "tesscut.zip" in url
    assert "response-content-type" not in url
    assert "response-content-type=text%2Fcsv" in s3.presign(BUCKET, "results/x.csv", 3600, "sia2.csv", "text/csv")


def test_a_presigned_upload_is_signed_with_its_length() -> None:
    keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    s3 = S3Store(boto3.client("s3", **keys, config=Config(signature_version="s3v4")), lambda bucket: None, ONCE)
    url = urlsplit(s3.presign_upload(BUCKET, "uploads/x", 900, 1234))
    asked = parse_qs(url.query)
    assert url.path.endswith("/uploads/x")
    assert asked["X-Amz-Expires"] == ["900"]
    assert asked["X-Amz-SignedHeaders"] == ["content-length;host"]
    assert s3.presign_upload(BUCKET, "uploads/x", 900, 1235).rpartition("=")[2] != asked["X-Amz-Signature"][0]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "eu-central-1"])
def test_links_are_signed_as_every_region_takes_them_and_name_the_bucket_where_it_is(
    monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "t")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    url = urlsplit(open_s3_store().presign("results", "results/x.zip", 900, "tesscut.zip"))
    asked = parse_qs(url.query)
    assert url.netloc in {f"results.s3.{region}.amazonaws.com", "results.s3.amazonaws.com"}
    assert url.netloc != "results.s3.amazonaws.com" or region == "us-east-1"
    assert asked["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert f"/{region}/s3/" in asked["X-Amz-Credential"][0]
    assert asked["X-Amz-Expires"] == ["900"]
    assert asked["X-Amz-Security-Token"] == ["t"]
