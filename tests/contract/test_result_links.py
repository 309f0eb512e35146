"""A pause refuses presigned links by the bucket's policy, and leaves the rest of the policy as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tessera_cloud.adapters.cloudwatch import CloudWatchAlarms
from tessera_cloud.adapters.result_links import SID, BucketLinks
from tessera_cloud.errors import FatalError
from tests.template.documents import load

KEYS: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
BUCKET = "results"
DENY_PLAIN: dict[str, Any] = {
    "Sid": "DenyPlainHttp",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
REFUSAL = {
    "Sid": "RefuseLinksWhilePaused",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::results/*",
    "Condition": {"StringEquals": {"s3:authType": "REST-QUERY-STRING"}},
}


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", **KEYS)
        client.create_bucket(Bucket=BUCKET)
        yield client


def policy_of(client: Any) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(client.get_bucket_policy(Bucket=BUCKET)["Policy"])
    return policy


def test_the_stacks_policy_is_extended_and_restored(client: Any) -> None:
    before = {"Version": "2012-10-17", "Statement": [DENY_PLAIN]}
    client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(before))
    links = BucketLinks(client, BUCKET)
    for _ in range(2):
        links.close()
        assert policy_of(client) == before | {"Statement": [DENY_PLAIN, REFUSAL]}
    for _ in range(2):
        links.open()
        assert policy_of(client) == before


def test_a_bucket_without_a_policy_gets_one_for_the_pause_only(client: Any) -> None:
    links = BucketLinks(client, BUCKET)
    links.open()
    links.close()
    assert policy_of(client) == {"Version": "2012-10-17", "Statement": [REFUSAL]}
    links.open()
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        client.get_bucket_policy(Bucket=BUCKET)


def test_an_older_form_of_the_statement_is_replaced(client: Any) -> None:
    older = REFUSAL | {"Action": "s3:*"}
    client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": older}))
    BucketLinks(client, BUCKET).close()
    assert policy_of(client)["Statement"] == [REFUSAL]


def test_a_bucket_that_is_gone_is_an_error(client: Any) -> None:
    with pytest.raises(FatalError, match=r"read the policy of gone: .*NoSuchBucket"):
        BucketLinks(client, "gone").close()


def test_the_template_keeps_the_statement_that_the_pause_leaves_alone() -> None:
    (statement,) = load()["Resources"]["ResultBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Sid"] == DENY_PLAIN["Sid"] != SID


def test_an_alarm_tells_since_when_it_rings() -> None:
    with mock_aws():
        client = boto3.client("cloudwatch", **KEYS)
        alarm = {"MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
        client.put_metric_alarm(AlarmName="spend", Threshold=1.0, ComparisonOperator="GreaterThanThreshold", **alarm)
        alarms = CloudWatchAlarms(client)
        assert alarms.rings_since("nobody") is None
        client.set_alarm_state(AlarmName="spend", StateValue="OK", StateReason="r")
        assert alarms.rings_since("spend") is None
        client.set_alarm_state(AlarmName="spend", StateValue="ALARM", StateReason="r")
        (found,) = client.describe_alarms(AlarmNames=["spend"])["MetricAlarms"]
        assert alarms.rings_since("spend") == found["StateUpdatedTimestamp"].timestamp()
