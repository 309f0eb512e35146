import base64
import http.client
import json
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import pytest

from tessera_local.stack import Stack
from tessera_local.web.api_gateway import ApiGateway


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def ask(
    stack: Stack, path: str, body: bytes | None = None, method: str | None = None, url: str = "", **headers: str
) -> tuple[int, Message, bytes]:
    request = urllib.request.Request((url or stack.url) + path, data=body, headers=headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def event_of(stack: Stack, path: str, body: bytes | None = None, **headers: str) -> dict[str, Any]:
    status, _, content = ask(stack, path, body, **headers)
    assert status == 200
    event: dict[str, Any] = json.loads(content)
    return event


def test_the_event_names_resource_path_and_parameters(stack: Stack) -> None:
    event = event_of(stack, "/things/a%20b?x=1")
    assert (event["resource"], event["path"], event["pathParameters"]) == (
        "/things/{name}",
        "/things/a b",
        {"name": "a b"},
    )
    assert event["httpMethod"] == "GET"
    assert event["requestContext"]["stage"] == "Prod"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert event["requestContext"]["requestId"]


def test_repeated_query_parameters_are_kept(stack: Stack) -> None:
    event = event_of(stack, "/things/a?sector=28&sector=68&size=%5B5%2C7%5D")
    assert event["queryStringParameters"] == {"sector": "68", "size": "[5,7]"}
    assert event["multiValueQueryStringParameters"] == {"sector": ["28", "68"], "size": ["[5,7]"]}


def test_no_query_is_null(stack: Stack) -> None:
    event = event_of(stack, "/things/a")
    assert event["queryStringParameters"] is None
    assert (event["body"], event["isBase64Encoded"]) == (None, False)


def test_a_form_arrives_as_base64(stack: Stack) -> None:
    form = b"ra=107.27&dec=-70.0"
    event = event_of(stack, "/things/a", form, **{"Content-Type": "application/x-www-form-urlencoded"})
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == form
    assert event["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    assert event["multiValueHeaders"]["Content-Type"] == ["application/x-www-form-urlencoded"]


def test_a_binary_answer_is_decoded(stack: Stack) -> None:
    status, headers, content = ask(stack, "/things/a?as=binary", Accept="application/json")
    assert (status, headers["Content-Type"], content) == (200, "application/zip", bytes(range(256)))
    assert headers.get_all("X-Twice") == ["a", "b"]


def test_a_redirect_passes_through(stack: Stack) -> None:
    status, headers, content = ask(stack, "/things/a?as=redirect")
    assert (status, headers["Location"], content) == (303, "/elsewhere", b"")


@pytest.mark.parametrize("path", ["/nowhere", "/things", "/things/a/b"])
def test_an_unknown_route_is_403(stack: Stack, path: str) -> None:
    status, _, content = ask(stack, path)
    assert (status, json.loads(content)) == (403, {"message": "Missing Authentication Token"})


@pytest.mark.parametrize("kind", ["error", "nonsense", "large"])
def test_an_error_of_the_function_is_502(stack: Stack, kind: str) -> None:
    status, _, content = ask(stack, f"/things/a?as={kind}")
    assert (status, json.loads(content)) == (502, {"message": "Internal server error"})


def test_a_function_slower_than_the_integration_is_504(stack: Stack) -> None:
    status, _, content = ask(stack, "/things/a?as=slow")
    assert (status, json.loads(content)) == (504, {"message": "Endpoint request timed out"})


@pytest.mark.parametrize("size", [5 << 20, 11 << 20])
def test_a_body_too_large_for_lambda_or_gateway_is_413(stack: Stack, size: int) -> None:
    connection = http.client.HTTPConnection(stack.url.removeprefix("http://"), timeout=20)
    connection.request("POST", "/things/a", body=b"x" * size)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (413, {"message": "Request Too Long"})
    connection.close()


def test_a_path_may_begin_with_the_stage(stack: Stack) -> None:
    event = event_of(stack, "/Prod/things/a")
    assert (event["resource"], event["path"], event["pathParameters"]) == ("/things/{name}", "/things/a", {"name": "a"})
    assert event["requestContext"]["path"] == "/Prod/things/a"
    assert event_of(stack, "/things/Prod")["requestContext"]["path"] == "/things/Prod"
    assert [ask(stack, path)[0] for path in ("/prod/things/a", "/Prod", "/Prod/Prod/things/a")] == [403] * 3


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_a_method_that_no_route_has_is_403_and_one_of_any_reaches_the_function(stack: Stack, method: str) -> None:
    assert ask(stack, "/things/a", method=method)[0] == 403
    status, headers, content = ask(stack, "/any/b/c", method=method)
    assert status == 200
    if method == "HEAD":
        assert (content, int(headers["Content-Length"]) > 500) == (b"", True)
    else:
        event = json.loads(content)
        assert (event["httpMethod"], event["pathParameters"]) == (method, {"rest": "b/c"})


@pytest.fixture(scope="module")
def textual(stack: Stack) -> str:
    """Address of the same API, of which only PNG is binary."""
    front = ApiGateway(stack.template.routes, stack._service, binary_types=("image/png",))
    return stack._serve(front.application(), 0)


def test_bodies_of_types_that_are_not_binary_are_text(stack: Stack, textual: str) -> None:
    for kind, is_bytes in (("text/plain; charset=utf-8", False), ("image/png", True)):
        _, _, content = ask(stack, "/things/a", "ä".encode(), url=textual, **{"Content-Type": kind})
        event = json.loads(content)
        assert event["isBase64Encoded"] is is_bytes
        assert event["body"] == ("w6Q=" if is_bytes else "ä")


@pytest.mark.parametrize(
    ("accept", "is_bytes"), [("image/png", True), ("image/PNG;q=1, text/html", True), ("text/html, image/png", False)]
)
def test_a_binary_answer_is_decoded_for_clients_that_accept_its_type_first(
    stack: Stack, textual: str, accept: str, *, is_bytes: bool
) -> None:
    _, _, content = ask(stack, "/things/a?as=binary", url=textual, Accept=accept)
    everything = bytes(range(256))
    assert content == (everything if is_bytes else base64.b64encode(everything))


def test_the_root_names_the_endpoints(stack: Stack) -> None:
    status, _, content = ask(stack, "/")
    assert status == 200
    assert f"GET   {stack.url}/things/{{name}}" in content.decode()
