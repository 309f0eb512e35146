"""Search the cubes of a Tessera service."""

from __future__ import annotations

from typing import Any, Protocol

from tessera.coverage.rows import Sighting, Wanted
from tessera.errors import InvalidQueryError
from tessera.progress import ProgressInput, counting
from tessera.sky.position_text import POSITIONS
from tessera.targets.places import NamedPlace
from tessera.targets.target import Target, TargetList
from tessera.tess.products import PRODUCTS

_REQUESTS_AT_ONCE = 8


class Service(Protocol):
    """What a search needs of `tessera.Client`."""

    def resolve(self, name: str) -> Any:
        """Find the position of a name."""

    def targets(self, ra: float, dec: float, *, product: str = "SPOC") -> list[Any]:
        """Find the cubes that have a pixel at a position."""


class ServiceNames:
    """The resolver of a service.

    Parameters
    ----------
    service : Service
        The service.
    """

    allowed = f"a name that the service knows, or {POSITIONS}"
    """See `tessera.targets.places.Names`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def find(self, name: str) -> NamedPlace | None:
        """See `tessera.targets.places.Names`."""
        try:
            place = self._service.resolve(name)
        except InvalidQueryError:
            return None
        return NamedPlace(place.name, place.ra, place.dec, place.source)


def search_service(
    service: Service, targets: TargetList, wanted: Wanted, progress: ProgressInput = None
) -> list[Sighting]:
    """Find targets on the cubes of a service, in all sectors.

    Parameters
    ----------
    service : Service
        The service.
    targets : TargetList
        The targets; those without a position are left out.
    wanted : Wanted
        The product is used; the sectors are not.
    progress : bool or callable, optional
        See `tessera.progress.ProgressInput`; the items are targets.

    Raises
    ------
    TesseraError
        When the service does not answer.
    """
    products = [name for name in PRODUCTS if wanted.product in (None, name)]

    def search(target: Target) -> list[Sighting]:
        rows = (
            []
            if target.reason
            else [
                _sighting(target, product, one)
                for product in products
                for one in service.targets(target.ra, target.dec, product=product)
            ]
        )
        counter.add()
        return rows

    with counting(progress, "target", len(targets)) as counter:
        found = counter.map(search, targets.targets, _REQUESTS_AT_ONCE)
    return [row for rows in found for row in rows]


def _sighting(target: Target, product: str, one: Any) -> Sighting:
    place = (one.sector, one.camera, one.ccd, one.start, one.stop)
    return Sighting(
        target, product, *place, one.cadence_seconds, one.n_cadences, one.row, one.column, one.edge, one.cube
    )
