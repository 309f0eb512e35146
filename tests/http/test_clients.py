"""Who a client is and which address it sees: directly, through the page, below a domain of its own, on one machine."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from tessera_cloud.http.clients import as_sent, client_of
from tests.support.api import DEC, HOST, RA, ROUTES, Answered, Api, _answered, proxy_event

SECRET = "2b1a8f60-0d9e-11f0-8b5a-0affd1e2f3a4"
EDGE, CLIENT = "130.176.1.2", "203.0.113.9"
Event = dict[str, Any]


def from_address(address: str, **headers: str) -> Event:
    event = proxy_event("GET", "/v1/health", "/v1/health", "")
    event["requestContext"]["identity"]["sourceIp"] = address
    event["headers"] |= headers
    event["multiValueHeaders"] |= {name: [value] for name, value in headers.items()}
    return event


def through_page(viewer: str, **headers: str) -> Event:
    """What CloudFront makes of a request: its own address, the secret, and what stacks/page.yaml adds."""
    added = {"X-Tessera-Origin": SECRET, "x-tessera-viewer": viewer, "x-tessera-host": "tess.example.org"}
    return from_address(EDGE, **headers | added)


def client(event: Event, secret: str = SECRET) -> str:
    return client_of(APIGatewayProxyEvent(as_sent(event, lambda: secret)))


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "198.51.100.1"},
        {"X-Forwarded-For": f"198.51.100.1, {CLIENT}"},
        {"CloudFront-Viewer-Address": "198.51.100.1:4711"},
        {"True-Client-IP": "198.51.100.1"},
        {"X-Tessera-Viewer": "198.51.100.1"},
        {"X-Tessera-Viewer": "198.51.100.1", "X-Tessera-Origin": ""},
        {"X-Tessera-Viewer": "198.51.100.1", "X-Tessera-Origin": "guess"},
        {"X-Tessera-Viewer": "198.51.100.1", "X-Tessera-Origin": SECRET.upper()},
        {"X-Tessera-Viewer": "198.51.100.1", "X-Tessera-Origin": "ä"},
        {"X-Tessera-Viewer": "198.51.100.1", "X-Tessera-Origin": "\ud800"},
        {"X-Tessera-Viewer": "198.51.100.1", "x-TESSERA-origin": f"{SECRET}, {SECRET}"},
    ],
)
def test_a_direct_client_cannot_give_itself_another_address(headers: dict[str, str]) -> None:
    assert client(from_address(CLIENT, **headers)) == client(from_address(CLIENT))


def test_without_a_secret_nobody_proves_anything() -> None:
    headers = {"X-Tessera-Origin": "", "X-Tessera-Viewer": "198.51.100.1"}
    assert client(from_address(CLIENT, **headers), secret="") == client(from_address(CLIENT))


def test_a_client_is_the_same_directly_and_through_the_page() -> None:
    assert client(through_page(CLIENT)) == client(from_address(CLIENT))
    assert client(through_page("198.51.100.1")) != client(through_page(CLIENT))


def test_headers_of_a_viewer_change_nothing_behind_the_page() -> None:
    forged = {"X-Forwarded-For": "198.51.100.1", "CloudFront-Viewer-Address": "198.51.100.1:1"}
    assert client(through_page(CLIENT, **forged)) == client(through_page(CLIENT))


@pytest.mark.parametrize("viewer", ["", "nonsense", "203.0.113.9:4711", "203.0.113.9, 198.51.100.1"])
def test_an_address_that_is_none_leaves_that_of_the_distribution(viewer: str) -> None:
    assert client(through_page(viewer)) == client(from_address(EDGE))


@pytest.mark.parametrize("arrive", [from_address, through_page])
def test_addresses_of_one_user_of_ipv6_are_one_client(arrive: Callable[[str], Event]) -> None:
    assert client(arrive("2001:db8:1:2::1")) == client(arrive("2001:0DB8:1:2:ffff:ffff:ffff:ffff"))
    assert client(arrive("2001:db8:1:2::1")) != client(arrive("2001:db8:1:3::1"))
    assert client(arrive(f"::ffff:{CLIENT}")) == client(arrive(CLIENT))


def test_no_handler_sees_the_secret_and_the_event_stays_as_it_is() -> None:
    event = through_page(CLIENT)
    before = json.dumps(event)
    assert SECRET not in json.dumps(as_sent(event, lambda: SECRET))
    assert json.dumps(event) == before


@pytest.mark.parametrize(
    ("path", "resource", "declared"),
    [
        ("/images/v1/images/search", "/v1/images/search", "/v1/images/search"),
        ("/a/b/v1/cubes/x", "/v1/cubes/{cube}", "/v1/cubes/x"),
        ("/images", "/", "/"),
        ("/v1/cubes/v1", "/v1/cubes/{cube}", "/v1/cubes/v1"),
        ("/v1/jobs/x/wait", "/v1/jobs/{job}", "/v1/jobs/x/wait"),
        ("/v1/cubes/", "/v1/cubes", "/v1/cubes/"),
        ("/v1/cubes", "", "/v1/cubes"),
    ],
)
def test_a_base_path_is_no_part_of_the_path(path: str, resource: str, declared: str) -> None:
    assert as_sent({"path": path, "resource": resource}, lambda: "")["path"] == declared


# ---------------------------------------------------------------- addresses in answers


@dataclasses.dataclass(frozen=True)
class Door:
    """A way to the API, with the address that clients use."""

    base: str
    change: Callable[[Event], None]


def at_stage(event: Event) -> None:
    """The name of API Gateway: `proxy_event` makes such events."""


def behind_page(event: Event) -> None:
    event["headers"] |= {"X-Tessera-Origin": SECRET, "x-tessera-viewer": CLIENT, "x-tessera-host": "tess.example.org"}


def at_domain(event: Event) -> None:
    event["headers"]["Host"] = event["requestContext"]["domainName"] = "api.example.org"
    event["requestContext"]["path"] = event["path"]


def below_base_path(event: Event) -> None:
    event["headers"]["Host"] = event["requestContext"]["domainName"] = "api.example.org"
    event["path"] = event["requestContext"]["path"] = f"/tess{event['path']}"


def on_one_machine(event: Event) -> None:
    event["headers"] |= {"Host": "127.0.0.1:3000", "X-Forwarded-Proto": "http"}
    event["requestContext"]["path"] = event["path"]


DOORS = [
    Door(f"https://{HOST}/prod", at_stage),
    Door("https://tess.example.org", behind_page),
    Door("https://api.example.org", at_domain),
    Door("https://api.example.org/tess", below_base_path),
    Door("http://127.0.0.1:3000", on_one_machine),
]


def ask(api: Api, door: Door, method: str, target: str, document: Any = None) -> Answered:
    """Send a request to a path or to an address of the door, which has to be below its base."""
    address = urlsplit(target.removeprefix(door.base))
    assert not address.netloc, f"{target} is not below {door.base}"
    body = b"" if document is None else json.dumps(document).encode()
    for resource, function, _ in ROUTES:
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(resource)), address.path):
            kind = "application/json" if body else ""
            event = proxy_event(method, address.path, resource, address.query, body=body, content_type=kind)
            door.change(event)
            return _answered(api.handlers.invoke(function, event))
    raise AssertionError(f"no route has {address.path}")


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def own_addresses(answer: Answered) -> set[str]:
    """Addresses of the API in an answer: those of files in S3 and of other services are not ours."""
    found = set(texts(answer.json())) if answer.content[:1] in (b"{", b"[") else set()
    found.add(answer.headers.get("location", ""))
    return {text for text in found if re.match(r"(https?://[^ ]*)?/(v1|docs|openapi)\b[^ ]*$", text)}


@pytest.fixture
def secret_api(api: Api) -> Api:
    settings = dataclasses.replace(api.handlers.services.settings, origin_secret=SECRET)
    api.handlers.services = dataclasses.replace(api.handlers.services, settings=settings)
    return api


WINDOW = {"ra": RA, "dec": DEC}
REQUESTS: list[tuple[str, str, Any]] = [
    ("GET", "/v1/cubes?limit=1", None),
    ("GET", "/v1/cubes/tess-s0001-4-2", None),
    ("GET", f"/v1/preview?{urlencode(WINDOW | {'cube': 'tess-s0001-4-2', 'size': 5})}", None),
    ("GET", f"/v1/targets?{urlencode(WINDOW)}", None),
    ("GET", f"/tesscut/api/v0.1/astrocut?{urlencode(WINDOW | {'y': 12, 'x': 11})}", None),
    ("POST", "/v1/cutouts", {"position": WINDOW, "size": [12, 11]}),
    ("POST", "/v1/jobs", {"position": WINDOW, "size": [12, 11]}),
    ("POST", "/v1/builds", {"sector": 1, "camera": 4, "ccd": 2}),
    ("GET", "/v1/builds", None),
    ("GET", "/v1/health", None),
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.base)
def test_every_address_in_an_answer_is_one_that_the_client_can_use(secret_api: Api, door: Door) -> None:
    seen: set[str] = set()
    for method, path, document in REQUESTS:
        answer = ask(secret_api, door, method, path, document)
        assert answer.status < 400, (path, answer.content)
        seen |= own_addresses(answer)
    assert all(address.startswith(f"{door.base}/v1/") for address in seen), seen
    kinds = {urlsplit(address.removeprefix(door.base)).path.split("/")[2] for address in seen}
    assert kinds == {"cubes", "preview.png", "jobs", "builds"}
    for address in seen - {address for address in seen if address.endswith("/wait?n=1")}:
        assert ask(secret_api, door, "GET", address).status == 200


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.base)
def test_a_client_that_waits_stays_at_the_address_that_it_knows(secret_api: Api, door: Door) -> None:
    query = urlencode(WINDOW | {"y": 12, "x": 11})
    asked = ask(secret_api, door, "GET", f"/tesscut/api/v0.1/astrocut?{query}")
    assert asked.headers["location"].startswith(f"{door.base}/v1/jobs/")
    waited = ask(secret_api, door, "GET", asked.headers["location"])
    assert waited.headers["location"].startswith(f"{door.base}/v1/jobs/")


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.base)
def test_the_documentation_names_the_address_that_the_client_knows(secret_api: Api, door: Door) -> None:
    assert ask(secret_api, door, "GET", "/openapi.json").json()["servers"][0]["url"] == door.base
    assert f'href="{door.base}/docs"' in ask(secret_api, door, "GET", "/").content.decode()


def test_a_direct_client_cannot_have_links_to_another_host() -> None:
    event = from_address(CLIENT, **{"X-Tessera-Host": "evil.example", "X-Tessera-Origin": "guess"})
    assert as_sent(event, lambda: SECRET)["headers"]["Host"] == HOST
