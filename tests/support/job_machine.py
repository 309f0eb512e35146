"""The CutoutJob state machine over cubes in memory."""

from __future__ import annotations

import json
from typing import Any

import boto3

from tessera_cloud import keys
from tests.support.api import API_SETTINGS, JOBS, Api
from tests.support.builds import SETTINGS
from tests.support.state_machine import ROLE, Stack, definition


class JobStack(Stack):
    """The state machine and the API, with the same store and records."""

    machine = "cutout_job"

    def __init__(self, api: Api) -> None:
        super().__init__(api.store, API_SETTINGS)
        self.handlers = api.handlers
        self.api = api

    def make(self, mode: str = "DISTRIBUTED") -> dict[str, Any]:
        """Run the execution of the only waiting job."""
        ((_, name),) = self.api.handlers.executions.executions
        request = dict(self.api.handlers.executions.executions[JOBS, name].request or {})
        answer = self.wait(self.start_with(request, mode))
        self.api.handlers.executions.end(JOBS, name, answer["status"], error=answer.get("error", ""))
        return answer

    def start_with(self, request: dict[str, Any], mode: str) -> str:
        """Start an execution with another input."""
        client = boto3.client("stepfunctions", region_name="us-east-1")
        machine = client.create_state_machine(
            name=f"{self.machine}-{mode}", definition=definition(mode, self.machine), roleArn=ROLE
        )
        arn, name = machine["stateMachineArn"], f"run-{next(self._run)}"
        return str(client.start_execution(stateMachineArn=arn, name=name, input=json.dumps(request))["executionArn"])

    def has_result(self, job_id: str) -> bool:
        """Whether the complete archive exists."""
        return (SETTINGS.result_bucket, keys.result(job_id)) in self.store.objects
