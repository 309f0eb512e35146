"""What the repository deploys, as data: the template with its nested stacks, their resources, the state machines.

Logical ids are unique over all files, and a nested stack calls what it is given as its owner does. So the files are
read here as one.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
FILES = (TEMPLATE, *sorted(ROOT.glob("stacks/*.yaml")))
FILE_NAMES = tuple(str(path.relative_to(ROOT)) for path in FILES)

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
def load(name: str = "template.yaml") -> Json:
    """A file by its path in the repository."""
    document: Json = yaml.load((ROOT / name).read_text(encoding="utf-8"), Loader=TemplateLoader)
    return document


@cache
def all_resources() -> dict[str, Json]:
    """Resources of all files by logical id."""
    return {logical: body for name in FILE_NAMES for logical, body in load(name)["Resources"].items()}


def resources(kind: str) -> dict[str, Json]:
    """Properties of the resources of a type, by logical id."""
    return {name: body.get("Properties", {}) for name, body in all_resources().items() if body["Type"] == kind}


def file_of(logical: str) -> str:
    """The file that declares a resource."""
    return next(name for name in FILE_NAMES if logical in load(name)["Resources"])


def path_in_repository(logical: str, location: str) -> str:
    """A location relative to the file of a resource, as a path in the repository."""
    return str(((ROOT / file_of(logical)).parent / location).resolve().relative_to(ROOT))


def globals_of(name: str) -> Json:
    """What a file says of all its functions."""
    found: Json = load(name).get("Globals", {}).get("Function", {})
    return found


def functions() -> dict[str, Json]:
    """Properties of the functions with the global ones of their file filled in, by logical id."""
    found = {}
    for name, own in resources("AWS::Serverless::Function").items():
        found[name] = globals_of(file_of(name)) | own
        found[name]["CodeUri"] = path_in_repository(name, own["CodeUri"])
        found[name]["Variables"] = {
            **globals_of(file_of(name)).get("Environment", {}).get("Variables", {}),
            **own.get("Environment", {}).get("Variables", {}),
        }
    return found


def folder_of(function: str) -> str:
    """`BuildBlockFunction` lives in `build_block`, and so do its other sizes."""
    verb_noun = re.sub(r"(Medium|Large)?Function$", "", function)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", verb_noun).lower()


def machines() -> dict[str, Json]:
    return resources("AWS::Serverless::StateMachine")


def definition_text(machine: str) -> str:
    return (ROOT / path_in_repository(machine, machines()[machine]["DefinitionUri"])).read_text(encoding="utf-8")


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
    """The policy statements of a function, with those of managed policies and of policies attached to its role."""
    managed = resources("AWS::IAM::ManagedPolicy")
    found: list[Json] = []
    for either in functions()[function]["Policies"]:
        policy = either["Fn::If"][1] if "Fn::If" in either else either
        document = managed[policy["Ref"]]["PolicyDocument"] if "Ref" in policy else policy
        found += document["Statement"]
    for attached in resources("AWS::IAM::Policy").values():
        if {"Ref": f"{function}Role"} in attached["Roles"]:
            found += attached["PolicyDocument"]["Statement"]
    return found


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
