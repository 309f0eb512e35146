"""What is watched is what is sent: alarms and the dashboard name metrics that exist, and each alarm is explained."""

import json
import re
from typing import Any

import pytest

from tests.template.documents import ROOT, Json, load, resources

ALARMS = resources("AWS::CloudWatch::Alarm")
SENT = re.compile(r'(?:count|measure)\(\s*"(\w+)"')
SENT_BY_CHOICE = re.compile(r'"(Blocks(?:Built|Found)|Cutouts|CutoutBytes|CacheHits|DataVanished)"')

each_alarm = pytest.mark.parametrize("name", ALARMS)


def sent_metrics() -> set[str]:
    """Names of our own metrics in the sources that send them."""
    sources = [*ROOT.glob("functions/*/app.py"), *(ROOT / "shared/src").rglob("*.py")]
    text = "".join(path.read_text() for path in sources)
    return set(SENT.findall(text)) | set(SENT_BY_CHOICE.findall(text))


def metrics_of(alarm: Json) -> list[Json]:
    single = [alarm] if "MetricName" in alarm else []
    return single + [entry["MetricStat"]["Metric"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry]


def dashboard() -> Any:
    (body,) = resources("AWS::CloudWatch::Dashboard").values()
    return json.loads(body["DashboardBody"]["Fn::Sub"])


@each_alarm
def test_an_alarm_watches_metrics_that_are_sent(name: str) -> None:
    own = {metric["MetricName"] for metric in metrics_of(ALARMS[name]) if metric["Namespace"] == "Tessera"}

    assert metrics_of(ALARMS[name])
    assert own - sent_metrics() == set(), f"no code sends these metrics, which {name} watches"


@each_alarm
def test_an_alarm_tells_the_topic_and_is_quiet_without_data(name: str) -> None:
    actions = ALARMS[name].get("AlarmActions", {})
    assert actions.get("Fn::If", [""])[0] == "HasAlarmTopic", f"{name}: copy AlarmActions from another alarm"
    assert ALARMS[name].get("TreatMissingData") == "notBreaching", f"{name} needs TreatMissingData: notBreaching"


@each_alarm
def test_an_alarm_is_explained_to_operators(name: str) -> None:
    explained = f"| `{name}` |" in (ROOT / "docs/operations/alarms.md").read_text()
    assert explained, f"docs/operations/alarms.md: add a row | `{name}` | ... | to the table of alarms"


@each_alarm
def test_an_expression_uses_each_of_its_metrics(name: str) -> None:
    entries = ALARMS[name].get("Metrics", [])
    formulas = " ".join(entry["Expression"] for entry in entries if "Expression" in entry)

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


def test_the_dashboard_has_no_holes_and_no_overlaps() -> None:
    places = [(widget["x"], widget["y"]) for widget in dashboard()["widgets"]]

    assert places == [(x, y) for y in range(0, 24, 6) for x in (0, 8, 16)]


def test_logs_and_metrics_of_two_stacks_in_one_account_are_apart() -> None:
    for name in ("build", "ingest", "index", "service"):
        variables = load(f"stacks/{name}.yaml")["Globals"]["Function"]["Environment"]["Variables"]

        assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "ServiceName"}
