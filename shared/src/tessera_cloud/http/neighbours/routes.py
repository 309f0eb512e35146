"""The operation for neighbouring stars."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from aws_lambda_powertools.event_handler import Response

from tessera.bulk.epochs import julian_year
from tessera_cloud.application.index.catalogue import served_cube
from tessera_cloud.application.neighbours.find import Circle, find_neighbours
from tessera_cloud.application.neighbours.find import Neighbours as Found
from tessera_cloud.application.sidecar import known_cube
from tessera_cloud.application.targets.path import MJD
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.http.framework.cached_answers import NOT_MODIFIED, cached_answer, digest, not_modified
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.http.models import ErrorDocument
from tessera_cloud.http.neighbours.models import Neighbour, Neighbours, StarCatalogueInfo
from tessera_cloud.http.neighbours.queries import NeighbourQuery

_NO_CATALOGUE = "This service has no catalogue of stars. Its operator can add one with the command stars."

group = Group("Neighbours", "The stars of a catalogue around a position, and where they are on frames.")


@group.add(
    Operation(
        "GET",
        "/v1/neighbours",
        "get_neighbours",
        "Stars around a position",
        (
            Answer(200, "The stars, the brightest first; or why there are none", Neighbours),
            NOT_MODIFIED,
            Answer(404, "There is no cube of this name", ErrorDocument),
            Answer(413, "There are too many stars in the circle", ErrorDocument),
        ),
        description="Finds the stars of the operator's catalogue in a circle. With a cube, each star has its row and "
        "column on the frames, so that its light in an aperture can be estimated.",
        query=NeighbourQuery,
    )
)
def get_neighbours(request: Request, query: NeighbourQuery) -> Response[Any]:
    """Stars around a position."""
    backend, ra = request.services, query.ra % 360.0
    cube = served_cube(query.cube, backend, frames=True) if query.cube else None
    circle = Circle(ra, query.dec, query.radius)
    found = find_neighbours(circle, backend, epoch=_epoch(query, cube), most=query.limit)
    places = None if cube is None or found is None else _pixels(found, cube, request)
    text = _answer(circle, found, places).model_dump_json()
    tag = digest(text)
    return not_modified(request, tag) or cached_answer(tag, text)


def _epoch(query: NeighbourQuery, cube: PublishedCube | None) -> float | None:
    if query.epoch is not None or cube is None:
        return query.epoch
    return julian_year((cube.t_min + cube.t_max) / 2 + MJD)


def _pixels(found: Found, cube: PublishedCube, request: Request) -> tuple[Any, Any]:
    from tessera.cutouts.placing import find_pixels  # noqa: PLC0415 - imports astropy.wcs, which is slow

    return find_pixels(known_cube(cube, request.services), found.ra, found.dec)


def _answer(circle: Circle, found: Found | None, places: tuple[Any, Any] | None) -> Neighbours:
    given = circle._asdict()
    if found is None:
        return Neighbours(**given, epoch=None, catalogue=None, reason=_NO_CATALOGUE, total=0, stars=[])
    file = found.file
    nothing = f"{file.name} has no star in this circle that is brighter than magnitude {file.faintest:.1f}."
    info = StarCatalogueInfo(name=file.name, stars=file.n_stars, epoch=file.epoch, faintest=round(file.faintest, 3))
    return Neighbours(
        **given,
        epoch=round(found.epoch, 4),
        catalogue=info,
        reason=None if found.n_found else nothing,
        total=found.n_found,
        stars=_stars(found, places),
    )


def _stars(found: Found, places: tuple[Any, Any] | None) -> list[Neighbour]:
    nowhere = np.full(len(found.ra), np.nan)
    rows, columns = places or (nowhere, nowhere)
    arrays = (found.records, found.ra, found.dec, found.distance, rows, columns)
    return [
        Neighbour(
            name=f"{found.file.name} {record['id']}",
            ra=round(float(ra), 7),
            dec=round(float(dec), 7),
            magnitude=round(float(record["magnitude"]), 3),
            distance_arcsec=round(float(distance) * 3600, 2),
            pm_ra=_known(record["pm_ra"]),
            pm_dec=_known(record["pm_dec"]),
            row=_known(row),
            column=_known(column),
        )
        for record, ra, dec, distance, row, column in zip(*arrays, strict=True)
    ]


def _known(value: Any) -> float | None:
    number = float(value)
    return round(number, 3) if math.isfinite(number) else None
