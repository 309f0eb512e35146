"""The permissions that `tessera-admin doctor` needs are those that the documentation lists."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import boto3

from tessera_cloud.admin import doctor
from tessera_cloud.admin.checks.look import Look
from tessera_cloud.admin.command import Operator
from tessera_cloud.admin.stack import Resource
from tessera_cloud.bootstrap import utc_now
from tests.docs.pages import ROOT
from tests.support.moto_stack import NAME, REGION, SPEND, make_stack, moto_server

ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "apigateway:GetStages": "apigateway:GET",
    "servicequotas:ListServiceQuotas": "servicequotas:ListServiceQuotas",
}
"""Actions of IAM whose names are not those of the calls."""


def test_the_permissions_in_the_documentation_are_those_that_it_needs() -> None:
    text = (ROOT / "docs/operations/deploying.md").read_text(encoding="utf-8")
    policy = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    documented = set(policy["Statement"][0]["Action"])
    needed = set()

    def note(model: Any, **_: Any) -> None:
        prefix = {"monitoring": "cloudwatch"}.get(model.service_model.signing_name, model.service_model.signing_name)
        call = f"{prefix}:{model.name}"
        needed.add(ACTIONS.get(call, call))

    with moto_server():
        make_stack(boto3.Session(region_name=REGION), AlarmTopicArn=f"arn:aws:sns:{REGION}:123456789012:alarms")
        operator = Operator(lambda: boto3.Session(region_name=REGION), utc_now)
        for session in (operator.session, boto3._get_default_session()):
            session.events.register("before-call", note)
        stack = operator.stack(NAME)
        alarm = Resource("", "SpendAlarm", SPEND["AlarmName"], "AWS::CloudWatch::Alarm")
        look = Look(operator, dataclasses.replace(stack, resources=(*stack.resources, alarm)))
        for check in doctor.CHECKS:
            list(doctor.attempt(check, look))

    needed -= {"s3:HeadBucket"}  # of the public bucket, without credentials
    assert documented >= needed
    assert documented - needed == {"s3:ListBucket"}, "a missing object is told from a forbidden one with it"
