"""Read `template.yaml` as CloudFormation would, as far as one machine needs it.

Intrinsic functions are resolved with the parameters' defaults; functions, buckets, routes and state machines come out
as frozen values. Nothing of the template is repeated here: what is deployed is what runs.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ACCOUNT = "000000000000"
REGION = "us-east-1"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "tessera",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/tessera/local",
    "AWS::NoValue": None,
}
_FUNCTION = "AWS::Serverless::Function"
_LAYER = "AWS::Serverless::LayerVersion"
_MACHINE = "AWS::Serverless::StateMachine"
_BUCKET = "AWS::S3::Bucket"


class TemplateError(ValueError):
    """The template has something that the one-machine stack cannot run."""


@dataclass(frozen=True)
class Route:
    """One API event of a function."""

    method: str
    """Lower case, or ``any``."""
    path: str
    """Resource path with its ``{placeholders}``."""
    function: str
    stage: str


@dataclass(frozen=True)
class Function:
    """A Lambda function as deployed."""

    name: str
    directory: Path
    handler: str
    memory_mb: int
    timeout_seconds: float
    environment: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    """Source directories of its layers that have Python sources in the repository."""

    @property
    def arn(self) -> str:
        """Unqualified ARN."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"


@dataclass(frozen=True)
class Bucket:
    """A bucket with the lifecycle rules of the template, in the shape of CloudFormation."""

    logical_id: str
    name: str
    lifecycle_rules: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class StateMachine:
    """A state machine with its substitutions filled in."""

    logical_id: str
    name: str
    definition: str

    @property
    def arn(self) -> str:
        """ARN that it gets when created under its name."""
        return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{self.name}"


class _Loader(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation's functions."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


class Template:
    """A parsed template; every accessor resolves on demand.

    Parameters
    ----------
    path
        The file; CodeUri and DefinitionUri are relative to its folder.
    parameters
        Values that replace the defaults of the template's parameters.
    """

    def __init__(self, path: Path, parameters: Mapping[str, str] | None = None) -> None:
        self._root = path.resolve().parent
        self._document: dict[str, Any] = yaml.load(path.read_text(), _Loader)  # noqa: S506 - derives from SafeLoader
        declared = self._document.get("Parameters", {})
        self._parameters = {name: spec.get("Default", "") for name, spec in declared.items()}
        unknown = set(parameters or {}) - set(declared)
        if unknown:
            raise TemplateError(f"template has no parameter {', '.join(sorted(unknown))}")
        self._parameters |= parameters or {}

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Functions by name."""
        functions = (self._function(logical, spec) for logical, spec in self._of_type(_FUNCTION))
        return {function.name: function for function in functions}

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Every API event of every function."""
        return tuple(
            Route(
                event["Properties"]["Method"].lower(), event["Properties"]["Path"], self._name(logical), self._stage()
            )
            for logical, spec in self._of_type(_FUNCTION)
            for event in spec["Properties"].get("Events", {}).values()
            if event["Type"] == "Api"
        )

    @cached_property
    def buckets(self) -> dict[str, Bucket]:
        """Buckets by logical id."""
        return {logical: self._bucket(logical, spec) for logical, spec in self._of_type(_BUCKET)}

    @cached_property
    def state_machines(self) -> dict[str, StateMachine]:
        """State machines by logical id."""
        return {logical: self._state_machine(logical, spec) for logical, spec in self._of_type(_MACHINE)}

    def _of_type(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        return [(name, spec) for name, spec in self._document["Resources"].items() if spec["Type"] == kind]

    def _globals(self) -> dict[str, Any]:
        return self._document.get("Globals", {}).get("Function", {}) or {}

    def _stage(self) -> str:
        apis = self._of_type("AWS::Serverless::Api")
        return str(self._resolve(apis[0][1]["Properties"].get("StageName", "Prod"))) if apis else "Prod"

    def _function(self, logical: str, spec: dict[str, Any]) -> Function:
        merged = self._globals() | spec["Properties"]
        variables: dict[str, Any] = {}
        for source in (self._globals(), spec["Properties"]):
            variables |= source.get("Environment", {}).get("Variables", {})
        layers = [*self._globals().get("Layers", []), *spec["Properties"].get("Layers", [])]
        return Function(
            name=self._name(logical),
            directory=self._root / str(self._resolve(merged["CodeUri"])),
            handler=str(self._resolve(merged["Handler"])),
            memory_mb=int(self._resolve(merged.get("MemorySize", 128))),
            timeout_seconds=float(self._resolve(merged.get("Timeout", 3))),
            environment={name: _text(self._resolve(value)) for name, value in variables.items()},
            layers=tuple(path for layer in layers for path in self._layer_sources(layer)),
        )

    def _layer_sources(self, layer: Any) -> list[Path]:
        logical = layer.get("Ref", "") if isinstance(layer, dict) else ""
        spec = self._document["Resources"].get(logical, {})
        if spec.get("Type") != _LAYER:
            return []
        folder = self._root / str(self._resolve(spec["Properties"]["ContentUri"]))
        return [path for path in (folder / "src", folder / "python") if path.is_dir()]

    def _bucket(self, logical: str, spec: dict[str, Any]) -> Bucket:
        properties = spec.get("Properties", {}) or {}
        rules = self._resolve(properties.get("LifecycleConfiguration", {})).get("Rules", [])
        return Bucket(logical, self._name(logical), tuple(rules))

    def _state_machine(self, logical: str, spec: dict[str, Any]) -> StateMachine:
        properties = spec["Properties"]
        text = (self._root / properties["DefinitionUri"]).read_text()
        for name, value in properties.get("DefinitionSubstitutions", {}).items():
            text = text.replace(f"${{{name}}}", _text(self._resolve(value)))
        if missing := re.findall(r"\$\{(\w+)\}", text):
            raise TemplateError(f"{properties['DefinitionUri']}: no substitution for {', '.join(sorted(set(missing)))}")
        json.loads(text)
        return StateMachine(logical, self._name(logical), text)

    def _name(self, logical: str) -> str:
        """The physical name: the one given in the template, or one made from the logical id."""
        spec = self._document["Resources"][logical]
        properties = spec.get("Properties", {}) or {}
        for key in ("FunctionName", "BucketName", "Name"):
            if key in properties and spec["Type"] in (_FUNCTION, _BUCKET, _MACHINE):
                return str(self._resolve(properties[key]))
        if spec["Type"] == _BUCKET:
            return "tessera-" + re.sub(r"(?<!^)(?=[A-Z])", "-", logical).lower()
        return logical

    def _resolve(self, value: Any) -> Any:
        """Resolve intrinsic functions, inside out."""
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            key, argument = next(iter(value.items()))
            if key == "Ref":
                return self._reference(argument)
            if key.startswith("Fn::"):
                return self._intrinsic(key[4:], argument)
        resolved = {key: self._resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not None}

    def _intrinsic(self, name: str, argument: Any) -> Any:
        known: dict[str, Callable[[Any], Any]] = {
            "GetAtt": lambda pair: self._attribute(*pair),
            "Sub": self._substitute,
            "Join": lambda pair: pair[0].join(map(_text, self._resolve(pair[1]))),
            "Select": lambda pair: self._resolve(pair[1])[int(pair[0])],
            "If": lambda triple: self._resolve(triple[1] if self._condition(triple[0]) else triple[2]),
            "Equals": lambda pair: self._resolve(pair[0]) == self._resolve(pair[1]),
            "Not": lambda one: not self._truth(one[0]),
            "And": lambda several: all(map(self._truth, several)),
            "Or": lambda several: any(map(self._truth, several)),
        }
        if name not in known:
            raise TemplateError(f"template uses Fn::{name}, which the one-machine stack does not resolve")
        return known[name](argument)

    def _condition(self, name: str) -> bool:
        return bool(self._resolve(self._document["Conditions"][name]))

    def _truth(self, value: dict[str, Any]) -> bool:
        return self._condition(value["Condition"]) if "Condition" in value else bool(self._resolve(value))

    def _reference(self, name: str) -> Any:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self._parameters:
            return self._parameters[name]
        spec = self._document["Resources"].get(name)
        if spec is None:
            raise TemplateError(f"template refers to {name}, which it does not define")
        if spec["Type"] == _MACHINE:
            return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{self._name(name)}"
        return self._name(name)

    def _attribute(self, logical: str, attribute: str) -> str:
        name, kind = self._reference(logical), self._document["Resources"][logical]["Type"]
        if attribute != "Arn":
            return name if attribute in ("Name", "FunctionName", "BucketName") else f"{name}.{attribute}"
        service = {_FUNCTION: f"lambda:{REGION}:{ACCOUNT}:function:", _BUCKET: "s3:::"}.get(kind)
        if kind == _MACHINE:
            return str(name)
        return f"arn:aws:{service}{name}" if service else f"arn:aws:local:{REGION}:{ACCOUNT}:{name}"

    def _substitute(self, argument: Any) -> str:
        text, extra = argument if isinstance(argument, list) else (argument, {})

        def value_of(match: re.Match[str]) -> str:
            name = match[1]
            if name in extra:
                return _text(self._resolve(extra[name]))
            if "." in name and name.split(".")[0] in self._document["Resources"]:
                return self._attribute(*name.split(".", 1))
            return _text(self._reference(name))

        return re.sub(r"\$\{([\w:.]+)\}", value_of, text)


def _text(value: Any) -> str:
    """A value as an environment variable or a substitution shows it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
