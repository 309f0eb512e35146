"""Alarms in CloudWatch."""

from __future__ import annotations

from typing import Any

from tessera_cloud.adapters.aws_errors import call


class CloudWatchAlarms:
    """Alarms of metrics.

    Parameters
    ----------
    client : boto3 CloudWatch client
        Client with standard retries.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def rings_since(self, name: str) -> float | None:
        """See `Alarms.rings_since`."""
        answer = call(f"describe alarm {name}", self._client.describe_alarms, AlarmNames=[name])
        for alarm in answer["MetricAlarms"]:
            if alarm["StateValue"] == "ALARM":
                return float(alarm.get("StateTransitionedTimestamp", alarm["StateUpdatedTimestamp"]).timestamp())
        return None
