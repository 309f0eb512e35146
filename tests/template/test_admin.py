"""The command `tessera-admin`: what it reads of a stack, and its errors."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import NoRegionError
from botocore.parsers import ResponseParserError
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
        "ResultBucket": {"Type": "AWS::S3::Bucket"},
        "StateTable": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "kind", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
            },
        },
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


@pytest.mark.parametrize("command", ["pause", "resume", "withdraw", "variables"])
def test_a_stack_that_is_not_ours_or_not_whole_is_refused(
    operator: Operator, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    other = {"Resources": {"CubeBucket": {"Type": "AWS::S3::Bucket"}}}
    operator.client("cloudformation").create_stack(StackName="other", TemplateBody=json.dumps(other))

    assert main([command, "--stack", "other"]) == 1
    assert capsys.readouterr().err == (
        "tessera-admin: the stack other has no ResultBucket, StateTable: it is no root stack of Tessera, or not whole; "
        "allowed: a stack that `sam deploy` has made\n"
    )


@pytest.mark.parametrize("name", ["", "two words", "-x", "a/b"])
def test_what_cannot_be_the_name_of_a_stack_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """CloudFormation takes an empty name for all stacks of the account."""
    with pytest.raises(SystemExit) as ended:
        main(["doctor", f"--stack={name}"])
    assert ended.value.code == 2
    assert f"{name!r} is no name of a stack" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"), [(["moon"], "cube is 'moon'"), (["--restore"], "cube is missing")], ids=["wrong", "missing"]
)
def test_a_wrong_name_of_a_cube_is_told_before_the_stack_is_read(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["withdraw", "--stack", "no-such-stack", "--region", REGION, *arguments]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [(NoRegionError(), "--region"), (ResponseParserError("<html>"), "not from AWS")],
    ids=["no region", "proxy"],
)
def test_an_error_of_the_place_says_what_to_do(error: Exception, said: str) -> None:
    assert said in in_one_line(error)
