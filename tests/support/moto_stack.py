"""A small stack with the names of the real one, in moto's server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import boto3
import urllib3
from moto.server import ThreadedMotoServer

from tests.template.documents import Json

REGION = "us-east-1"
NAME = "tessera-test"
_QUEUE = "AWS::SQS::Queue"
_BUCKET = "AWS::S3::Bucket"
_ROLE: Json = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}
_TABLE: Json = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("kind", "name")],
        "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "name", "KeyType": "RANGE"}],
    },
}
_MACHINE: Json = {
    "Type": "AWS::StepFunctions::StateMachine",
    "Properties": {
        "StateMachineName": "FootprintIndex",
        "DefinitionString": json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
    },
}
_FUNCTION: Json = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Runtime": "python3.14",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "def handler(*_): pass"},
    },
}
SPEND: Json = {
    "AlarmName": "spend",
    "Metrics": [
        {"Id": "total", "Expression": "bytes * 0.00000000009", "Label": "dollars", "ReturnData": True},
        {
            "Id": "bytes",
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": "Tessera", "MetricName": "CutoutBytes", "Dimensions": []},
                "Stat": "Sum",
                "Period": 86400,
            },
        },
    ],
    "EvaluationPeriods": 1,
    "Threshold": 20,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}
"""moto's CloudFormation makes no alarms. So this one is made beside the stack."""
TEMPLATE: Json = {
    "Parameters": {
        "AlarmTopicArn": {"Type": "String", "Default": ""},
        "BlockConcurrency": {"Type": "Number", "Default": 10},
        "CubeSources": {"Type": "String", "Default": "stpubdata/tess/public/mast"},
        "PublishedFootprints": {"Type": "String", "Default": "stpubdata/footprints.json"},
        "WaitConcurrency": {"Type": "Number", "Default": 0},
    },
    "Resources": {
        **{name: {"Type": _BUCKET} for name in ("CubeBucket", "ResultBucket", "FfiBucket", "PageBucket")},
        **{name: {"Type": _QUEUE} for name in ("IngestQueue", "IngestDeadLetterQueue")},
        "StateTable": _TABLE,
        "Role": _ROLE,
        "FootprintIndexStateMachine": _MACHINE,
        "IngestFunction": _FUNCTION,
        "Clock": {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": "tessera-clock", "ScheduleExpression": "rate(1 hour)", "State": "ENABLED"},
        },
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "tessera"}},
    },
    "Outputs": {
        "CubeBucketName": {"Value": {"Ref": "CubeBucket"}},
        "PageBucketName": {"Value": {"Ref": "PageBucket"}},
        "PageUrl": {"Value": "https://page.example"},
        "FootprintIndexStateMachineArn": {"Value": {"Ref": "FootprintIndexStateMachine"}},
    },
}


@contextmanager
def moto_server() -> Iterator[str]:
    """Serve AWS on a local port, and lead all clients of this process there."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "testing")
    regions = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), REGION)
    try:
        with patch.dict(os.environ, {**keys, **regions, "AWS_ENDPOINT_URL": address}):
            boto3.setup_default_session()
            urllib3.request("POST", f"{address}/moto-api/reset")  # what other servers of this process made
            yield address
    finally:
        boto3.DEFAULT_SESSION = None
        server.stop()


def make_stack(session: boto3.Session, **parameters: str) -> None:
    """Create the stack, its alarm, and MAST's bucket."""
    session.client("cloudwatch").put_metric_alarm(**SPEND)
    session.client("s3").create_bucket(Bucket="stpubdata")
    session.client("cloudformation").create_stack(
        StackName=NAME,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
