import io
from datetime import UTC, datetime, timedelta

import boto3
from moto import mock_aws

from tessera_local.lambdas.service import Report
from tessera_local.progress import Progress
from tessera_local.storage import create_buckets, expire_objects
from tessera_local.template.deployed import Bucket


def test_without_a_terminal_every_tenth_is_a_line() -> None:
    stream = io.StringIO()
    assert list(Progress(stream).track(range(40), total=40, unit="frames")) == list(range(40))
    assert stream.getvalue().splitlines()[0] == "  4 of 40 frames"
    assert len(stream.getvalue().splitlines()) == 10


def test_the_table_sums_up_steps_and_functions() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    with progress.step("load") as step:
        step.megabytes = 12.0
    reports = [
        Report("F", "1", 1000.0, 256, 100, 300.0, None),
        Report("F", "2", 500.0, 256, 120, None, "FatalError"),
    ]
    progress.table(reports)
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert ["F", "2", "1", "1.50", "1.00", "120", "256"] in lines
    assert next(line for line in lines if line[:1] == ["load"])[2] == "12.0"


@mock_aws
def test_objects_past_their_lifecycle_are_deleted() -> None:
    s3 = boto3.client("s3", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    rule = {"Id": "Expire", "Status": "Enabled", "Prefix": "results/", "ExpirationInDays": 1}
    bucket = Bucket("B", "things", (rule,))
    create_buckets(s3, [bucket])
    create_buckets(s3, [bucket])
    for key in ("results/1", "kept/1"):
        s3.put_object(Bucket="things", Key=key, Body=b"")
    assert expire_objects(s3, [bucket], datetime.now(UTC)) == 0
    assert expire_objects(s3, [bucket], datetime.now(UTC) + timedelta(days=2)) == 1
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="things")["Contents"]] == ["kept/1"]
