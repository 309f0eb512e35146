from pathlib import Path

import pytest

from tessera_local.template.deployed import QueueEvents, Schedule, Template, TemplateError, seconds_of

REPOSITORY_TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def write(folder: Path, resources: str, more: str = "") -> Template:
    path = folder / "template.yaml"
    path.write_text(f"{more}\nResources:\n{resources}", encoding="utf-8")
    return Template(path)


def test_a_function_gets_globals_under_its_own_properties(toy: Path) -> None:
    function = Template(toy).functions["ActFunction"]
    assert (function.handler, function.memory_mb, function.timeout_seconds) == ("app.lambda_handler", 128, 2)
    assert function.environment == {
        "THINGS_BUCKET": "tessera-things-bucket",
        "TESSERA_FFI_PREFIX": "tess/public/ffi/",
        "TESSERA_TICA_PREFIX": "tess/public/tica/",
        "GREETING": "hello from us-east-1",
        "OWN": "yes",
    }


def test_a_parameter_given_replaces_its_default(toy: Path) -> None:
    assert Template(toy, {"ActMemoryMb": "512"}).functions["ActFunction"].memory_mb == 512


def test_an_unknown_parameter_is_refused(toy: Path) -> None:
    with pytest.raises(TemplateError, match="Nonsense"):
        Template(toy, {"Nonsense": "1"})


def test_substitutions_fill_the_definition(toy: Path) -> None:
    definition = Template(toy).state_machines["FlowStateMachine"].definition
    assert '"arn:aws:lambda:us-east-1:123456789012:function:ActFunction"' in definition
    assert "${" not in definition


def test_a_missing_substitution_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"x": "${Lost}"}', encoding="utf-8")
    template = write(tmp_path, "  M: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: m.json}}")
    with pytest.raises(TemplateError, match="Lost"):
        _ = template.state_machines


def test_conditions_choose(tmp_path: Path) -> None:
    template = write(
        tmp_path,
        "  B: {Type: AWS::S3::Bucket, Properties: {BucketName: !If [Big, !Join ['-', [a, !Ref Size]], small]}}",
        "Parameters: {Size: {Default: '5'}}\nConditions: {Big: !Not [!Equals [!Ref Size, '0']]}",
    )
    assert template.buckets["B"].name == "a-5"


def test_an_unknown_reference_is_named(tmp_path: Path) -> None:
    template = write(tmp_path, "  B: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Nobody}}")
    with pytest.raises(TemplateError, match="Nobody"):
        _ = template.buckets


def test_the_rule_that_sam_makes_of_a_schedule_has_its_name(tmp_path: Path) -> None:
    function = "F: {Type: AWS::Serverless::Function, Properties: {Events: {Clock: {Type: Schedule}}}}"
    template = write(tmp_path, f"  {function}\n  B: {{Type: AWS::S3::Bucket, Properties: {{BucketName: !Ref FClock}}}}")

    assert template.buckets["B"].name == "FClock"


def test_a_nested_stack_knows_what_it_is_given(toy: Path) -> None:
    template = Template(toy)
    function = template.functions["HearFunction"]
    assert function.environment == {"HEARD_TABLE": "HeardTable"}
    assert function.directory == toy.parent / "functions/hear"
    assert template.queue_events == (
        QueueEvents("HearFunction", "arn:aws:sqs:us-east-1:123456789012:EarQueue", 100, 30.0, reports_failures=True),
    )
    assert template.schedules == (Schedule("HearFunction", 6 * 3600.0, None),)
    assert template.queues["EarQueue"].url == "https://sqs.us-east-1.amazonaws.com/123456789012/EarQueue"


NESTED = """
  A: {Type: AWS::Serverless::Application, Properties: {Location: a.yaml, Parameters: {X: !GetAtt Z.Outputs.Name}}}
  Z: {Type: AWS::Serverless::Application, Properties: {Location: z.yaml}}
"""
SISTERS = {
    "a.yaml": "Parameters: {X: {}}\nResources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref X}}}",
    "z.yaml": "Resources: {Q: {Type: AWS::SQS::Queue}}\nOutputs: {Name: {Value: !GetAtt Q.QueueName}}",
}


def test_an_output_of_one_nested_stack_is_a_parameter_of_another(tmp_path: Path) -> None:
    for name, text in SISTERS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert write(tmp_path, NESTED).buckets["B"].name == "Q"


def test_a_missing_output_is_named(tmp_path: Path) -> None:
    for name, text in SISTERS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match="no output Lost"):
        _ = write(tmp_path, NESTED.replace("Outputs.Name", "Outputs.Lost")).buckets


def test_a_resource_whose_condition_fails_is_not_there(tmp_path: Path) -> None:
    conditions = "Conditions: {Never: !Equals [a, b]}"
    buckets = "  B: {Type: AWS::S3::Bucket, Condition: Never}\n  C: {Type: AWS::S3::Bucket}"
    assert set(write(tmp_path, buckets, conditions).buckets) == {"C"}


@pytest.mark.parametrize(
    ("expression", "seconds"), [("rate(1 minute)", 60), ("rate(6 hours)", 21_600), ("cron(0 5 * * ? *)", 86_400)]
)
def test_schedules_have_a_period(expression: str, seconds: float) -> None:
    assert seconds_of(expression) == seconds


def test_a_schedule_that_is_none_is_refused() -> None:
    with pytest.raises(TemplateError, match="every day"):
        seconds_of("every day")


def test_the_deployed_template_can_be_read() -> None:
    template = Template(REPOSITORY_TEMPLATE)
    assert {route.path for route in template.routes} >= {"/tesscut/api/v0.1/sector", "/tesscut/api/v0.1/astrocut"}
    assert template.binary_types == ("*/*",)
    assert set(template.buckets) >= {"FfiBucket", "CubeBucket", "ResultBucket"}
    for function in template.functions.values():
        assert (function.directory / "app.py").exists()
        assert [path.parts[-2:] for path in function.layers] == [("engine", "src"), ("shared", "src")]
    machines = {
        "CubeBuildStateMachine",
        "FootprintIndexStateMachine",
        "ImageIndexStateMachine",
        "CutoutJobStateMachine",
        "BulkJobStateMachine",
    }
    assert set(template.state_machines) == machines
    assert [(events.function, events.batch_size) for events in template.queue_events] == [("IngestFunction", 1000)]
    assert {schedule.target.rsplit(":", 1)[-1] for schedule in template.schedules} == {
        "CleanCubesFunction",
        "IngestFunction",
        "FootprintIndexStateMachine",
        "ImageIndexStateMachine",
        "TendJobsFunction",
        "TendBulkFunction",
        "LimitSpendingFunction",
    }
    assert (
        template.functions["IngestFunction"]
        .environment["TESSERA_CUBE_BUILD_MACHINE"]
        .endswith(":stateMachine:CubeBuildStateMachine")
    )
