"""What an interpreter did in an execution, in a form that can be compared with what another did."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3

from tests.support.state_machine import Stack, definition

WITHOUT_EVENT = {"WriteCoverageFunction"}
"""Functions that read no event. Their states have empty Parameters, and ministack passes the state's input then."""
Call = tuple[str, str, str]
"""Function, event, and answer or error."""


@dataclass
class History:
    """One execution.

    Attributes
    ----------
    ends : dict
        Status, output, error and cause of the execution.
    states : list
        Each state that was entered or exited, with its input or output, without those of children of Maps.
    calls : list
        Each call of a function, with its event and its answer or error, sorted, because children run in any order.
    children : list
        Of each distributed Map, how many children succeeded and failed.
    """

    ends: dict[str, Any]
    states: list[tuple[str, str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    children: list[tuple[int, int]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """States in the order in which they were entered."""
        return [name for event, name, _ in self.states if event == "entered"]


def record(stack: Stack, run: Callable[[], dict[str, Any]]) -> History:
    """Run an execution, and return what its interpreter did."""
    calls: list[Call] = []
    invoke = stack.invoke

    def recorded(arn: str, body: str, headers: dict[str, str]) -> str:
        answer = invoke(arn, body, headers)
        function = arn.rsplit(":", 1)[-1]
        calls.append((function, "{}" if function in WITHOUT_EVENT else _plain(body), _plain(answer)))
        return answer

    stack.invoke = recorded  # type: ignore[method-assign, assignment]
    ended = run()
    history = History({"status": ended["status"], "error": ended.get("error")}, calls=sorted(calls))
    history.ends |= {"cause": _document(ended.get("cause"))}
    if ended["status"] == "SUCCEEDED":  # ministack gives failed executions an output, too
        history.ends["output"] = _document(ended["output"])
    client, execution = boto3.client("stepfunctions", region_name="us-east-1"), ended["executionArn"]
    names = json.loads(definition("INLINE", stack.machine))["States"]
    for event in client.get_execution_history(executionArn=execution, maxResults=1000)["events"]:
        found = re.fullmatch(r"(?P<type>\w+)State(?P<event>Entered|Exited)", event["type"])
        if found is not None:
            details: dict[str, Any] = dict(event[f"state{found['event']}EventDetails"])
            if details["name"] in names:
                value = _document(details.get("input", details.get("output")))
                history.states.append((found["event"].lower(), details["name"], value))
    for run_of_map in client.list_map_runs(executionArn=execution)["mapRuns"]:
        counts = client.describe_map_run(mapRunArn=run_of_map["mapRunArn"])["itemCounts"]
        history.children.append((counts["succeeded"], counts["failed"]))
    return history


def _document(text: str | None) -> Any:
    """A document with the documents in its texts, such as causes: their spaces may differ. Or a text that is none."""
    try:
        return None if text is None else _opened(json.loads(text))
    except json.JSONDecodeError:
        return text


def _opened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _opened(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_opened(each) for each in value]
    return _document(value) if isinstance(value, str) and value.startswith("{") else value


def _plain(text: str) -> str:
    return json.dumps(_document(text), sort_keys=True)
