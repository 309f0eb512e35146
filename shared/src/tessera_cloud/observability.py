"""Log and metrics of a function: one log line per outcome, and one line in embedded metric format per metric."""

from __future__ import annotations

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

logger = Logger()
NAMESPACE = "Tessera"
"""Namespace of all metrics. Each metric has the dimension ``service`` and the dimensions that a call names."""


def measure(name: str, value: float, unit: MetricUnit = MetricUnit.Count, **dimensions: str) -> None:
    """Send a value of a metric to CloudWatch.

    Parameters
    ----------
    name : str
        Name of the metric, in capitals, such as ``FramesRemoved``.
    value : float
        Value in `unit`.
    unit : MetricUnit
        Unit: number, bytes or seconds.
    dimensions : str
        Dimensions of the metric. Keep them few, with few values each: AWS charges every combination as a metric.
    """
    with single_metric(name, unit, value, namespace=NAMESPACE) as metric:
        for dimension, text in dimensions.items():
            metric.add_dimension(dimension, text)


def count(name: str, n: float = 1, **dimensions: str) -> None:
    """Add `n` to a counter. Nothing is sent if `n` is 0."""
    if n:
        measure(name, n, MetricUnit.Count, **dimensions)
