"""What goes on: the switch, schedules, alarms and who hears them, executions, throttles, messages, costs."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from tessera_cloud.admin.checks.look import Check, Look, age_of
from tessera_cloud.admin.lines import Line
from tessera_cloud.application.switch import read_switch

DAY = datetime.timedelta(days=1)
LONG = datetime.timedelta(hours=4)
"""Age from which an execution is named. Where Lambda throttles, one may wait for up to 20 hours."""
_BROKEN = ("FAILED", "TIMED_OUT")


def paused(look: Look) -> Iterator[Line]:
    """Whether the service is paused, since when and by whom."""
    switch = read_switch(look.services.state)
    if not switch.paused:
        yield Line("ok", "paused", "no")
        return
    since = datetime.datetime.fromtimestamp(switch.since, datetime.UTC)
    says = f"for {age_of(since, look.now)}, by the {switch.by}: {switch.reason or 'no reason'}"
    yield Line("warn", "paused", says, f"make resume STACK={look.stack.name}, when the reason is gone")


def schedules(look: Look) -> Iterator[Line]:
    """Rules that start ingest, the indexes and the cleaning."""
    client = look.client("events")
    off = set() if look.number("CanaryHours") else {"CanaryStack"}
    rules = [rule for rule in look.stack.of_kind("AWS::Events::Rule") if rule.stack not in off]
    stopped = []
    for rule in rules:
        name = rule.physical.rsplit("|", 1)[-1]
        if client.describe_rule(Name=name)["State"] != "ENABLED":
            stopped.append(name)
    for name in stopped:
        yield Line("warn", "schedules", f"{name} is stopped", f"aws events enable-rule --name {name}")
    if not stopped:
        yield Line("ok" if rules else "warn", "schedules", f"{len(rules)} run" if rules else "the stack has none")


def alarms(look: Look) -> Iterator[Line]:
    """Alarms that are raised. Parts of alarms, whose names do not end in Alarm, do not count."""
    found = [*look.stack.of_kind("AWS::CloudWatch::Alarm"), *look.stack.of_kind("AWS::CloudWatch::CompositeAlarm")]
    names = [alarm.physical for alarm in found if alarm.logical.endswith("Alarm")]
    raised = []
    paginator = look.client("cloudwatch").get_paginator("describe_alarms")
    for start in range(0, len(names), 100):
        some = names[start : start + 100]
        for page in paginator.paginate(AlarmNames=some, AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
            both = [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
            raised += [alarm for alarm in both if alarm["StateValue"] == "ALARM"]
    for alarm in raised:
        since = alarm.get("StateUpdatedTimestamp")
        says = f"{alarm['AlarmName']} is raised{f' for {age_of(since, look.now)}' if since else ''}"
        yield Line("fail", "alarms", says, "see docs/operations/alarms.md")
    if not raised:
        yield Line("ok", "alarms", f"{len(names)} alarms, none is raised")


def topic(look: Look) -> Iterator[Line]:
    """Whether anybody hears the alarms."""
    arn = look.stack.parameters.get("AlarmTopicArn", "")
    if not arn:
        advice = "make a topic and set AlarmTopicArn, see docs/operations/alarms.md, Who is told"
        yield Line("warn", "topic", "alarms show in the console only", advice)
        return
    client = look.operator.client("sns", arn.split(":")[3])
    try:
        pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
        found = [subscription for page in pages for subscription in page["Subscriptions"]]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in ("NotFound", "NotFoundException"):
            raise
        yield Line("fail", "topic", f"{arn} does not exist", "make it, see docs/operations/alarms.md, Who is told")
        return
    confirmed = [each for each in found if each["SubscriptionArn"].startswith("arn:")]
    if confirmed:
        yield Line(
            "ok", "topic", f"{len(confirmed)} confirmed: {', '.join(sorted({each['Protocol'] for each in confirmed}))}"
        )
    else:
        subscribe = f"aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint YOU"
        advice = f"{subscribe}, then follow the link in the mail"
        yield Line("fail", "topic", f"{len(found)} subscriptions, none confirmed: nobody is told", advice)


def executions(look: Look) -> Iterator[Line]:
    """Executions of the last day that failed, and those that run for too long."""
    client = look.client("stepfunctions")
    for machine in look.stack.of_kind("AWS::StepFunctions::StateMachine"):
        name = machine.logical.removesuffix("StateMachine")
        broken = [each for status in _BROKEN for each in _listed(client, machine.physical, status)]
        broken = [each for each in broken if look.now - each["startDate"] < DAY]
        running = _listed(client, machine.physical, "RUNNING")
        slow = [each for each in running if look.now - each["startDate"] > LONG]
        if broken:
            newest = max(broken, key=lambda each: each["startDate"])
            advice = f"aws stepfunctions describe-execution --execution-arn {newest['executionArn']}"
            yield Line("warn", "executions", f"{name}: {len(broken)} failed since yesterday", advice)
        for each in slow:
            advice = f"aws stepfunctions describe-execution --execution-arn {each['executionArn']}"
            yield Line("warn", "executions", f"{name}: one runs for {age_of(each['startDate'], look.now)}", advice)
        if not broken and not slow:
            yield Line("ok", "executions", f"{name}: {len(running)} run, none failed since yesterday")


def _listed(client: Any, machine: str, status: str) -> list[Any]:
    listed: list[Any] = client.list_executions(stateMachineArn=machine, statusFilter=status, maxResults=100)[
        "executions"
    ]
    return listed


def throttles(look: Look) -> Iterator[Line]:
    """Calls of functions that Lambda refused in the last day."""
    functions = look.stack.of_kind("AWS::Lambda::Function")
    sums = _sums(look, {function.logical: function.physical for function in functions})
    worst = sorted(((count, name) for name, count in sums.items() if count), reverse=True)[:3]
    if not worst:
        yield Line("ok", "throttles", "none in the last day")
        return
    says = f"{sum(sums.values()):.0f} in the last day: " + ", ".join(f"{name} {count:.0f}" for count, name in worst)
    yield Line("warn", "throttles", says, "see `concurrency` above; they are repeated, but take time")


def _sums(look: Look, functions: dict[str, str]) -> dict[str, float]:
    dimensions = {logical: [{"Name": "FunctionName", "Value": name}] for logical, name in functions.items()}
    names = dict(enumerate(dimensions))
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/Lambda", "MetricName": "Throttles", "Dimensions": dimensions[name]},
                "Period": 3600,
                "Stat": "Sum",
            },
        }
        for number, name in names.items()
    ]
    found = _data(look, queries, look.now - DAY)
    return {names[int(label[1:])]: sum(values) for label, values in found.items()}


def _data(look: Look, queries: list[Any], start: datetime.datetime) -> dict[str, list[float]]:
    if not queries:
        return {}
    pages = (
        look.client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(MetricDataQueries=queries, StartTime=start, EndTime=look.now)
    )
    found: dict[str, list[float]] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            found.setdefault(result["Id"], []).extend(result["Values"])
    return found


def dead_letters(look: Look) -> Iterator[Line]:
    """Messages to ingest that failed five times."""
    url = look.stack.physical("IngestDeadLetterQueue")
    wanted = ["ApproximateNumberOfMessages", "QueueArn"]
    found = look.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
    count = int(found["ApproximateNumberOfMessages"])
    if count:
        advice = f"read ingest's log, then: aws sqs start-message-move-task --source-arn {found['QueueArn']}"
        yield Line("warn", "dead letters", f"{count} messages", advice)
    else:
        yield Line("ok", "dead letters", "none")


def cost(look: Look) -> Iterator[Line]:
    """Estimate of what today cost so far, from the metrics and prices of SpendAlarm."""
    name = look.stack.physical("SpendAlarm")
    found = look.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"] if name else []
    if not found:
        yield Line("skip", "cost", "the stack has no SpendAlarm")
        return
    queries = [dict(query) for query in found[0].get("Metrics", [])]
    shown = next(query["Id"] for query in queries if query.get("ReturnData", True))
    midnight = look.now.replace(hour=0, minute=0, second=0, microsecond=0)
    spent, most = sum(_data(look, queries, midnight).get(shown, [])), float(found[0]["Threshold"])
    says = f"${spent:.2f} today since 0:00 UTC, by list prices and without storage; DailySpendUsd is {most:g}"
    if spent >= most:
        yield Line("fail", "cost", says, "see docs/operations/spending.md")
    else:
        yield Line("warn" if spent > most / 2 else "ok", "cost", says, "watch it" if spent > most / 2 else "")


OPERATION_CHECKS: tuple[Check, ...] = (
    paused,
    schedules,
    topic,
    alarms,
    executions,
    throttles,
    dead_letters,
    cost,
)
