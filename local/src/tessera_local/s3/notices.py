"""Tells queues of objects that come and go."""

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote_plus
from xml.etree.ElementTree import Element

import aiohttp

from tessera_local.s3.disk_store import DiskStore, Stored
from tessera_local.s3.protocol.answers import parse_xml

LOG = logging.getLogger(__name__)
_ATTEMPTS = 5
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "AmazonSQS.SendMessage",
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request",
}
"""Nobody checks the signature, but the credential names the service."""


class Notices:
    """Sends the notices that the settings of buckets ask for, in their order.

    Parameters
    ----------
    store
        Store whose buckets have the settings.
    queues
        Address of SQS.
    """

    def __init__(self, store: DiskStore, queues: str) -> None:
        self._store, self._queues = store, queues
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._number = time.time_ns()

    def tell(self, bucket: str, event: str, item: Stored) -> None:
        """Let the queues that want to know be told of an event, such as ``ObjectCreated:Put``."""
        for rule in self._rules(bucket, event, item.key):
            self._number += 1
            body = json.dumps({"Records": [_record(bucket, event, item, rule.findtext("Id") or "", self._number)]})
            self._waiting.put_nowait((rule.findtext("Queue") or "", body))

    async def send(self) -> None:
        """Send notices, for ever."""
        async with aiohttp.ClientSession() as session:
            while True:
                queue, body = await self._waiting.get()
                await self._send(session, queue, body)

    def _rules(self, bucket: str, event: str, key: str) -> Iterator[Element]:
        body = self._store.setting(bucket, "notification")
        for rule in parse_xml(body).iter("QueueConfiguration") if body else ():
            wanted = any(fnmatchcase(f"s3:{event}", element.text or "") for element in rule.iter("Event"))
            filters = [
                (each.findtext("Name", "").lower(), each.findtext("Value", "")) for each in rule.iter("FilterRule")
            ]
            if wanted and all(
                key.startswith(value) if name == "prefix" else key.endswith(value) for name, value in filters
            ):
                yield rule

    async def _send(self, session: aiohttp.ClientSession, arn: str, body: str) -> None:
        *_, account, name = arn.split(":")
        message = json.dumps({"QueueUrl": f"{self._queues}/{account}/{name}", "MessageBody": body})
        for attempt in range(_ATTEMPTS):
            try:
                async with session.post(self._queues, data=message, headers=_HEADERS) as answer:
                    if answer.ok:
                        return
                    reason = f"{answer.status} {await answer.text()}"
            except aiohttp.ClientError as error:
                reason = str(error)
            await asyncio.sleep(0.1 * 2**attempt)
        LOG.error("queue %s was not told of %s: %s", arn, body, reason)


def _record(bucket: str, event: str, item: Stored, rule: str, number: int) -> dict[str, Any]:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "eventName": event,
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": rule,
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {
                "key": quote_plus(item.key, safe="/"),
                "size": item.size,
                "eTag": item.etag,
                "sequencer": f"{number:016X}",
            },
        },
    }
