"""Reads a template and its nested stacks, and resolves those functions of CloudFormation that one machine needs."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ACCOUNT = "123456789012"
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
FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"
MACHINE = "AWS::Serverless::StateMachine"
NESTED = "AWS::Serverless::Application"
BUCKET = "AWS::S3::Bucket"
QUEUE = "AWS::SQS::Queue"
TABLE = "AWS::DynamoDB::Table"
API = "AWS::Serverless::Api"
DISTRIBUTION = "AWS::CloudFront::Distribution"

_NAMES = {FUNCTION: "FunctionName", BUCKET: "BucketName", MACHINE: "Name", QUEUE: "QueueName", TABLE: "TableName"}
_ARNS = {
    FUNCTION: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:",
    BUCKET: "arn:aws:s3:::",
    MACHINE: f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:",
    QUEUE: f"arn:aws:sqs:{REGION}:{ACCOUNT}:",
    TABLE: f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/",
}
_REFERENCES = {
    MACHINE: _ARNS[MACHINE],
    QUEUE: f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/",
}
"""Text before the name in the value of a Ref. For other resources the value is the name alone."""


class TemplateError(ValueError):
    """The template has something that the one-machine stack cannot run."""


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


class Document:
    """One file: the root template or a nested stack, with the values of its parameters.

    Parameters
    ----------
    path
        Path of the file. Paths in it are relative to its folder.
    parameters
        Values of its parameters.
    preferred
        Values of parameters that it may or may not have.
    """

    def __init__(
        self, path: Path, parameters: Mapping[str, Any] | None = None, preferred: Mapping[str, Any] | None = None
    ) -> None:
        self.folder = path.resolve().parent
        content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - derives from SafeLoader
        self.resources: dict[str, dict[str, Any]] = content["Resources"]
        self.function_globals: dict[str, Any] = (content.get("Globals") or {}).get("Function") or {}
        self._conditions, self._outputs = content.get("Conditions", {}), content.get("Outputs", {})
        self._opened: dict[str, Document] = {}
        declared = content.get("Parameters", {})
        if unknown := set(parameters or {}) - set(declared):
            raise TemplateError(f"{path.name} has no parameter {', '.join(sorted(unknown))}")
        defaults = {name: spec.get("Default", "") for name, spec in declared.items()} | dict(preferred or {})
        self._parameters = {name: defaults[name] for name in declared} | dict(parameters or {})

    def walk(self) -> Iterator["Document"]:
        """Yield the document itself and all nested ones."""
        yield self
        for logical, _ in self.of_type(NESTED):
            yield from self._nested(logical).walk()

    def of_type(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Resources of a type whose conditions hold."""
        return [
            (logical, spec)
            for logical, spec in self.resources.items()
            if spec["Type"] == kind and ("Condition" not in spec or self._condition(spec["Condition"]))
        ]

    def name(self, logical: str) -> str:
        """Physical name: the name in the template, or a name made of the logical id."""
        kind, properties = self.resources[logical]["Type"], self.resources[logical].get("Properties") or {}
        if _NAMES.get(kind) in properties:
            return str(self.resolve(properties[_NAMES[kind]]))
        return "tessera-" + re.sub(r"(?<!^)(?=[A-Z])", "-", logical).lower() if kind == BUCKET else logical

    def arn(self, logical: str) -> str:
        """ARN of a resource."""
        kind = self.resources[logical]["Type"]
        return _ARNS.get(kind, f"arn:aws:local:{REGION}:{ACCOUNT}:") + self.name(logical)

    def resolve(self, value: Any) -> Any:
        """Resolve intrinsic functions, inside out."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            key, argument = next(iter(value.items()))
            if key == "Ref":
                return self._reference(argument)
            if key.startswith("Fn::"):
                return self._intrinsic(key[4:], argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not None}

    def _nested(self, logical: str) -> "Document":
        """A nested stack. It is opened on first use, because a parameter may be the output of another stack."""
        if logical not in self._opened:
            properties = self.resources[logical]["Properties"]
            given = self.resolve(properties.get("Parameters", {}))
            self._opened[logical] = Document(self.folder / properties["Location"], given)
        return self._opened[logical]

    def _output(self, name: str) -> Any:
        if name not in self._outputs:
            raise TemplateError(f"a nested stack has no output {name}")
        return self.resolve(self._outputs[name]["Value"])

    def _intrinsic(self, name: str, argument: Any) -> Any:
        known: dict[str, Callable[[Any], Any]] = {
            "GetAtt": lambda pair: self._attribute(*pair),
            "Sub": self._substitute,
            "Join": lambda pair: pair[0].join(map(as_text, self.resolve(pair[1]))),
            "Select": lambda pair: self.resolve(pair[1])[int(pair[0])],
            "Split": lambda pair: str(self.resolve(pair[1])).split(pair[0]),
            "If": lambda triple: self.resolve(triple[1] if self._condition(triple[0]) else triple[2]),
            "Equals": lambda pair: as_text(self.resolve(pair[0])) == as_text(self.resolve(pair[1])),
            "Not": lambda one: not self._truth(one[0]),
            "And": lambda several: all(map(self._truth, several)),
            "Or": lambda several: any(map(self._truth, several)),
        }
        if name not in known:
            raise TemplateError(f"template uses Fn::{name}, which the one-machine stack does not resolve")
        return known[name](argument)

    def _condition(self, name: str) -> bool:
        return bool(self.resolve(self._conditions[name]))

    def _truth(self, value: dict[str, Any]) -> bool:
        return self._condition(value["Condition"]) if "Condition" in value else bool(self.resolve(value))

    def _is_event(self, name: str) -> bool:
        """Whether SAM makes a resource of this name for an event of a function, such as the rule of a schedule."""
        functions = {key: body for key, body in self.resources.items() if body.get("Type") == FUNCTION}
        return any(
            name == key + event for key, body in functions.items() for event in body["Properties"].get("Events", {})
        )

    def _reference(self, name: str) -> Any:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self._parameters:
            return self._parameters[name]
        function = name.removesuffix(".Alias")
        if function != name and self.resources.get(function, {}).get("Type") == FUNCTION:
            return self.arn(function)  # one machine has one version of a function
        if self._is_event(name):
            return name
        if name not in self.resources:
            raise TemplateError(f"template refers to {name}, which it does not define")
        return _REFERENCES.get(self.resources[name]["Type"], "") + self.name(name)

    def _attribute(self, logical: str, attribute: str) -> str:
        if logical in self.resources and self.resources[logical]["Type"] == NESTED:
            return as_text(self._nested(logical)._output(attribute.removeprefix("Outputs.")))  # noqa: SLF001 - same class
        name = self._reference(logical)
        if attribute == "Arn":
            return self.arn(logical)
        named = ("Name", "FunctionName", "BucketName", "QueueName")
        return self.name(logical) if attribute in named else f"{name}.{attribute}"

    def _substitute(self, argument: Any) -> str:
        text, extra = argument if isinstance(argument, list) else (argument, {})

        def value_of(match: re.Match[str]) -> str:
            name = match[1]
            if name in extra:
                return as_text(self.resolve(extra[name]))
            if "." in name and name.split(".")[0] in self.resources:
                return self._attribute(*name.split(".", 1))
            return as_text(self._reference(name))

        return re.sub(r"\$\{([\w:.]+)\}", value_of, text)


def as_text(value: Any) -> str:
    """Text of a value in an environment variable or a substitution."""
    return str(value).lower() if isinstance(value, bool) else str(value)
