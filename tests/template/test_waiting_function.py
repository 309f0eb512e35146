"""Clients that wait are held by a small function of their own, which reserves concurrency only if it is told to."""

from tests.support.expanded import expanded
from tests.template.documents import Json, functions, statements


def wait_function(**parameters: str | int) -> Json:
    properties: Json = expanded(**parameters)["ServiceStack"]["Resources"]["WaitForJobFunction"]["Properties"]
    return properties


def test_only_this_function_answers_the_waiting_paths() -> None:
    answering = [
        name
        for name, body in functions().items()
        for event in body.get("Events", {}).values()
        if event["Type"] == "Api" and event["Properties"]["Path"].endswith("/wait")
    ]
    assert answering == ["WaitForJobFunction"] * 2
    assert len(functions()["WaitForJobFunction"]["Events"]) == 2


def test_it_is_small_and_asks_no_state_machine() -> None:
    assert wait_function()["MemorySize"] <= 256
    actions = {action for grant in statements("WaitForJobFunction") for action in [grant["Action"]]}
    assert not [action for action in actions if action.startswith("states:")]


def test_a_new_account_reserves_nothing() -> None:
    assert "ReservedConcurrentExecutions" not in wait_function()
    assert str(wait_function()["Environment"]["Variables"]["TESSERA_WAIT_CONCURRENCY"]) == "0"


def test_the_function_knows_what_is_reserved_for_it() -> None:
    made = wait_function(WaitConcurrency=100)
    assert str(made["ReservedConcurrentExecutions"]) == "100"
    assert str(made["Environment"]["Variables"]["TESSERA_WAIT_CONCURRENCY"]) == "100"


def test_only_the_function_that_pauses_the_service_reserves_concurrency_too() -> None:
    reserved = {
        name: str(body["Properties"]["ReservedConcurrentExecutions"])
        for stack in expanded(WaitConcurrency=100).values()
        for name, body in stack["Resources"].items()
        if "ReservedConcurrentExecutions" in body["Properties"]
    }
    assert reserved == {"WaitForJobFunction": "100", "LimitSpendingFunction": "1"}
