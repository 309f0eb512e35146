"""Executions of state machines in Step Functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tessera_cloud.adapters.aws_errors import call, code_of
from tessera_cloud.errors import FatalError, ObjectMissingError
from tessera_cloud.ports import Execution

_PAGE = 1000


def _arn(machine: str, name: str) -> str:
    return machine.replace(":stateMachine:", ":execution:") + f":{name}"


def _document(text: str | None) -> Mapping[str, Any] | None:
    """Input or output of an execution; None if it is missing or not a JSON object."""
    document = json.loads(text) if text else None
    return document if isinstance(document, dict) else None


def _execution(answer: Mapping[str, Any]) -> Execution:
    """Execution from an answer of DescribeExecution or an entry of ListExecutions."""
    stopped = answer.get("stopDate")
    return Execution(
        name=answer["name"],
        status=answer["status"],
        started=answer["startDate"].timestamp(),
        stopped=stopped.timestamp() if stopped else None,
        request=_document(answer.get("input")),
        result=_document(answer.get("output")) if answer["status"] == "SUCCEEDED" else None,
        error=answer.get("error") or "",
        cause=answer.get("cause") or "",
    )


class StepFunctions:
    """Executions of standard state machines.

    Parameters
    ----------
    client : boto3 Step Functions client
        Client with standard retries.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, machine: str, name: str, request: Mapping[str, Any]) -> bool:
        """See `Executions.start`.

        While an execution runs, Step Functions answers a second start with the same input like the first. So this
        method first checks whether the execution exists. If two callers start it at the same moment, both may get True.
        """
        if self.describe(machine, name):
            return False
        arguments = {"stateMachineArn": machine, "name": name, "input": json.dumps(request)}
        try:
            call(f"start {name} of {machine}", self._client.start_execution, **arguments)
        except FatalError as error:
            if isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == "ExecutionAlreadyExists":
                return False
            raise
        return True

    def describe(self, machine: str, name: str) -> Execution | None:
        """See `Executions.describe`."""
        try:
            what = f"describe {name} of {machine}"
            return _execution(call(what, self._client.describe_execution, executionArn=_arn(machine, name)))
        except ObjectMissingError:
            return None

    def list_executions(self, machine: str, *, status: str | None = None, count: int = 100) -> list[Execution]:
        """See `Executions.list_executions`."""
        found: list[Execution] = []
        more: dict[str, Any] = {"statusFilter": status} if status else {}
        while len(found) < count:
            size = min(_PAGE, count - len(found))
            page = call(
                f"list executions of {machine}",
                self._client.list_executions,
                stateMachineArn=machine,
                maxResults=size,
                **more,
            )
            found += map(_execution, page["executions"])
            if "nextToken" not in page:
                break
            more["nextToken"] = page["nextToken"]
        return sorted(found, key=lambda execution: execution.started, reverse=True)

    def stop(self, machine: str, name: str, cause: str) -> None:
        """See `Executions.stop`."""
        known = self.describe(machine, name)
        if known is None:
            raise ObjectMissingError(f"stop {name} of {machine}: there is no such execution")
        if known.status == "RUNNING":
            arguments = {"executionArn": _arn(machine, name), "error": "Stopped", "cause": cause}
            call(f"stop {name} of {machine}", self._client.stop_execution, **arguments)
