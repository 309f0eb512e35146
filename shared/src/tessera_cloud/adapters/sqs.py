"""A queue in SQS."""

from __future__ import annotations

from typing import Any

from tessera.errors import InvalidValueError
from tessera_cloud.adapters.aws_errors import call
from tessera_cloud.ports import LONGEST_DELAY


class SqsQueue:
    """Messages in a standard queue.

    Parameters
    ----------
    client : boto3 SQS client
        Client with standard retries.
    url : str
        URL of the queue.
    """

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, message: str, *, delay_seconds: int = 0) -> None:
        """See `Queue.send`."""
        if not 0 <= delay_seconds <= LONGEST_DELAY:
            raise InvalidValueError("delay_seconds", delay_seconds, f"0..{LONGEST_DELAY}")
        call(
            f"send to {self._url}",
            self._client.send_message,
            QueueUrl=self._url,
            MessageBody=message,
            DelaySeconds=delay_seconds,
        )
