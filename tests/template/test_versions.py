"""Whoever calls a function calls its alias, and a deployment moves the alias to a version of its own build."""

import json
from pathlib import Path

import pytest
import yaml

from tests.support.expanded import expanded, origin, translated
from tests.template.documents import ROOT, Json, functions
from tools.stamp_build import stamp

BOTH = pytest.mark.parametrize("gradual", ["no", "yes"])


def _of_type(template: Json, kind: str) -> dict[str, Json]:
    return {name: body for name, body in template["Resources"].items() if body["Type"] == kind}


def _every(kind: str, gradual: str) -> dict[str, Json]:
    stacks = expanded(GradualDeployment=gradual).values()
    return {name: body for template in stacks for name, body in _of_type(template, kind).items()}


def _stack_of(resource: str, gradual: str) -> str:
    (stack,) = [
        name for name, template in expanded(GradualDeployment=gradual).items() if resource in template["Resources"]
    ]
    return stack


@BOTH
def test_every_function_has_the_alias_live_of_its_newest_version(gradual: str) -> None:
    aliases, versions = _every("AWS::Lambda::Alias", gradual), _every("AWS::Lambda::Version", gradual)
    pointed = {body["Properties"]["FunctionName"]["Ref"]: body["Properties"] for body in aliases.values()}

    assert set(pointed) == set(_every("AWS::Lambda::Function", gradual)) == set(functions())
    for function, alias in pointed.items():
        version = alias["FunctionVersion"]["Fn::GetAtt"][0]
        assert (alias["Name"], versions[version]["Properties"]["FunctionName"]) == ("live", {"Ref": function})


@BOTH
def test_old_versions_are_deleted_after_a_deployment(gradual: str) -> None:
    policies = {body["DeletionPolicy"] for body in _every("AWS::Lambda::Version", gradual).values()}
    assert policies == {"Delete"}


@BOTH
def test_state_machines_may_call_aliases_and_call_nothing_else(gradual: str) -> None:
    aliases = _every("AWS::Lambda::Alias", gradual)
    for name, machine in _every("AWS::StepFunctions::StateMachine", gradual).items():
        given = machine["Properties"]["DefinitionSubstitutions"]
        called = [value for key, value in given.items() if key.endswith("FunctionArn")]
        role = _every("AWS::IAM::Role", gradual)[f"{name}Role"]["Properties"]
        statements = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
        allowed = [each["Resource"] for each in statements if each["Action"] == "lambda:InvokeFunction"]
        assert [called] == allowed
        stack = _stack_of(name, gradual)
        origins = [origin(translated(GradualDeployment=gradual), stack, value)[1] for value in called]
        assert {value["Ref"] for value in origins} <= set(aliases)


@BOTH
def test_routes_queues_and_schedules_call_aliases(gradual: str) -> None:
    for template in expanded(GradualDeployment=gradual).values():
        aliases = _of_type(template, "AWS::Lambda::Alias")
        for body in _of_type(template, "AWS::Lambda::Permission").values():
            assert body["Properties"]["FunctionName"]["Ref"] in aliases
        for body in _of_type(template, "AWS::Lambda::EventSourceMapping").values():
            assert body["Properties"]["FunctionName"]["Ref"] in aliases
        for api in _of_type(template, "AWS::ApiGateway::RestApi").values():
            text = json.dumps(api["Properties"]["Body"])
            assert text.count("/invocations") == text.count("Aliaslive}/invocations") > 0


def test_an_api_gets_a_new_version_step_by_step_and_goes_back_when_it_fails() -> None:
    for template in expanded(GradualDeployment="yes").values():
        routed = set(filter(_answers, _of_type(template, "AWS::Lambda::Function")))
        alarms = _of_type(template, "AWS::CloudWatch::Alarm")
        groups = _of_type(template, "AWS::CodeDeploy::DeploymentGroup")
        policies = {
            body["Properties"]["FunctionName"]["Ref"]: body["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
            for body in _of_type(template, "AWS::Lambda::Alias").values()
            if "UpdatePolicy" in body
        }
        assert set(policies) == routed
        for function, policy in policies.items():
            group = groups[policy["DeploymentGroupName"]["Ref"]]["Properties"]
            (alarm,) = group["AlarmConfiguration"]["Alarms"]
            watched = json.dumps(alarms[alarm["Name"]["Ref"]]["Properties"])
            assert json.dumps({"Name": "FunctionName", "Value": {"Ref": function}}) in watched
            assert f"${{{function}}}:live" in watched
            assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
            assert "Canary10Percent5Minutes" in json.dumps(group["DeploymentConfigName"])


def _answers(name: str) -> bool:
    return any(event["Type"] == "Api" for event in functions()[name].get("Events", {}).values())


def test_without_gradual_deployment_there_is_no_codedeploy() -> None:
    kinds = {body["Type"] for template in expanded().values() for body in template["Resources"].values()}
    assert [kind for kind in kinds if kind.startswith("AWS::CodeDeploy")] == []


def test_a_build_gets_versions_of_its_own(tmp_path: Path) -> None:
    templates = [path for path in (ROOT / "stacks").glob("*.yaml") if "AWS::Serverless::Function" in path.read_text()]
    for path in templates:
        (tmp_path / path.stem).mkdir()
        (tmp_path / path.stem / "template.yaml").write_text(path.read_text())
    assert stamp(tmp_path, "b20261126T120000") == len(templates) > 0
    for path in templates:
        source, built = (file.read_text() for file in (path, tmp_path / path.stem / "template.yaml"))
        assert "RELEASE: source\n" in source
        assert built == source.replace("RELEASE: source\n", "RELEASE: b20261126T120000\n")
        yaml.parse(built)


def test_a_folder_without_built_templates_is_noticed(tmp_path: Path) -> None:
    assert stamp(tmp_path, "b20261126T120000") == 0
