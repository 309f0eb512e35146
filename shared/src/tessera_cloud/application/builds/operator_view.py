"""Builds for operators: executions of the CubeBuild state machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tessera_cloud import keys
from tessera_cloud.application.backend import HasMachines
from tessera_cloud.application.builds.plan_document import read_plan
from tessera_cloud.contracts import BuildRequest
from tessera_cloud.errors import ConflictError, NotFoundError
from tessera_cloud.ports import Execution
from tessera_cloud.settings import Settings

RUNNING = "RUNNING"


@dataclass(frozen=True, slots=True)
class BlockProgress:
    """Number of blocks of a build, and number of finished ones."""

    blocks: int
    done: int


def start_build(request: BuildRequest, backend: HasMachines, *, run: str) -> str:
    """Start a build and return its name. `run` makes the name unique.

    Two builds of the same frames share their blocks, so a second start does no harm.

    Raises
    ------
    ConflictError
        If there is a build of that name.
    """
    name = f"{request.cube_id}-{run}"[:80]
    document = request.model_dump(mode="json", exclude_none=True) | {"product": request.product}
    if not backend.executions.start(backend.settings.cube_build_machine, name, document):
        raise ConflictError(f"there is a build {name} already", parameter="build", value=name, allowed="a new name")
    return name


def list_builds(backend: HasMachines, *, status: str | None, limit: int) -> list[Execution]:
    """The newest builds, with one status or with any; at most `limit`."""
    return backend.executions.list_executions(backend.settings.cube_build_machine, status=status, count=limit)


def find_build(name: str, backend: HasMachines) -> Execution:
    """Find a build by its name.

    Raises
    ------
    NotFoundError
        If there is no build of that name.
    """
    found = backend.executions.describe(backend.settings.cube_build_machine, name)
    if found is None:
        raise NotFoundError.named("build", name, "a name of /v1/builds")
    return found


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """What the plan of a build says, and how far the build is.

    Parameters
    ----------
    progress : BlockProgress or None
        Progress; None if the build has ended.
    usd : float or None
        Estimated price of the blocks, in dollars; None if the plan was made by a release that did not estimate it.
    """

    progress: BlockProgress | None
    usd: float | None


def planned_work(execution: Execution, backend: HasMachines) -> PlannedWork | None:
    """What the plan of a build says; None if the build has no plan yet, or if its plan is gone.

    Blocks that an earlier execution of the same build finished count as done, because they are not built again.
    """
    try:
        wanted = BuildRequest.model_validate(execution.request)
    except ValueError:  # the input is not one of our requests, or is missing because the execution is from a list
        return None
    bucket, folder = backend.settings.cube_bucket, keys.builds(wanted.cube_id)
    found = list(backend.store.list_objects(bucket, folder))
    ended = math.inf if execution.stopped is None else execution.stopped + 1
    plans = [
        info for info in found if info.key.endswith(f"/{keys.PLAN}") and execution.started - 1 <= info.modified <= ended
    ]
    if not plans:
        return None
    prefix = max(plans, key=lambda info: info.modified).key.removesuffix(keys.PLAN)
    plan = read_plan(backend.store, bucket, prefix)
    usd = next((size.usd for size in plan.sizes if size.memory_mb == plan.memory_mb), None)
    if execution.status != RUNNING:
        return PlannedWork(None, usd)
    done = sum(info.key.startswith(keys.block_records(prefix)) for info in found)
    return PlannedWork(BlockProgress(len(plan.blocks), done), usd)


def console_url(name: str, settings: Settings) -> str | None:
    """Address of a build in the console of AWS, where its log is; None on one machine, which has no console."""
    if not settings.has_console:
        return None
    _, partition, _, region, account, _, machine_name = settings.cube_build_machine.split(":", 6)
    host = {"aws-cn": "amazonaws.cn", "aws-us-gov": "amazonaws-us-gov.com"}.get(partition, "aws.amazon.com")
    execution = f"arn:{partition}:states:{region}:{account}:execution:{machine_name}:{name}"
    return f"https://{region}.console.{host}/states/home?region={region}#/v2/executions/details/{execution}"


def cancel_build(name: str, backend: HasMachines) -> Execution:
    """Stop a build. Its finished blocks stay, so that the next execution uses them.

    Raises
    ------
    NotFoundError
        If there is no build of that name.
    ConflictError
        If the build has ended.
    """
    found = find_build(name, backend)
    if found.status != RUNNING:
        allowed = "a build that is running"
        raise ConflictError(f"build {name} is {found.status}; allowed: {allowed}", parameter="build", allowed=allowed)
    backend.executions.stop(backend.settings.cube_build_machine, name, "cancelled by an operator")
    return find_build(name, backend)
