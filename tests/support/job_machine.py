"""The CutoutJob state machine over cubes in memory."""

from __future__ import annotations

from typing import Any

from tessera_cloud import keys
from tests.support.api import API_SETTINGS, JOBS, Api
from tests.support.builds import SETTINGS
from tests.support.state_machine import Stack


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

    def has_result(self, job_id: str) -> bool:
        """Whether the complete archive exists."""
        return (SETTINGS.result_bucket, keys.result(job_id)) in self.store.objects
