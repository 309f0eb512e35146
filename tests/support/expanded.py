"""The root template and its nested stacks as SAM expands them on AWS, for the parameters that an operator gives.

SAM's translator comes with the environment of sam: `make .venv-sam/.done`, which `make template` does.
"""

import json
import re
import subprocess
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.template.documents import ROOT, Json, load

TRANSLATOR = ROOT / "tests/support/sam_translate.py"
SAM_PYTHON = ROOT / ".venv-sam/bin/python"
ROOT_STACK = "Root"
NESTED = "AWS::Serverless::Application"
REGION = "us-east-1"
_LOCAL_PATHS = ("CodeUri", "ContentUri", "DefinitionUri", "Location")
_PSEUDO = {"AWS::Region": REGION, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
_NOTHING = {"Ref": "AWS::NoValue"}


@dataclass(frozen=True)
class Stack:
    """A template after SAM's translator, and the values of its parameters.

    Attributes
    ----------
    template
        Expanded, with its conditions, parameters and functions of CloudFormation as they are.
    values
        A text for a parameter that is known before anything is created. Otherwise the reference that the owner gives,
        such as `{"Fn::GetAtt": ["QueueStack", "Outputs.IngestQueueArn"]}`.
    """

    template: Json
    values: dict[str, Any]


def expanded(**parameters: str | int) -> dict[str, Json]:
    """Expand the root template and its nested stacks, and resolve what the parameters decide.

    Parameters
    ----------
    **parameters
        Parameters of the root template. Those that are left out have their defaults. `AWS::Region` and
        `AWS::Partition` are allowed too.

    Returns
    -------
    dict
        Templates by the logical id of the nested stack; the root is `Root`. Resources and outputs whose condition is
        false are gone, `Fn::If` is its branch, and references to parameters with a known value are the value.
        References to resources, to outputs of other stacks and to pseudo parameters stay.

    Raises
    ------
    KeyError
        The root template has no such parameter.
    """
    return {name: resolved(stack) for name, stack in translated(**parameters).items()}


def translated(**parameters: str | int) -> dict[str, Stack]:
    """Expand the root template and its nested stacks, with all conditions and parameters still in them.

    Arguments, keys and errors are those of `expanded`.
    """
    return deepcopy(_translated(tuple(sorted((name, str(value)) for name, value in parameters.items()))))


@cache
def _translated(given: tuple[tuple[str, str], ...]) -> dict[str, Stack]:
    document = load()
    root = values_of(document, dict(given))
    sources = {ROOT_STACK: (document, root)}
    for name, body in document["Resources"].items():
        if body["Type"] == NESTED and _holds(document, root, body.get("Condition")):
            nested = load(str(body["Properties"]["Location"]))
            passed = _resolve(body["Properties"].get("Parameters", {}), document, root)
            sources[name] = (nested, values_of(nested, passed) | _pseudo(root))
    pairs = [[_packaged(source), _texts(values)] for source, values in sources.values()]
    if not SAM_PYTHON.exists():
        raise FileNotFoundError("the tests of the expanded templates need SAM: make .venv-sam/.done")
    done = subprocess.run(
        [SAM_PYTHON, TRANSLATOR], input=json.dumps(pairs), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"SAM cannot expand the templates: {done.stderr[-2000:]}")
    return {
        name: Stack(template, values)
        for (name, (_, values)), template in zip(sources.items(), json.loads(done.stdout), strict=True)
    }


def values_of(document: Json, given: Json) -> Json:
    """Values of the parameters of a template: those that are given, and the defaults of the others."""
    declared = document.get("Parameters", {})
    if unknown := set(given) - set(declared) - set(_PSEUDO):
        raise KeyError(f"{document['Description']!r} has no parameter {', '.join(sorted(unknown))}")
    return {name: given.get(name, str(spec.get("Default", ""))) for name, spec in declared.items()} | _pseudo(given)


def _pseudo(values: Json) -> Json:
    return {name: value for name, value in values.items() if name in _PSEUDO}


def _texts(values: Json) -> Json:
    """Values that are known now. The translator leaves references to the others as they are."""
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _packaged(document: Json) -> Json:
    """A template whose local paths are objects in a bucket, as `sam package` leaves it."""
    packaged = deepcopy(document)
    for body in packaged["Resources"].values():
        for key in _LOCAL_PATHS:
            if isinstance(body.get("Properties", {}).get(key), str):
                body["Properties"][key] = f"s3://packages/{body['Properties'][key].replace('../', '')}"
    return packaged


def resolved(stack: Stack) -> Json:
    """Resolve the conditions of an expanded template, and its references to parameters whose values are known.

    Parameters
    ----------
    stack
        A stack of `translated`.

    Returns
    -------
    dict
        The template, as `expanded` describes it.
    """
    template, values = stack.template, stack.values
    kept = {key: value for key, value in template.items() if key not in ("Conditions", "Resources", "Outputs")}
    for section in ("Resources", "Outputs"):
        kept[section] = {
            name: _resolve({key: value for key, value in body.items() if key != "Condition"}, template, values)
            for name, body in template.get(section, {}).items()
            if _holds(template, values, body.get("Condition"))
        }
    return kept


def origin(stacks: dict[str, Stack], name: str, value: Any) -> tuple[str, Any]:
    """Follow a reference through parameters of nested stacks and outputs of others, to where it comes from.

    Parameters
    ----------
    stacks
        What `translated` returns.
    name
        Stack that has the reference.
    value
        An expression of its template, such as `{"Ref": "CutoutApiName"}`.

    Returns
    -------
    tuple
        The stack that the value comes from, and its expression there.
    """
    value = _resolve(value, stacks[name].template, stacks[name].values)
    if not isinstance(value, dict):
        return name, value
    if name != ROOT_STACK and value.get("Ref") in stacks[name].values:
        return origin(stacks, ROOT_STACK, stacks[name].values[value["Ref"]])
    nested, attribute = value.get("Fn::GetAtt", ["", ""])
    if nested in stacks and attribute.startswith("Outputs."):
        return origin(stacks, nested, stacks[nested].template["Outputs"][attribute[8:]]["Value"])
    return name, value


def _holds(template: Json, values: Json, condition: str | None) -> bool:
    return condition is None or is_true(template["Conditions"][condition], template, values)


def is_true(expression: Json, template: Json, values: Json) -> bool:
    """Whether a condition of a template, or what a rule asserts, holds for the values of its parameters."""
    ((function, arguments),) = expression.items()
    if function == "Condition":
        return _holds(template, values, arguments)
    if function == "Fn::Equals":
        one, other = (_resolve(argument, template, _PSEUDO | values) for argument in arguments)
        return bool(one == other)  # what a resource gives is no fixed text
    truths = [is_true(argument, template, values) for argument in arguments]
    return {"Fn::Not": not truths[0], "Fn::And": all(truths), "Fn::Or": any(truths)}[function]


def _resolve(value: Any, template: Json, values: Json) -> Any:
    if isinstance(value, list):
        items = [_resolve(item, template, values) for item in value]
        return [item for item in items if item != _NOTHING]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        return _resolve(yes if _holds(template, values, condition) else no, template, values)
    if "Ref" in value:
        known = values.get(value["Ref"])
        return known if isinstance(known, str) else value
    resolved = {key: _resolve(item, template, values) for key, item in value.items()}
    kept = {key: item for key, item in resolved.items() if item != _NOTHING}
    function = next(iter(kept), "")
    return _TEXTS[function](kept[function], kept, values) if function in _TEXTS and len(kept) == 1 else kept


def _sub(arguments: Any, items: Json, values: Json) -> Any:
    text, own = arguments if isinstance(arguments, list) else (arguments, {})
    known = _texts(values) | _texts(own)
    text = re.sub(r"\$\{([\w:]+)\}", lambda match: known.get(match[1], match[0]), text)
    own = {name: value for name, value in own.items() if f"${{{name}}}" in text}
    if "${" not in text:
        return text
    return {**items, "Fn::Sub": [text, own] if own else text}


def _join(arguments: Any, items: Json, _: Json) -> Any:
    between, texts = arguments
    if isinstance(texts, list) and all(isinstance(text, str) for text in texts):
        return between.join(texts)
    return items


def _split(arguments: Any, items: Json, _: Json) -> Any:
    between, text = arguments
    return text.split(between) if isinstance(text, str) else items


def _select(arguments: Any, items: Json, _: Json) -> Any:
    index, options = arguments
    if isinstance(options, list) and all(isinstance(option, str) for option in options):
        return options[int(index)]
    return items


_TEXTS = {"Fn::Sub": _sub, "Fn::Join": _join, "Fn::Split": _split, "Fn::Select": _select}
