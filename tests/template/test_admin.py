"""The command `tessera-admin`: what it reads of a stack, and its errors."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tessera_cloud.admin.command import Operator, Subparsers, add_command
from tessera_cloud.admin.main import in_one_line, main
from tessera_cloud.bootstrap import utc_now
from tessera_cloud.errors import NotFoundError

REGION = "us-east-1"
NESTED = {
    "Resources": {"IngestQueue": {"Type": "AWS::SQS::Queue"}},
    "Outputs": {"IngestQueueUrl": {"Value": {"Ref": "IngestQueue"}}, "PageUrl": {"Value": "of the nested stack"}},
}
ROOT = {
    "Parameters": {
        "MaxBuilds": {"Type": "Number", "Default": 3},
        "CubeSources": {"Type": "String", "Default": "stpubdata/tess/public/mast"},
        "FrameBucket": {"Type": "String", "Default": ""},
    },
    "Resources": {
        "CubeBucket": {"Type": "AWS::S3::Bucket"},
        "QueueStack": {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": "https://s3.amazonaws.com/templates/queue.json"},
        },
    },
    "Outputs": {"PageUrl": {"Value": "https://page.example"}},
}


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, REGION)
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket="templates")
        s3.put_object(Bucket="templates", Key="queue.json", Body=json.dumps(NESTED))
        yield Operator(lambda: boto3.Session(region_name=REGION), utc_now)


def test_a_stack_is_read_with_its_nested_stacks(operator: Operator) -> None:
    operator.client("cloudformation").create_stack(StackName="tessera", TemplateBody=json.dumps(ROOT))

    stack = operator.stack("tessera")

    assert stack.outputs["PageUrl"] == "https://page.example", "the root stack's counts"
    assert stack.physical("IngestQueue") == stack.output("IngestQueueUrl")
    assert [found.stack for found in stack.of_kind("AWS::SQS::Queue")] == ["QueueStack"]
    settings = operator.services(stack).settings
    assert settings.cube_bucket == stack.physical("CubeBucket") != ""
    assert (settings.max_builds, settings.cube_sources) == (3, ("stpubdata/tess/public/mast/",))


def test_an_output_that_is_missing_is_named_with_those_that_exist(operator: Operator) -> None:
    operator.client("cloudformation").create_stack(StackName="tessera", TemplateBody=json.dumps(ROOT))

    with pytest.raises(NotFoundError, match="no output of tessera 'Url'; allowed: IngestQueueUrl, PageUrl"):
        operator.stack("tessera").output("Url")


def run(asked: object, operator: Operator) -> int:
    operator.stack("no-such-stack")
    return 0


def register(commands: Subparsers) -> None:
    add_command(commands, "look", "read a stack", run)


def test_an_error_is_one_line(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tessera_cloud.admin.main.COMMANDS", (register,))

    assert main(["look", "--stack", "no-such-stack"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "tessera-admin: there is no stack 'no-such-stack'; allowed: the name of a stack in us-east-1"
    )
    assert said.count("\n") == 1


def test_the_region_can_be_given(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tessera_cloud.admin.main.COMMANDS", (register,))

    assert main(["look", "--stack", "no-such-stack", "--region", "eu-west-1"]) == 1
    assert "the name of a stack in eu-west-1" in capsys.readouterr().err


def test_an_error_without_text_is_named() -> None:
    assert in_one_line(ValueError()) == "ValueError"
