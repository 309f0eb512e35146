"""The evaluator of alarms follows the examples of CloudWatch's guide."""

from typing import Any

import pytest

from tests.support.alarms import Alarm, Sample, Samples, Watch, emitted

PERIOD = 300
NOW = 100 * PERIOD


def alarm(**properties: Any) -> Alarm:
    simple = {"Namespace": "N", "MetricName": "M", "Statistic": "Sum", "Period": PERIOD, "EvaluationPeriods": 3}
    compared = {"Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    return Alarm(simple | compared | properties, {})


def points(row: str, name: str = "M") -> list[Sample]:
    """`0 - X`: no breach, nothing, a breach; the last is the latest."""
    marks = list(enumerate(reversed(row.split())))
    return [Sample("N", name, float(mark == "X"), NOW - back * PERIOD - 60) for back, mark in marks if mark != "-"]


# The table of the guide for 3 of 3: points in five periods; states for missing, ignore, breaching, notBreaching.
@pytest.mark.parametrize(
    ("row", "states"),
    [
        ("0 - X - X", "OK OK OK OK"),
        ("- - - - 0", "OK OK OK OK"),
        ("- - - - -", "INSUFFICIENT_DATA before ALARM OK"),
        ("0 X X - X", "ALARM ALARM ALARM ALARM"),
        ("- - X - -", "ALARM before ALARM OK"),
    ],
)
def test_missing_data_counts_as_in_the_table_of_the_guide(row: str, states: str) -> None:
    found = [
        alarm(TreatMissingData=treatment).state(Samples(points(row)), NOW, "before")
        for treatment in ("missing", "ignore", "breaching", "notBreaching")
    ]

    assert " ".join(found) == states


def test_three_of_five_needs_three() -> None:
    patient = alarm(EvaluationPeriods=5, DatapointsToAlarm=3, TreatMissingData="notBreaching")

    assert patient.state(Samples(points("X 0 X 0 0")), NOW) == "OK"
    assert patient.state(Samples(points("X 0 X 0 X")), NOW) == "ALARM"


def formula(expression: str, *names: str) -> Alarm:
    metrics: list[dict[str, Any]] = [{"Id": "total", "Expression": expression}]
    for name in names:
        stat = {"Metric": {"Namespace": "N", "MetricName": name}, "Stat": "Sum", "Period": PERIOD}
        metrics.append({"Id": name.lower(), "ReturnData": False, "MetricStat": stat})
    own = {"Metrics": metrics, "EvaluationPeriods": 1, "Threshold": 1, "TreatMissingData": "notBreaching"}
    return Alarm(own | {"ComparisonOperator": "GreaterThanOrEqualToThreshold"}, {})


def value(expression: str, **metrics: str) -> float | None:
    samples = [sample for name, row in metrics.items() for sample in points(row, name)]
    return formula(expression, *metrics).series(Samples(samples), NOW)[-1]


def test_a_sum_leaves_out_what_is_missing_and_arithmetic_does_not() -> None:
    assert value("SUM([a, b])", A="X", B="-") == 1
    assert value("a + b", A="X", B="-") is None
    assert value("a * 3 - b / 2", A="X", B="X") == 2.5


def test_if_chooses_by_its_condition() -> None:
    assert value("IF(a > 0, b * 5, 2)", A="X", B="X") == 5
    assert value("IF(a > 0, b * 5, 2)", A="0", B="X") == 2


def test_percentiles_are_of_the_values_of_a_period() -> None:
    slow = [Sample("N", "M", float(second), NOW - 1) for second in range(1, 101)]
    simple = alarm(EvaluationPeriods=1, Threshold=95, ExtendedStatistic="p95", Statistic=None)

    assert simple.series(Samples(slow), NOW)[-1] == 95


def test_a_metric_has_exactly_the_dimensions_that_the_alarm_names() -> None:
    one = alarm(EvaluationPeriods=1, Dimensions=[{"Name": "service", "Value": {"Ref": "ServiceName"}}])

    assert one.state(Samples([Sample("N", "M", 1, NOW, {"service": "ServiceName"})]), NOW) == "ALARM"
    assert one.state(Samples([Sample("N", "M", 1, NOW)]), NOW) == "INSUFFICIENT_DATA"


def test_lines_in_embedded_metric_format_become_samples() -> None:
    line = (
        '{"_aws": {"Timestamp": 5000, "CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["service"]],'
        ' "Metrics": [{"Name": "M", "Unit": "Count"}]}]}, "service": "s", "M": [1.0, 2.0]}'
    )

    expected = [Sample("N", "M", number, 5, {"service": "s"}) for number in (1.0, 2.0)]
    assert emitted(f"START\n{line}\n") == expected
    assert emitted(line, at=7)[0].at == 7


def test_a_composite_alarm_follows_its_rule_and_only_alarms_with_actions_ring() -> None:
    body = alarm(EvaluationPeriods=1, TreatMissingData="notBreaching").properties
    rule = {"AlarmRule": {"Fn::Sub": "NOT OK(${Late}) AND (ALARM(${Late}) OR ALARM(${Late}))"}, "AlarmActions": ["t"]}
    watch = Watch(
        {
            "Late": {"Type": "AWS::CloudWatch::Alarm", "Properties": body},
            "Silence": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": rule},
        },
        {},
    )

    assert list(watch.rung(points("X"), NOW - PERIOD, NOW + PERIOD)) == ["Silence"]
    assert watch.rung(points("0"), NOW - PERIOD, NOW + PERIOD) == {}
