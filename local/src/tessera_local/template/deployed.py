"""Everything that `template.yaml` and its nested stacks deploy, as frozen values.

Nothing of the template is repeated here, so one machine runs exactly the deployed template.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tessera_local.template.documents import (
    ACCOUNT,
    API,
    BUCKET,
    DISTRIBUTION,
    FUNCTION,
    LAYER,
    MACHINE,
    QUEUE,
    REGION,
    TABLE,
    Document,
    TemplateError,
    as_text,
)
from tessera_local.template.page import Page, page_of

__all__ = ["ACCOUNT", "REGION", "TemplateError"]

_SIMPLE = {"CodeUri", "Handler", "MemorySize", "Timeout", "ReservedConcurrentExecutions", "EphemeralStorage"}
_EVENTS = {"DeadLetterQueue", "EventInvokeConfig"}
_UNITS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}


@dataclass(frozen=True)
class Route:
    """One API event of a function."""

    method: str
    """HTTP method in lower case, or ``any``."""
    path: str
    """Resource path with its ``{placeholders}``."""
    function: str
    stage: str


@dataclass(frozen=True)
class Function:
    """A deployed Lambda function."""

    name: str
    directory: Path
    handler: str
    memory_mb: int
    timeout_seconds: float
    environment: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    """Folders with the Python sources of its layers, if the repository has them."""
    reserved: int | None = None
    """Concurrency that is reserved for it; None if none is."""
    temporary_mb: int = 512
    """Size of its temporary folder."""
    retries: int = 2
    """How often an event that failed is tried again."""
    dead_letters: str | None = None
    """ARN of the queue that gets events that failed for the last time; None if none does."""

    @property
    def arn(self) -> str:
        """ARN without a qualifier."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"


@dataclass(frozen=True)
class Bucket:
    """A bucket with its lifecycle rules, notifications to queues and rules for other origins, as in CloudFormation."""

    logical_id: str
    name: str
    lifecycle_rules: tuple[Mapping[str, Any], ...] = ()
    notifications: tuple[Mapping[str, Any], ...] = ()
    cors_rules: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class StateMachine:
    """A state machine with its substitutions filled in."""

    logical_id: str
    name: str
    definition: str

    @property
    def arn(self) -> str:
        """ARN of the state machine that is created under its name."""
        return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{self.name}"


@dataclass(frozen=True)
class Queue:
    """A queue and its properties, in CloudFormation's form."""

    name: str
    arn: str
    url: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table of records and its properties, in CloudFormation's form."""

    name: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class QueueEvents:
    """A queue whose messages go to a function in batches."""

    function: str
    queue_arn: str
    batch_size: int
    window_seconds: float
    reports_failures: bool
    """Whether the function reports the messages of a batch that failed."""


@dataclass(frozen=True)
class Schedule:
    """A function, or a state machine by its ARN, that is started repeatedly."""

    target: str
    seconds: float
    event: Mapping[str, Any] | None
    """Event of the target; None for EventBridge's default event."""


class Template:
    """A template with its nested stacks. Each property is resolved when it is read.

    Parameters
    ----------
    path
        Root file.
    parameters
        Values of the root's parameters.
    preferred
        Values of parameters that the root may or may not have.
    """

    def __init__(
        self, path: Path, parameters: Mapping[str, str] | None = None, preferred: Mapping[str, str] | None = None
    ) -> None:
        self._root = Document(path, parameters, preferred)

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Functions by name."""
        functions = (self._function(document, logical, spec) for document, logical, spec in self._of_type(FUNCTION))
        return {function.name: function for function in functions}

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """All API events of all functions."""
        return tuple(
            Route(properties["Method"].lower(), properties["Path"], target, self._stage)
            for target, properties in self._events("Api")
        )

    @cached_property
    def gateway_responses(self) -> dict[str, Mapping[str, Any]]:
        """API Gateway's own answers by their type, in SAM's form; those of the first API."""
        return dict(self._api.get("GatewayResponses", {}))

    @cached_property
    def binary_types(self) -> tuple[str, ...]:
        """Media types whose bodies are bytes, such as ``*/*``; those of the first API."""
        return tuple(name.replace("~1", "/").lower() for name in self._api.get("BinaryMediaTypes", []))

    @cached_property
    def queue_events(self) -> tuple[QueueEvents, ...]:
        """All queues whose messages go to functions."""
        return tuple(
            QueueEvents(
                function=target,
                queue_arn=properties["Queue"],
                batch_size=int(properties.get("BatchSize", 10)),
                window_seconds=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
                reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            )
            for target, properties in self._events("SQS")
        )

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """All schedules of functions and state machines that are enabled."""
        return tuple(
            Schedule(target, seconds_of(expression), json.loads(text) if (text := properties.get("Input")) else None)
            for kind, key in (("Schedule", "Schedule"), ("ScheduleV2", "ScheduleExpression"))
            for target, properties in self._events(kind)
            if properties.get("State") != "DISABLED"
            for expression in [str(properties[key])]
        )

    @cached_property
    def buckets(self) -> dict[str, Bucket]:
        """Buckets by logical id."""
        return {logical: _bucket(document, logical, spec) for document, logical, spec in self._of_type(BUCKET)}

    @cached_property
    def state_machines(self) -> dict[str, StateMachine]:
        """State machines by logical id."""
        return {logical: _state_machine(document, logical, spec) for document, logical, spec in self._of_type(MACHINE)}

    @cached_property
    def queues(self) -> dict[str, Queue]:
        """Queues by logical id."""
        return {
            logical: Queue(
                document.name(logical),
                document.arn(logical),
                document.resolve({"Ref": logical}),
                document.resolve(spec.get("Properties") or {}),
            )
            for document, logical, spec in self._of_type(QUEUE)
        }

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Tables by logical id."""
        return {
            logical: Table(document.name(logical), document.resolve(spec["Properties"]))
            for document, logical, spec in self._of_type(TABLE)
        }

    @cached_property
    def page(self) -> Page | None:
        """The page in front of the API; None if the template has none."""
        pages = (page_of(document, spec) for document, _, spec in self._of_type(DISTRIBUTION))
        return next(pages, None)

    def _of_type(self, kind: str) -> Iterator[tuple[Document, str, dict[str, Any]]]:
        return ((document, logical, spec) for document in self._root.walk() for logical, spec in document.of_type(kind))

    @cached_property
    def _api(self) -> dict[str, Any]:
        """Properties of the first API."""
        apis = (document.resolve(spec["Properties"]) for document, _, spec in self._of_type(API))
        return next(apis, {})

    @property
    def _stage(self) -> str:
        return str(self._api.get("StageName", "Prod"))

    def _events(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name of the function, or ARN of the state machine, and the resolved properties of each event of a kind."""
        for resource in (FUNCTION, MACHINE):
            for document, logical, spec in self._of_type(resource):
                for event in spec["Properties"].get("Events", {}).values():
                    if event["Type"] == kind:
                        target = document.arn(logical) if resource == MACHINE else document.name(logical)
                        yield target, document.resolve(event["Properties"])

    def _function(self, document: Document, logical: str, spec: dict[str, Any]) -> Function:
        own, shared = spec["Properties"], document.function_globals
        merged = document.resolve({name: value for name, value in (shared | own).items() if name in _SIMPLE | _EVENTS})
        variables: dict[str, Any] = {}
        for source in (shared, own):
            variables |= document.resolve(source.get("Environment", {}).get("Variables", {}))
        reserved = merged.get("ReservedConcurrentExecutions")
        layers = document.resolve([*shared.get("Layers", []), *own.get("Layers", [])])
        return Function(
            name=document.name(logical),
            directory=(document.folder / str(merged["CodeUri"])).resolve(),
            handler=str(merged["Handler"]),
            memory_mb=int(merged.get("MemorySize", 128)),
            timeout_seconds=float(merged.get("Timeout", 3)),
            environment={name: as_text(value) for name, value in variables.items()},
            layers=tuple(path for layer in layers for path in self._layer_sources.get(layer, [])),
            reserved=None if reserved is None else int(reserved),
            retries=int(merged.get("EventInvokeConfig", {}).get("MaximumRetryAttempts", 2)),
            dead_letters=_dead_letters(logical, merged),
            temporary_mb=int(merged.get("EphemeralStorage", {}).get("Size", 512)),
        )

    @cached_property
    def _layer_sources(self) -> dict[str, list[Path]]:
        """Folders of the Python sources of each layer, by the value of a Ref to it."""
        found = {}
        for document, logical, spec in self._of_type(LAYER):
            folder = document.folder / str(document.resolve(spec["Properties"]["ContentUri"]))
            found[document.name(logical)] = [path for path in (folder / "src", folder / "python") if path.is_dir()]
        return found


def seconds_of(expression: str) -> float:
    """Seconds between two starts of a schedule. A cron expression counts as a day."""
    if match := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        return int(match[1]) * _UNITS[match[2]]
    if expression.startswith("cron("):
        return _UNITS["day"]
    raise TemplateError(f"schedule {expression} is neither rate(...) nor cron(...)")


def _dead_letters(logical: str, properties: Mapping[str, Any]) -> str | None:
    """ARN of the queue of a function's dead letters."""
    given = properties.get("DeadLetterQueue", {"Type": "SQS", "TargetArn": None})
    if given["Type"] != "SQS" or "DestinationConfig" in properties.get("EventInvokeConfig", {}):
        raise TemplateError(
            f"{logical} sends failed events elsewhere; allowed on one machine: a DeadLetterQueue of SQS"
        )
    return given["TargetArn"]  # type: ignore[no-any-return]


def _bucket(document: Document, logical: str, spec: dict[str, Any]) -> Bucket:
    properties = document.resolve(spec.get("Properties") or {})
    rules = properties.get("LifecycleConfiguration", {}).get("Rules", [])
    notifications = properties.get("NotificationConfiguration", {}).get("QueueConfigurations", [])
    origins = properties.get("CorsConfiguration", {}).get("CorsRules", [])
    return Bucket(logical, document.name(logical), tuple(rules), tuple(notifications), tuple(origins))


def _state_machine(document: Document, logical: str, spec: dict[str, Any]) -> StateMachine:
    properties = spec["Properties"]
    text = (document.folder / properties["DefinitionUri"]).read_text(encoding="utf-8")
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{name}}}", as_text(document.resolve(value)))
    if missing := re.findall(r"\$\{(\w+)\}", text):
        raise TemplateError(f"{properties['DefinitionUri']}: no substitution for {', '.join(sorted(set(missing)))}")
    json.loads(text)
    return StateMachine(logical, document.name(logical), text)
