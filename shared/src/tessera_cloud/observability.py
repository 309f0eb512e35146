"""Log and metrics of a function: one log line per outcome, and one line in embedded metric format per metric.

Lambda drops lines below the level of ``LoggingConfig`` in the template. A line of a metric has no level and counts as
INFO there, so the templates set DEBUG, and ``LOG_LEVEL`` alone decides what this module's logger writes.
"""

from __future__ import annotations

import json
import logging
import os
import re
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "Tessera"
"""Namespace of all metrics. Each metric has the dimension ``service`` and the dimensions that a call names."""
USD_PER_BYTE_OUT = 0.09e-9
USD_PER_GET = 0.4e-6
USD_PER_GB_SECOND = 0.0000133334
"""List prices of bytes that leave AWS, of requests for ranges of objects, and of a second of 1,024 MB of a function."""
_LIBRARIES = (None, "boto3", "botocore", "s3transfer", "urllib3")
"""Loggers that would write headers of requests, and so credentials, at DEBUG; None is the root of all loggers."""
_SECRETS = (
    # Parameters of signed addresses, and headers of signed requests.
    (
        re.compile(
            r"""(?ix) \b ((?:x-amz-security-token|signature|credential)  \\?["']?  \s* (?:=|:|%3d) \s*  \\?["']?)
            [^&,"'\s<\\]+"""
        ),
        r"\1***",
    ),
    # Parts of S3's errors, which repeat the token of a request and what was signed.
    (re.compile(r"(?is)<(token-\d+|canonicalrequest|stringtosign)>.*?</\1>"), r"<\1>***</\1>"),
)


def without_secrets(text: str) -> str:
    """Replace signatures and session tokens in a text by ``***``."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _to_line(fields: dict[str, Any]) -> str:
    return without_secrets(json.dumps(fields, default=str, ensure_ascii=False))


def _make_logger() -> Logger:
    made = Logger(json_serializer=_to_line)
    logging.getLogger(made.name).setLevel(os.environ.get("LOG_LEVEL", "INFO"))  # powertools prefers Lambda's level
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    return made


logger = _make_logger()


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


def count_usd(*, bytes_out: int = 0, gets: int = 0, gb_seconds: float = 0.0) -> None:
    """Count what a call costs and no metric of AWS shows, by list prices; see ``stacks/spending.yaml``.

    Parameters
    ----------
    bytes_out : int
        Bytes that left AWS in an answer.
    gets : int
        Requests for ranges of frames or cubes.
    gb_seconds : float
        Time of a function times its memory, in units of 1,024 MB.
    """
    count("CountedUsd", bytes_out * USD_PER_BYTE_OUT + gets * USD_PER_GET + gb_seconds * USD_PER_GB_SECOND)
