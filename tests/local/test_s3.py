import io
import os
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tessera_local.stack import Stack
from tests.support.same_bytes import assert_same_bytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART = 5 << 20


@pytest.fixture
def s3(stack: Stack) -> "S3Client":
    return stack.s3


@pytest.fixture
def bucket(stack: Stack) -> str:
    return stack.bucket("ThingsBucket")


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
    whole = s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": listed})
    return whole["ETag"]


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


def ask(stack: Stack, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Answer to a request for `path`: status, bytes, and the headers that are about the object."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    request = urllib.request.Request(stack.s3_endpoint + path, headers=named)
    try:
        answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b"", {}
    with answer:
        of_the_server = {"connection", "date", "server", "x-amz-request-id"}
        told = {name.lower(): text for name, text in answer.headers.items()}
        return answer.status, answer.read(), {name: text for name, text in told.items() if name not in of_the_server}


@pytest.mark.parametrize(
    ("span", "status", "at"),
    [("0-9", 206, (0, 10)), ("3-3", 206, (3, 4)), ("100-2000000", 206, (100, 2_000_001)), ("-4", 206, (-4, None)),
     ("1048570-99999999", 206, (1_048_570, None)), ("4-", 206, (4, None)),
     (f"{PART - 2}-{PART + 1}", 206, (PART - 2, PART + 2)),
     ("9-3", 200, (0, None)), ("0-1,4-5", 200, (0, None)), (f"0-{'9' * 5000}", 200, (0, None)), ("x", 200, (0, None)),
     ("99999999-99999999", 416, None), ("-0", 416, None)],
)  # fmt: skip
def test_a_range_is_answered_as_s3_does(
    stack: Stack, joined: bytes, span: str, status: int, at: tuple[int, int | None] | None
) -> None:
    found, data, headers = ask(stack, f"/{stack.bucket('ThingsBucket')}/a%20b/%C3%BC%2B1", range=f"bytes={span}")
    assert found == status
    if at:
        assert_same_bytes(data, joined[slice(*at)])
        assert headers["content-length"] == str(len(data))
    if status == 206:
        first = slice(*at or ()).indices(len(joined))[0]
        assert headers["content-range"] == f"bytes {first}-{first + len(data) - 1}/{len(joined)}"


@pytest.fixture
def joined(s3: "S3Client", bucket: str) -> bytes:
    parts = {1: os.urandom(PART), 2: os.urandom(1000)}
    upload(s3, bucket, "a b/\u00fc+1", parts, [1, 2])
    return parts[1] + parts[2]


def test_an_object_with_further_headers_is_answered_with_them(stack: Stack, s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="kept", Body=b"0123456789", CacheControl="max-age=3", ContentEncoding="gzip")
    s3.put_object(Bucket=bucket, Key="until", Body=b"0123456789", Expires="2030-01-01T00:00:00Z")
    kept, until = (ask(stack, f"/{bucket}/{key}", range="bytes=2-4")[2] for key in ("kept", "until"))
    assert (kept["cache-control"], kept["content-encoding"]) == ("max-age=3", "gzip")
    assert until["expires"] == "Tue, 01 Jan 2030 00:00:00 GMT"


def test_an_object_that_lost_bytes_on_the_disk_holds_nobody(stack: Stack, s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="short", Body=b"the bytes that get lost")
    (segment,) = (path for path in stack.home.rglob("segment-*") if path.read_bytes() == b"the bytes that get lost")
    os.truncate(segment, 5)
    assert ask(stack, f"/{bucket}/short", range="bytes=2-9")[0] == 500
    s3.delete_object(Bucket=bucket, Key="short")


def test_a_replaced_object_is_not_mixed_with_the_old_one(stack: Stack, s3: "S3Client", bucket: str) -> None:
    old = s3.put_object(Bucket=bucket, Key="replaced", Body=b"old bytes")["ETag"]
    assert ask(stack, f"/{bucket}/replaced", range="bytes=0-2", if_match=old)[:2] == (206, b"old")
    new = s3.put_object(Bucket=bucket, Key="replaced", Body=b"new bytes")["ETag"]
    assert ask(stack, f"/{bucket}/replaced", range="bytes=0-2", if_match=old)[0] == 412
    assert ask(stack, f"/{bucket}/replaced", range="bytes=0-2", if_match=new)[:2] == (206, b"new")
    s3.delete_object(Bucket=bucket, Key="replaced")
    assert ask(stack, f"/{bucket}/replaced", range="bytes=0-2", if_match=new)[0] == 404


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
    s3.put_object(Bucket=bucket, Key="pinned", Body=b"2", IfMatch=etag)
    assert read(s3, bucket, "pinned") == b"2"


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
    url = s3.generate_presigned_url("get_object", place, ExpiresIn=60)
    assert get(url) == 200
    assert get(url.replace("shared", "joined")) == 403
    assert get(url[:-4] + "0000") == 403
    short = s3.generate_presigned_url("get_object", place, ExpiresIn=1)  # in whole seconds: it may end at once
    time.sleep(2.2)
    assert get(short) == 403
    assert get(url) == 200


def test_buckets_have_the_lifecycle_of_the_template(s3: "S3Client", bucket: str) -> None:
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [(rule["ID"], rule["Filter"], rule["Expiration"]) for rule in rules] == [
        ("ExpireResults", {"Prefix": "results/"}, {"Days": 1})
    ]
