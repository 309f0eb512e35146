"""Operations that help to find a place: a map of all footprints, and positions of names."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.index.sky_map import map_sectors
from tessera_cloud.application.targets.names import resolve_moving, resolve_name
from tessera_cloud.http.framework.cached_answers import NOT_MODIFIED, cached_answer, digest, not_modified
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.http.models import ErrorDocument
from tessera_cloud.http.previews.models import ResolvedPlace, ResolvedTarget, SkyMap
from tessera_cloud.http.previews.queries import MapQuery, NameQuery

group = Group("Map", "A map of the sky, and positions of names.")


@group.add(
    Operation(
        "GET",
        "/v1/map",
        "get_map",
        "Footprints of all cubes by sector",
        (Answer(200, "The footprints", SkyMap), NOT_MODIFIED),
        description="Gives the corners of all CCDs in few bytes, for a map of the sky.",
        query=MapQuery,
    )
)
def get_map(request: Request, query: MapQuery) -> Response[Any]:
    """Map of all footprints."""
    sectors = map_sectors(current_index(request.services), query.product)
    text = json.dumps({"sectors": sectors}, separators=(",", ":"))
    tag = digest(text)
    return not_modified(request, tag) or cached_answer(tag, text)


@group.add(
    Operation(
        "GET",
        "/v1/resolve",
        "get_place",
        "Position of a name",
        (
            Answer(200, "The position", ResolvedPlace),
            Answer(200, "With `moving`, the full name of the body", ResolvedTarget),
            Answer(404, "No service knows the name", ErrorDocument),
        ),
        description="Finds the position of a name, or reads a position as people write it.",
        query=NameQuery,
    )
)
def get_place(request: Request, query: NameQuery) -> ResolvedPlace | ResolvedTarget:
    """Position of a name."""
    svc = request.services
    if query.moving:
        return ResolvedTarget(moving=True, name=resolve_moving(query.name, svc), source="JPL Horizons")
    found = resolve_name(query.name, svc)
    return ResolvedPlace(name=found.name, ra=found.ra, dec=found.dec, source=found.source)
