"""A stack that is deleted takes everything with it but the data.

moto does not delete a role that has policies, as CloudFormation does, so roles are not looked at.
"""

from tests.support.created import created
from tests.template.test_expanded import DEPLOYMENTS

RETAINED = {"FfiBucket", "CubeBucket", "StateTable"}
"""What stays when the stack is deleted, with its data."""


def test_a_deleted_stack_leaves_only_the_data() -> None:
    with created(DEPLOYMENTS["with every option"]) as stack:
        stack.delete()

        buckets = {bucket["Name"] for bucket in stack.client("s3").list_buckets()["Buckets"]} - {"packages"}
        left = buckets | set(stack.client("dynamodb").list_tables()["TableNames"])
        assert left == {stack.find(name) for name in RETAINED}
        assert stack.client("cloudformation").describe_stacks()["Stacks"] == []
        assert stack.client("lambda").list_functions()["Functions"] == []
        assert stack.client("stepfunctions").list_state_machines()["stateMachines"] == []
        assert "QueueUrls" not in stack.client("sqs").list_queues()
