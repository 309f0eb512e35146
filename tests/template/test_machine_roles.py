"""State machines as SAM expands them: they may write the traces and the logs that they are told to write."""

from __future__ import annotations

import pytest

from tests.support.expanded import expanded
from tests.template.documents import Json, machines

WRITES_TRACES = "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess"


def found(logical: str) -> tuple[Json, Json]:
    """Properties of a state machine and of its role."""
    (resources,) = [stack["Resources"] for stack in expanded().values() if logical in stack["Resources"]]
    return resources[logical]["Properties"], resources[f"{logical}Role"]["Properties"]


@pytest.mark.parametrize("name", machines())
def test_a_machine_may_write_its_traces_and_its_logs_from_its_first_moment(name: str) -> None:
    """Creating a machine with logs fails if its role has no permission yet, so the role itself has to have it."""
    machine, role = found(name)
    statements = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]

    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert WRITES_TRACES in role["ManagedPolicyArns"]
    assert machine["LoggingConfiguration"]["Level"] == "ERROR"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert any("logs:CreateLogDelivery" in each["Action"] and each["Resource"] == "*" for each in statements)
