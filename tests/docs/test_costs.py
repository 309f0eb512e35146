"""Figures of costs in our pages are those that tools/costs computes from plans, templates and list prices."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tessera.builds import estimate, report
from tessera.builds.estimate import GETS_PER_SECOND
from tessera_cloud import observability
from tests.template.documents import ROOT, all_resources, load
from tools.costs import figures
from tools.costs.figures import DEFAULT, FRAMES, LARGE, build_cost, deployed, mission, read_prices, storage
from tools.costs.pages import MARKED, PAGES, filled
from tools.costs.tables import TABLES

PRICES = read_prices()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_figures_of_a_page_are_todays(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert filled(text) == text, "run: make costs"


def test_every_table_is_in_a_page_and_every_mark_has_a_table() -> None:
    marks = [found["name"] for page in PAGES for found in MARKED.finditer(page.read_text(encoding="utf-8"))]

    assert sorted(set(marks)) == sorted(TABLES)


def test_dollars_of_the_first_page_stand_between_marks() -> None:
    """A figure elsewhere drifts: nobody computes it again."""
    assert re.findall(r"\$\d[\d.,]*", MARKED.sub("", (ROOT / "README.md").read_text(encoding="utf-8"))) == []


def test_a_changed_figure_is_noticed() -> None:
    page = PAGES[1].read_text(encoding="utf-8")
    figure = f"**${build_cost(PRICES, 11775, DEFAULT).total:.2f}**"

    assert figure in page
    assert filled(page.replace(figure, "**$1.23**")) == page


def test_every_price_has_a_source_and_says_whether_it_was_seen() -> None:
    groups = {name: group for name, group in PRICES.items() if name != "use"}

    for group in groups.values():
        assert group["source"].startswith("https://aws.amazon.com/")
        assert group["seen"]
        assert all(place.startswith("https://") for place in group["seen"])
        assert set(group["unchecked"]) < set(group) - {"source", "seen", "unchecked"}


def test_the_engine_has_the_same_prices() -> None:
    compute = (estimate.GB_SECOND_USD, estimate.INVOCATION_USD)
    assert (PRICES["lambda"]["gb_second"], PRICES["lambda"]["request"]) == compute
    assert PRICES["step_functions"]["transition"] == estimate.TRANSITION_USD
    assert (PRICES["s3"]["put"], PRICES["s3"]["get"]) == (estimate.PUT_USD, estimate.GET_USD)
    assert PRICES["s3"]["gb_month"][0][1] == report._GB_MONTH


def test_the_defaults_are_those_of_the_template() -> None:
    parameters = load()["Parameters"]
    variables = load("stacks/build.yaml")["Globals"]["Function"]["Environment"]["Variables"]

    assert (max(DEFAULT.sizes_mb), DEFAULT.concurrency) == (
        parameters["BlockMemoryMb"]["Default"],
        parameters["BlockConcurrency"]["Default"],
    )
    assert max(LARGE.sizes_mb) == max(parameters["BlockMemoryMb"]["AllowedValues"])
    functions = [load("stacks/build.yaml")["Resources"][f"BuildBlock{name}Function"] for name in ("", "Medium")]
    small, medium = (function["Properties"]["MemorySize"] for function in functions)
    assert medium == {"Fn::If": ["HasLargeTasks", LARGE.sizes_mb[1], small]}
    assert DEFAULT.sizes_mb[0] == LARGE.sizes_mb[0] == small
    assert float(variables["TESSERA_MAX_GETS_PER_SECOND"]) == GETS_PER_SECOND


def test_the_advice_for_long_sectors_is_cheaper_and_no_slower() -> None:
    small, large = build_cost(PRICES, 11775, DEFAULT), build_cost(PRICES, 11775, LARGE)

    assert large.total < small.total
    assert large.work.seconds < small.work.seconds


def test_the_price_of_a_plan_is_that_of_the_tables() -> None:
    for n_frames in FRAMES:
        cost = build_cost(PRICES, n_frames, LARGE)
        assert cost.work.usd == pytest.approx(cost.total)


def test_the_mission_is_all_cubes() -> None:
    assert sum(FRAMES.values()) == 100 * 16
    found = mission(PRICES, DEFAULT)
    assert found.n_bytes == pytest.approx(381e12, rel=0.01)
    assert storage(PRICES, found.n_bytes / 1e9) == pytest.approx(8435, rel=0.01), "50 TB at the first price"


def test_a_build_is_as_long_as_its_requests_need() -> None:
    """Four million requests at 2,000 a second are more than half an hour, whatever the network does."""
    work = build_cost(PRICES, 11775, DEFAULT).work

    assert work.gets == 2 * 11_775 * len(work.blocks) > 4_000_000
    assert work.seconds >= work.gets / GETS_PER_SECOND


def test_alarms_and_schedules_are_counted_in_the_templates() -> None:
    alarms = {name for name, body in all_resources().items() if body["Type"] == "AWS::CloudWatch::Alarm"}

    assert alarms == {name for name, body in deployed().items() if body["Type"] == "AWS::CloudWatch::Alarm"}
    metrics = figures.alarm_metrics(deployed()) + figures.alarm_metrics(deployed(), optional=True)
    assert metrics >= len(alarms)
    assert {name for name in alarms if figures.is_optional(deployed()[name])} == {
        "CanaryFailedAlarm",
        "CanarySilentAlarm",
        "ImageReleaseAlarm",
        "ServiceReleaseAlarm",
    }
    assert figures.runs_a_month(deployed())["IngestFunction"] == pytest.approx(730 + 730 * 12)
    assert {"CutoutBytes", "FrameGets", "AnswerSeconds"} <= figures.own_metrics()


def test_the_alarm_of_costs_has_the_same_prices() -> None:
    queries = all_resources()["SpendAlarm"]["Properties"]["Metrics"]
    sums = {query["Id"]: str(query.get("Expression", "")) for query in queries}
    factors = {name: float(re.findall(r"0\.0[0-9]+", text)[0]) for name, text in sums.items() if "0.0" in text}

    assert factors["egress"] == pytest.approx(PRICES["transfer"]["gb_out"] / 1e9)
    assert pytest.approx(PRICES["s3"]["get"]) == observability.USD_PER_GET
    assert pytest.approx(PRICES["transfer"]["gb_out"] / 1e9) == observability.USD_PER_BYTE_OUT
    assert factors["calls"] == pytest.approx(figures.request_cost(PRICES), rel=0.01)
    mb_millisecond = PRICES["lambda"]["gb_second"] / 1024 / 1000
    assert factors["blockTime"] == pytest.approx(mb_millisecond, rel=1e-4)
