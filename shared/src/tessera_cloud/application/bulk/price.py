"""What the work on a list costs. Nothing is read but the list, the index and sidecars."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.costs import PlanTerms, ReadCosts
from tessera.bulk.target_rows import TargetRows
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.bulk.cubes import opened, see_cubes
from tessera_cloud.errors import NotFoundError, OverLimitsError
from tessera_cloud.settings import Settings

if TYPE_CHECKING:
    from tessera.bulk.plan.price import BulkPlan

_NAMED = 10
MOST_LINES = 4_000_000
"""Largest number of lines of the status table about cutouts. Each needs 330 bytes when the table is sorted, and the
function that does it has 3,008 MB."""


def terms_of(settings: Settings, options: BulkOptions) -> PlanTerms:
    """Costs and limits of the service for a list with these options."""
    bulk = settings.bulk
    costs = ReadCosts(requests_per_second=settings.max_gets_per_second / bulk.max_jobs, concurrency=bulk.concurrency)
    most_cutouts = MOST_LINES // len(options.outputs)
    return PlanTerms(costs=costs, kept_days=bulk.kept_days, most_usd=bulk.most_usd, most_cutouts=most_cutouts)


def price_list(rows: TargetRows, options: BulkOptions, backend: HasCubes, deadline: float) -> BulkPlan:
    """Plan the work on a list, and find what it costs. No cube is opened after a time in seconds since 1970.

    Raises
    ------
    BusyError
        If so many cubes are opened for the first time that the answer would be late. The next request finds those that
        this one opened.
    InvalidInputError
        If the list makes too many cutouts.
    """
    from tessera.bulk.plan.price import price_plan  # noqa: PLC0415 - progress is shown without them
    from tessera.bulk.plan.whole import plan_targets  # noqa: PLC0415

    cubes, terms = opened(see_cubes(rows, options, backend, deadline)), terms_of(backend.settings, options)
    return price_plan(plan_targets(rows, cubes, options, terms))


def check_seen(plan: BulkPlan, options: BulkOptions) -> None:
    """Check that a list has a target that is on a cube.

    Raises
    ------
    NotFoundError
        If it has none.
    """
    if not plan.cutouts:
        sectors = "" if options.sectors is None else f" of the sectors {', '.join(map(str, options.sectors[:_NAMED]))}"
        what = f"a {options.product} cube{sectors}"
        raise NotFoundError(f"none of the {plan.targets:,} targets of the list is on {what}", parameter="targets")


def check_allowed(plan: BulkPlan) -> None:
    """Check that a list exceeds no limit.

    Raises
    ------
    OverLimitsError
        Naming each limit, the value of the list, and what is allowed.
    """
    if not plan.limits:
        return
    said = [f"{limit.limit} is {limit.value:,.12g}; allowed: at most {limit.allowed:,.12g}" for limit in plan.limits]
    limits = [asdict(limit) for limit in plan.limits]
    raise OverLimitsError(f"the plan of the list exceeds a limit: {'; '.join(said)}", limits)
