"""Which alarms of a template ring, given the samples of their metrics: CloudWatch's rules, without CloudWatch.

Samples of our own metrics come from what the code prints (`emitted`). The rules are those of CloudWatch's user guide,
"Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data":

* Periods end at the time of the evaluation, so they slide.
* CloudWatch looks at a few periods more than `EvaluationPeriods`. If enough of these have data, the latest that have
  data decide. Otherwise the missing ones count as `TreatMissingData` says.
* `ignore` keeps the state, and an alarm that never had data is in `INSUFFICIENT_DATA`.
"""

import ast
import json
import math
import operator
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

Json = dict[str, Any]
Key: TypeAlias = tuple[str, str, frozenset[tuple[str, str]]]
Series: TypeAlias = list[float | None]

METRIC, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
_MORE = 2
"""Periods that CloudWatch looks at beyond the evaluation periods. Its guide shows five for three."""
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda one, other: one / other if other else math.nan,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}

_OF_ARRAYS = {"SUM": "Sum", "MAX": "Maximum", "MIN": "Minimum", "AVG": "Average"}


@dataclass(frozen=True)
class Sample:
    """A value of a metric at a time in seconds."""

    namespace: str
    name: str
    value: float
    at: float
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.namespace, self.name, frozenset(self.dimensions.items())


def emitted(printed: str, at: float | None = None) -> list[Sample]:
    """Samples that CloudWatch takes from lines in embedded metric format.

    Parameters
    ----------
    printed
        What a function printed. Other lines are skipped.
    at
        Time of the samples in seconds, instead of the times of the lines.
    """
    found = []
    for line in printed.splitlines():
        if '"CloudWatchMetrics"' not in line:
            continue
        document = json.loads(line)
        time = document["_aws"]["Timestamp"] / 1000 if at is None else at
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: str(document[name]) for name in names}
                for metric in directive["Metrics"]:
                    numbers = document[metric["Name"]]
                    values = numbers if isinstance(numbers, list) else [numbers]
                    about = directive["Namespace"], metric["Name"]
                    found += [Sample(*about, float(value), time, dimensions) for value in values]
    return found


class Samples:
    """Samples by metric and time."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._values: dict[Key, list[tuple[float, float]]] = defaultdict(list)
        for sample in sorted(samples, key=lambda sample: sample.at):
            self._values[sample.key].append((sample.at, sample.value))
        self._times = {key: [at for at, _ in values] for key, values in self._values.items()}

    @property
    def keys(self) -> set[Key]:
        return set(self._values)

    def between(self, key: Key, after: float, until: float) -> list[float]:
        """Values later than `after` and not later than `until`."""
        times = self._times.get(key, [])
        return [
            value for _, value in self._values.get(key, [])[bisect_right(times, after) : bisect_right(times, until)]
        ]


def statistic(name: str, values: Sequence[float]) -> float | None:
    """A statistic of the values of a period, or None without any."""
    if not values:
        return None
    if percentile := re.fullmatch(r"p(\d+(?:\.\d+)?)", name):
        rank = math.ceil(float(percentile[1]) / 100 * len(values))
        return sorted(values)[max(rank, 1) - 1]
    simple: dict[str, Callable[[Sequence[float]], float]] = {
        "Sum": sum,
        "Maximum": max,
        "Minimum": min,
        "SampleCount": len,
        "Average": lambda values: sum(values) / len(values),
    }
    return simple[name](values)


class Alarm:
    """A metric alarm.

    Parameters
    ----------
    properties
        Its properties in the template.
    values
        Values of parameters and resources. `Ref` of another one is its own name.
    """

    def __init__(self, properties: Json, values: Mapping[str, str]) -> None:
        self.properties, self._values = properties, values
        self.periods = int(self.text(properties["EvaluationPeriods"]))
        self.points = int(self.text(properties.get("DatapointsToAlarm", self.periods)))
        self.threshold = float(self.text(properties["Threshold"]))
        self.missing = properties.get("TreatMissingData", "missing")
        self.breaches = _COMPARISONS[properties["ComparisonOperator"]]

    def text(self, value: object) -> str:
        """A value of the template as text."""
        if isinstance(value, dict):
            ((function, argument),) = value.items()
            if function == "Ref":
                return self._values.get(str(argument), str(argument))
            if function == "Fn::Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda name: self._values.get(name[1], name[1]), str(argument))
            raise ValueError(f"an alarm has {function}, which this evaluator does not know")
        return str(value)

    def key(self, metric: Json) -> Key:
        """Identity of the metric that `Metric` of a query, or the alarm itself, names."""
        dimensions = {each["Name"]: self.text(each["Value"]) for each in metric.get("Dimensions", [])}
        return metric["Namespace"], metric["MetricName"], frozenset(dimensions.items())

    @cached_property
    def stats(self) -> dict[str, tuple[Key, str]]:
        """Identity and statistic of each metric, by id; "" for the metric of a simple alarm."""
        own = self.properties
        if "MetricName" in own:
            return {"": (self.key(own), own.get("Statistic") or own["ExtendedStatistic"])}
        queries = {each["Id"]: each["MetricStat"] for each in own["Metrics"] if "MetricStat" in each}
        return {name: (self.key(query["Metric"]), query["Stat"]) for name, query in queries.items()}

    @cached_property
    def period(self) -> int:
        """Seconds of a period."""
        own = self.properties
        every = {int(each["MetricStat"]["Period"]) for each in own.get("Metrics", []) if "MetricStat" in each}
        (period,) = every or {int(self.text(own["Period"]))}
        return period

    @cached_property
    def _formulas(self) -> dict[str, ast.expr]:
        formulas = {
            each["Id"]: each["Expression"] for each in self.properties.get("Metrics", []) if "Expression" in each
        }
        return {name: ast.parse(self.text(formula), mode="eval").body for name, formula in formulas.items()}

    @cached_property
    def _result(self) -> str:
        ids: list[str] = [each["Id"] for each in self.properties.get("Metrics", []) if each.get("ReturnData", True)]
        (result,) = ids or [""]
        return result

    def series(self, samples: Samples, now: float) -> Series:
        """Values that the threshold is compared with, the oldest first."""
        known: dict[str, Series] = {}
        count = self.periods + _MORE
        for name, (key, stat) in self.stats.items():
            ends = [now - self.period * steps for steps in reversed(range(count))]
            known[name] = [statistic(stat, samples.between(key, end - self.period, end)) for end in ends]
        return self._value(self._result, known, count)

    def _value(self, name: str, known: dict[str, Series], count: int) -> Series:
        if name not in known:
            known[name] = self._compute(self._formulas[name], known, count)
        return known[name]

    def _compute(self, node: ast.expr, known: dict[str, Series], count: int) -> Series:
        """Value of an expression in each period. What needs a missing value is missing."""

        def of(inner: ast.expr) -> Series:
            return self._compute(inner, known, count)

        result: Series
        match node:
            case ast.Constant(value=(int() | float()) as number):
                result = [float(number)] * count
            case ast.Name(id=name):
                result = self._value(name, known, count)
            case ast.BinOp(left, op, right) | ast.Compare(left, [op], [right]):
                result = _pairs(_OPERATORS[type(op)], of(left), of(right))
            case ast.Call(ast.Name(id=name), [ast.List(elements)]) if name in _OF_ARRAYS:
                rows = zip(*map(of, elements), strict=True)
                result = [statistic(_OF_ARRAYS[name], [each for each in row if each is not None]) for row in rows]
            case ast.Call(ast.Name(id="IF"), [condition, yes, no]):
                choices = zip(of(condition), of(yes), of(no), strict=True)
                result = [None if test is None else one if test else other for test, one, other in choices]
            case _:
                raise ValueError(f"this evaluator does not know {ast.unparse(node)!r}")
        return result

    def state(self, samples: Samples, now: float, before: str = "INSUFFICIENT_DATA") -> str:
        """State at `now`, if it was `before`: OK, ALARM or INSUFFICIENT_DATA."""
        real = [value for value in self.series(samples, now) if value is not None and not math.isnan(value)]
        recent = [self.breaches(value, self.threshold) for value in real[-self.periods :]]
        lacking = self.periods - len(recent)
        if not recent and self.missing in ("missing", "ignore"):
            return "INSUFFICIENT_DATA" if self.missing == "missing" else before
        if lacking and self.missing == "missing":
            return "ALARM" if sum(recent) >= min(self.points, len(recent)) else "OK"
        if lacking and self.missing == "ignore":
            return "ALARM" if sum(recent) >= self.points else "OK" if not all(recent) else before
        breaching = sum(recent) + (lacking if self.missing == "breaching" else 0)
        return "ALARM" if breaching >= self.points else "OK"


def _pairs(function: Callable[[float, float], float], left: Series, right: Series) -> Series:
    return [
        None if one is None or other is None else float(function(one, other))
        for one, other in zip(left, right, strict=True)
    ]


class Watch:
    """The alarms of templates, driven over time.

    Parameters
    ----------
    resources
        Resources of one or more templates, by logical id.
    values
        Values of parameters and resources that alarms refer to, such as `{"ServiceName": "tessera"}`. One that is
        left out has its own name as its value.
    """

    def __init__(self, resources: Mapping[str, Json], values: Mapping[str, str]) -> None:
        own = {name: body["Properties"] for name, body in resources.items() if body["Type"] in (METRIC, COMPOSITE)}
        self.alarms = {name: Alarm(body, values) for name, body in own.items() if "AlarmRule" not in body}
        self.rules = {name: body["AlarmRule"] for name, body in own.items() if "AlarmRule" in body}
        self.loud = {name for name, body in own.items() if body.get("AlarmActions")}

    def states(self, samples: Samples, now: float, before: Mapping[str, str]) -> dict[str, str]:
        """State of each alarm at `now`, after the states `before`."""
        found = {
            name: alarm.state(samples, now, before.get(name, "INSUFFICIENT_DATA"))
            for name, alarm in self.alarms.items()
        }
        return found | {name: _composite(rule, found) for name, rule in self.rules.items()}

    def rung(self, samples: Iterable[Sample], start: float, end: float, step: float = 300) -> dict[str, list[float]]:
        """Times at which each alarm went into ALARM, with the stack created at `start`.

        Parameters
        ----------
        samples
            All samples.
        start, end
            First and last time, in seconds.
        step
            Seconds between evaluations. CloudWatch evaluates each minute, which is slower here and finds the same.

        Returns
        -------
        dict
            Times by alarm; alarms that notify nobody, and those that never rang, are left out.
        """
        by_time, before, times = Samples(samples), dict[str, str](), defaultdict[str, list[float]](list)
        for now in (start + step * count for count in range(int((end - start) // step) + 1)):
            states = self.states(by_time, now, before)
            for name in self.loud:
                if states[name] == "ALARM" != before.get(name):
                    times[name].append(now)
            before = states
        return dict(times)


def _composite(rule: Any, states: Mapping[str, str]) -> str:
    """State of a composite alarm, whose rule names alarms by their logical ids: `ALARM(${SomeAlarm}) AND ...`."""
    text = rule["Fn::Sub"] if isinstance(rule, dict) else rule
    known = re.sub(
        r'(ALARM|OK|INSUFFICIENT_DATA)\("?\$\{(\w+)\}"?\)', lambda part: str(states[part[2]] == part[1]), text
    )
    node = ast.parse(re.sub(r"\b(AND|OR|NOT)\b", lambda word: word[1].lower(), known).strip(), mode="eval")
    return "ALARM" if _truth(node.body) else "OK"


def _truth(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=bool() as truth):
            return truth
        case ast.BoolOp(ast.And(), parts):
            return all(map(_truth, parts))
        case ast.BoolOp(ast.Or(), parts):
            return any(map(_truth, parts))
        case ast.UnaryOp(ast.Not(), part):
            return not _truth(part)
        case _:
            raise ValueError(f"this evaluator does not know {ast.unparse(node)!r}")
