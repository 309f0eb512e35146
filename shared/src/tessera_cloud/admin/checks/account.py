"""What the account allows: its quotas, the region, sizes, and what earlier stacks left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tessera_cloud.admin.checks.look import Check, Look
from tessera_cloud.admin.lines import Line

CONCURRENCY_QUOTA = "L-B99A9384"
"""Code of Lambda's quota of executions at the same time."""
WANTED = 1000
"""Lambda's usual quota. New accounts have less, often 10."""
UNRESERVED = 100
"""Executions that Lambda leaves unreserved: it refuses to reserve them."""
LARGEST_MB = 10_240
"""Largest memory of a function. New accounts allow 3,008 MB, and no quota tells it."""
SMALL = "BlockConcurrency=3 MaxBuilds=1 IndexConcurrency=1 JobConcurrency=2 MaxJobs=1 BulkConcurrency=2 MaxBulkJobs=1"
"""Parameters that fit an account with 10 executions at once."""
_GB = 1_000_000_000


def _ask(service: str, code: str, value: object) -> str:
    """Command that asks for a larger quota."""
    command = "aws service-quotas request-service-quota-increase"
    return f"{command} --service-code {service} --quota-code {code} --desired-value {value}"


def account(look: Look) -> Iterator[Line]:
    """Whose credentials they are, and the state of the stack."""
    name = look.client("sts").get_caller_identity()
    status = look.stack.status
    yield Line("ok", "account", f"{name['Account']} in {look.operator.region}, as {name['Arn'].rsplit('/', 1)[-1]}")
    advice = "read the events: aws cloudformation describe-stack-events --stack-name " + look.stack.name
    if missing := look.stack.missing():
        yield Line("fail", "stack", f"{look.stack.name} is {status}, and {missing}", advice)
    elif status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        yield Line("ok", "stack", f"{look.stack.name} is {status}")
    elif status.endswith("IN_PROGRESS") or status == "UPDATE_ROLLBACK_COMPLETE":
        yield Line("warn", "stack", f"{look.stack.name} is {status}", advice)
    else:
        yield Line("fail", "stack", f"{look.stack.name} is {status}", advice)


def concurrency(look: Look) -> Iterator[Line]:
    """Functions that may run at the same time, and what the stack can need of them at the worst."""
    limits = look.client("lambda").get_account_settings()["AccountLimit"]
    limit, free = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    builds = look.number("MaxBuilds", 1) * look.number("BlockConcurrency")
    jobs = look.number("MaxJobs", 1) * look.number("JobConcurrency")
    lists = look.number("MaxBulkJobs", 0) * look.number("BulkConcurrency", 0)
    used = builds + 2 * look.number("IndexConcurrency") + jobs + lists
    ask = _ask("lambda", CONCURRENCY_QUOTA, WANTED)
    if used >= free:
        says = f"{free} executions at once; builds, indexes, jobs and lists can take {used}: the API then answers 5xx"
        fit = f"; until then sam deploy --parameter-overrides {SMALL}" if limit < WANTED else ""
        yield Line("warn", "concurrency", says, f"{ask}{fit}")
    elif limit < WANTED:
        says = f"{limit} executions at once; builds, indexes, jobs and lists can take {used}"
        yield Line("warn", "concurrency", says, ask)
    else:
        yield Line("ok", "concurrency", f"{limit} executions at once, {free} of them not reserved")
    yield from _waits(look, limit, free)


def _waits(look: Look, limit: int, free: int) -> Iterator[Line]:
    if "WaitConcurrency" not in look.stack.parameters:
        return
    waits = look.number("WaitConcurrency")
    if waits and free < UNRESERVED:
        advice = "sam deploy --parameter-overrides WaitConcurrency=0, or ask for a larger quota"
        yield Line("warn", "waits", f"{waits} reserved, {free} left; Lambda keeps {UNRESERVED} unreserved", advice)
    elif not waits and limit >= WANTED:
        advice = "sam deploy --parameter-overrides WaitConcurrency=100"
        yield Line(
            "warn", "waits", "nothing is reserved for clients that wait for jobs; they can crowd out others", advice
        )
    else:
        yield Line("ok", "waits", f"{waits} executions reserved for clients that wait for jobs")


def _quotas(look: Look, service: str, *words: str) -> list[dict[str, Any]]:
    """Quotas of a service whose names have all words."""
    pages = look.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode=service)
    quotas = [quota for page in pages for quota in page["Quotas"]]
    return [quota for quota in quotas if all(word in quota["QuotaName"].lower() for word in words)]


def network(look: Look) -> Iterator[Line]:
    """Network of a function, which decides how long a build takes."""
    found = _quotas(look, "lambda", "network", "bandwidth")
    if not found:
        says = "no quota of this name; a function has 625 Mbit/s"
        yield Line("ok", "network", says)
    for quota in found:
        more = f"tasks of 10,240 MB cost less with a larger one: {_ask('lambda', quota['QuotaCode'], 'N')}"
        yield Line("ok", "network", f"{quota['QuotaName']}: {quota['Value']:g}; {more}")


def memory(look: Look) -> Iterator[Line]:
    """Largest memory of a block task, of which plans take the size that costs least."""
    most = look.number("BlockMemoryMb", LARGEST_MB)
    says = f"block tasks of up to {most:,} MB"
    if most < LARGEST_MB:
        says += (
            f"; if the account allows {LARGEST_MB:,} MB, long sectors cost a third less with BlockMemoryMb={LARGEST_MB}"
        )
    yield Line("ok", "memory", says)


def step_functions(look: Look) -> Iterator[Line]:
    """Transitions of state machines in a second; new accounts have fewer."""
    found = _quotas(look, "states", "statetransition")
    if not found:
        yield Line("skip", "step functions", "no quota of state transitions is listed in this region")
    for quota in found:
        slow = quota["Value"] < 100
        advice = _ask("states", quota["QuotaCode"], 800)
        yield Line(
            "warn" if slow else "ok",
            "step functions",
            f"{quota['QuotaName']}: {quota['Value']:g}",
            advice if slow else "",
        )


def sizes(look: Look) -> Iterator[Line]:
    """Zipped size of the functions, and room for further versions."""
    client = look.client("lambda")
    functions = look.stack.of_kind("AWS::Lambda::Function")
    largest, name = 0, ""
    for function in functions:
        found = client.get_function_configuration(FunctionName=function.physical)
        size = found["CodeSize"] + sum(layer["CodeSize"] for layer in found.get("Layers", []))
        largest, name = max((largest, name), (size, function.logical))
    if functions:
        says = f"{len(functions)} functions; {name} is the largest with {largest / 1e6:.0f} MB zipped"
        yield Line("ok", "sizes", f"{says}; `make build` tells the room below 250 MB unzipped")
    settings = client.get_account_settings()
    limit, used = settings["AccountLimit"]["TotalCodeSize"], settings["AccountUsage"]["TotalCodeSize"]
    full = used > 0.8 * limit
    advice = "delete old versions: aws lambda list-layers, aws lambda delete-layer-version"
    says = f"{used / _GB:.1f} of {limit / _GB:.0f} GB for all versions of code"
    yield Line("warn" if full else "ok", "code storage", says, advice if full else "")


def left_over(look: Look) -> Iterator[Line]:
    """Buckets and tables of earlier stacks with the same name, which hold cubes that nobody serves."""
    stack = look.stack
    ours = {resource.physical for resource in stack.resources}
    buckets = [bucket["Name"] for bucket in look.client("s3").list_buckets()["Buckets"]]
    starts = tuple(f"{stack.name}-{name}-".lower() for name in ("CubeBucket", "FfiBucket"))
    found = [name for name in buckets if name.startswith(starts) and name not in ours]
    pages = look.client("dynamodb").get_paginator("list_tables").paginate()
    tables = [name for page in pages for name in page["TableNames"]]
    found += [name for name in tables if name.startswith(f"{stack.name}-StateTable-") and name not in ours]
    advice = "adopt or delete them, see docs/operations/upgrading.md"
    if found:
        yield Line("warn", "left over", f"from an earlier stack of this name: {', '.join(sorted(found))}", advice)
    else:
        yield Line("ok", "left over", "nothing of an earlier stack of this name")


def stages(look: Look) -> Iterator[Line]:
    """Stages of the APIs beside the named one, which no limit covers."""
    client = look.client("apigateway")
    found = []
    for api in look.stack.of_kind("AWS::ApiGateway::RestApi"):
        names = [stage["stageName"] for stage in client.get_stages(restApiId=api.physical)["item"]]
        found += [(api.physical, name) for name in names if name != "prod"]
    for api_id, name in found:
        advice = f"aws apigateway delete-stage --rest-api-id {api_id} --stage-name {name}"
        yield Line("fail", "stages", f"stage {name!r} of API {api_id} has no limits", advice)
    if not found:
        yield Line("ok", "stages", "prod only")


ACCOUNT_CHECKS: tuple[Check, ...] = (account, concurrency, network, memory, step_functions, sizes, left_over, stages)
