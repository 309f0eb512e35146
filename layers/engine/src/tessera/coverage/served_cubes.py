"""Search the cubes of a Tessera service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from tessera.client.client import Client
from tessera.client.records import Sighting
from tessera.client.wire.address import read_address
from tessera.client.wire.failures import RefusedRequestError
from tessera.coverage.rows import Key, SearchRow, Wanted, key_of
from tessera.cutouts.results import CutoutOptions, CutoutResult, Size
from tessera.errors import InvalidInputError, InvalidQueryError
from tessera.io.locations import shown
from tessera.io.sources import Location
from tessera.progress import ProgressInput, counting
from tessera.sky.position_text import POSITIONS
from tessera.targets.places import NamedPlace
from tessera.targets.target import Target, TargetList
from tessera.tess.products import PRODUCTS

_REQUESTS_AT_ONCE = 8


Service: TypeAlias = "str | Client"
"""Address of a service, or its client."""


def check_service(service: Any) -> Service:
    """Return a service that a user gave.

    Raises
    ------
    InvalidInputError
        When it is neither an address nor a client.
    """
    if isinstance(service, Client):
        return service
    if not isinstance(service, str):
        raise InvalidInputError("service", service, "the address of a Tessera service, or a tessera.Client")
    try:
        return read_address(service).url
    except InvalidInputError as error:
        raise InvalidInputError("service", shown(service), error.allowed) from error


@contextmanager
def opened(service: Service) -> Iterator[Client]:
    """Client of a service until the end of the block. A client that a user gave stays open."""
    if isinstance(service, Client):
        yield service
        return
    with Client(service) as client:
        yield client


class ServiceNames:
    """The resolver of a service.

    Parameters
    ----------
    service : Client
        The service.
    """

    allowed = f"a name that the service knows, or {POSITIONS}"
    """See `tessera.targets.places.Names`."""

    def __init__(self, service: Client) -> None:
        self._service = service

    def find(self, name: str) -> NamedPlace | None:
        """See `tessera.targets.places.Names`."""
        try:
            return self._service.resolve(name)
        except InvalidQueryError:
            return None
        except RefusedRequestError as error:
            raise InvalidInputError("name", name, error.allowed or self.allowed) from error


def search_service(
    service: Client, targets: TargetList, wanted: Wanted, progress: ProgressInput = None
) -> list[SearchRow]:
    """Find targets on the cubes of a service, in all sectors.

    Parameters
    ----------
    service : Client
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

    def search(target: Target) -> list[SearchRow]:
        rows = (
            []
            if target.reason
            else [
                _row(target, product, one)
                for product in products
                for one in service.targets(target.ra, target.dec, product=product)
            ]
        )
        counter.add()
        return rows

    with counting(progress, "target", len(targets)) as counter:
        found = counter.map(search, targets.targets, _REQUESTS_AT_ONCE)
    return [row for rows in found for row in rows]


def _row(target: Target, product: str, one: Sighting) -> SearchRow:
    place = (one.sector, one.camera, one.ccd, one.start, one.stop)
    return SearchRow(
        target, product, *place, one.cadence_seconds, one.n_cadences, one.row, one.column, one.edge, one.cube
    )


def cut_service(
    service: Client,
    rows: Sequence[SearchRow],
    size: Size,
    *,
    options: CutoutOptions | None,
    output_dir: Location | None,
    progress: ProgressInput,
) -> dict[Key, CutoutResult]:
    """Let a service cut rows of a search. Targets with the same sectors are cut at the same time.

    Parameters
    ----------
    service : Client
        The service.
    rows : sequence of SearchRow
        The rows.
    size, options, output_dir, progress
        See `SearchResult.cut`.

    Returns
    -------
    dict
        A result for each row.
    """
    groups = _groups(rows)
    results: dict[Key, CutoutResult] = {}
    with counting(progress, "target", sum(map(len, groups.values()))) as counter:
        for (product, sectors), targets in groups.items():
            last = -1
            for result in service.cutouts_many(
                targets, size, sectors=sectors, product=product, options=options, output_dir=output_dir
            ):
                number = targets[result.number].number
                counter.add(int(number != last))
                results[number, result.cube], last = result, number
    return {key_of(row): results.get(key_of(row)) or _without_cube(row, results) for row in rows}


def _groups(rows: Sequence[SearchRow]) -> dict[tuple[str, tuple[int, ...]], list[Target]]:
    """Targets by the product and the sectors in which they are cut."""
    sectors: dict[tuple[str, int], set[int]] = {}
    for row in rows:
        sectors.setdefault((row.product, row.target.number), set()).add(row.sector or 0)
    targets = {row.target.number: row.target for row in rows}
    groups: dict[tuple[str, tuple[int, ...]], list[Target]] = {}
    for (product, number), some in sectors.items():
        groups.setdefault((product, tuple(sorted(some))), []).append(targets[number])
    return groups


def _without_cube(row: SearchRow, results: dict[Key, CutoutResult]) -> CutoutResult:
    """Result of a row for which the service sent no file: what it said about the target."""
    said = results.get((row.target.number, ""))
    place = (row.target.ra, row.target.dec)
    reason = "the service sent no cutout of this cube" if said is None else said.reason
    return CutoutResult(row.cube, *place, "error" if said is None else said.status, reason)
