"""Whom the guard counts: its rules are applied to requests of honest and hostile clients, and of the distribution."""

import itertools
from collections import Counter
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from tessera_cloud.http.clients import as_sent, client_of
from tests.support.api import proxy_event
from tests.support.expanded import expanded
from tests.template.documents import Json
from tests.template.test_edge import FULL, of_type, run_viewer_function

SECRET = "2b1a8f60-0d9e-11f0-8b5a-0affd1e2f3a4"
EDGES = [f"130.176.1.{n}" for n in range(4)]
CLIENT, OTHER = "203.0.113.9", "198.51.100.1"
Request = tuple[str, dict[str, str]]
"""Address of the sender, and headers with names in small letters."""


def directly(address: str, **headers: str) -> Request:
    return address, {"host": "abc.execute-api.us-east-1.amazonaws.com"} | with_dashes(headers)


def through_page(address: str, edge: str = EDGES[0], **headers: str) -> Request:
    """What API Gateway gets: after the real function of the distribution, with the headers of the origin."""
    own = {"host": {"value": "tess.example.org"}} | {
        name: {"value": value} for name, value in with_dashes(headers).items()
    }
    sent = run_viewer_function({"viewer": {"ip": address}, "request": {"headers": own}})["headers"]
    seen = {name: each["value"] for name, each in sent.items()}
    forwarded = ", ".join(filter(None, [seen.get("x-forwarded-for", ""), address]))
    api = {"host": "abc.execute-api.us-east-1.amazonaws.com", "x-forwarded-for": forwarded}
    return edge, seen | api | {"x-tessera-origin": SECRET}


def with_dashes(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def holds(statement: Json, headers: dict[str, str]) -> bool:
    """Evaluate a statement of WAF that a rule of ours uses."""
    ((kind, body),) = statement.items()
    if kind == "NotStatement":
        return not holds(body["Statement"], headers)
    assert (kind, body["PositionalConstraint"], body["TextTransformations"]) == (
        "ByteMatchStatement",
        "EXACTLY",
        [{"Priority": 0, "Type": "NONE"}],
    )
    assert body["SearchString"] == {"Ref": "OriginSecret"}
    return headers.get(body["FieldToMatch"]["SingleHeader"]["Name"]) == SECRET


def counted(requests: list[Request]) -> Counter[tuple[str, str]]:
    """How many requests each rule counts for each address."""
    rules = of_type(expanded(**FULL)["GuardStack"], "AWS::WAFv2::WebACL")["ApiGuard"]["Rules"]
    found: Counter[tuple[str, str]] = Counter()
    for (address, headers), rule in itertools.product(requests, rules):
        rate = rule["Statement"]["RateBasedStatement"]
        if holds(rate["ScopeDownStatement"], headers):
            name = rate.get("ForwardedIPConfig", {}).get("HeaderName", "").lower()
            key = headers[name].split(",")[0] if rate["AggregateKeyType"] == "FORWARDED_IP" else address
            found[rule["Name"], key] += 1
    return found


def client(request: Request) -> str:
    """The client by whom a function counts jobs and bytes."""
    address, headers = request
    event: dict[str, Any] = proxy_event("GET", "/v1/health", "/v1/health", "")
    event["headers"] |= headers
    event["requestContext"]["identity"]["sourceIp"] = address
    return client_of(APIGatewayProxyEvent(as_sent(event, lambda: SECRET)))


FORGED = [
    {"x_forwarded_for": "192.0.2.{n}"},
    {"x_tessera_viewer": "192.0.2.{n}"},
    {"x_tessera_viewer": "192.0.2.{n}", "x_tessera_origin": "guess"},
    {"cloudfront_viewer_address": "192.0.2.{n}:4711"},
]
each_forgery = pytest.mark.parametrize("forged", FORGED, ids="+".join)


@each_forgery
@pytest.mark.parametrize("arrive", [directly, through_page])
def test_a_flood_that_forges_its_address_is_one_client(arrive: Any, forged: dict[str, str]) -> None:
    flood = [arrive(CLIENT, **{name: value.format(n=n) for name, value in forged.items()}) for n in range(3)]
    rule = "DirectClients" if arrive is directly else "ClientsOfPage"

    assert counted(flood) == {(rule, CLIENT): 3}
    assert {client(request) for request in flood} == {client(directly(CLIENT))}


def test_visitors_of_the_page_do_not_share_a_limit_and_edges_have_none() -> None:
    visits = [through_page(address, edge) for address, edge in itertools.product([CLIENT, OTHER], EDGES)]

    assert counted(visits) == {("ClientsOfPage", CLIENT): 4, ("ClientsOfPage", OTHER): 4}
    assert len({client(request) for request in visits}) == 2


def test_no_forgery_spends_the_share_of_somebody_else() -> None:
    requests = [directly(CLIENT, x_tessera_viewer=OTHER), through_page(CLIENT, x_forwarded_for=OTHER)]

    assert not [key for _, key in counted(requests) if key == OTHER]
    assert client(directly(OTHER)) not in {client(request) for request in requests}


@pytest.mark.parametrize(
    ("addresses", "network"),
    [
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2:0:0:0:9"], "2001:db8:1:2::"),
        (["2001:db8::1", "2001:db8::2:3"], "2001:db8:0:0::"),
        (["::1"], "0:0:0:0::"),
        (["2001:db8:1:2:3:4:5::"], "2001:db8:1:2::"),
    ],
)
def test_a_user_of_ipv6_is_one_visitor(addresses: list[str], network: str) -> None:
    visits = [through_page(address) for address in addresses]

    assert counted(visits) == {("ClientsOfPage", network): len(addresses)}
    assert {client(request) for request in visits} == {client(directly(addresses[0]))}
