"""`tessera-admin doctor` on a small stack in moto's server. botocore's Stubber answers what moto cannot."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tessera_cloud.admin import doctor
from tessera_cloud.admin.checks import account, data, operation, versions
from tessera_cloud.admin.checks.look import Check, Look
from tessera_cloud.admin.command import Operator
from tessera_cloud.admin.main import main
from tessera_cloud.admin.stack import Resource
from tests.support.moto_stack import NAME, REGION, SPEND, make_stack, moto_server

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with moto_server() as address:
        make_stack(boto3.Session(region_name=REGION))
        yield address


class Hand(Operator):
    """An operator whose clients can be replaced by stubs."""

    def __init__(self) -> None:
        super().__init__(lambda: boto3.Session(region_name=REGION), lambda: NOW)
        object.__setattr__(self, "replaced", {})

    def stub(self, service: str) -> Stubber:
        client = boto3.client(service, region_name=REGION)
        self.__dict__["replaced"][service] = client
        return Stubber(client)

    def client(self, service: str, region: str | None = None) -> Any:
        return self.__dict__["replaced"].get(service) or super().client(service, region)


@pytest.fixture
def hand(server: str) -> Hand:
    return Hand()


@pytest.fixture
def look(hand: Hand) -> Look:
    stack = hand.stack(NAME)
    alarm = Resource("", "SpendAlarm", SPEND["AlarmName"], "AWS::CloudWatch::Alarm")
    return Look(hand, dataclasses.replace(stack, resources=(*stack.resources, alarm)))


def with_parameters(look: Look, **parameters: str) -> Look:
    stack = dataclasses.replace(look.stack, parameters={**look.stack.parameters, **parameters})
    return Look(look.operator, stack)


def lines(check: Check, look: Look) -> list[str]:
    return [str(line) for line in doctor.attempt(check, look)]


def lambda_settings(hand: Hand, limit: int, free: int, used_gb: float = 1.0) -> None:
    stub = hand.stub("lambda")
    answer = {
        "AccountLimit": {
            "ConcurrentExecutions": limit,
            "UnreservedConcurrentExecutions": free,
            "TotalCodeSize": 80_000_000_000,
        },
        "AccountUsage": {"TotalCodeSize": int(used_gb * 1e9)},
    }
    stub.add_response("get_account_settings", answer)
    stub.activate()


def test_every_check_has_a_line_and_none_ends_in_a_traceback(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what moto knows: a service that is not there is a line that says so."""
    code = main(["doctor", "--stack", NAME])

    said = capsys.readouterr()
    found = said.out.splitlines()
    assert all(re.match(r"(ok  |warn|fail|skip)  \S", line) for line in found)
    assert {
        check.__name__ for check in doctor.CHECKS if not any(check.__name__.split("_")[0] in line for line in found)
    } == set()
    assert code == 1, "the page is not published"
    assert any(line.startswith("fail  page") and "make publish-page STACK=tessera-test" in line for line in found)
    assert said.err == ""


@pytest.mark.parametrize(
    ("limit", "free", "waits", "said"),
    [
        (10, 10, "0", "warn  concurrency        10 executions at once; builds, indexes, jobs and lists can take 10"),
        (10, 10, "0", "BlockConcurrency=3 MaxBuilds=1"),
        (1000, 1000, "0", "ok    concurrency        1000 executions at once"),
        (1000, 1000, "0", "WaitConcurrency=100"),
        (100, 100, "0", "--quota-code L-B99A9384 --desired-value 1000"),
        (100, 50, "50", "warn  waits              50 reserved, 50 left; Lambda keeps 100 unreserved"),
        (1000, 900, "100", "ok    waits              100 executions reserved"),
    ],
)
def test_a_small_quota_is_told_with_the_parameters_that_fit(
    look: Look, limit: int, free: int, waits: str, said: str
) -> None:
    assert isinstance(look.operator, Hand)
    lambda_settings(look.operator, limit, free)
    look = with_parameters(look, WaitConcurrency=waits)

    assert said in "\n".join(lines(account.concurrency, look))


def test_the_network_quota_is_found_by_its_name(hand: Hand, look: Look) -> None:
    stub = hand.stub("service-quotas")
    quotas = [
        {"QuotaName": "Concurrent executions", "QuotaCode": "L-B99A9384", "Value": 10.0},
        {"QuotaName": "Network bandwidth per execution environment", "QuotaCode": "L-1", "Value": 625.0},
    ]
    stub.add_response("list_service_quotas", {"Quotas": quotas}, {"ServiceCode": "lambda"})
    stub.activate()

    (line,) = lines(account.network, look)
    assert "Network bandwidth per execution environment: 625" in line


def test_few_transitions_are_a_warning(hand: Hand, look: Look) -> None:
    stub = hand.stub("service-quotas")
    quota = {"QuotaName": "StateTransition throttle token refill rate per second", "QuotaCode": "L-2", "Value": 5.0}
    stub.add_response("list_service_quotas", {"Quotas": [quota]}, {"ServiceCode": "states"})
    stub.activate()

    (line,) = lines(account.step_functions, look)
    assert line.startswith("warn")
    assert "--quota-code L-2 --desired-value 800" in line


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "cannot be checked: no permission for ListServiceQuotas; do: see docs/operations"),
        ("NoSuchResourceException", "cannot be checked: ListServiceQuotas answers NoSuchResourceException"),
    ],
)
def test_a_check_that_cannot_be_made_says_why(hand: Hand, look: Look, code: str, said: str) -> None:
    stub = hand.stub("service-quotas")
    stub.add_client_error("list_service_quotas", code)
    stub.activate()

    (line,) = lines(account.network, look)
    assert line.startswith("warn  network ")
    assert said in line


def test_a_check_that_breaks_is_a_line(look: Look) -> None:
    def broken(look: Look) -> Iterator[Any]:
        yield from dict[str, Iterator[Any]]()["no such key"]

    assert lines(broken, look) == ["warn  broken             cannot be checked: KeyError: 'no such key'"]


def test_room_for_code_is_told_before_it_ends(hand: Hand, look: Look) -> None:
    function = boto3.client("lambda").get_function_configuration(FunctionName=look.stack.physical("IngestFunction"))
    stub = hand.stub("lambda")
    wanted = {"CodeSize": 50_000_000, "Layers": [{"Arn": "a", "CodeSize": 60_000_000}]}
    stub.add_response("get_function_configuration", wanted, {"FunctionName": function["FunctionName"]})
    limits = {"AccountLimit": {"TotalCodeSize": 80_000_000_000}, "AccountUsage": {"TotalCodeSize": 70_000_000_000}}
    stub.add_response("get_account_settings", limits)
    stub.activate()

    first, second = lines(account.sizes, look)
    assert "IngestFunction is the largest with 110 MB zipped" in first
    assert second.startswith("warn  code storage")
    assert "70.0 of 80 GB" in second


def test_buckets_and_tables_of_an_earlier_stack_are_named(hand: Hand, look: Look) -> None:
    s3 = boto3.client("s3")
    assert lines(account.left_over, look)[0].startswith("ok")
    s3.create_bucket(Bucket=f"{NAME}-cubebucket-0ld")
    try:
        (line,) = lines(account.left_over, look)
    finally:
        s3.delete_bucket(Bucket=f"{NAME}-cubebucket-0ld")

    assert line.startswith("warn")
    assert f"{NAME}-cubebucket-0ld" in line


def test_a_stage_beside_the_named_one_fails(look: Look) -> None:
    client = boto3.client("apigateway")
    api = look.stack.physical("Api")
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    client.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    client.create_deployment(restApiId=api, stageName="prod")
    assert lines(account.stages, look) == ["ok    stages             prod only"]
    client.create_deployment(restApiId=api, stageName="Stage")

    (line,) = lines(account.stages, look)
    assert line.startswith("fail")
    assert line.endswith(f"delete-stage --rest-api-id {api} --stage-name Stage")


def test_a_bucket_in_another_region_is_a_warning(hand: Hand, look: Look) -> None:
    there = boto3.client("s3", region_name="eu-west-1")
    there.create_bucket(Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    look = with_parameters(look, CubeSources="elsewhere/cubes,stpubdata/cubes")

    found = lines(data.public_buckets, look)
    assert any(line.startswith("warn  region") and "elsewhere is in eu-west-1" in line for line in found)
    assert any(line.startswith("ok    region") and "stpubdata" in line for line in found)


def test_a_bucket_that_is_gone_is_not_our_fault(look: Look) -> None:
    look = with_parameters(look, CubeSources="gone/cubes")

    assert any(
        line.startswith("fail  public buckets     gone does not answer") and "it is not us" in line
        for line in lines(data.public_buckets, look)
    )


def test_the_age_of_the_index_decides(hand: Hand, look: Look) -> None:
    assert lines(data.index, look)[0].startswith("warn  index              not written yet")
    place = {"Bucket": look.stack.physical("CubeBucket"), "Key": "index/footprints.json"}
    boto3.client("s3").put_object(**place, Body=b"{}")
    written = boto3.client("s3").head_object(**place)["LastModified"]  # by the clock of the server
    states = []
    for hours in (1, 30, 60):
        later = Hand()
        object.__setattr__(later, "clock", lambda hours=hours: written + datetime.timedelta(hours=hours))
        states.append(lines(data.index, Look(later, look.stack))[0][:4].strip())

    assert states == ["ok", "warn", "fail"]


def test_a_published_page_is_seen(look: Look) -> None:
    boto3.client("s3").put_object(Bucket=look.stack.physical("PageBucket"), Key="index.html", Body=b"<html>")
    (line,) = lines(data.page, look)
    boto3.client("s3").delete_object(Bucket=look.stack.physical("PageBucket"), Key="index.html")

    assert line.startswith("ok    page")
    assert line.endswith("https://page.example")


def test_a_pause_is_told_with_its_reason(look: Look) -> None:
    assert lines(operation.paused, look) == ["ok    paused             no"]
    since = (NOW - datetime.timedelta(hours=3)).timestamp()
    value = {"paused": True, "reason": "too dear", "since": since, "by": "budget"}
    look.services.state.put("switch", "service", value, over=0)

    (line,) = lines(operation.paused, look)
    assert line.startswith("warn  paused             for 3 hours, by the budget: too dear; do: make resume")


def test_a_schedule_that_is_stopped_is_told(look: Look) -> None:
    assert lines(operation.schedules, look) == ["ok    schedules          1 run"]
    boto3.client("events").disable_rule(Name="tessera-clock")
    try:
        assert lines(operation.schedules, look)[0].endswith("do: aws events enable-rule --name tessera-clock")
    finally:
        boto3.client("events").enable_rule(Name="tessera-clock")


def test_an_alarm_that_is_raised_fails(look: Look) -> None:
    client = boto3.client("cloudwatch")
    client.set_alarm_state(AlarmName="spend", StateValue="ALARM", StateReason="test")
    try:
        (line,) = lines(operation.alarms, look)
    finally:
        client.set_alarm_state(AlarmName="spend", StateValue="OK", StateReason="test")

    assert line.startswith("fail  alarms             spend is raised")
    assert lines(operation.alarms, look) == ["ok    alarms             1 alarms, none is raised"]


def test_somebody_must_hear_the_alarms(hand: Hand, look: Look) -> None:
    assert "console only" in lines(operation.topic, look)[0]
    arn = f"arn:aws:sns:{REGION}:123456789012:alarms"
    look = with_parameters(look, AlarmTopicArn=arn)
    assert lines(operation.topic, look)[0].startswith(f"fail  topic              {arn} does not exist")
    sns = boto3.client("sns")
    sns.create_topic(Name="alarms")
    assert "0 subscriptions, none confirmed" in lines(operation.topic, look)[0]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="a@example.org")
    assert lines(operation.topic, look) == ["ok    topic              1 confirmed: email"], "moto confirms at once"

    stub = hand.stub("sns")
    waiting = {
        "SubscriptionArn": "PendingConfirmation",
        "Protocol": "email",
        "Endpoint": "a",
        "TopicArn": arn,
        "Owner": "1",
    }
    stub.add_response("list_subscriptions_by_topic", {"Subscriptions": [waiting]}, {"TopicArn": arn})
    stub.activate()
    assert lines(operation.topic, look)[0].startswith("fail  topic              1 subscriptions, none confirmed")


def test_failed_and_endless_executions_are_told(hand: Hand, look: Look) -> None:
    arn = "arn:aws:states:us-east-1:1:execution:m:"
    old, recent = NOW - datetime.timedelta(days=3), NOW - datetime.timedelta(hours=5)
    stub = hand.stub("stepfunctions")

    def one(name: str, start: datetime.datetime, status: str) -> dict[str, Any]:
        return {"executionArn": arn + name, "stateMachineArn": "m", "name": name, "status": status, "startDate": start}

    stub.add_response("list_executions", {"executions": [one("a", recent, "FAILED"), one("b", old, "FAILED")]})
    stub.add_response("list_executions", {"executions": []})
    stub.add_response("list_executions", {"executions": [one("c", recent, "RUNNING")]})
    stub.activate()

    describe = "aws stepfunctions describe-execution --execution-arn"
    assert lines(operation.executions, look) == [
        f"warn  executions         FootprintIndex: 1 failed since yesterday; do: {describe} {arn}a",
        f"warn  executions         FootprintIndex: one runs for 5 hours; do: {describe} {arn}c",
    ]


def test_throttles_are_summed_by_function(look: Look) -> None:
    assert lines(operation.throttles, look) == ["ok    throttles          none in the last day"]
    dimensions = [{"Name": "FunctionName", "Value": look.stack.physical("IngestFunction")}]
    datum = {
        "MetricName": "Throttles",
        "Dimensions": dimensions,
        "Value": 7,
        "Timestamp": NOW - datetime.timedelta(hours=2),
    }
    boto3.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=[datum])

    assert "7 in the last day: IngestFunction 7" in lines(operation.throttles, look)[0]


def test_dead_letters_are_counted(look: Look) -> None:
    url = look.stack.physical("IngestDeadLetterQueue")
    assert lines(operation.dead_letters, look) == ["ok    dead letters       none"]
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody="x")

    (line,) = lines(operation.dead_letters, look)
    assert "1 messages; do: read ingest's log, then: aws sqs start-message-move-task --source-arn arn:" in line


@pytest.mark.parametrize(("dollars", "state"), [(0.0, "ok"), (12.0, "warn"), (25.0, "fail")])
def test_the_cost_of_today_is_that_of_the_alarm(hand: Hand, look: Look, dollars: float, state: str) -> None:
    """The queries and the limit are those of SpendAlarm."""
    alarm = boto3.client("cloudwatch").describe_alarms(AlarmNames=["spend"])["MetricAlarms"]
    stub = hand.stub("cloudwatch")
    keys = ("AlarmName", "Metrics", "Threshold")
    stub.add_response("describe_alarms", {"MetricAlarms": [{key: alarm[0][key] for key in keys}]})
    asked = {
        "MetricDataQueries": alarm[0]["Metrics"],
        "StartTime": NOW.replace(hour=0, minute=0, second=0, microsecond=0),
        "EndTime": NOW,
    }
    values = {"MetricDataResults": [{"Id": "total", "Label": "dollars", "Values": [dollars]}]}
    stub.add_response("get_metric_data", values, asked)
    stub.activate()

    (line,) = lines(operation.cost, look)
    assert line.startswith(f"{state:<4}  cost               ${dollars:.2f} today since 0:00 UTC")
    assert "DailySpendUsd is 20" in line


def test_a_stack_that_is_rolled_back_fails(hand: Hand, look: Look) -> None:
    broken = dataclasses.replace(look.stack, status="ROLLBACK_COMPLETE")
    found = lines(account.account, Look(hand, broken))

    assert found[0].startswith("ok    account            123456789012 in us-east-1")
    assert found[1].startswith("fail  stack ")


@pytest.mark.parametrize(
    ("called", "said"),
    [
        ("b2", "ok    versions           all 1 functions are called in their newest version"),
        ("b1", "warn  versions           1 of 1 functions are called in an older version, such as CutFunction; do: "),
    ],
)
def test_a_version_that_is_called_and_is_not_the_newest_is_named(
    look: Look, hand: Hand, called: str, said: str
) -> None:
    function = Resource("ServiceStack", "CutFunction", "tessera-cut", "AWS::Lambda::Function")
    stub = hand.stub("lambda")
    for qualifier, release in (("$LATEST", "b2"), ("live", called)):
        answer = {"CodeSha256": "same", "Environment": {"Variables": {"RELEASE": release}}}
        asked = {"FunctionName": "tessera-cut", "Qualifier": qualifier}
        stub.add_response("get_function_configuration", answer, asked)
    stack = dataclasses.replace(look.stack, resources=(function,))
    with stub:
        (line,) = lines(versions.versions, Look(hand, stack))
    assert line.startswith(said)
