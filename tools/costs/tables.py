"""The tables of costs as Markdown, by the name of their place in a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tools.costs.figures import (
    DEFAULT,
    FRAMES,
    HOURS,
    LARGE,
    Prices,
    alarm_metrics,
    allowed,
    build_cost,
    composite_alarms,
    dashboards,
    deployed,
    mission,
    own_metrics,
    read_prices,
    request_cost,
    runs_a_month,
    storage,
)

FREQUENT = HOURS
"""Runs a month from which on we call a schedule frequent: hourly."""


def dollars(value: float) -> str:
    """Dollars, with cents below a hundred: $0.03, $4.91, $286, $8,433."""
    if value < 0.005:
        return "< $0.01" if value > 0 else "$0"
    return f"${value:,.2f}" if value < 100 else f"${value:,.0f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("|  |", "| |")


def _gb(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.3g} GB"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def builds(prices: Prices) -> str:
    """One cube of each length."""
    small = [build_cost(prices, n, DEFAULT) for n in FRAMES]
    large = [build_cost(prices, n, LARGE) for n in FRAMES]
    rows = [["cube", *(_gb(cost.work.layout.data_bytes) for cost in small)]]
    for setup, costs in ((DEFAULT, small), (LARGE, large)):
        rows += [
            [f"**{setup}**: memory of a task", *(f"{cost.work.memory_mb:,} MB" for cost in costs)],
            ["tasks, and at once", *(f"{len(cost.work.blocks)}, {cost.work.tasks}" for cost in costs)],
            ["time", *(_minutes(cost.work.seconds) for cost in costs)],
            ["Lambda", *(dollars(cost.compute) for cost in costs)],
            ["GET requests on FfiBucket", *(dollars(cost.gets) for cost in costs)],
            ["PUT requests, transitions", *(dollars(cost.puts) for cost in costs)],
            ["**in all**", *(f"**{dollars(cost.total)}**" for cost in costs)],
        ]
    rows += [["S3 Standard, a month", *(dollars(storage(prices, cost.work.layout.data_bytes / 1e9)) for cost in small)]]
    return table(["", *(f"{n:,} frames" for n in FRAMES)], rows)


def whole_mission(prices: Prices) -> str:
    """100 sectors with 16 CCDs each."""
    small, large = mission(prices, DEFAULT), mission(prices, LARGE)
    kept = storage(prices, small.n_bytes / 1e9)
    both = (small, large)
    rows = [
        ["cubes", *(f"{one.n_bytes / 1e12:.0f} TB" for one in both)],
        ["Lambda", *(dollars(one.compute) for one in both)],
        ["GET requests, if the frames are in FfiBucket", *(dollars(one.gets) for one in both)],
        ["PUT requests, transitions", *(dollars(one.puts) for one in both)],
        ["days, one cube after another", *(f"{one.days:.0f}" for one in both)],
        ["S3 Standard, a month", *(dollars(kept) for _ in both)],
        ["the same for frames that you keep, a month", *(dollars(kept) for _ in both)],
    ]
    return table(["", str(DEFAULT), str(LARGE)], rows)


def idle_rows(prices: Prices) -> list[tuple[str, float, float]]:
    """What a stack costs that nobody uses: a name, dollars a month, and dollars if the free use is not taken yet."""
    resources, use = deployed(), prices["use"]
    watch, sqs, function = prices["cloudwatch"], prices["sqs"], prices["lambda"]
    composite = composite_alarms(resources) * watch["composite_alarm"]
    alarms, shown = alarm_metrics(resources), dashboards(resources)
    runs = runs_a_month(resources)
    seconds = {name: use[f"seconds_of_a_{'frequent' if n >= FREQUENT else 'rare'}_run"] for name, n in runs.items()}
    work = sum(n * (seconds[name] * function["gb_second"] + function["request"]) for name, n in runs.items())
    kept = use["state_gb"] * (prices["dynamodb"]["gb_month"] + prices["dynamodb"]["gb_month_of_recovery"])
    free_alarms = max(0, alarms - watch["free_alarm_metrics"]) * watch["alarm_metric"]
    free_shown = max(0, shown - watch["free_dashboards"]) * watch["dashboard"]
    return [
        (f"alarms on {alarms} metrics", alarms * watch["alarm_metric"], free_alarms),
        ("alarms on other alarms", composite, composite),
        (f"{shown} dashboard", shown * watch["dashboard"], free_shown),
        (f"Lambda asks IngestQueue {sqs['polls_of_lambda']:,} times", sqs["polls_of_lambda"] * sqs["request"], 0.0),
        (f"{sum(runs.values()):,.0f} scheduled runs", work, 0.0),
        ("StateTable, with recovery to any minute", kept, kept),
    ]


def idle(prices: Prices) -> str:
    """A stack that nobody uses."""
    rows = idle_rows(prices)
    listed = [[name, dollars(full), dollars(free)] for name, full, free in rows]
    total = [f"**{dollars(sum(row[column] for row in rows))}**" for column in (1, 2)]  # type: ignore[misc]
    return table(
        ["a month, without requests", "list price", "while the account's free use lasts"],
        [*listed, ["**in all**, and storage", *total]],
    )


def options(prices: Prices) -> str:
    """What parameters and use add, a month."""
    watch, waf, use = prices["cloudwatch"], prices["waf"], prices["use"]
    names = len(own_metrics())
    acls = [each["Properties"]["Rules"] for each in deployed().values() if each["Type"] == "AWS::WAFv2::WebACL"]
    n_rules = sum(map(len, acls))
    added = alarm_metrics(deployed(), optional=True)
    often = min(hours for hours in allowed("CanaryHours") if hours)
    seconds = use["canary_seconds"] * use["canary_gb"]
    canary = HOURS / often * (seconds * prices["lambda"]["gb_second"] + prices["lambda"]["request"])
    rows = [
        [
            f"{len(acls)} web ACLs with {n_rules} rules (`ClientRateLimit`)",
            dollars(len(acls) * waf["acl"] + n_rules * waf["rule"]),
        ],
        ["alarms that options add (canary, gradual deployment), all of them", dollars(added * watch["alarm_metric"])],
        [f"the runs of the canary (`CanaryHours={often}`)", dollars(canary)],
        [f"our own {names} metrics, if each is sent in every hour", dollars(names * watch["custom_metric"])],
        [
            "S3's request metrics of ResultBucket, while results are read",
            dollars(use["request_metrics"] * watch["custom_metric"]),
        ],
        ["1 million requests to the APIs, without cutouts", dollars(1e6 * request_cost(prices))],
        ["1 million requests that a web ACL looks at", dollars(1e6 * waf["request"])],
        ["1 GB of logs", dollars(watch["gb_of_logs"])],
        ["1 TB that leaves AWS", dollars(1000 * prices["transfer"]["gb_out"])],
        ["1 TB that is read in another region", dollars(1000 * prices["transfer"]["gb_between_regions"])],
    ]
    return table(["option or use", "dollars"], rows)


def advice(prices: Prices) -> str:
    """The sentences about long sectors."""
    longest = max(FRAMES)
    small, large = build_cost(prices, longest, DEFAULT), build_cost(prices, longest, LARGE)
    return (
        f"Deploy with {LARGE} where the account allows functions of that memory. A cube of {longest:,} frames then\n"
        f"costs {dollars(large.total)} instead of {dollars(small.total)}, is built in "
        f"{_minutes(large.work.seconds)} instead of {_minutes(small.work.seconds)}, and sends "
        f"{large.work.gets / 1e6:.1f} instead of {small.work.gets / 1e6:.1f} million GET\nrequests."
    )


def summary(prices: Prices) -> str:
    """The sentence of README.md."""
    rows = idle_rows(prices)
    full, free = (sum(row[column] for row in rows) for column in (1, 2))  # type: ignore[misc]
    one = build_cost(prices, min(FRAMES), DEFAULT)
    kept = storage(prices, one.work.layout.data_bytes / 1e9)
    return (
        f"A stack that nobody uses costs {dollars(free)} to {dollars(full)} a month. A cube of {min(FRAMES):,} frames "
        f"costs {dollars(one.total)} to build\nand {dollars(kept)} a month to keep."
    )


TABLES: dict[str, Callable[[Prices], str]] = {
    "builds": builds,
    "advice": advice,
    "mission": whole_mission,
    "idle": idle,
    "options": options,
    "summary": summary,
}
"""What stands between the marks of a page, by the name in the mark."""


def all_tables() -> dict[str, str]:
    """Every table."""
    prices = read_prices()
    return {name: make(prices) for name, make in TABLES.items()}
