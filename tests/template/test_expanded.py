"""The templates as SAM expands them hold together, with each condition on and off."""

import pytest

from tests.support.expanded import ROOT_STACK, expanded, is_true, origin, translated
from tests.support.references import faults

TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"
DEPLOYMENTS: dict[str, dict[str, str | int]] = {
    "with every default": {},
    "with every option": {
        "SigningSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:records-AbCdEf",
        "MastTopicArn": TOPIC,
        "AlarmTopicArn": TOPIC,
        "ClientRateLimit": 100,
        "CanaryHours": 6,
        "ImageBuckets": "pictures,plates",
        "FrameBucket": "stpubdata",
        "IngestSectors": "1",
        "WaitConcurrency": 100,
        "BlockMemoryMb": 10240,
        "GradualDeployment": "yes",
        "SnapStart": "yes",
        "PageDomain": "tess.example.org",
        "PageCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/page",
        "ApiDomain": "api.example.org",
        "ApiCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/api",
    },
    "in another region": {
        "AWS::Region": "eu-west-1",
        "OtherRegion": "yes",
        "ClientRateLimit": 100,
        "BlockMemoryMb": 2048,
    },
    "with the frames of another bucket": {"FrameBucket": "stpubdata"},
}


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_no_reference_dangles_or_goes_in_a_circle_and_each_parameter_is_used(parameters: dict[str, str | int]) -> None:
    assert faults(translated(**parameters)) == []


def test_each_condition_is_on_and_off_in_some_deployment() -> None:
    """Otherwise the tests of expanded and created templates miss resources."""
    seen: dict[tuple[str, str], set[bool]] = {}
    for parameters in DEPLOYMENTS.values():
        for name, stack in translated(**parameters).items():
            for condition in stack.template.get("Conditions", {}):
                truth = is_true({"Condition": condition}, stack.template, stack.values)
                seen.setdefault((name, condition), set()).add(truth)

    assert {which: truths for which, truths in seen.items() if len(truths) < 2} == {}, "add to DEPLOYMENTS"


def broken(name: str, resource: str, **properties: object) -> list[str]:
    stacks = translated()
    stacks[name].template["Resources"][resource] = {"Type": "AWS::SQS::Queue", "Properties": properties}
    return faults(stacks)


def test_a_missing_resource_is_noticed() -> None:
    assert broken("QueueStack", "New", Tags=[{"Fn::Sub": "${Nowhere.Arn}"}]) == [
        "QueueStack: New refers to Nowhere, which is not there"
    ]


def test_a_resource_that_the_parameters_leave_out_is_missing() -> None:
    assert broken("ImageStack", "New", Tags=[{"Ref": "ImageFilesPolicy"}]) == [
        "ImageStack: New refers to ImageFilesPolicy, which is not there"
    ]


def test_a_circle_is_noticed() -> None:
    stacks = translated()
    resources = stacks["QueueStack"].template["Resources"]
    resources["One"] = {"Type": "AWS::SQS::Queue", "DependsOn": "Other"}
    resources["Other"] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "One"}}}

    assert faults(stacks) == ["QueueStack: the resources One -> Other -> One need each other"]


def test_a_parameter_that_nothing_uses_is_noticed() -> None:
    stacks = translated()
    stacks[ROOT_STACK].values["Idle"] = "1"

    assert faults(stacks) == ["Root: nothing uses the parameter Idle"]


def test_an_output_that_a_nested_stack_lacks_is_noticed() -> None:
    stacks = translated()
    stacks[ROOT_STACK].template["Outputs"]["New"] = {"Value": {"Fn::GetAtt": ["QueueStack", "Outputs.Nothing"]}}

    assert faults(stacks) == ["Root: QueueStack has no output Nothing"]


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(KeyError, match="has no parameter Colour"):
        expanded(Colour="red")


def test_a_list_in_a_parameter_becomes_a_list() -> None:
    policy = expanded(ImageBuckets="pictures,plates")["ImageStack"]["Resources"]["ImageFilesPolicy"]["Properties"]
    resources = [statement["Resource"] for statement in policy["PolicyDocument"]["Statement"]]

    assert resources == [
        ["arn:*:s3:::pictures", "arn:*:s3:::plates"],
        ["arn:*:s3:::pictures/*", "arn:*:s3:::plates/*"],
    ]


def test_a_reference_is_followed_through_parameters_and_outputs() -> None:
    origins = origin(translated(), "WatchStack", {"Ref": "IngestQueueName"})

    assert origins == ("QueueStack", {"Fn::GetAtt": ["IngestQueue", "QueueName"]})


@pytest.mark.parametrize(("chosen", "applied"), [("no", "None"), ("yes", "PublishedVersions")])
def test_the_apis_start_from_a_picture_if_that_is_chosen(chosen: str, applied: str) -> None:
    stacks = expanded(SnapStart=chosen)
    functions = {
        name: body["Properties"].get("SnapStart")
        for stack in stacks.values()
        for name, body in stack["Resources"].items()
        if body["Type"] == "AWS::Lambda::Function"
    }

    assert {name for name, found in functions.items() if found == {"ApplyOn": applied}} == {
        "CutoutApiFunction",
        "ServiceApiFunction",
        "BulkApiFunction",
        "VoApiFunction",
        "ImageApiFunction",
    }
