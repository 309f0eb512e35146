"""Least privilege: each function may do what a table says, and nothing else.

The table in `reviewed.py` was written from the calls that the use cases make. A new call fails on AWS until it is
granted, so change the table, the template and the use case together.
"""

import json
import re
from collections import Counter, defaultdict

import pytest

from tests.template.documents import (
    ROOT,
    Json,
    all_resources,
    as_list,
    functions,
    machines,
    statements,
    states,
)
from tests.template.reviewed import FRAMES, IMAGES, REVIEWED

PREFIXES = {
    "",
    "/builds/*",
    "/bulk/*",
    "/coverage/*",
    "/cubes/*",
    "/ephemerides/*",
    "/images/*",
    "/images/index/*",
    "/index/*",
    "/index/runs/*",
    "/ingest/*",
    "/jobs/*",
    "/previews/*",
    "/results/*",
    "/sidecars/*",
    "/stars/*",
    "/uploads/*",
}
PREFIXES |= {":*"}  # the executions of a machine

# The wildcards that end no prefix, each with its reason.
WHOLE_BUCKETS = {
    ("ReadFrames", FRAMES): "the bucket holds frames only, and a build may name a prefix of its own",
    ("ReadImages", IMAGES): "whoever deploys names buckets, and datasets name prefixes in them",
}

# What a call of a client needs, where the names differ.
ACTIONS_OF_CALLS = {
    "list_multipart_uploads": "s3:ListBucketMultipartUploads",
    "head_object": "s3:GetObject",
    "list_objects_v2": "s3:ListBucket",
    "create_multipart_upload": "s3:PutObject",
    "upload_part": "s3:PutObject",
    "complete_multipart_upload": "s3:PutObject",
    "list_parts": "s3:ListMultipartUploadParts",
    "generate_presigned_url": "s3:GetObject",
}

SERVICES = {"step_functions": "states", "result_links": "s3"}
"""Adapters that are not named as IAM names their service."""

each_function = pytest.mark.parametrize("name", functions())


SERVICES_OF_ARNS = "cloudwatch|s3|dynamodb|sqs|states|lambda"
ARN = re.compile(rf"arn:\$\{{AWS::Partition\}}:({SERVICES_OF_ARNS}):[^/$]*(?:\$\{{AWS::\w+\}}:)*(?:table/|\w+:)?")


def to_bucket_and_path(resource: Json) -> tuple[str, str]:
    """What a grant is about: `!Sub "arn:${AWS::Partition}:s3:::${B}/x/*"` is (B, "/x/*")."""
    if "Fn::GetAtt" in resource:
        return resource["Fn::GetAtt"][0], ""
    if "Ref" in resource:
        return resource["Ref"], ""
    if "Fn::Split" in resource:
        return to_list_and_path(resource["Fn::Split"][1])
    text = resource["Fn::Sub"] if isinstance(resource["Fn::Sub"], str) else resource["Fn::Sub"][0]
    match = re.fullmatch(r"\$\{(\w+)\}(.*)", ARN.sub("", text, count=1))
    assert match is not None, text
    return match[1], match[2]


def to_list_and_path(text: Json) -> tuple[str, str]:
    """The same of a parameter that lists buckets, where each becomes an ARN with the same path."""
    pattern, values = text["Fn::Sub"]
    between, split = values["Buckets"]["Fn::Join"]
    path = pattern.removeprefix("arn:*:s3:::${Buckets}")
    assert between == f"{path},arn:*:s3:::"
    assert split["Fn::Split"][0] == ","
    return split["Fn::Split"][1]["Ref"], path


@each_function
def test_a_function_may_do_what_was_reviewed(name: str) -> None:
    granted: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for statement in statements(name):
        assert statement["Effect"] == "Allow"
        for resource in as_list(statement["Resource"]):
            granted[to_bucket_and_path(resource)] |= set(as_list(statement["Action"]))

    assert dict(granted) == REVIEWED.get(name), (
        f"review the policy of {name}, then write its grants into REVIEWED in reviewed.py"
    )


@each_function
def test_a_wildcard_ends_a_prefix_or_has_a_reason(name: str) -> None:
    for statement in statements(name):
        for resource in as_list(statement["Resource"]):
            bucket, path = to_bucket_and_path(resource)
            assert path in PREFIXES or (path == "/*" and (statement["Sid"], bucket) in WHOLE_BUCKETS), (
                f"{name}, statement {statement['Sid']}: grant a prefix of {bucket} that is in PREFIXES, or give the "
                f"reason for {path!r} in PREFIXES or WHOLE_BUCKETS"
            )


@each_function
def test_a_statement_says_what_it_is_for(name: str) -> None:
    sids = [statement["Sid"] for statement in statements(name)]

    assert [sid for sid, n in Counter(sids).items() if n > 1] == [], f"give each statement of {name} a Sid of its own"
    actions = [action for statement in statements(name) for action in as_list(statement["Action"])]
    assert [action for action in actions if "*" in action] == [], f"name each action that {name} needs"


def test_each_call_of_a_client_is_granted_to_some_function() -> None:
    calls = set()
    for source in (ROOT / "shared/src/tessera_cloud/adapters").glob("*.py"):
        service = SERVICES.get(source.stem, source.stem)
        for call in re.findall(r"(?:_client|_reader\(bucket\))\.(\w+)", source.read_text(encoding="utf-8")):
            calls.add(ACTIONS_OF_CALLS.get(call, f"{service}:{call.title().replace('_', '')}"))
    granted = {action for function in REVIEWED.values() for actions in function.values() for action in actions}

    assert calls - granted == set(), "grant these to the functions that make the calls, and add them to REVIEWED"


each_machine = pytest.mark.parametrize("name", machines())


def has_distributed_map(machine: str) -> bool:
    maps = [state for state in states(machine).values() if state["Type"] == "Map"]
    return any(state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED" for state in maps)


@each_machine
def test_a_machine_invokes_its_tasks_and_no_other_function(name: str) -> None:
    statements = [statement for policy in machines()[name]["Policies"] for statement in policy["Statement"]]
    (invoke,) = [statement for statement in statements if statement["Action"] == "lambda:InvokeFunction"]

    assert invoke["Resource"] == [
        value for key, value in machines()[name]["DefinitionSubstitutions"].items() if key.endswith("FunctionArn")
    ]
    (logs,) = [statement for statement in statements if statement["Resource"] == "*"]
    assert all(action.startswith("logs:") for action in logs["Action"])


FOR_MAPS = {
    "ItemReader": {"s3:GetObject"},
    "ResultWriter": {"s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"},
}
"""What a Map needs to read its items and to write its results, from AWS's guide to Step Functions."""


@each_machine
def test_a_map_may_use_the_objects_that_it_names_and_no_others(name: str) -> None:
    needed = {
        action
        for key, actions in FOR_MAPS.items()
        for state in states(name).values()
        if key in state
        for action in actions
    }
    statements = [statement for policy in machines()[name]["Policies"] for statement in policy["Statement"]]
    objects = [each for each in statements if any(action.startswith("s3:") for action in as_list(each["Action"]))]
    places = ("${CubeBucket}/index/runs/*", "${ResultBucket}/bulk/*")
    assert {json.dumps(each["Resource"]) for each in objects} <= {
        json.dumps({"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{place}"}) for place in places
    }
    assert {action for statement in objects for action in as_list(statement["Action"])} == needed


@pytest.mark.parametrize("name", [name for name in machines() if has_distributed_map(name)])
def test_a_map_starts_and_stops_children_of_its_own_machine_only(name: str) -> None:
    policy = all_resources()[f"{name.removesuffix('StateMachine')}MapPolicy"]["Properties"]
    start, watch = policy["PolicyDocument"]["Statement"]

    assert policy["Roles"] == [{"Ref": f"{name}Role"}]
    assert (start["Action"], start["Resource"]) == ("states:StartExecution", {"Ref": name})
    assert watch["Action"] == ["states:DescribeExecution", "states:StopExecution"]
    assert watch["Resource"]["Fn::Sub"][0].endswith(":execution:${Name}/*")
    assert watch["Resource"]["Fn::Sub"][1] == {"Name": {"Fn::GetAtt": [name, "Name"]}}
