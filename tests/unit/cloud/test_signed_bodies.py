"""Whether the hash of a body is signed: everywhere but between a function and the store of the same machine."""

from __future__ import annotations

import base64
import hashlib
import zlib
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from tessera_cloud.bootstrap import open_s3_store

BODY = b"an archive"
SHA256, CRC32 = hashlib.sha256(BODY).hexdigest(), base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Headers of the requests of boto3's clients, which are answered before they leave the process."""
    requests: list[dict[str, str]] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        headers: dict[str, Any] = dict(request.headers.items())  # botocore gives some as bytes
        texts = {name: text.decode() if isinstance(text, bytes) else text for name, text in headers.items()}
        requests.append({name.lower(): str(text) for name, text in texts.items()})
        return AWSResponse(request.url, 200, HTTPHeaders.from_dict({"ETag": '"etag"'}), HTTPResponse(BytesIO()))

    made = boto3.client

    def client(*arguments: Any, **options: Any) -> Any:
        made_now = made(*arguments, **options)
        made_now.meta.events.register("before-send.s3", answer)
        return made_now

    monkeypatch.setattr(boto3, "client", client)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return requests


@pytest.mark.parametrize(
    ("host", "signed"),
    [
        ("127.0.0.1:9000", "UNSIGNED-PAYLOAD"),
        ("localhost:9000", "UNSIGNED-PAYLOAD"),
        ("[::1]:9000", "UNSIGNED-PAYLOAD"),
        ("store.example:9000", SHA256),
        ("localhost.example", SHA256),
        ("127.0.0.1.example", SHA256),
    ],
)
def test_the_crc_is_always_sent_and_the_hash_is_signed_on_the_way_to_another_machine(
    host: str, signed: str, sent: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}")
    open_s3_store().write("results", "a.zip", BODY)
    (headers,) = sent
    assert (headers["x-amz-content-sha256"], headers["x-amz-checksum-crc32"]) == (signed, CRC32)
