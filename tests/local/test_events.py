"""Messages, notifications and schedules start functions; a message that fails comes again."""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from tessera_local.lambdas.events import failed_messages
from tessera_local.lambdas.worker import Outcome
from tessera_local.stack import Stack

Item = dict[str, str]


@pytest.fixture(scope="module")
def listening(stack: Stack) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tessera_local.lambdas.events.RETRY_SECONDS", 1)
        stack.start_events()
        yield stack


def heard(stack: Stack) -> list[Item]:
    items = stack.tables.scan(TableName="HeardTable")["Items"]
    return [{name: value["S"] for name, value in item.items()} for item in items]


def wait_for(stack: Stack, wanted: Callable[[Item], bool], count: int = 1) -> list[Item]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if len(found := [item for item in heard(stack) if wanted(item)]) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(heard(stack))


def test_a_schedule_starts_its_function_at_once(listening: Stack) -> None:
    assert wait_for(listening, lambda item: item["body"] == "Scheduled Event")


def test_an_object_that_arrives_starts_the_function(listening: Stack) -> None:
    bucket = listening.bucket("ThingsBucket")
    for key in ("heard/a+b c.txt", "heard/not.csv", "elsewhere/c.txt"):
        listening.s3.put_object(Bucket=bucket, Key=key, Body=b"1234")

    (item,) = wait_for(listening, lambda item: '"Records"' in item["body"])

    (record,) = json.loads(item["body"])["Records"]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["bucket"]["name"] == bucket
    assert record["s3"]["object"]["key"] == "heard/a%2Bb+c.txt"
    assert record["s3"]["object"]["size"] == 4


def test_messages_come_in_batches_and_one_that_fails_comes_again(listening: Stack) -> None:
    url = listening.template.queues["EarQueue"].url
    for number in range(30):
        listening.queues.send_message(QueueUrl=url, MessageBody=f"{'sour' if number == 7 else 'sweet'} {number}")

    sour = wait_for(listening, lambda item: item["body"].startswith("sour"))
    sweet = wait_for(listening, lambda item: item["body"].startswith("sweet"), 29)

    assert [item["tries"] for item in sour] == ["2"]
    assert {item["tries"] for item in sweet} == {"1"}
    assert max(int(item["of"]) for item in sweet) > 10
    time.sleep(1.5)
    assert len([item for item in heard(listening) if "weet" in item["body"]]) == 29


def test_a_message_that_always_fails_becomes_a_dead_letter(listening: Stack) -> None:
    urls = {name: queue.url for name, queue in listening.template.queues.items()}
    listening.queues.send_message(QueueUrl=urls["EarQueue"], MessageBody="bitter")
    listening.queues.send_message(QueueUrl=urls["EarQueue"], MessageBody="fresh")
    wait_for(listening, lambda item: item["body"] == "fresh")
    dead: list[str] = []
    deadline = time.monotonic() + 20
    while not dead and time.monotonic() < deadline:
        found = listening.queues.receive_message(QueueUrl=urls["DeafQueue"], WaitTimeSeconds=1).get("Messages", [])
        dead += [message["Body"] for message in found]
    assert dead == ["bitter"]
    assert not [item for item in heard(listening) if item["body"] == "bitter"]


BATCH = [{"MessageId": "a"}, {"MessageId": "b"}]
BOTH = {"a", "b"}


@pytest.mark.parametrize(
    ("outcome", "failed"),
    [
        (Outcome(b'{"batchItemFailures": [{"itemIdentifier": "b"}]}'), {"b"}),
        (Outcome(b'{"batchItemFailures": []}'), set()),
        (Outcome(b"null"), set()),
        (Outcome(b'{"batchItemFailures": null}'), set()),
        (Outcome(b'{"batchItemFailures": [{"itemIdentifier": "c"}]}'), BOTH),
        (Outcome(b'{"batchItemFailures": [{}]}'), BOTH),
        (Outcome(b'"text"'), BOTH),
        (Outcome(b"{}", "Unhandled"), BOTH),
    ],
)
def test_what_a_function_answers_decides_which_messages_come_again(outcome: Outcome, failed: set[str]) -> None:
    assert failed_messages(BATCH, outcome, reported=True) == failed


def test_a_function_that_reports_nothing_has_dealt_with_all() -> None:
    assert failed_messages(BATCH, Outcome(b'{"batchItemFailures": [{"itemIdentifier": "b"}]}'), reported=False) == set()
