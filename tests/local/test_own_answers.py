"""Answers of the front without a function: those that the template gives API Gateway, and none has a traceback."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tessera_local.lambdas.service import LambdaService
from tessera_local.storage import cors_rule
from tessera_local.template.deployed import Template
from tessera_local.web.api_gateway import ApiGateway
from tessera_local.web.own_answers import PATH_LIMIT, OneLine, OwnAnswers, build_runner
from tessera_local.web.page_server import PageServer
from tests.support.coroutines import run_coroutine

TEMPLATE = Template(Path(__file__).parents[2] / "template.yaml")
SHAPE = {"code", "message", "parameter", "value", "allowed"}


def ask(home: Path, method: str, path: str) -> tuple[int, str, str]:
    """Status, body, and the origin that may read it."""

    async def run() -> tuple[int, str, str]:
        service = LambdaService({}, home, concurrency={}, default_concurrency=1, environment={})
        page = PageServer(TEMPLATE.page) if TEMPLATE.page else None
        front = ApiGateway(TEMPLATE.routes, service, page=page, own_answers=TEMPLATE.gateway_responses)
        runner = build_runner(front.application())
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
            async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
                return answer.status, await answer.text(), answer.headers.get("Access-Control-Allow-Origin", "")
        finally:
            await runner.cleanup()

    return run_coroutine(run())


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/cutouts/", "/tesscut/api/v0.1/", "/v1/images/a/b/c", "/wp-login"])
def test_a_path_that_does_not_exist_is_404_in_the_form_of_our_errors(tmp_path: Path, method: str, path: str) -> None:
    status, text, origin = ask(tmp_path, method, path)
    document = json.loads(text)
    assert (status, origin) == (404, "*")
    assert set(document["error"]) == SHAPE
    assert document["error"]["message"].startswith("no such path; see /docs")


@pytest.mark.parametrize("path", ["/v1/cubes?after=", "/", "/v1/"])
def test_an_address_that_is_too_long_is_414(tmp_path: Path, path: str) -> None:
    status, text, _ = ask(tmp_path, "GET", path + "x" * PATH_LIMIT)
    assert status == 414
    assert json.loads(text)["error"]["message"] == "the address of the request is longer than 8,192 bytes"


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        ("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out"),
        ("INTERNAL_SERVER_ERROR", 502, "Internal server error"),
        ("REQUEST_TOO_LARGE", 413, "Request Too Long"),
    ],
)
def test_other_answers_have_the_form_of_our_errors(kind: str, status: int, message: str) -> None:
    answer = OwnAnswers(TEMPLATE.gateway_responses).answer(kind)
    document = json.loads(str(answer.text))
    assert (answer.status, document["msg"], document["error"]["code"]) == (status, message, kind)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.fixture
def quiet() -> Iterator[logging.Logger]:
    log = logging.getLogger("aiohttp.server")
    one_line = OneLine()
    log.addFilter(one_line)
    yield log
    log.removeFilter(one_line)


def test_a_request_that_is_not_http_is_logged_in_one_line(
    quiet: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    from aiohttp.http_exceptions import BadStatusLine, LineTooLong  # noqa: PLC0415

    for error in (LineTooLong(b"x" * 100, 8190), BadStatusLine("\n".join(["x"] * 90))):
        quiet.error("Error handling request from %s", "127.0.0.1", exc_info=error)
    quiet.error("something else", exc_info=ValueError("x"))
    assert [record.exc_info is None for record in caplog.records] == [True, True, False]
    assert all("\n" not in record.getMessage() and len(record.getMessage()) < 230 for record in caplog.records[:2])


def test_the_bucket_of_results_lets_other_pages_read_and_send_lists() -> None:
    (rule,) = TEMPLATE.buckets["ResultBucket"].cors_rules
    assert cors_rule(rule) == {
        "AllowedOrigins": ["*"],
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "Content-Disposition", "Content-Length", "Content-Range", "Accept-Ranges"],
        "MaxAgeSeconds": 86400,
    }
