"""Cubes of a list for which neither cubes nor a service were named: the public cubes at MAST that see its targets."""

from __future__ import annotations

from typing import Any

from astropy.coordinates import SkyCoord

from tessera.bulk.lists.read import read_list
from tessera.bulk.options import check_options
from tessera.bulk.target_rows import TargetRows
from tessera.cli.lists.arguments import ListRequest
from tessera.coverage.search import search
from tessera.errors import InvalidQueryError
from tessera.targets.names import MAST_RESOLVER, MastNames


def rows_and_cubes(request: ListRequest) -> tuple[Any, list[Any]]:
    """The targets and the cubes of a request: those that it names, or the public cubes that see its targets.

    Raises
    ------
    InvalidQueryError
        When no public cube sees one of the targets.
    """
    if request.cubes:
        return request.targets, request.cubes
    rows = read_list(
        request.targets, check_options(**request.options), names=MastNames(request.resolver or MAST_RESOLVER)
    )
    places = SkyCoord(rows.ra, rows.dec, unit="deg")
    product = request.options.get("product", "SPOC")
    found = search(places, sectors=_sectors(rows), product=product, footprints=request.footprints)
    cubes = list(dict.fromkeys(row.cube for row in found.rows))
    if not cubes:
        raise InvalidQueryError(f"no public cube sees one of the {len(rows):,} targets; {found.missing[0].reason}")
    return rows, cubes


def _sectors(rows: TargetRows) -> list[int] | None:
    """Sectors that one of the rows wants; None for all."""
    wanted: set[int] = set()
    for place in set(rows.sector_set.tolist()):
        some = rows.sector_sets[place]
        if some is None:
            return None
        wanted |= set(some)
    return sorted(wanted)
