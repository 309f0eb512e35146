"""The outputs of the stack name everything that an operator types into a command."""

import re

from tests.support.expanded import ROOT_STACK, origin, resolved, translated
from tests.support.references import references
from tests.template.documents import ROOT, load

NAMED = {
    "AWS::ApiGateway::RestApi",
    "AWS::CloudFront::Distribution",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
}
"""Types of resources that operators look at, fill or start."""


def test_each_resource_that_operators_use_has_an_output() -> None:
    stacks = translated()
    named = set()
    for output in stacks[ROOT_STACK].template["Outputs"].values():
        stack, value = origin(stacks, ROOT_STACK, output["Value"])
        named |= {(stack, target) for target, _ in references(value)}
    used = {
        (name, logical)
        for name, stack in stacks.items()
        for logical, body in resolved(stack)["Resources"].items()
        if body["Type"] in NAMED
    }

    assert used - named == set(), "add outputs to the nested stack and to template.yaml"


def test_an_output_that_a_page_names_exists() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = {name for page in pages for name in re.findall(r"outputs?\s+`(\w+)`", page.read_text(encoding="utf-8"))}

    assert named
    assert named - set(load()["Outputs"]) == set()
