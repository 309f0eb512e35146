"""What a user asks for a list of targets on this machine, and its plan."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from tessera import __version__
from tessera.bulk.lists.read import read_list
from tessera.bulk.options import BulkOptions, check_options
from tessera.bulk.plan.costs import LOCAL_COSTS, BandLimits, PlanTerms, ReadCosts
from tessera.bulk.plan.price import BulkPlan, price_plan
from tessera.bulk.plan.whole import TargetPlan, plan_targets
from tessera.bulk.target_rows import TargetRows
from tessera.bulk.work.opening import OpenedCubes, open_cubes
from tessera.cutouts.listing import list_cubes
from tessera.io.locations import local_path, shown
from tessera.io.sources import Location
from tessera.targets.names import MAST_RESOLVER, MastNames
from tessera.targets.tic import MastTic

_LIMITS = BandLimits(most_memory=1_600_000_000, n_bytes=4_000_000_000, seconds=math.inf, most_bytes=20_000_000_000)
_FEWEST, _FEWEST_FILES, _PARTS = 500, 100, 32
"""A list has about 32 bands, none of much fewer than 500 targets, or 100 with target pixel files. So several processes
have work, and little is repeated after an interruption. The number of processes does not change the bands: a list can
go on with another one."""


class GivenOptions(NamedTuple):
    """What a user wants, before it is checked."""

    outputs: object
    size: object
    sectors: object
    product: object
    aperture: object
    background: object
    layout: object
    packing: object
    best_only: object
    epoch: object
    flags: object
    detrend: object

    def check(self) -> BulkOptions:
        """Check it. Without a kind of frames, it is that of the cubes, which is not known yet."""
        return check_options(**self._replace(product="SPOC" if self.product is None else self.product)._asdict())


@dataclass(frozen=True)
class AskedList:
    """A list that was planned."""

    options: BulkOptions
    rows: TargetRows
    cubes: OpenedCubes
    planned: TargetPlan

    @cached_property
    def plan(self) -> BulkPlan:
        """The plan. Work on a machine of one's own has no price."""
        return replace(price_plan(self.planned), usd=0.0, usd_parts={})

    def digest(self) -> str:
        """Hash of all that decides the results."""
        rows, versions = self.rows, {name: known.version for name, known in self.cubes.known.items()}
        about = json.dumps([__version__, asdict(self.options), versions, rows.name, rows.sector_sets, rows.apertures])
        found = hashlib.sha256(about.encode())
        for name in ("row", "tic", "ra", "dec", "pm_ra", "pm_dec", "epoch", "n_rows", "n_columns", "sector_set"):
            found.update(np.ascontiguousarray(getattr(rows, name)).tobytes())
        found.update(rows.aperture.tobytes() + json.dumps([asdict(one) for one in rows.problems]).encode())
        return found.hexdigest()

    def document(self) -> dict[str, Any]:
        """What the manifest says about the request."""
        cubes = [{"cube": name, "location": shown(known.location)} for name, known in self.cubes.known.items()]
        unread = [{"cube": at, "reason": reason} for at, reason in self.cubes.unread.items()]
        plan = self.plan.to_dict()
        return {"order": asdict(self.options), "cubes": cubes, "unread_cubes": unread, "plan": plan}


def plan_asked(targets: Any, cubes: Any, given: GivenOptions, filesystem: Any, resolver: str) -> AskedList:
    """Check the options, read the list, open the cubes, and plan the work; see `tessera.cut_list`."""
    options, names = given.check(), MastNames(resolver)
    locations = list_cubes(cubes, filesystem)
    stars = MastTic() if resolver == MAST_RESOLVER else None  # another resolver is asked for all names
    rows = read_list(targets, options, names=names, stars=stars)
    opened = open_cubes(locations, None if given.product is None else options.product)
    options = replace(options, product=opened.product)
    return AskedList(
        options, rows, opened, plan_targets(rows, opened.sights, options, _terms(locations, len(rows), options))
    )


def _terms(locations: Sequence[Location], n_targets: int, options: BulkOptions) -> PlanTerms:
    remote = any(_is_remote(location) for location in locations)
    costs = replace(ReadCosts() if remote else LOCAL_COSTS, concurrency=os.cpu_count() or 1)
    least = _FEWEST_FILES if "tpf" in options.outputs else _FEWEST
    fewest = min(_LIMITS.targets, max(least, n_targets // _PARTS))
    return PlanTerms(costs=costs, limits=replace(_LIMITS, targets=fewest), most_bands=100_000, task_seconds=math.inf)


def _is_remote(location: Location) -> bool:
    try:
        return not local_path(os.fspath(location)).is_file()
    except (ValueError, OSError):
        return True
