"""``tessera-admin variables``: names of a stack as variables of the shell, which the commands of our pages use."""

from __future__ import annotations

import argparse
import shlex

from tessera_cloud.admin.command import Operator, Subparsers, add_command

VARIABLES = {
    "PAGE": "PageUrl",
    "API": "CutoutApiUrl",
    "CUBES": "CubeBucketName",
    "FRAMES": "FfiBucketName",
    "RESULTS": "ResultBucketName",
    "PAGE_BUCKET": "PageBucketName",
    "DISTRIBUTION": "PageDistributionId",
    "STATE": "StateTableName",
    "BUILD": "CubeBuildStateMachineArn",
    "INDEX": "FootprintIndexStateMachineArn",
    "IMAGE_INDEX": "ImageIndexStateMachineArn",
    "JOB": "CutoutJobStateMachineArn",
    "BULK": "BulkJobStateMachineArn",
    "QUEUE": "IngestQueueUrl",
    "DEAD_LETTERS": "IngestDeadLetterQueueUrl",
    "DASHBOARD": "DashboardUrl",
    "BUILD_LOGS": "BuildLogGroupName",
    "INGEST_LOGS": "IngestLogGroupName",
    "INDEX_LOGS": "IndexLogGroupName",
    "JOB_LOGS": "JobLogGroupName",
    "BULK_LOGS": "BulkLogGroupName",
    "SERVICE_LOGS": "ServiceLogGroupName",
    "IMAGE_LOGS": "ImageLogGroupName",
    "SPENDING_LOGS": "SpendingLogGroupName",
    "CANARY_LOGS": "CanaryLogGroupName",
}
"""Variables, and the outputs that are their values."""


def register(commands: Subparsers) -> None:
    """Add the command."""
    add_command(commands, "variables", "print the names of a stack as variables of the shell", run)


def run(asked: argparse.Namespace, operator: Operator) -> int:
    """Print a line of the shell for each variable."""
    stack = operator.stack(asked.stack)
    stack.check()
    values = {"STACK": stack.name, "REGION": operator.region}
    values |= dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), operator.region)
    values |= {name: stack.output(output) for name, output in VARIABLES.items()}
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}")  # noqa: T201 - a command prints
    return 0
