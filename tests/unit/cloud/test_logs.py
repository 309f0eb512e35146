"""What a function writes to its log, under Lambda's real runtime client: no credentials, and metrics at every level."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store as ObstoreBucket

from tessera_cloud.adapters.aws_errors import read_error
from tessera_cloud.observability import without_secrets
from tessera_local.lambdas.worker import Outcome, Worker
from tessera_local.template.deployed import Function
from tests.support.coroutines import run_coroutine

TOKEN = "FwoGZXIvYXdzSESSIONTOKEN//example=="
SECRET = "wJalrXUtnFEMIexampleSECRETKEY"
REFUSAL = f"<Error><Code>ExpiredToken</Code><Message>expired</Message><Token-0>{TOKEN}</Token-0></Error>".encode()
HANDLER = """
from tessera_cloud.bootstrap import open_s3_store
from tessera_cloud.observability import count, logger

@logger.inject_lambda_context
def lambda_handler(event, context):
    store = open_s3_store()
    logger.debug("link", link=store.presign("bucket", "key", 60, "a.zip"))
    logger.info("began")
    count("BuildsGivenUp")
    try:
        list(store.list_objects("bucket", "prefix"))
    except Exception:
        logger.exception("fatal")
    if event.get("die"):
        raise ValueError("the handler died")
"""


class Refuses(BaseHTTPRequestHandler):
    """S3, to which the token of a request is too old: its answer repeats the token."""

    def do_GET(self) -> None:
        self.send_response(400)
        self.send_header("Content-Length", str(len(REFUSAL)))
        self.end_headers()
        self.wfile.write(REFUSAL)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Refuses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(folder: Path, endpoint: str, event: dict[str, Any], level: str) -> str:
    """Everything that a function prints while it answers an event, with Lambda's logging at DEBUG."""
    (folder / "app.py").write_text(HANDLER)
    function = Function("Test", folder, "app.lambda_handler", 512, 30, layers=tuple(map(Path, sys.path)))
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
        "LOG_LEVEL": level,
        "POWERTOOLS_SERVICE_NAME": "tessera",
    }
    log = folder / "log"

    async def invoke() -> Outcome:
        worker = Worker(function, (sys.executable, "-m", "awslambdaric"), environment, log)
        failure = await worker.start()
        try:
            return failure or await worker.invoke("00000000-0000-0000-0000-000000000000", json.dumps(event).encode())
        finally:
            await worker.close()

    run_coroutine(invoke())
    return log.read_text()


def test_no_credentials_are_logged_at_debug(tmp_path: Path, endpoint: str) -> None:
    printed = run(tmp_path, endpoint, {}, "DEBUG")

    assert "SESSIONTOKEN" not in printed
    assert "SECRETKEY" not in printed
    assert '"link"' in printed
    assert "X-Amz-Signature=***" in printed
    assert "botocore" not in {json.loads(line).get("logger", "").split(".")[0] for line in printed.splitlines()}


def test_metrics_and_errors_are_written_when_only_errors_are_logged(tmp_path: Path, endpoint: str) -> None:
    lines = [json.loads(line) for line in run(tmp_path, endpoint, {"die": True}, "ERROR").splitlines()]

    assert [line["BuildsGivenUp"] for line in lines if "_aws" in line] == [[1.0]]
    assert [line["message"] for line in lines if line.get("level") == "ERROR" and "message" in line] == ["fatal"]
    assert [line["errorType"] for line in lines if "errorType" in line] == ["ValueError"]
    assert "began" not in [line.get("message") for line in lines]


def test_an_error_of_a_read_has_the_code_of_s3_and_not_its_answer(endpoint: str) -> None:
    keys: Any = {"access_key_id": "A", "secret_access_key": SECRET, "session_token": TOKEN, "region": "us-east-1"}
    client: Any = {"allow_http": True}
    bucket = ObstoreBucket(
        "b", aws_endpoint_url_s3=endpoint, virtual_hosted_style_request=False, client_options=client, **keys
    )

    with pytest.raises(BaseError) as caught:
        obstore.get(bucket, "key")

    assert "SESSIONTOKEN" in str(caught.value), "S3's answer repeats the token"
    message = str(read_error(caught.value, "read s3://b/key"))
    assert message.endswith("status code: 400 Bad Request: ExpiredToken")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "https://b/k?X-Amz-Security-Token=abc%2F%3D&X-Amz-Date=1",
            "https://b/k?X-Amz-Security-Token=***&X-Amz-Date=1",
        ),
        ("?X-Amz-Credential=ASIA%2F2026&X-Amz-Signature=00ff", "?X-Amz-Credential=***&X-Amz-Signature=***"),
        ("x-amz-security-token:abc\\nhost:b", "x-amz-security-token:***\\nhost:b"),
        ("{'X-Amz-Security-Token': 'abc', 'A': 1}", "{'X-Amz-Security-Token': '***', 'A': 1}"),
        ("Credential=ASIA/x, SignedHeaders=host, Signature=0f", "Credential=***, SignedHeaders=host, Signature=***"),
        ("the signature of the file differs", "the signature of the file differs"),
    ],
)
def test_secrets_are_replaced_wherever_they_stand(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
