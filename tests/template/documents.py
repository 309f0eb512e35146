"""What the repository deploys, as data: the template, its resources and the state machines."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"

Json = dict[str, Any]


class TemplateLoader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions as their long forms."""


def construct_function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Json:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if suffix == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


TemplateLoader.add_multi_constructor("!", construct_function)


@cache
def load_template() -> Json:
    template: Json = yaml.load(TEMPLATE.read_text(), Loader=TemplateLoader)
    return template


def resources(kind: str) -> dict[str, Json]:
    """Properties of the resources of a type, by logical id."""
    found = load_template()["Resources"].items()
    return {name: body["Properties"] for name, body in found if body["Type"] == kind}


def functions() -> dict[str, Json]:
    """Properties of the functions with the global ones filled in, by logical id."""
    defaults = load_template()["Globals"]["Function"]
    return {name: defaults | own for name, own in resources("AWS::Serverless::Function").items()}


def folder_of(function: str) -> str:
    """`BuildBlockFunction` lives in `build_block`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", function.removesuffix("Function")).lower()


def machines() -> dict[str, Json]:
    return resources("AWS::Serverless::StateMachine")


def definition_text(machine: str) -> str:
    return (ROOT / str(machines()[machine]["DefinitionUri"])).read_text()


def state_groups(definition: Json) -> list[Json]:
    """The machine itself and the processors of its Maps and branches: each has StartAt and States."""
    groups = [definition]
    for state in definition["States"].values():
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
        for group in inner + state.get("Branches", []):
            groups += state_groups(group)
    return groups


def states(machine: str) -> dict[str, Json]:
    """Every state of a machine, inner ones included, by name."""
    definition = json.loads(definition_text(machine))
    return {name: state for group in state_groups(definition) for name, state in group["States"].items()}


def statements(function: str) -> list[Json]:
    """The policy statements of a function, its own managed policies included."""
    managed = resources("AWS::IAM::ManagedPolicy")
    found: list[Json] = []
    for policy in functions()[function]["Policies"]:
        document = managed[policy["Ref"]]["PolicyDocument"] if "Ref" in policy else policy
        found += document["Statement"]
    return found


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
