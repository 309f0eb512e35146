"""`tessera-admin doctor` on the whole stack, and the permissions that it needs."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import boto3
import pytest

from tessera_cloud.admin import doctor, variables
from tessera_cloud.admin.checks import account
from tessera_cloud.admin.checks.look import Look
from tessera_cloud.admin.command import Operator
from tessera_cloud.admin.stack import Resource, Stack
from tessera_cloud.bootstrap import utc_now
from tests.docs.pages import ROOT
from tests.support.created import created
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


def test_it_looks_at_the_whole_stack_as_it_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be checked is what moto does not have."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, REGION)
    with created({}) as made:
        made.client("s3").create_bucket(Bucket="stpubdata")
        operator = Operator(lambda: boto3.Session(region_name=REGION), utc_now)
        stack = operator.stack("tessera")
        look = Look(operator, stack)
        found = [line for check in doctor.CHECKS for line in doctor.attempt(check, look)]

    unchecked = {line.what for line in found if "cannot be checked" in line.says}
    assert unchecked == {"concurrency", "network", "step functions", "sizes"}
    assert {line.what for line in found if line.state == "fail"} == {"page"}, "nobody has published it"
    said = {line.what: line.says for line in found}
    assert said["stages"] == "prod only"
    assert said["paused"] == "no"
    assert said["schedules"].endswith(" run"), "the canary is off, and its rule does not count"
    assert {variables.VARIABLES[name] for name in variables.VARIABLES} <= set(stack.outputs)


@pytest.mark.parametrize(
    ("most", "said"),
    [
        ("3008", "3,008 MB; if the account allows 10,240 MB, long sectors cost a third less with BlockMemoryMb=10240"),
        ("10240", "block tasks of up to 10,240 MB"),
    ],
)
def test_the_memory_of_block_tasks_is_told_with_what_more_would_save(most: str, said: str) -> None:
    stack = Stack(NAME, "CREATE_COMPLETE", {"BlockMemoryMb": most}, {}, ())
    (line,) = account.memory(Look(Operator(boto3.Session, utc_now), stack))
    assert str(line).startswith("ok    memory ")
    assert str(line).endswith(said)
