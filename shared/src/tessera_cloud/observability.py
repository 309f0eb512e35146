"""Log and metrics of a function: one log line per outcome, one line of the embedded metric format per metric."""

from __future__ import annotations

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

logger = Logger()
NAMESPACE = "Tessera"
"""Of all metrics; each has the dimension ``service`` and those that its call names."""


def measure(name: str, value: float, unit: MetricUnit = MetricUnit.Count, **dimensions: str) -> None:
    """Send a value of a metric to CloudWatch.

    Parameters
    ----------
    name : str
        In capitals, such as ``FramesRemoved``.
    value : float
        In `unit`.
    unit : MetricUnit
        Number, bytes, seconds.
    dimensions : str
        Few, and each of few values: every combination is a metric of its own, and is paid for.
    """
    with single_metric(name, unit, value, namespace=NAMESPACE) as metric:
        for dimension, text in dimensions.items():
            metric.add_dimension(dimension, text)


def count(name: str, n: float = 1, **dimensions: str) -> None:
    """Count something `n` times; nothing is sent for none."""
    if n:
        measure(name, n, MetricUnit.Count, **dimensions)
