"""Costs of builds, of the whole mission, and of a stack that nobody uses."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tessera.builds.estimate import BuildEstimate, cheapest, estimate_sizes
from tessera.cubes.layout import CubeLayout

ROOT = Path(__file__).parents[2]
Prices = dict[str, dict[str, Any]]
Resource = dict[str, Any]

FRAMES = {1282: 416, 3705: 464, 11775: 720}
"""Frames of a CCD in sectors 1 to 26, 27 to 55 and 56 to 100, and the number of such cubes: 16 in each sector."""


@dataclass(frozen=True)
class Setup:
    """Memory of the functions that build a block, and `BlockConcurrency` of a stack."""

    sizes_mb: tuple[int, ...]
    concurrency: int

    def __str__(self) -> str:
        return f"`BlockMemoryMb={max(self.sizes_mb)}`"


DEFAULT, LARGE = Setup((2048, 3008), 40), Setup((2048, 4096, 10240), 40)
"""The default, which every account allows, and all sizes."""
HOURS = 730
"""Hours of a month."""
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_METRIC = re.compile(r"\b(?:count|measure)\(\s*\"([A-Z][a-z]\w+)\"|^    \"([A-Z][a-z]\w+)\": \"\w+\",$", re.MULTILINE)


def read_prices() -> Prices:
    """Prices of `prices.toml`."""
    return tomllib.loads((Path(__file__).with_name("prices.toml")).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class BuildCost:
    """What one cube costs, in dollars.

    Parameters
    ----------
    work : BuildEstimate
        Work of the build.
    compute, gets, puts : float
        Time of Lambda; requests for frames, if the bucket is ours; parts, records and transitions.
    """

    work: BuildEstimate
    compute: float
    gets: float
    puts: float

    @property
    def total(self) -> float:
        """Sum, without storage."""
        return self.compute + self.gets + self.puts


def build_cost(prices: Prices, n_frames: int, setup: Setup) -> BuildCost:
    """Cost of the build of a cube, with tasks of the size that its plan chooses."""
    work = cheapest(estimate_sizes(CubeLayout(2078, 2136, n_frames, 2), setup.sizes_mb, setup.concurrency))
    compute = work.gb_seconds * prices["lambda"]["gb_second"] + len(work.blocks) * prices["lambda"]["request"]
    gets = (work.gets + work.gets_of_headers) * prices["s3"]["get"]
    puts = work.puts * prices["s3"]["put"] + work.transitions * prices["step_functions"]["transition"]
    return BuildCost(work, compute, gets, puts)


def request_cost(prices: Prices) -> float:
    """Cost of a request to an API that cuts nothing."""
    use, function = prices["use"], prices["lambda"]
    seconds = use["request_seconds"] * use["request_gb"]
    return float(prices["api_gateway"]["request"] + function["request"] + seconds * function["gb_second"])


def storage(prices: Prices, gb: float) -> float:
    """Dollars a month for objects of this size."""
    dollars = before = 0.0
    for until, price in prices["s3"]["gb_month"]:
        dollars += max(0.0, min(gb, until) - before) * price
        before = until
    return dollars


@dataclass(frozen=True)
class Mission:
    """Cubes of 100 sectors, in bytes, dollars and days.

    Parameters
    ----------
    n_bytes : int
        Bytes of the cubes.
    compute, gets, puts : float
        Dollars, see `BuildCost`.
    days : float
        Time, if one cube is built after another.
    """

    n_bytes: int
    compute: float
    gets: float
    puts: float
    days: float


def mission(prices: Prices, setup: Setup) -> Mission:
    """All cubes of the mission."""
    built = [(count, build_cost(prices, n_frames, setup)) for n_frames, count in FRAMES.items()]
    return Mission(
        sum(count * cost.work.layout.data_bytes for count, cost in built),
        sum(count * cost.compute for count, cost in built),
        sum(count * cost.gets for count, cost in built),
        sum(count * cost.puts for count, cost in built),
        sum(count * cost.work.seconds for count, cost in built) / 86400,
    )


class _Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions as their arguments."""


def _argument(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else node.value


_Loader.add_multi_constructor("!", _argument)


def deployed() -> dict[str, Resource]:
    """Resources of the root stack and of its nested stacks; `Condition` of a nested stack holds for all of it."""
    found: dict[str, Resource] = {}
    root = _resources(ROOT / "template.yaml")
    for name, body in root.items():
        location = body.get("Properties", {}).get("Location") if body["Type"].endswith("Application") else None
        for logical, inner in (_resources(ROOT / location) if location else {name: body}).items():
            condition = body.get("Condition") if location else None
            found[logical] = inner | {"Condition": condition or inner.get("Condition")}
    return found


def allowed(parameter: str) -> list[int]:
    """Values that a parameter of the root stack may have."""
    document: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    values: list[int] = document["Parameters"][parameter]["AllowedValues"]
    return values


@cache
def _resources(path: Path) -> dict[str, Resource]:
    document: dict[str, dict[str, Resource]] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    return document["Resources"]


def is_optional(resource: Resource) -> bool:
    """Whether an option of the stack makes a resource. Conditions on the region hold: prices are of us-east-1."""
    return resource.get("Condition") not in (None, "HasMetricsOfCloudFront")


def alarm_metrics(resources: dict[str, Resource], *, optional: bool = False) -> int:
    """Metrics of the alarms that always exist, or of those that an option adds."""
    alarms = [body for body in resources.values() if body["Type"] == "AWS::CloudWatch::Alarm"]
    wanted = [body["Properties"] for body in alarms if is_optional(body) == optional]
    return sum(sum("MetricStat" in each for each in body.get("Metrics", [])) or 1 for body in wanted)


def composite_alarms(resources: dict[str, Resource]) -> int:
    """Alarms on other alarms that always exist."""
    return sum(
        body["Type"] == "AWS::CloudWatch::CompositeAlarm" and not is_optional(body) for body in resources.values()
    )


def dashboards(resources: dict[str, Resource]) -> int:
    """Dashboards."""
    return sum(body["Type"] == "AWS::CloudWatch::Dashboard" for body in resources.values())


def runs_a_month(resources: dict[str, Resource]) -> dict[str, float]:
    """Runs of each thing that a fixed schedule starts and that always exists, by its name."""
    found: dict[str, float] = {}
    for name, body in resources.items():
        for event in (body.get("Properties", {}).get("Events") or {}).values():
            match = _RATE.fullmatch(str(event["Properties"].get("Schedule", "")))
            if match and not is_optional(body):
                hours = int(match[1]) * {"minute": 1 / 60, "hour": 1, "day": 24}[match[2]]
                found[name] = found.get(name, 0) + HOURS / hours
    return found


def own_metrics() -> set[str]:
    """Names of the metrics that the code sends."""
    files = [*(ROOT / "shared/src").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files if "admin" not in path.parts]
    return {
        one or other for text in texts if "measure" in text or "count(" in text for one, other in _METRIC.findall(text)
    }
