"""Log line and metrics of an answered request."""

from __future__ import annotations

import re
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from tessera_cloud.observability import count_usd, logger, measure

_METRICS = {
    "Cutouts": "n_cutouts",
    "CutoutBytes": "cutout_bytes",
    "CacheHits": "cached",
    "DataVanished": "vanished",
}
"""Metrics of a request, each with the fact that is its value."""
_DOORS = (
    ("wait", re.compile(r".*/wait|/soda/async/\{job\}")),
    ("tesscut", re.compile(r"/tesscut/.*/astrocut")),
    ("cutouts", re.compile(r"/v1/(cutouts|preview(\..*)?)|/soda/sync")),
    ("images", re.compile(r"/v1/images/.*/cutout|/(zcut|hapcut)/.*/astrocut")),
)
"""Routes by what they do: waits for jobs, and three kinds of cutouts. All other routes are quick: ``other``."""
_facts: dict[str, Any] = {}
"""Facts about the current request. A Lambda environment answers one request at a time."""


def note(**facts: Any) -> None:
    """Add facts to the log line of the current request."""
    _facts.update(facts)


def forget() -> None:
    """Drop the facts of the request before."""
    _facts.clear()


def door_of(route: str) -> str:
    """Kind of a route, such as ``tesscut`` for ``/tesscut/api/v0.1/astrocut``: a dimension of ``AnswerSeconds``."""
    return next((door for door, routes in _DOORS if routes.fullmatch(route)), "other")


def tell(route: str, method: str, status: int, n_bytes: int, seconds: float) -> None:
    """Write the log line and the metrics of an answered request."""
    logger.info(
        "answered", route=route, method=method, status=status, bytes=n_bytes, seconds=round(seconds, 3), **_facts
    )
    measure("AnswerSeconds", seconds, MetricUnit.Seconds, api=door_of(route))
    if n_bytes and method != "HEAD":
        measure("AnswerBytes", n_bytes, MetricUnit.Bytes)
        count_usd(bytes_out=n_bytes)
    for name, fact in _METRICS.items():
        if _facts.get(fact):
            measure(name, float(_facts[fact]))
