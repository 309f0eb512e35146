"""What an operation makes of a query string, whatever its model is."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import pytest
from pydantic import Field

from tessera_cloud.http.fields import Document, Params
from tessera_cloud.http.framework.app import LambdaHandler, build_handler
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import proxy_event
from tests.support.handlers import Context, Handlers


class Query(Params):
    """A list that may be left out, one that says more, and a word that only looks like one."""

    names: list[str] | None = None
    numbers: Annotated[list[Annotated[int, Field(ge=1)]], Field(max_length=3)] | None = None
    view: Literal["list", "page"] = "page"


class Seen(Document):
    """What arrived."""

    names: list[str] | None
    numbers: list[int] | None
    view: str


@pytest.fixture(scope="module")
def handler() -> LambdaHandler:
    group = Group("Test", "For tests.")

    answers = (Answer(200, "The query", Seen),)

    @group.add(Operation("GET", "/seen", "get_seen", "The query", answers, description="Repeats it.", query=Query))
    def get_seen(_request: Request, query: Query) -> Seen:
        return Seen.model_validate(query.model_dump())

    return build_handler(group, services=lambda: Handlers(MemoryStore()).services)


def ask(handler: LambdaHandler, query: str) -> tuple[int, dict[str, object]]:
    answer = handler(proxy_event("GET", "/seen", "/seen", query), Context("test"))  # type: ignore[arg-type]
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("", {"names": None, "numbers": None, "view": "page"}),
        ("names=a&names=b", {"names": ["a", "b"], "numbers": None, "view": "page"}),
        ("names=a", {"names": ["a"], "numbers": None, "view": "page"}),
        ("numbers=1&numbers=2", {"names": None, "numbers": [1, 2], "view": "page"}),
        ("view=list", {"names": None, "numbers": None, "view": "list"}),
    ],
)
def test_only_a_field_that_is_a_list_takes_several_values(
    handler: LambdaHandler, query: str, seen: dict[str, object]
) -> None:
    assert ask(handler, query) == (200, seen)


def test_a_field_that_is_no_list_is_given_once(handler: LambdaHandler) -> None:
    status, document = ask(handler, "view=list&view=page")
    assert status == 400
    assert document["error"]["message"] == "view is given 2 times; allowed: once"  # type: ignore[index]
