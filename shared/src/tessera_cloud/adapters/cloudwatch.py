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

    def is_ringing(self, name: str) -> bool:
        """See `Alarms.is_ringing`."""
        answer = call(f"describe alarm {name}", self._client.describe_alarms, AlarmNames=[name])
        return any(alarm["StateValue"] == "ALARM" for alarm in answer["MetricAlarms"])
