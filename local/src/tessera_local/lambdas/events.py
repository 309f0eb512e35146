"""Events that start functions without a request: messages of queues, and schedules."""

import json
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tessera_local.lambdas.worker import Outcome
from tessera_local.template.deployed import ACCOUNT, REGION, QueueEvents, Schedule

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

WAIT_SECONDS = 2
"""Time that one request for messages waits, in seconds. Stopping takes as long."""
WINDOW_SECONDS = 1.0
"""Longest time for gathering a batch, in seconds, whatever the template allows."""
RETRY_SECONDS = 20
"""Time until messages of a failed batch come again, in seconds. On AWS it is the visibility timeout of the queue."""
_PAUSE_SECONDS = 1.0
_DELETED_AT_ONCE = 10

Message = Mapping[str, Any]
Invoke = Callable[[str, bytes], Outcome]


class EventSource(ABC):
    """A source of events, which works in its own thread until it is stopped."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait until its current work has ended."""
        self.stopping.set()
        self._thread.join()

    @abstractmethod
    def turn(self) -> None:
        """Do one piece of work, or wait for a short time."""

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.turn()
            except Exception as error:  # noqa: BLE001 - if the service is not stopping, the next turn tries again
                if not self.stopping.wait(_PAUSE_SECONDS):
                    print(f"{self.name}: {type(error).__name__}: {error}")


def stop_all(sources: Sequence[EventSource]) -> None:
    """Stop sources at the same time."""
    for source in sources:
        source.stopping.set()
    for source in sources:
        source.stop()


class QueueReader(EventSource):
    """Passes the messages of a queue to a function, like Lambda's event source mapping.

    Parameters
    ----------
    mapping
        Event of the template.
    url
        URL of the queue.
    sqs
        Client of SQS.
    invoke
        Invokes a function and waits for its end.
    """

    def __init__(self, mapping: QueueEvents, url: str, sqs: "SQSClient", invoke: Invoke) -> None:
        super().__init__(f"queue of {mapping.function}")
        self._mapping, self._url, self._sqs, self._invoke = mapping, url, sqs, invoke

    def turn(self) -> None:
        """Pass on one batch, if there are messages."""
        if batch := self.gather():
            self.hand_over(batch)

    def gather(self) -> list[Message]:
        """Gather a batch: as many messages as fit and arrive within the window."""
        batch: list[Message] = []
        window = min(self._mapping.window_seconds, WINDOW_SECONDS)
        deadline = time.monotonic() + WAIT_SECONDS + window
        while len(batch) < self._mapping.batch_size and not self.stopping.is_set():
            found = self._receive(0 if batch else WAIT_SECONDS, min(10, self._mapping.batch_size - len(batch)))
            if not batch:
                deadline = time.monotonic() + window
            batch += found
            if not batch or (not found and time.monotonic() >= deadline):
                break
            if not found:
                time.sleep(min(0.1, window))
        return batch

    def hand_over(self, batch: Sequence[Message]) -> None:
        """Invoke the function, and delete the messages that it has handled."""
        event = {"Records": [self._record(message) for message in batch]}
        outcome = self._invoke(self._mapping.function, json.dumps(event).encode())
        failed = failed_messages(batch, outcome, reported=self._mapping.reports_failures)
        self._delete([message for message in batch if message["MessageId"] not in failed])
        for message in batch:
            if message["MessageId"] in failed:
                self._sqs.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=RETRY_SECONDS
                )

    def _receive(self, wait_seconds: int, count: int) -> Sequence[Message]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=count, WaitTimeSeconds=wait_seconds, AttributeNames=["All"]
        )
        return answer.get("Messages", [])

    def _delete(self, messages: Sequence[Message]) -> None:
        for start in range(0, len(messages), _DELETED_AT_ONCE):
            some = messages[start : start + _DELETED_AT_ONCE]
            entries = [{"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(some)]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]

    def _record(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "md5OfBody": message.get("MD5OfBody", ""),
            "eventSource": "aws:sqs",
            "eventSourceARN": self._mapping.queue_arn,
            "awsRegion": REGION,
        }


def failed_messages(batch: Iterable[Message], outcome: Outcome, *, reported: bool) -> set[str]:
    """Ids of the messages that must come again: all after an error, else those that the function reports."""
    everything = {message["MessageId"] for message in batch}
    if outcome.function_error:
        return everything
    if not reported:
        return set()
    try:
        answer = json.loads(outcome.payload) or {}
        named = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures") or []}
    except (ValueError, KeyError, TypeError, AttributeError):
        return everything
    return named if named.issubset(everything) else everything


class Timer(EventSource):
    """Starts the target of a schedule, at once and then repeatedly.

    Parameters
    ----------
    schedule
        Schedule of the template.
    start
        Starts the target with an event.
    longest_seconds
        Longest time between two starts, in seconds.
    """

    def __init__(
        self, schedule: Schedule, start: Callable[[str, Mapping[str, Any]], object], longest_seconds: float
    ) -> None:
        super().__init__(f"schedule of {schedule.target}")
        self._schedule, self._start_target = schedule, start
        self._seconds = min(schedule.seconds, longest_seconds)

    def turn(self) -> None:
        """Start the target, and wait for the next time. After an error it is started again then."""
        try:
            self._start_target(self._schedule.target, self._event())
        finally:
            self.stopping.wait(self._seconds)

    def _event(self) -> Mapping[str, Any]:
        if self._schedule.event is not None:
            return self._schedule.event
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/local"],
            "detail": {},
        }
