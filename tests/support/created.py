"""The stack, created and deleted in moto's CloudFormation from the templates that SAM expands.

moto needs help in nine places, all of them here:

* Types that it cannot make (`NOT_MADE`) become stand-ins, which have a name and attributes and do nothing.
* It reads no outputs of a nested stack with `Fn::GetAtt`.
* A reference to a layer is the object, not the ARN.
* A version of a function has no number.
* It reads a definition of a state machine from its text only, and without substitutions.
* It attaches no managed policies to a role (AWS's own are left out, because reading them takes long).
* It keeps a policy of a role as an object instead of JSON.
* It compares a number with a text as different; CloudFormation compares their texts.
* The packages are empty, because nothing is invoked.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import boto3
import pytest
from moto import mock_aws
from moto.awslambda.models import LambdaVersion, LayerVersion, lambda_backends
from moto.cloudformation import parsing
from moto.cloudformation.models import Stack as MotoStack
from moto.iam.models import Role, iam_backends

from tests.support.expanded import ROOT_STACK, Stack, translated
from tests.template.documents import ROOT, Json

NAME = "tessera"
REGION = "us-east-1"
ACCOUNT = "123456789012"
PACKAGES = "packages"

NOT_MADE = {
    "AWS::ApiGateway::BasePathMapping": "",
    "AWS::ApiGateway::Deployment": "moto does not read the methods in the Body of an API, and refuses to deploy none",
    "AWS::ApiGateway::DomainName": "",
    "AWS::ApiGateway::Stage": "",
    "AWS::CloudFront::Distribution": "",
    "AWS::CloudFront::Function": "",
    "AWS::CloudFront::OriginAccessControl": "",
    "AWS::CloudFront::ResponseHeadersPolicy": "",
    "AWS::CloudWatch::Alarm": "",
    "AWS::CloudWatch::CompositeAlarm": "",
    "AWS::CodeDeploy::Application": "",
    "AWS::CodeDeploy::DeploymentGroup": "",
    "AWS::Lambda::Alias": "",
    "AWS::S3::BucketPolicy": "",
    "AWS::SNS::Subscription": "",
    "AWS::SQS::QueuePolicy": "",
    "AWS::WAFv2::WebACL": "",
    "AWS::WAFv2::WebACLAssociation": "",
}
"""Types that moto cannot make, with a reason if moto has the type. They are only linted and read by other tests."""


class StandIn:
    """Stands for a resource that moto cannot make."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, body: Json, account: str, region: str, *_: Any, **__: Any
    ) -> Self:
        if body["Type"] == "AWS::Lambda::Alias":
            alias, functions = body["Properties"], lambda_backends[account][region]
            latest = "$LATEST"  # moto's CloudFormation does not hand on the number of a version
            return cls(functions.create_alias(alias["Name"], alias["FunctionName"], latest, "", "").arn)
        return cls(name)

    @classmethod
    def has_cfn_attr(cls, attribute: str) -> bool:
        return bool(attribute)

    def get_cfn_attribute(self, attribute: str) -> str:
        return f"{self.physical_resource_id}.{attribute}"

    def is_created(self) -> bool:
        return True

    def delete(self, *_: Any) -> None:
        """Nothing was made."""


@dataclass(frozen=True)
class Created:
    """A stack that was created.

    Attributes
    ----------
    stacks
        The templates it was created from.
    names
        Physical ids by stack and logical id. A permission has none, so its id is empty.
    """

    stacks: dict[str, Stack]
    names: dict[str, dict[str, str]]

    def client(self, service: Any) -> Any:
        """A client of the account."""
        return boto3.client(service, REGION, aws_access_key_id="testing", aws_secret_access_key="testing")

    def find(self, logical: str) -> str:
        """Physical id of a resource of any stack. Logical ids are unique over all stacks."""
        return next(names[logical] for names in self.names.values() if logical in names)

    def outputs(self) -> dict[str, str]:
        """Outputs of the root stack."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def delete(self) -> None:
        """Delete the stack and its nested stacks."""
        self.client("cloudformation").delete_stack(StackName=NAME)


@contextmanager
def created(parameters: dict[str, str | int], stand_ins: frozenset[str] = frozenset(NOT_MADE)) -> Iterator[Created]:
    """Create the stack in an account of moto's, which ends with the context.

    Parameters
    ----------
    parameters
        Parameters of the root template.
    stand_ins
        Types that are not made.

    Yields
    ------
    Created
        What was created.
    """
    stacks = translated(**parameters)
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        _help_moto(patch, stand_ins)
        made = Created(stacks, {})
        _upload(made)
        root = stacks[ROOT_STACK]
        values = [{"ParameterKey": key, "ParameterValue": value} for key, value in root.values.items()]
        cloudformation = made.client("cloudformation")
        cloudformation.create_stack(StackName=NAME, TemplateBody=json.dumps(root.template), Parameters=values)
        made.names[ROOT_STACK] = _names(cloudformation, NAME)
        for stack in stacks:
            if stack != ROOT_STACK:
                made.names[stack] = _names(cloudformation, made.names[ROOT_STACK][stack])
        yield made


def _names(cloudformation: Any, stack: str) -> dict[str, str]:
    found = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    made = [resource for resource in found if "LogicalResourceId" in resource]  # the others' condition is false
    return {resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "") for resource in made}


def _help_moto(patch: pytest.MonkeyPatch, stand_ins: frozenset[str]) -> None:
    known = parsing.resource_class_from_type
    patch.setattr(parsing, "resource_class_from_type", lambda kind: StandIn if kind in stand_ins else known(kind))
    patch.setattr(MotoStack, "get_cfn_attribute", _output, raising=False)
    patch.setattr(Role, "create_from_cloudformation_json", _role)
    patch.setattr(LambdaVersion, "get_cfn_attribute", lambda _, attribute: {"Version": "1"}[attribute], raising=False)
    patch.setattr(LayerVersion, "physical_resource_id", property(lambda layer: layer.arn), raising=False)


def _output(nested: MotoStack, attribute: str) -> Any:
    output = nested.output_map[attribute.removeprefix("Outputs.")]
    assert output is not None, f"a nested stack has no {attribute}"
    return output.value


_create_role = Role.create_from_cloudformation_json


def _role(name: str, body: Json, account: str, region: str, **more: Any) -> Any:
    properties = body["Properties"]
    for policy in properties.get("Policies", []):
        policy["PolicyDocument"] = json.dumps(policy["PolicyDocument"])
    role = _create_role(name, body, account, region, **more)
    own = [arn for arn in properties.get("ManagedPolicyArns", []) if arn and not arn.startswith("arn:aws:iam::aws:")]
    for arn in own:
        iam_backends[account]["aws"].attach_role_policy(arn, role.name)
    return role


def _upload(made: Created) -> None:
    """Put packages and nested templates where the templates look for them."""
    s3 = made.client("s3")
    s3.create_bucket(Bucket=PACKAGES)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "")
    for stack in made.stacks.values():
        for parameter in stack.template.get("Parameters", {}).values():
            parameter["Type"] = "String"
        for body in stack.template["Resources"].values():
            properties = body.get("Properties", {})
            if at := properties.get("Code") or properties.get("Content"):
                s3.put_object(Bucket=PACKAGES, Key=at["S3Key"], Body=package.getvalue())
            if "DefinitionS3Location" in properties:
                properties["DefinitionString"] = _definition(properties)
    nested: Json = made.stacks[ROOT_STACK].template["Resources"]
    for name, stack in made.stacks.items():
        if name != ROOT_STACK:
            key = nested[name]["Properties"]["TemplateURL"].removeprefix(f"s3://{PACKAGES}/")
            nested[name]["Properties"]["TemplateURL"] = f"https://{PACKAGES}.s3.amazonaws.com/{key}"
            s3.put_object(Bucket=PACKAGES, Key=key, Body=json.dumps(stack.template))


def _definition(properties: Json) -> Json:
    text = (ROOT / properties.pop("DefinitionS3Location")["Key"]).read_text(encoding="utf-8")
    return {"Fn::Sub": [text, properties.pop("DefinitionSubstitutions", {})]}
