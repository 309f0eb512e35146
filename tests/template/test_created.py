"""The whole stack can be created and deleted, with each condition on and off, and its functions have the reviewed names
and policies. What moto cannot make is listed in `NOT_MADE` of `tests/support/created.py`."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from moto.cloudformation.parsing import get_model_map

from tests.support.created import ACCOUNT, NOT_MADE, REGION, Created, created
from tests.support.expanded import resolved, translated
from tests.template.documents import Json, as_list, functions, machines, states
from tests.template.reviewed import CUBES, FRAMES, IMAGES, KEY, RESULTS, REVIEWED, STATE
from tests.template.test_expanded import DEPLOYMENTS

MANAGED = {
    "AWSCodeDeployRoleForLambda",
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSXrayWriteOnlyAccess",
}
"""Policies of AWS that SAM adds: to write logs and traces, to read the queue of an event source, to move an alias."""

EXECUTIONS = {
    "CutoutJobStateMachine": "CutoutJobStateMachineArn",
    "Machine": "CubeBuildStateMachineArn",
    "BuildMachine": "CubeBuildStateMachineArn",
    "JobMachine": "CutoutJobStateMachineArn",
    "BulkJobStateMachine": "BulkJobStateMachineArn",
    "BulkMachine": "BulkJobStateMachineArn",
}
"""Machines whose executions the reviewed table names."""
MACHINES = tuple(sorted(set(EXECUTIONS.values())))
"""Outputs that name these machines."""


HERE = {name: parameters for name, parameters in DEPLOYMENTS.items() if "AWS::Region" not in parameters}
"""Deployments in the region where these tests create the stack."""


@pytest.fixture(scope="module", params=HERE.values(), ids=list(HERE))
def stack(request: pytest.FixtureRequest) -> Iterator[Created]:
    with created(request.param) as made:
        yield made


def test_what_moto_cannot_make_is_what_is_listed() -> None:
    kinds = {
        body["Type"]
        for parameters in DEPLOYMENTS.values()
        for stack in translated(**parameters).values()
        for body in resolved(stack)["Resources"].values()
    }

    assert {kind for kind in kinds if kind not in get_model_map()} == {
        kind for kind, reason in NOT_MADE.items() if not reason
    }
    assert {kind for kind, reason in NOT_MADE.items() if reason} <= kinds


@pytest.mark.parametrize("kind", [kind for kind, reason in NOT_MADE.items() if reason])
def test_a_type_that_moto_has_is_left_out_only_if_moto_fails(kind: str) -> None:
    with pytest.raises(Exception, match="contain any methods"), created({}, frozenset(NOT_MADE) - {kind}):
        pass


def test_each_stack_and_each_resource_is_created(stack: Created) -> None:
    found = stack.client("cloudformation").describe_stacks()["Stacks"]

    assert {one["StackStatus"] for one in found} == {"CREATE_COMPLETE"}
    assert len(found) == len(stack.stacks)
    for name, source in stack.stacks.items():
        assert set(stack.names[name]) == set(resolved(source)["Resources"]), name


def test_each_output_has_a_value(stack: Created) -> None:
    outputs = stack.outputs()

    assert set(outputs) == set(resolved(stack.stacks["Root"])["Outputs"])
    assert {name: value for name, value in outputs.items() if not re.fullmatch(r"[\w:/.#?=-]+", value)} == {}
    assert {name for name, value in outputs.items() if "None" in value} == set()


def test_the_functions_of_the_permission_tests_are_created(stack: Created) -> None:
    names = {logical for found in stack.names.values() for logical in found if logical.endswith("Function")}

    assert names == set(functions()) == set(REVIEWED)
    for name in names:
        made = stack.client("lambda").get_function_configuration(FunctionName=stack.find(name))
        assert made["Role"].endswith(f"/{stack.find(f'{name}Role')}")
        variables = {key: str(value) for key, value in made["Environment"]["Variables"].items()}
        assert {key: value for key, value in variables.items() if "${" in value or "None" in value} == {}
        assert set(variables) == set(functions()[name]["Variables"])


def test_each_created_function_may_do_what_was_reviewed(stack: Created) -> None:
    labels = labels_of(stack)
    for name, reviewed in REVIEWED.items():
        granted: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for statement in granted_to(stack, f"{name}Role"):
            for resource in as_list(statement["Resource"]):
                granted[label(resource, labels)] |= set(as_list(statement["Action"]))

        assert dict(granted) == with_machines(reviewed, stack), name


def test_each_created_machine_may_invoke_its_tasks(stack: Created) -> None:
    for name in machines():
        described = stack.client("stepfunctions").describe_state_machine(stateMachineArn=stack.find(name))
        invoked = set(re.findall(rf"arn:aws:lambda:{REGION}:{ACCOUNT}:function:[\w:-]+", described["definition"]))
        allowed = {
            resource
            for statement in granted_to(stack, f"{name}Role")
            if statement["Action"] == "lambda:InvokeFunction"
            for resource in as_list(statement["Resource"])
        }

        assert "${" not in described["definition"]
        assert set(json.loads(described["definition"])["States"]) <= set(states(name))
        assert invoked == allowed
        assert invoked <= {f"{arn_of_function(stack, function)}:live" for function in functions()}


def test_policies_of_aws_are_for_logs_traces_queues_and_aliases_only() -> None:
    found = set()
    for stack in translated(**DEPLOYMENTS["with every option"]).values():
        for body in resolved(stack)["Resources"].values():
            for arn in body.get("Properties", {}).get("ManagedPolicyArns", []):
                found |= {arn.rsplit("/", 1)[1]} if isinstance(arn, str) else set()

    assert found == MANAGED


def arn_of_function(stack: Created, name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{stack.find(name)}"


def granted_to(stack: Created, role: str) -> Iterator[Json]:
    """Statements of the policies that a created role has."""
    iam, name = stack.client("iam"), stack.find(role)
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = policy["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    for document in documents:
        yield from as_list(document["Statement"])


def labels_of(stack: Created) -> dict[str, str]:
    """What the reviewed table calls the created resources, by ARN."""
    outputs = stack.outputs()
    frames = stack.stacks["Root"].values["FrameBucket"] or outputs["FfiBucketName"]
    images = stack.stacks["Root"].values["ImageBuckets"].split(",")
    secret = stack.stacks["Root"].values["SigningSecretArn"]
    queue = stack.client("sqs").get_queue_attributes(QueueUrl=outputs["IngestQueueUrl"], AttributeNames=["QueueArn"])
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{outputs['StateTableName']}"
    return {
        f"arn:aws:s3:::{frames}": FRAMES,
        f"arn:aws:s3:::{outputs['CubeBucketName']}": CUBES,
        f"arn:aws:s3:::{outputs['ResultBucketName']}": RESULTS,
        table: STATE,
        queue["Attributes"]["QueueArn"]: "IngestQueueArn",
        f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{stack.find('SpendAlarm')}": "SpendAlarm",
        **{f"arn:aws:s3:::{bucket}": IMAGES for bucket in images if bucket},
        **({secret: KEY[0]} if secret else {}),
        **{outputs[name]: name for name in MACHINES},
        **{executions(outputs[name]): name for name in MACHINES},
    }


def executions(machine: str) -> str:
    return machine.replace(":stateMachine:", ":execution:")


def label(resource: str, labels: dict[str, str]) -> tuple[str, str]:
    """The name and the path of an ARN in the reviewed table."""
    resource = resource.replace("arn:*:", "arn:aws:", 1)
    arn = max((arn for arn in labels if resource.startswith(arn)), key=len)
    return labels[arn], resource.removeprefix(arn)


def with_machines(reviewed: dict[tuple[str, str], set[str]], stack: Created) -> dict[tuple[str, str], Any]:
    """A row of the reviewed table with the names of machines, and without images or a key where none is named."""
    values = stack.stacks["Root"].values
    left_out = {name for name, parameter in {IMAGES: "ImageBuckets", KEY[0]: KEY[0]}.items() if not values[parameter]}
    return {
        (EXECUTIONS.get(name, name), path): actions
        for (name, path), actions in reviewed.items()
        if name not in left_out
    }
