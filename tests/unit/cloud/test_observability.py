"""Metrics: what CloudWatch reads from the log."""

from __future__ import annotations

import json

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from tessera_cloud.observability import count, measure


def test_a_metric_is_one_line_that_cloudwatch_understands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tessera")
    measure("Latency", 0.25, MetricUnit.Seconds, route="astrocut")
    (line,) = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    (metrics,) = document["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "Tessera"
    assert [sorted(names) for names in metrics["Dimensions"]] == [["route", "service"]]
    assert metrics["Metrics"] == [{"Name": "Latency", "Unit": "Seconds"}]
    assert (document["Latency"], document["route"], document["service"]) == ([0.25], "astrocut", "tessera")


def test_counting_nothing_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    count("FramesRemoved", 0)
    assert capsys.readouterr().out == ""
    count("FramesRemoved", 3)
    assert json.loads(capsys.readouterr().out)["FramesRemoved"] == [3.0]
