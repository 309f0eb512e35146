"""Run lists of targets of the API of this process, as their state machine would."""

from __future__ import annotations

import dataclasses
import json

from tessera_cloud.settings import BulkSettings
from tests.support.api import MACHINE, Api

LISTS = f"{MACHINE}BulkJob"


def serve_lists(api: Api) -> None:
    """Let the API begin lists."""
    settings = dataclasses.replace(api.handlers.services.settings, bulk=BulkSettings(machine=LISTS))
    api.handlers.services = dataclasses.replace(api.handlers.services, settings=settings)


def run_lists(api: Api, most_bands: int | None = None) -> int:
    """Run all lists that have begun; with `most_bands`, only so many bands, and not the end.

    Returns
    -------
    int
        Number of bands that were worked on.
    """
    executions, n_bands = api.handlers.executions, 0
    running = [name for (machine, name), one in executions.executions.items() if machine == LISTS and _runs(one.status)]
    for name in running:
        request = dict(executions.executions[LISTS, name].request or {})
        plan = api.handlers.invoke("plan_bulk", request)
        for item in json.loads(api.store.objects[plan["bucket"], plan["bands"]])[:most_bands]:
            api.handlers.invoke("cut_band", item)
            n_bands += 1
        if most_bands is None:
            api.handlers.invoke("finish_bulk", request | {"machine": LISTS, "refused": plan["refused"]})
            executions.end(LISTS, name)
    return n_bands


def _runs(status: str) -> bool:
    return status == "RUNNING"
