"""The plan of a list in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.bands import Band
from tessera.bulk.plan.costs import PlanTerms
from tessera.bulk.plan.planning import plan_bands
from tessera.bulk.plan.seeing import find_sightings
from tessera.bulk.plan.sightings import SightCube, Sightings
from tessera.bulk.plan.sizes import hats_order, result_bytes
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.sky import healpix_index
from tessera.bulk.target_rows import TargetRows


@dataclass(frozen=True, eq=False)
class TargetPlan:
    """A list, the cubes that see its targets, and its bands.

    Parameters
    ----------
    rows : TargetRows
        The list.
    cubes : tuple of SightCube
        The cubes.
    options : BulkOptions
        What is made.
    terms : PlanTerms
        Costs, prices and limits.
    sightings : Sightings
        Its targets on cubes.
    bands : tuple of Band
        Its bands, in the order of their numbers.
    hats_order : int
        HEALPix order of the partitions of the catalogue of light curves.
    """

    rows: TargetRows
    cubes: tuple[SightCube, ...]
    options: BulkOptions
    terms: PlanTerms
    sightings: Sightings
    bands: tuple[Band, ...]
    hats_order: int = 0

    @property
    def pace(self) -> float:
        """Largest number of requests per second of a task."""
        return self.terms.costs.pace(len(self.bands))

    def store(self, band: int) -> StoredBand:
        """A band with everything that its task needs, by its number."""
        one = self.bands[band]
        cube = self.cubes[one.cube]
        return StoredBand.of(one, self.sightings, self.rows, cube, pace=self.pace, hats_order=self.hats_order)


def plan_targets(
    rows: TargetRows, cubes: Sequence[SightCube], options: BulkOptions, terms: PlanTerms | None = None
) -> TargetPlan:
    """Plan the work on a list. Nothing is read.

    Parameters
    ----------
    rows : TargetRows
        The list.
    cubes : sequence of SightCube
        Cubes of the product that is wanted, in the order in which their bands are numbered.
    options : BulkOptions
        What is made.
    terms : PlanTerms, optional
        Costs, prices and limits.

    Raises
    ------
    InvalidInputError
        When there are more than `PlanTerms.most_cutouts` cutouts.
    MissingPackageError
        When light curves in Parquet are wanted and a package that they need is not installed.
    """
    terms = PlanTerms() if terms is None else terms
    sightings = find_sightings(rows, cubes, options, terms.most_cutouts)
    bands = plan_bands(sightings, cubes, options, terms)
    order = _order(rows, cubes, options, sightings) if "parquet" in options.outputs else 0
    return TargetPlan(rows, tuple(cubes), options, terms, sightings, bands, order)


def _order(rows: TargetRows, cubes: Sequence[SightCube], options: BulkOptions, sightings: Sightings) -> int:
    """HEALPix order of the partitions of the catalogue."""
    none = np.zeros(1, np.int64)
    sizes = np.array([result_bytes(cube.layout, none, options)["parquet"][0] for cube in cubes], np.float64)
    return hats_order(healpix_index(rows.ra, rows.dec)[sightings.target], sizes[sightings.cube])
