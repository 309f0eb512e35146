"""What S3 of the one-machine stack answers to browsers, to clients with unusual wishes, and to lists in pages."""

import http.client
import random
import socket
import time
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tessera_local.processes import CREDENTIALS
from tessera_local.stack import Stack
from tessera_local.template.deployed import REGION

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGE = "https://page.example"


@pytest.fixture
def s3(stack: Stack) -> "S3Client":
    return stack.s3


@pytest.fixture
def bucket(stack: Stack) -> str:
    return stack.bucket("ThingsBucket")


def send(
    stack: Stack, method: str, path: str, body: bytes = b"", **headers: Any
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Answer to a request as it is written."""
    connection = http.client.HTTPConnection(urlsplit(stack.s3_endpoint).netloc, timeout=10)
    try:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        connection.request(method, path, body or None, named)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_a_long_object_comes_whole_to_a_client_that_takes_a_little_at_a_time(
    stack: Stack, s3: "S3Client", bucket: str
) -> None:
    body, place = random.Random(1).randbytes(16 << 20), urlsplit(stack.s3_endpoint)
    s3.put_object(Bucket=bucket, Key="long", Body=body)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        client.connect((place.hostname, place.port))
        client.sendall(f"GET /{bucket}/long HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
        time.sleep(0.1)  # until the buffers of the system are full
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.read() == body


def test_folders_and_keys_come_in_one_order_over_pages(s3: "S3Client", bucket: str) -> None:
    for key in ("list/a", "list/b/1", "list/b/2", "list/c", "list/d+e f/\u00fc", "list/d+e f/z", "list/e&<"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    found = [
        [item["Key"] for item in page.get("Contents", [])] + [each["Prefix"] for each in page.get("CommonPrefixes", [])]
        for page in pages
    ]
    assert found == [["list/a", "list/b/"], ["list/c", "list/d+e f/"], ["list/e&<"]]
    older = s3.list_objects(Bucket=bucket, Prefix="list/d", MaxKeys=1)
    assert ([item["Key"] for item in older["Contents"]], older["IsTruncated"]) == (["list/d+e f/z"], True)
    assert s3.list_objects(Bucket=bucket, Prefix="list/d", Marker="list/d+e f/z")["Contents"][0]["Key"].endswith(
        "\u00fc"
    )
    assert not s3.list_objects_v2(Bucket=bucket, Prefix="list/", MaxKeys=0)["IsTruncated"]
    after = s3.list_objects_v2(Bucket=bucket, Prefix="list/", StartAfter="list/d+e f/zz")
    assert [item["Key"] for item in after["Contents"]] == ["list/d+e f/\u00fc", "list/e&<"]


def test_many_objects_are_deleted_at_once(s3: "S3Client", bucket: str) -> None:
    for key in ("many/1", "many/<2>"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "many/1"}, {"Key": "many/<2>"}]})
    assert [each["Key"] for each in answer["Deleted"]] == ["many/1", "many/<2>"]
    assert s3.list_objects_v2(Bucket=bucket, Prefix="many/")["KeyCount"] == 0


def test_a_page_of_another_origin_may_do_what_the_rules_say(stack: Stack, s3: "S3Client", bucket: str) -> None:
    path = f"/{bucket}/origins"
    s3.put_object(Bucket=bucket, Key="origins", Body=b"0123456789")
    assert send(stack, "GET", path, Origin=PAGE)[1]["access-control-allow-origin"] is None
    rule: Any = {"AllowedOrigins": ["https://*.example"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["x-*"]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule | {"ExposeHeaders": ["ETag"]}]})
    try:
        wishes: list[dict[str, Any]] = [{}, {"Range": "bytes=2-3"}, {"If_Match": '"0"'}]
        for wanted in wishes:
            headers = send(stack, "GET", path, Origin=PAGE, **wanted)[1]
            named = headers["access-control-allow-origin"], headers["access-control-expose-headers"]
            assert named == (PAGE, "ETag")
        asked: dict[str, Any] = {
            "Origin": PAGE,
            "Access_Control_Request_Method": "PUT",
            "Access_Control_Request_Headers": "x-amz-a",
        }
        status, headers, _ = send(stack, "OPTIONS", path, **asked)
        assert (status, headers["access-control-allow-headers"]) == (200, "x-amz-a")
        for other in (
            {"Origin": "https://page.other"},
            {"Access_Control_Request_Method": "DELETE"},
            {"Access_Control_Request_Headers": "content-type"},
        ):
            assert send(stack, "OPTIONS", path, **asked | other)[0] == 403
        assert send(stack, "GET", path, Origin="https://page.other")[1]["access-control-allow-origin"] is None
    finally:
        s3.delete_bucket_cors(Bucket=bucket)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_an_address_may_be_signed_for_an_upload(stack: Stack, bucket: str, version: str) -> None:
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    s3 = session.client("s3", endpoint_url=stack.s3_endpoint, config=Config(signature_version=version))
    asked: dict[str, Any] = {"Bucket": bucket, "Key": f"signed {version}", "ContentType": "text/x"}
    asked |= {"ContentLength": 4} if version == "s3v4" else {}
    url = urlsplit(s3.generate_presigned_url("put_object", asked, ExpiresIn=60))
    path = f"{url.path}?{url.query}"
    assert send(stack, "PUT", path, b"four", Content_Type="text/other")[0] == 403
    if version == "s3v4":
        assert send(stack, "PUT", path, b"more than four", Content_Type="text/x")[0] == 403
    assert send(stack, "PUT", path, b"four", Content_Type="text/x")[0] == 200
    assert send(stack, "PUT", path.replace("signed", "Signed"), b"four", Content_Type="text/x")[0] == 403
    read = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": f"signed {version}"}, ExpiresIn=60)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(read, timeout=10) as answer:
        assert answer.read() == b"four"


def test_a_link_names_the_file_that_it_saves(stack: Stack, s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="link", Body=b"1")
    asked = {"Bucket": bucket, "Key": "link", "ResponseContentDisposition": 'attachment; filename="a b.zip"'}
    url = urlsplit(s3.generate_presigned_url("get_object", asked, ExpiresIn=60))
    status, headers, _ = send(stack, "GET", f"{url.path}?{url.query}")
    assert (status, headers["content-disposition"]) == (200, 'attachment; filename="a b.zip"')
    assert send(stack, "GET", f"{url.path}?{url.query}".replace("a%20b", "c"))[0] == 403


@pytest.mark.parametrize(
    ("asked", "headers", "named"),
    [
        ("GET /{}/k?versionId=1", {}, "versionId"),
        ("GET /{}/k?partNumber=1", {}, "partNumber"),
        ("GET /{}?tagging", {}, "tagging"),
        ("POST /{}", {}, "POST"),
        ("PUT /{}/k", {"x_amz_tagging": "a=b"}, "x-amz-tagging"),
        ("PUT /{}/k", {"x_amz_checksum_crc32c": "AAAAAA=="}, "CRC32C"),
        ("PUT /{}/k", {"x_amz_content_sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}, "aws-chunked"),
        ("PUT /{}/k", {"If_None_Match": '"0"'}, "If-None-Match"),
    ],
)
def test_what_this_server_has_not_is_refused_by_name(
    stack: Stack, bucket: str, asked: str, headers: dict[str, str], named: str
) -> None:
    method, path = asked.split()
    status, _, body = send(stack, method, path.format(bucket), b"1" if method == "PUT" else b"", **headers)
    assert (status, b"<Code>NotImplemented</Code>" in body) == (501, True)
    assert named in body.decode()


def test_a_refused_write_with_a_body_does_not_disturb_the_next_request(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="taken", Body=b"1")
    for size in (1, 100_000, 3_000_000):
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.put_object(Bucket=bucket, Key="taken", Body=b"x" * size, IfNoneMatch="*")
        assert s3.get_object(Bucket=bucket, Key="taken")["Body"].read() == b"1"


def test_a_part_without_a_number_is_refused_in_words(stack: Stack, s3: "S3Client", bucket: str) -> None:
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    client = session.client("s3", endpoint_url=stack.s3_endpoint, config=Config(parameter_validation=False))
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    parts: Any = {"Parts": [{"PartNumber": "one", "ETag": "x"}]}
    with pytest.raises(ClientError, match=r"MalformedXML.*PartNumber is 'one'"):
        client.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
    s3.abort_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload)


def test_bytes_that_say_they_are_packed_are_kept_as_they_are(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="packed", Body=b"\x1f\x8b no gzip at all", ContentEncoding="gzip")
    answer = s3.get_object(Bucket=bucket, Key="packed", Range="bytes=0-99")
    assert (answer["ContentEncoding"], answer["ContentRange"]) == ("gzip", "bytes 0-16/17")


def test_a_bucket_goes_when_it_is_empty(s3: "S3Client", bucket: str) -> None:
    s3.create_bucket(Bucket="short-lived")
    s3.put_object(Bucket="short-lived", Key="a", Body=b"")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket="short-lived")
    s3.delete_object(Bucket="short-lived", Key="a")
    s3.delete_bucket(Bucket="short-lived")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.list_objects_v2(Bucket="short-lived")
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)
