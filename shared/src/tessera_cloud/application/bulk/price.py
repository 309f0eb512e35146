"""What the work on a list costs. Nothing is read but the list, the index and sidecars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.costs import PlanTerms, Prices, ReadCosts
from tessera.bulk.target_rows import TargetRows
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.bulk.cubes import SeenCube, opened, see_cubes
from tessera_cloud.application.lightcurves.vectors import has_vectors
from tessera_cloud.application.measures.places import why_none
from tessera_cloud.application.side_by_side import side_by_side
from tessera_cloud.errors import NotFoundError, OverLimitsError, UsageError
from tessera_cloud.settings import Settings

if TYPE_CHECKING:
    from tessera.bulk.plan.price import BulkPlan

_NAMED = 10
_HEADS_AT_ONCE = 16
MOST_LINES = 4_000_000
"""Largest number of lines of the status table about cutouts. Each needs 330 bytes when the table is sorted, and the
function that does it has 3,008 MB."""
MOST_FILES = 200_000
"""Largest number of files of a list. The functions that name all of them in a document need 2 kB for each."""
MOST_MINUTES = 900.0
"""Largest time of a list, in minutes. The state machine ends after 18 hours, and tasks may wait for their turn."""


def terms_of(settings: Settings, options: BulkOptions, seen: Sequence[SeenCube]) -> PlanTerms:
    """Costs and limits of the service for a list with these options, over these cubes.

    Requests to a public bucket cost nothing. If one of the cubes is in a bucket of ours, all requests have their price.
    """
    bulk = settings.bulk
    ours = any(one.published.bucket not in settings.public_buckets for one in seen)
    costs = ReadCosts(
        usd_per_request=Prices().get if ours else 0.0,
        requests_per_second=settings.max_gets_per_second / bulk.max_jobs,
        concurrency=bulk.concurrency,
    )
    return PlanTerms(
        costs=costs,
        kept_days=bulk.kept_days,
        most_usd=bulk.most_usd,
        most_cutouts=MOST_LINES // len(options.outputs),
        most_files=MOST_FILES,
        most_minutes=MOST_MINUTES,
    )


def check_vectors(options: BulkOptions, seen: Sequence[SeenCube], backend: HasCubes) -> None:
    """Check that all cubes have the cotrending vectors that a list needs.

    Raises
    ------
    UsageError
        If some have none; it names them.
    """
    if options.detrend != "cbv":
        return
    found = side_by_side(lambda one: has_vectors(one.published, backend), seen, _HEADS_AT_ONCE)
    without = [one.published for one, there in zip(seen, found, strict=True) if not there]
    if without:
        named = ", ".join(cube.obs_id for cube in without[:_NAMED]) + (", ..." if len(without) > _NAMED else "")
        why = f"{without[0].obs_id}: {why_none(without[0], backend)}"
        allowed = f"none or pld, or other sectors, because there are no cotrending vectors of {named}; {why}"
        raise UsageError.about("detrend", "cbv", allowed)


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What the work on a list costs.

    Parameters
    ----------
    plan : BulkPlan
        Counts and price.
    n_broken : int
        Cubes that may see a target and cannot be opened. The plan lacks them.
    """

    plan: BulkPlan
    n_broken: int


def price_list(rows: TargetRows, options: BulkOptions, backend: HasCubes, deadline: float) -> ListPrice:
    """Plan the work on a list, and find what it costs. No cube is opened after a time in seconds since 1970.

    Raises
    ------
    BusyError
        If so many cubes are opened for the first time that the answer would be late. The next request finds those that
        this one opened.
    InvalidInputError
        If the list makes too many cutouts.
    UsageError
        If cubes have no cotrending vectors, and the list needs them.
    """
    from tessera.bulk.plan.price import price_plan  # noqa: PLC0415 - progress is shown without them
    from tessera.bulk.plan.whole import plan_targets  # noqa: PLC0415

    seen = see_cubes(rows, options, backend, deadline)
    check_vectors(options, seen, backend)
    cubes = opened(seen)
    plan = price_plan(plan_targets(rows, cubes, options, terms_of(backend.settings, options, seen)))
    return ListPrice(plan, len(seen) - len(cubes))


def check_seen(price: ListPrice, options: BulkOptions) -> None:
    """Check that a list has a target that is on a cube, or may be on one that cannot be opened.

    Raises
    ------
    NotFoundError
        If it has none.
    """
    plan = price.plan
    if not plan.cutouts and not price.n_broken:
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
