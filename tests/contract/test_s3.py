"""What any S3 does that Tessera runs on: the rules of S3 that are relied on beside those of the contract of stores."""

import io
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.support.clocks import clock_of_programs
from tests.support.s3_servers import SERVERS, S3Server, expect_gap, s3_server
from tests.support.same_bytes import assert_same_bytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART = 5 << 20
BUCKET = "rules"


@pytest.fixture(scope="module", params=[name for name in SERVERS if name != "moto"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(request.param, tmp_path_factory.mktemp("s3")) as server:
        server.empty(BUCKET)
        yield server


@pytest.fixture
def s3(server: S3Server, request: pytest.FixtureRequest) -> "S3Client":
    expect_gap(request, server.program)
    return server.client


@pytest.fixture
def bucket() -> str:
    return BUCKET


def read(s3: "S3Client", bucket: str, key: str, byte_range: str = "") -> bytes:
    if byte_range:
        return s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={byte_range}")["Body"].read()
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return caught.value.response["Error"]["Code"]


def upload(s3: "S3Client", bucket: str, key: str, parts: dict[int, bytes], order: list[int]) -> str:
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    etags = {}
    for number in order:
        answer = s3.upload_part(
            Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=io.BytesIO(parts[number])
        )
        etags[number] = answer["ETag"]
    listed: list[CompletedPartTypeDef] = [{"PartNumber": number, "ETag": etags[number]} for number in sorted(etags)]
    s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": listed})
    return s3.head_object(Bucket=bucket, Key=key)["ETag"]


def test_parts_out_of_order_with_gaps_are_joined_by_number(s3: "S3Client", bucket: str) -> None:
    parts = {2: os.urandom(PART), 5: os.urandom(PART + 1), 9: b"end"}
    etag = upload(s3, bucket, "joined", parts, [5, 9, 2])
    whole = parts[2] + parts[5] + parts[9]
    assert etag.endswith('-3"')
    assert_same_bytes(read(s3, bucket, "joined"), whole)
    assert read(s3, bucket, "joined", f"{PART - 2}-{PART + 1}") == whole[PART - 2 : PART + 2]
    assert read(s3, bucket, "joined", "-5") == whole[-5:]
    assert read(s3, bucket, "joined", f"{2 * PART}-") == whole[2 * PART :]


def test_a_part_sent_again_replaces_the_first(s3: "S3Client", bucket: str) -> None:
    upload(s3, bucket, "again", {1: b"second"}, [1, 1])
    assert read(s3, bucket, "again") == b"second"


def test_a_range_beyond_the_end_is_refused(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="ten", Body=b"0123456789")
    assert read(s3, bucket, "ten", "2-4") == b"234"
    assert read(s3, bucket, "ten", "8-99") == b"89"
    with pytest.raises(ClientError) as caught:
        read(s3, bucket, "ten", "10-")
    assert code_of(caught) == "InvalidRange"


def ask(s3: "S3Client", bucket: str, key: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Answer to a signed link to an object: status, bytes, and headers."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    link = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, ExpiresIn=60)
    try:
        answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            urllib.request.Request(link, headers=named), timeout=10
        )
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b"", {}
    with answer:
        return answer.status, answer.read(), {name.lower(): text for name, text in answer.headers.items()}


@pytest.mark.parametrize(
    ("span", "status", "at"),
    [("0-9", 206, (0, 10)), ("3-3", 206, (3, 4)), ("100-2000000", 206, (100, 2_000_001)), ("-4", 206, (-4, None)),
     ("1048570-99999999", 206, (1_048_570, None)), ("4-", 206, (4, None)),
     (f"{PART - 2}-{PART + 1}", 206, (PART - 2, PART + 2)), ("99999999-99999999", 416, None)],
)  # fmt: skip
def test_a_range_is_answered_as_s3_does(
    s3: "S3Client", joined: bytes, span: str, status: int, at: tuple[int, int | None] | None
) -> None:
    found, data, headers = ask(s3, BUCKET, "a b/\u00fc+1", range=f"bytes={span}")
    assert found == status
    if at:
        first, end, _ = slice(*at).indices(len(joined))
        assert_same_bytes(data, joined[first:end])
        assert headers["content-length"] == str(end - first)
        assert headers["content-range"] == f"bytes {first}-{end - 1}/{len(joined)}"


@pytest.mark.parametrize("span", ["9-3", "0-1,4-5", f"0-{'9' * 5000}", "x"], ids=["back", "two", "long", "word"])
def test_a_range_that_s3_does_not_know_gives_the_whole_object(s3: "S3Client", joined: bytes, span: str) -> None:
    status, data, _ = ask(s3, BUCKET, "a b/\u00fc+1", range=f"bytes={span}")
    assert status == 200
    assert_same_bytes(data, joined)


@pytest.mark.usefixtures("joined")
def test_a_range_of_nothing_is_refused(s3: "S3Client") -> None:
    assert ask(s3, BUCKET, "a b/\u00fc+1", range="bytes=-0")[0] == 416


@pytest.fixture
def joined(s3: "S3Client", bucket: str) -> bytes:
    parts = {1: os.urandom(PART), 2: os.urandom(1000)}
    upload(s3, bucket, "a b/\u00fc+1", parts, [1, 2])
    return parts[1] + parts[2]


def test_an_object_with_further_headers_is_answered_with_them(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="kept", Body=b"0123456789", CacheControl="max-age=3", ContentEncoding="gzip")
    s3.put_object(Bucket=bucket, Key="until", Body=b"0123456789", Expires="2030-01-01T00:00:00Z")
    kept, until = (ask(s3, bucket, key, range="bytes=2-4")[2] for key in ("kept", "until"))
    assert (kept["cache-control"], kept["content-encoding"]) == ("max-age=3", "gzip")
    assert until["expires"] == "Tue, 01 Jan 2030 00:00:00 GMT"


def test_a_replaced_object_is_not_mixed_with_the_old_one(s3: "S3Client", bucket: str) -> None:
    old = s3.put_object(Bucket=bucket, Key="replaced", Body=b"old bytes")["ETag"]
    assert ask(s3, bucket, "replaced", range="bytes=0-2", if_match=old)[:2] == (206, b"old")
    new = s3.put_object(Bucket=bucket, Key="replaced", Body=b"new bytes")["ETag"]
    assert ask(s3, bucket, "replaced", range="bytes=0-2", if_match=old)[0] == 412
    assert ask(s3, bucket, "replaced", range="bytes=0-2", if_match=new)[:2] == (206, b"new")
    s3.delete_object(Bucket=bucket, Key="replaced")
    assert ask(s3, bucket, "replaced", range="bytes=0-2", if_match=new)[0] == 404


def test_an_empty_object_is_an_object(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert read(s3, bucket, "empty") == b""


def test_small_parts_are_refused(s3: "S3Client", bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        upload(s3, bucket, "small", {1: b"x", 2: b"y"}, [1, 2])
    assert code_of(caught) == "EntityTooSmall"


def test_conditions_on_reading_and_writing_hold(s3: "S3Client", bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="pinned", Body=b"1")["ETag"]
    assert s3.get_object(Bucket=bucket, Key="pinned", IfMatch=etag)["Body"].read() == b"1"
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=bucket, Key="pinned", IfMatch='"0"')
    assert code_of(caught) == "PreconditionFailed"
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="pinned", Body=b"2", IfNoneMatch="*")
    assert code_of(caught) == "PreconditionFailed"
    s3.put_object(Bucket=bucket, Key="pinned", Body=b"2", IfMatch=etag.strip('"'))
    assert read(s3, bucket, "pinned") == b"2"
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="pinned", Body=b"3", IfMatch=etag.strip('"'))
    assert code_of(caught) == "PreconditionFailed"


def test_the_condition_of_a_write_may_have_quotes(s3: "S3Client", bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="quoted", Body=b"1")["ETag"]
    s3.put_object(Bucket=bucket, Key="quoted", Body=b"2", IfMatch=etag)


def test_the_end_of_an_upload_names_the_etag(s3: "S3Client", bucket: str) -> None:
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="named")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="named", UploadId=upload_id, PartNumber=1, Body=b"1")["ETag"]
    parts: list[CompletedPartTypeDef] = [{"PartNumber": 1, "ETag": part}]
    end = s3.complete_multipart_upload(Bucket=bucket, Key="named", UploadId=upload_id, MultipartUpload={"Parts": parts})
    assert end["ETag"] == s3.head_object(Bucket=bucket, Key="named")["ETag"]


def test_an_upload_that_is_over_is_not_known(s3: "S3Client", bucket: str) -> None:
    upload(s3, bucket, "over", {1: b"1"}, [1])
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="over")["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key="over", UploadId=upload_id)
    with pytest.raises(ClientError) as caught:
        s3.list_parts(Bucket=bucket, Key="over", UploadId=upload_id)
    assert code_of(caught) == "NoSuchUpload"


def test_only_one_of_many_first_writers_wins(s3: "S3Client", bucket: str) -> None:
    def write(number: int) -> bool:
        try:
            s3.put_object(Bucket=bucket, Key="first", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(write, range(6))) == 1


def test_a_copy_outlives_its_source(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"same")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "source"})
    s3.delete_object(Bucket=bucket, Key="source")
    assert read(s3, bucket, "copy") == b"same"


def test_a_part_can_be_copied_from_a_range(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="cut")["UploadId"]
    part = s3.upload_part_copy(
        Bucket=bucket,
        Key="cut",
        UploadId=upload_id,
        PartNumber=1,
        CopySource={"Bucket": bucket, "Key": "digits"},
        CopySourceRange="bytes=3-5",
    )["CopyPartResult"]
    parts: list[CompletedPartTypeDef] = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(Bucket=bucket, Key="cut", UploadId=upload_id, MultipartUpload={"Parts": parts})
    assert read(s3, bucket, "cut") == b"345"


def test_a_wrong_checksum_is_refused_and_leaves_nothing(s3: "S3Client", bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="wrong", Body=b"x", ChecksumSHA256="A" * 43 + "=")
    assert code_of(caught) == "BadDigest"
    with pytest.raises(ClientError) as caught:
        read(s3, bucket, "wrong")
    assert code_of(caught) == "NoSuchKey"


def get(url: str) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_presigned_url_opens_one_object_for_a_while(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="shared", Body=b"1")
    place = {"Bucket": bucket, "Key": "shared"}
    with clock_of_programs():
        url = s3.generate_presigned_url("get_object", place, ExpiresIn=60)
        short = s3.generate_presigned_url("get_object", place, ExpiresIn=1)  # in whole seconds: it may end at once
    assert get(url) == 200
    assert get(url.replace("shared", "joined")) == 403
    assert get(url[:-4] + "0000") == 403
    time.sleep(2.2)
    assert get(short) == 403
    assert get(url) == 200
