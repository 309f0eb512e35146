"""Run lists of targets of the API of this process, as their state machine would."""

from __future__ import annotations

import json

from tests.support.api import LISTS, Api


def run_lists(api: Api, most_bands: int | None = None) -> int:
    """Run all lists that have begun; with `most_bands`, only so many bands, and not the end.

    Returns
    -------
    int
        Number of bands that were worked on.
    """
    executions, n_bands = api.handlers.executions, 0
    begun = [(name, one) for (machine, name), one in executions.executions.items() if machine == LISTS]
    running = [name for name, one in begun if one.status == "RUNNING"]
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
