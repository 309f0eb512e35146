"""State machines are graphs that close, with one way to retry and no logic."""

import json
import re

import pytest

from tessera_cloud import errors
from tessera_cloud.application.builds.clean_up import EXECUTION_SECONDS, REST_SECONDS
from tests.template.documents import (
    Json,
    all_resources,
    definition_text,
    file_of,
    functions,
    load,
    machines,
    state_groups,
    states,
)

MAX_TASK_SECONDS = 900
TERMINAL = {"Succeed", "Fail"}
WITHOUT_LOGIC = {"Task", "Map", "Pass", "Succeed", "Fail"}
NEVER_RETRIED = {"UsageError", "FatalError", "States.ALL", "States.TaskFailed"}
THROTTLED = "Lambda.TooManyRequestsException"
PATIENT_SECONDS = 12 * 3600
"""Time for which a task must at least wait for a free environment, if its execution may run that long, in seconds."""
LEAST_SECONDS = 6 * 3600
"""Time that each execution must have, in seconds."""

LOG_DELIVERY = {
    f"logs:{action}"
    for action in (
        "CreateLogDelivery",
        "GetLogDelivery",
        "UpdateLogDelivery",
        "DeleteLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "DescribeResourcePolicies",
        "DescribeLogGroups",
    )
}
"""Permissions of a state machine that writes to CloudWatch Logs, from AWS's guide to Step Functions."""

each_machine = pytest.mark.parametrize("name", machines())


def tasks(machine: str) -> dict[str, Json]:
    return {name: state for name, state in states(machine).items() if state["Type"] == "Task"}


def called(task: Json) -> list[str]:
    """Functions that a task may call. A plan chooses one of several by a number."""
    named = str(task.get("Parameters", {}).get("FunctionName.$", task["Resource"]))
    return re.findall(r"\$\{(\w+)Arn\}", named)


def targets(state: Json) -> list[str]:
    """The states that a state can go to."""
    found = [state[key] for key in ("Next", "Default") if key in state]
    return found + [branch["Next"] for key in ("Catch", "Choices") for branch in state.get(key, [])]


@each_machine
def test_placeholders_and_substitutions_are_the_same_set(name: str) -> None:
    placeholders = set(re.findall(r"\$\{(\w+)\}", definition_text(name)))
    given = set(machines()[name]["DefinitionSubstitutions"])
    assert placeholders - given == set(), f"add these to DefinitionSubstitutions of {name}"
    assert given - placeholders == set(), f"the definition of {name} does not use these substitutions: remove them"


@each_machine
def test_a_substitution_is_the_function_that_it_is_named_after(name: str) -> None:
    for placeholder, value in machines()[name]["DefinitionSubstitutions"].items():
        if placeholder == "Partition":
            assert value == {"Ref": "AWS::Partition"}
            continue
        alias = {"Ref": f"{placeholder.removesuffix('Arn')}.Alias"}
        assert given_from_outside(file_of(name), value) == alias
        assert placeholder.removesuffix("Arn") in functions()


def given_from_outside(file: str, value: Json) -> Json:
    """A value in a file. If it is a parameter that gets the output of another nested stack, the value of the output."""
    if value.get("Ref") not in load(file)["Parameters"]:
        return value
    nested = {
        body["Properties"]["Location"]: body["Properties"]
        for body in all_resources().values()
        if "Location" in body.get("Properties", {})
    }
    stack, path = nested[file]["Parameters"][value["Ref"]]["Fn::GetAtt"]
    output: Json = load(all_resources()[stack]["Properties"]["Location"])["Outputs"][path.removeprefix("Outputs.")]
    found: Json = output["Value"]
    return found


@each_machine
def test_every_target_exists_and_every_state_is_reached(name: str) -> None:
    for group in state_groups(json.loads(definition_text(name))):
        reached, waiting = set(), [group["StartAt"]]
        while waiting:
            here = waiting.pop()
            if here not in reached:
                reached.add(here)
                waiting += targets(group["States"][here])
        assert reached == set(group["States"]), f"no state of {name} leads to the states that are missing here"


@each_machine
def test_every_state_goes_on_or_ends(name: str) -> None:
    for each, state in states(name).items():
        ways = ("Next" in state) + (state.get("End") is True) + (state["Type"] in TERMINAL)
        assert ways == 1, f"state {each} of {name} needs exactly one of Next, End: true, or a type that ends"


@each_machine
def test_every_state_says_what_it_is_for(name: str) -> None:
    assert json.loads(definition_text(name))["Comment"]
    assert [state for state, body in states(name).items() if not body.get("Comment")] == [], "these need a Comment"


@each_machine
def test_a_machine_has_no_logic(name: str) -> None:
    logic = [each for each, state in states(name).items() if state["Type"] not in WITHOUT_LOGIC]
    assert logic == [], f"decide in a function, not in these states of {name}"
    assert "JSONata" not in definition_text(name)


@each_machine
def test_every_task_ends_in_time(name: str) -> None:
    for each, task in tasks(name).items():
        function = called(task)[0]
        least = max(functions()[name]["Timeout"] for name in called(task))
        assert least <= task.get("TimeoutSeconds", 0) <= MAX_TASK_SECONDS, (
            f"state {each} of {name}: TimeoutSeconds must be {least} (Timeout of {function}) to {MAX_TASK_SECONDS}"
        )


@each_machine
def test_a_task_is_named_after_its_function(name: str) -> None:
    wrong = {
        state: function
        for state, task in tasks(name).items()
        for function in called(task)
        if not re.fullmatch(f"{state}(Medium|Large)?Function", function)
    }
    assert wrong == {}, "the Resource of a state is ${<name of the state>FunctionArn}, or one of its sizes"


def test_a_plan_chooses_among_the_functions_in_the_order_of_their_memory() -> None:
    variables = functions()["PlanCubeFunction"]["Variables"]
    block = tasks("CubeBuildStateMachine")["BuildBlock"]
    choice = "States.ArrayGetItem(States.Array('${A}', '${B}', '${C}'), $.plan.size)"
    sizes = [functions()[name]["MemorySize"] for name in called(block)]

    assert block["Resource"] == "arn:${Partition}:states:::lambda:invoke"
    assert block["Parameters"]["Payload.$"] == "$"
    assert re.sub(r"\w+FunctionArn", "?", block["Parameters"]["FunctionName.$"]) == re.sub(r"(?<=\{)\w", "?", choice)
    between, listed = variables["TESSERA_BLOCK_SIZES"]["Fn::Join"]
    assert between == ","
    assert json.dumps(sizes) == re.sub(r'"(\d+)"', r"\1", json.dumps(listed))
    assert sizes == [2048, {"Fn::If": ["HasLargeTasks", 4096, 2048]}, {"Ref": "BlockMemoryMb"}]


def shared_retry() -> list[Json]:
    """Retry of the first task of cube_build, which all tasks of all machines repeat."""
    retry: list[Json] = tasks("CubeBuildStateMachine")["PlanCube"]["Retry"]
    return retry


@each_machine
def test_all_tasks_share_one_retry(name: str) -> None:
    different = [state for state, task in tasks(name).items() if task.get("Retry") != shared_retry()]
    assert different == [], "copy Retry of PlanCube of cube_build.asl.json to these"


def test_a_throttled_task_has_a_rule_of_its_own_in_front_of_that_of_failures() -> None:
    throttled, failed = shared_retry()

    assert throttled["ErrorEquals"] == [THROTTLED]
    assert THROTTLED not in failed["ErrorEquals"], "the first rule that names an error counts"
    assert "TransientError" in failed["ErrorEquals"]
    assert failed["BackoffRate"] > 1
    assert {rule["JitterStrategy"] for rule in (throttled, failed)} == {"FULL"}


def delays(rule: Json) -> list[float]:
    """Longest waits before the attempts of a rule, in seconds."""
    most = rule.get("MaxDelaySeconds", float("inf"))
    return [min(most, rule["IntervalSeconds"] * rule["BackoffRate"] ** n) for n in range(rule["MaxAttempts"])]


def test_a_throttled_task_soon_tries_again_and_waits_for_hours() -> None:
    """With full jitter, a wait is uniform between 0 and its longest w: its mean is w / 2, and its variance w**2 / 12.

    Each attempt leaves at most three events, and an execution has room for 25,000.
    """
    throttled = shared_retry()[0]
    waits = delays(throttled)
    sigma = (sum(wait**2 for wait in waits) / 12) ** 0.5

    assert waits[0] <= 5
    assert sum(waits) / 2 - 5 * sigma > PATIENT_SECONDS
    assert max(waits) <= 60, "a task that waits notices within a minute that there is room"
    assert 3 * len(waits) < 25_000 / 3


@each_machine
def test_an_execution_has_time_for_tasks_that_wait(name: str) -> None:
    """It ends within a day, because its indexes run daily and superseded cubes are kept for a day."""
    limit = json.loads(definition_text(name))["TimeoutSeconds"]
    assert LEAST_SECONDS <= limit < 24 * 3600


def test_the_cleaning_of_cubes_knows_how_long_a_build_may_take() -> None:
    assert json.loads(definition_text("CubeBuildStateMachine"))["TimeoutSeconds"] == EXECUTION_SECONDS
    assert EXECUTION_SECONDS < REST_SECONDS


@each_machine
def test_the_concurrency_of_a_map_is_a_parameter(name: str) -> None:
    """A definition must be JSON before its placeholders are filled, so a number comes from the state before the Map."""
    for state, body in states(name).items():
        if body["Type"] == "Map":
            assert body["MaxConcurrencyPath"].endswith(".max_concurrency"), f"{state} of {name}"


@each_machine
def test_a_machine_is_traced_and_logs_its_errors_without_data(name: str) -> None:
    machine = machines()[name]
    (destination,) = machine["Logging"]["Destinations"]
    group, _ = destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"]
    (deliver,) = [
        statement
        for policy in machine["Policies"]
        for statement in policy["Statement"]
        if statement["Sid"] == "DeliverLogs"
    ]

    assert machine["Tracing"] == {"Enabled": True}
    assert (machine["Logging"]["Level"], machine["Logging"]["IncludeExecutionData"]) == ("ERROR", False)
    assert all_resources()[group]["Properties"] == {
        "LogGroupName": {"Fn::Sub": "/aws/vendedlogs/states/${AWS::StackName}"},
        "RetentionInDays": {"Ref": "LogRetentionDays"},
    }
    assert set(deliver["Action"]) == LOG_DELIVERY


@each_machine
def test_errors_that_stay_are_never_retried(name: str) -> None:
    retried = {error for task in tasks(name).values() for rule in task["Retry"] for error in rule["ErrorEquals"]}

    assert retried & NEVER_RETRIED == set(), f"trying again cannot help here: remove these from Retry in {name}"


@each_machine
def test_every_error_of_our_own_is_an_exception(name: str) -> None:
    rules = [rule for state in states(name).values() for key in ("Retry", "Catch") for rule in state.get(key, [])]
    ours = {error for rule in rules for error in rule["ErrorEquals"] if "." not in error}

    assert {error for error in ours if not hasattr(errors, error)} == set(), "tessera_cloud.errors has no such class"


def test_a_failure_after_the_upload_began_ends_in_the_abort() -> None:
    name = "CubeBuildStateMachine"
    covered = {state for state, body in states(name).items() if body["Type"] in {"Map", "Task"} and "Catch" in body}

    assert {"CompleteUpload"} <= covered
    assert any(body["Type"] == "Map" for state, body in states(name).items() if state in covered)
