"""What is watched is what is sent: alarms and the dashboard name metrics that exist, and each alarm is explained."""

import json
import re
from typing import Any

import pytest

from tests.support.metrics import DOCUMENTED
from tests.template.documents import ROOT, Json, load, resources

METRIC_ALARMS = resources("AWS::CloudWatch::Alarm")
COMPOSITES = resources("AWS::CloudWatch::CompositeAlarm")
LOUD = {name: body for name, body in (METRIC_ALARMS | COMPOSITES).items() if "AlarmActions" in body}
RULES = " ".join(body["AlarmRule"]["Fn::Sub"] for body in COMPOSITES.values())
SENT = re.compile(r'(?:count|measure)\(\s*"(\w+)"')
SENT_BY_CHOICE = re.compile(r'"(Blocks(?:Built|Found)|Cutouts|CutoutBytes|CacheHits|DataVanished)"')

each_alarm = pytest.mark.parametrize("name", METRIC_ALARMS)
each_loud_alarm = pytest.mark.parametrize("name", LOUD)


def sent_metrics() -> set[str]:
    """Names of our own metrics in the sources that send them."""
    sources = [*ROOT.glob("functions/*/app.py"), *(ROOT / "shared/src").rglob("*.py")]
    text = "".join(path.read_text() for path in sources)
    return set(SENT.findall(text)) | set(SENT_BY_CHOICE.findall(text))


def metrics_of(alarm: Json) -> list[Json]:
    single = [alarm] if "MetricName" in alarm else []
    return single + [entry["MetricStat"]["Metric"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry]


def is_documented(namespace: str, name: str, dimensions: set[str]) -> bool:
    """Whether AWS sends such a metric, or it is one of our own."""
    names, sets = DOCUMENTED.get(namespace, (set[str](), list[set[str]]()))
    return namespace == "Tessera" or (name in names and dimensions in sets)


def dashboard() -> Any:
    (body,) = resources("AWS::CloudWatch::Dashboard").values()
    return json.loads(body["DashboardBody"]["Fn::Sub"])


@each_alarm
def test_an_alarm_watches_metrics_that_are_sent(name: str) -> None:
    own = {metric["MetricName"] for metric in metrics_of(METRIC_ALARMS[name]) if metric["Namespace"] == "Tessera"}

    assert metrics_of(METRIC_ALARMS[name])
    assert own - sent_metrics() == set(), f"no code sends these metrics, which {name} watches"


@each_alarm
def test_an_alarm_watches_metrics_that_aws_documents(name: str) -> None:
    watched = [
        (metric["Namespace"], metric["MetricName"], {each["Name"] for each in metric.get("Dimensions", [])})
        for metric in metrics_of(METRIC_ALARMS[name])
    ]

    assert [metric for metric in watched if not is_documented(*metric)] == []


@each_alarm
def test_an_alarm_is_within_the_limits_of_cloudwatch(name: str) -> None:
    """A day is evaluated, or a week by the hour. An alarm has room for ten metrics and ten expressions."""
    entries = METRIC_ALARMS[name].get("Metrics", [])
    stats = [entry["MetricStat"] for entry in entries if "MetricStat" in entry]
    (period,) = {stat["Period"] for stat in stats} or {METRIC_ALARMS[name]["Period"]}

    assert period * METRIC_ALARMS[name]["EvaluationPeriods"] <= (7 if period >= 3600 else 1) * 86_400
    assert len(stats) <= 10
    assert len(entries) - len(stats) <= 10


@each_loud_alarm
def test_an_alarm_tells_the_topic(name: str) -> None:
    assert LOUD[name]["AlarmActions"].get("Fn::If", [""])[0] == "HasAlarmTopic", (
        f"{name}: copy AlarmActions from another alarm"
    )


@each_alarm
def test_an_alarm_that_notifies_nobody_is_part_of_one_that_does(name: str) -> None:
    assert name in LOUD or f"${{{name}}}" in RULES, f"{name} needs AlarmActions"


@each_alarm
def test_only_alarms_on_silence_ring_without_data(name: str) -> None:
    treatment = METRIC_ALARMS[name].get("TreatMissingData")
    ring_without_data = {"TendJobsSilent", "TendBulkSilent", "CanarySilentAlarm"}

    assert treatment == (
        "breaching" if name in ring_without_data else "ignore" if name == "HasWorked" else "notBreaching"
    )


def test_the_alarms_that_are_explained_to_operators_are_those_that_exist() -> None:
    text = (ROOT / "docs/operations/alarms.md").read_text()
    table = text[text.index("| alarm | meaning |") :].split("\n\n")[0]
    alarms = [name for name in re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) if name.endswith("Alarm")]

    assert sorted(set(alarms)) == sorted(LOUD), "docs/operations/alarms.md: one row | `<name>` | ... | for each alarm"


@each_alarm
def test_an_expression_uses_each_of_its_metrics(name: str) -> None:
    entries = METRIC_ALARMS[name].get("Metrics", [])
    formulas = " ".join(str(entry["Expression"]) for entry in entries if "Expression" in entry)

    ids = [entry["Id"] for entry in entries if entry.get("ReturnData") is False]
    assert [each for each in ids if not re.search(rf"\b{each}\b", formulas)] == [], (
        f"no expression of {name} uses these"
    )
    assert [entry["Id"] for entry in entries if "ReturnData" not in entry][1:] == [], (
        f"only one entry of {name} may count"
    )


def test_the_dashboard_shows_metrics_that_are_sent() -> None:
    shown = [metric for widget in dashboard()["widgets"] for metric in widget["properties"]["metrics"]]

    own = {metric[1] for metric in shown if metric[0] == "Tessera"}
    assert own - sent_metrics() == set(), "no code sends these metrics, which the dashboard shows"
    assert len(shown) > 20


def test_the_dashboard_shows_metrics_that_aws_documents() -> None:
    unknown = []
    for widget in dashboard()["widgets"]:
        for namespace, metric, *rest in widget["properties"]["metrics"]:
            dimensions = {name for name in rest[::2] if isinstance(name, str)}
            if not is_documented(namespace, metric, dimensions):
                unknown.append((namespace, metric, dimensions))

    assert unknown == []


def test_the_dashboard_has_no_holes_and_no_overlaps() -> None:
    places = [(widget["x"], widget["y"]) for widget in dashboard()["widgets"]]

    assert places == [(8 * (n % 3), 6 * (n // 3)) for n in range(len(places))]


def test_logs_and_metrics_of_two_stacks_in_one_account_are_apart() -> None:
    for name in ("build", "ingest", "index", "service"):
        variables = load(f"stacks/{name}.yaml")["Globals"]["Function"]["Environment"]["Variables"]

        assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "ServiceName"}
