"""A deployed stack as CloudFormation describes it, with its nested stacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tessera_cloud.errors import NotFoundError
from tessera_cloud.settings import Settings

_NESTED = "AWS::CloudFormation::Stack"
_OF_PARAMETERS = {
    "TESSERA_BLOCK_CONCURRENCY": "BlockConcurrency",
    "TESSERA_CUBE_SOURCES": "CubeSources",
    "TESSERA_PUBLISHED_FOOTPRINTS": "PublishedFootprints",
    "TESSERA_STABLE_SECONDS": "StableSeconds",
    "TESSERA_MAX_BUILDS": "MaxBuilds",
    "TESSERA_INGEST_SECTORS": "IngestSectors",
    "TESSERA_IMAGE_BUCKETS": "ImageBuckets",
}
_OF_RESOURCES = {
    "TESSERA_CUBE_BUCKET": "CubeBucket",
    "TESSERA_RESULT_BUCKET": "ResultBucket",
    "TESSERA_FFI_BUCKET": "FfiBucket",
    "TESSERA_STATE_TABLE": "StateTable",
    "TESSERA_INGEST_QUEUE_URL": "IngestQueue",
    "TESSERA_CUBE_BUILD_MACHINE": "CubeBuildStateMachine",
    "TESSERA_CUTOUT_JOB_MACHINE": "CutoutJobStateMachine",
    "TESSERA_BULK_JOB_MACHINE": "BulkJobStateMachine",
}


_NEEDED = ("CubeBucket", "ResultBucket", "StateTable")
"""Resources without which no command can work."""


@dataclass(frozen=True)
class Resource:
    """A resource of a stack.

    Parameters
    ----------
    stack : str
        Logical name of the nested stack that has the resource; empty for the root stack.
    logical, physical : str
        Name in the template, and name, address or ARN in AWS.
    kind : str
        Type, such as ``AWS::S3::Bucket``.
    """

    stack: str
    logical: str
    physical: str
    kind: str


@dataclass(frozen=True)
class Stack:
    """Parameters, outputs and resources of a stack and of its nested stacks.

    Parameters
    ----------
    name, status : str
        Name and status, such as ``UPDATE_COMPLETE``.
    parameters : mapping of str to str
        Parameters of the root stack.
    outputs : mapping of str to str
        Outputs of all stacks. If two have the same name, the root stack's counts.
    resources : tuple of Resource
        Resources of all stacks.
    """

    name: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    resources: tuple[Resource, ...]

    def physical(self, logical: str) -> str:
        """Name in AWS of a resource, by its name in the template; empty if there is none."""
        return next((found.physical for found in self.resources if found.logical == logical), "")

    def of_kind(self, kind: str) -> list[Resource]:
        """Resources of a type, such as ``AWS::Lambda::Function``."""
        return [found for found in self.resources if found.kind == kind]

    def output(self, name: str) -> str:
        """Value of an output.

        Raises
        ------
        NotFoundError
            If no stack has it.
        """
        if name not in self.outputs:
            raise NotFoundError.named(f"output of {self.name}", name, ", ".join(sorted(self.outputs)))
        return self.outputs[name]

    def missing(self) -> str:
        """What the stack lacks of Tessera, in words; empty if nothing that commands need."""
        lacks = [name for name in _NEEDED if not self.physical(name)]
        return f"has no {', '.join(lacks)}: it is no root stack of Tessera, or not whole" if lacks else ""

    def check(self) -> None:
        """Check that the stack has what commands need.

        Raises
        ------
        NotFoundError
            If it has not. The message names what it lacks.
        """
        if missing := self.missing():
            raise NotFoundError(f"the stack {self.name} {missing}; allowed: a stack that `sam deploy` has made")

    def settings(self) -> Settings:
        """Settings as the functions of the stack have them; raises as `check` does."""
        self.check()
        environ = {variable: self.parameters.get(name, "") for variable, name in _OF_PARAMETERS.items()}
        environ |= {variable: self.physical(name) for variable, name in _OF_RESOURCES.items()}
        if bucket := self.parameters.get("FrameBucket", ""):
            environ["TESSERA_FFI_BUCKET"] = bucket
        kept = {variable: value for variable, value in environ.items() if value}
        return Settings.from_env(kept)


def read_stack(cloudformation: Any, name: str, region: str) -> Stack:
    """Read a stack and its nested stacks.

    Parameters
    ----------
    cloudformation : boto3 client
        Client of CloudFormation.
    name, region : str
        Name of the root stack, and the region of the client, which an error names.

    Raises
    ------
    NotFoundError
        If there is no such stack.
    """
    try:
        (root,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ValidationError":
            raise
        raise NotFoundError.named(
            "stack", name, f"the name of a stack in {region}, see `aws cloudformation list-stacks`"
        ) from None
    outputs: dict[str, str] = {}
    resources = list(_walk(cloudformation, name, "", outputs))
    outputs |= _pairs(root, "Outputs", "Output")
    return Stack(name, root["StackStatus"], _pairs(root, "Parameters", "Parameter"), outputs, tuple(resources))


def _walk(cloudformation: Any, name: str, logical: str, outputs: dict[str, str]) -> list[Resource]:
    found: list[Resource] = []
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=name):
        for item in page["StackResourceSummaries"]:
            physical = item.get("PhysicalResourceId", "")
            if item.get("ResourceStatus") == "DELETE_COMPLETE":  # a failed creation took it back
                continue
            found.append(Resource(logical, item["LogicalResourceId"], physical, item["ResourceType"]))
            if item["ResourceType"] == _NESTED and physical:
                (nested,) = cloudformation.describe_stacks(StackName=physical)["Stacks"]
                outputs |= _pairs(nested, "Outputs", "Output")
                found += _walk(cloudformation, physical, item["LogicalResourceId"], outputs)
    return found


def _pairs(stack: Mapping[str, Any], field: str, prefix: str) -> dict[str, str]:
    return {item[f"{prefix}Key"]: item.get(f"{prefix}Value", "") for item in stack.get(field, [])}
