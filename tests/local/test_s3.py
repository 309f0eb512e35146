"""What is special to S3 of the one-machine stack. `tests/contract/test_s3.py` has the rules of every S3."""

import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tessera_local.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def s3(stack: Stack) -> "S3Client":
    return stack.s3


@pytest.fixture
def bucket(stack: Stack) -> str:
    return stack.bucket("ThingsBucket")


def test_an_object_that_lost_bytes_on_the_disk_holds_nobody(stack: Stack, s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="short", Body=b"the bytes that get lost")
    (segment,) = (path for path in stack.home.rglob("segment-*") if path.read_bytes() == b"the bytes that get lost")
    os.truncate(segment, 5)
    request = urllib.request.Request(f"{stack.s3_endpoint}/{bucket}/short", headers={"Range": "bytes=2-9"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10)
    with caught.value:
        assert caught.value.code == 500
    s3.delete_object(Bucket=bucket, Key="short")


def test_buckets_have_the_lifecycle_of_the_template(s3: "S3Client", bucket: str) -> None:
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [(rule["ID"], rule["Filter"], rule["Expiration"]) for rule in rules] == [
        ("ExpireResults", {"Prefix": "results/"}, {"Days": 1})
    ]
