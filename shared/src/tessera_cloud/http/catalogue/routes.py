"""Operations on cubes and footprints, and the state of the service."""

from __future__ import annotations

from typing import Literal

from tessera import __version__
from tessera.sky.footprint import Footprint
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.index.catalogue import (
    CubeFilter,
    SectorRequest,
    find_cube,
    find_near,
    list_cubes,
    parse_cube_id,
)
from tessera_cloud.application.index.served import current_index, index_changed
from tessera_cloud.application.index.with_frames import index_with_frames
from tessera_cloud.application.ingest.seen_frames import find_frames, find_next_listing
from tessera_cloud.application.switch import current_switch
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import NotFoundError, WithdrawnError
from tessera_cloud.http.catalogue.queries import CubeQuery, FootprintQuery
from tessera_cloud.http.cutouts.regions import parse_region
from tessera_cloud.http.framework.answers import iso
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.http.models import (
    AwaitedCube,
    CubeDetails,
    CubeItem,
    CubeList,
    ErrorDocument,
    FootprintItem,
    FootprintList,
    Frames,
    Health,
    Paused,
    Provenance,
    Ring,
)

group = Group("Catalogue", "Cubes that the service can cut, and where they lie on the sky.")


@group.add(
    Operation(
        "GET",
        "/v1/health",
        "get_health",
        "State of the service",
        (Answer(200, "The service answers", Health),),
        description="Reads the footprint index, without which the service cannot answer. While the service is paused, "
        "it answers questions about the catalogue, but `503` to requests for cutouts, jobs and previews.",
    )
)
def get_health(request: Request) -> Health:
    """Read the footprint index, without which the service cannot answer."""
    svc = request.services
    switch = current_switch(svc)
    paused = Paused(reason=switch.message, since=iso(switch.since), by=switch.by) if switch.paused else None
    n_cubes, changed = len(current_index(svc).cubes), index_changed(svc)
    return Health(
        status="ok",
        version=__version__,
        cubes=n_cubes,
        index_changed=None if changed is None else iso(changed),
        paused=paused,
    )


def _source(cube: PublishedCube, svc: Backend) -> Literal["built here", "public", "frames"]:
    if cube.from_frames:
        return "frames"
    return "built here" if cube.bucket == svc.settings.cube_bucket else "public"


def _item(cube: PublishedCube, base: str, svc: Backend) -> CubeItem:
    ccd_id, cube_id = cube.ccd_id, cube.cube_id
    return CubeItem.model_validate(
        {
            "name": cube.obs_id,
            "sector": ccd_id.sector,
            "camera": ccd_id.camera,
            "ccd": ccd_id.ccd,
            "product": cube_id.product,
            "source": _source(cube, svc),
            "cadences": cube.n_cadences or None,
            "t_min": cube.t_min,
            "t_max": cube.t_max,
            "s_region": cube.s_region,
            "url": link(base, f"/v1/cubes/{cube.obs_id}"),
        }
    )


@group.add(
    Operation(
        "GET",
        "/v1/cubes",
        "get_cubes",
        "Cubes that are served",
        (Answer(200, "A page of cubes", CubeList),),
        description="Lists cubes in the order of their names, page by page, and the CCDs that have frames and no "
        "cube yet.",
        query=CubeQuery,
    )
)
def get_cubes(request: Request, query: CubeQuery) -> CubeList:
    """A page of cubes."""
    svc = request.services
    given = query.model_dump(exclude_none=True)
    page, after = list_cubes(CubeFilter(**given), index_with_frames(svc))
    following = link(request.base, "/v1/cubes", **(given | {"after": after})) if after else None
    return CubeList(cubes=[_item(cube, request.base, svc) for cube in page], next=following)


def _awaited(build: str | None, svc: Backend) -> Literal["waiting", "building", "failed"]:
    """State of a cube that is not served, by the last build of its frames."""
    if not build:
        return "waiting"
    execution = svc.executions.describe(svc.settings.cube_build_machine, build)
    return "failed" if execution and execution.status in ("FAILED", "TIMED_OUT", "ABORTED") else "building"


def _frames(name: str, svc: Backend) -> Frames | None:
    cube_id = parse_cube_id(name)
    seen = find_frames(cube_id, svc)
    if seen is None:
        return None
    following = find_next_listing(cube_id, svc)
    return Frames(
        frames=seen.n_frames,
        bytes=seen.total_bytes,
        unchanged_since=iso(seen.first_seen),
        listed_at=iso(seen.last_seen),
        next_listing=None if following is None else iso(following),
        removed=seen.removed,
        replaced=seen.replaced,
        build=seen.execution or None,
    )


@group.add(
    Operation(
        "GET",
        "/v1/cubes/{cube}",
        "get_cube",
        "A cube and its origin",
        (
            Answer(200, "The cube", CubeDetails),
            Answer(200, "The frames of a cube that is not built yet", AwaitedCube),
            Answer(404, "The cube is not served, and has no frames", ErrorDocument),
        ),
        description="Shows a cube that is served, or the frames of one that is not built yet.",
    )
)
def get_cube(request: Request) -> CubeDetails | AwaitedCube:
    """One cube."""
    svc, name = request.services, request.path["cube"]
    frames = _frames(name, svc)
    try:
        cube, left_out = find_cube(name, svc)
    except WithdrawnError:
        raise
    except NotFoundError:
        if frames is None:
            raise
        row = next((row for row in index_with_frames(svc).cubes if row.obs_id == parse_cube_id(name).obs_id), None)
        n_cadences = row.n_cadences if row is not None and row.from_frames else None
        return AwaitedCube(name=name, state=_awaited(frames.build, svc), frames=frames, cut_from_frames=n_cadences)
    own = cube.bucket == svc.settings.cube_bucket
    provenance = Provenance(
        location=cube.key if own else f"s3://{cube.bucket}/{cube.key}",
        etag=cube.etag,
        bytes=cube.size,
        build=cube.build_id or None,
        planned_at=cube.planned_at or None,
        left_out=list(left_out),
        segments=len(cube.segments),
    )
    item = _item(cube, request.base, svc)
    return CubeDetails(**item.model_dump(), state="served", provenance=provenance, frames=frames)


def _footprint(cube: PublishedCube) -> FootprintItem:
    corners = Footprint.parse_s_region(cube.s_region).vertices.tolist()
    ccd_id = cube.ccd_id
    return FootprintItem(
        cube=cube.obs_id,
        sector=ccd_id.sector,
        camera=ccd_id.camera,
        ccd=ccd_id.ccd,
        t_min=cube.t_min,
        t_max=cube.t_max,
        s_region=cube.s_region,
        geometry=Ring(type="Polygon", coordinates=[[*corners, corners[0]]]),
    )


@group.add(
    Operation(
        "GET",
        "/v1/footprints",
        "get_footprints",
        "Cubes that see a position, or what is around it, or a region",
        (Answer(200, "The cubes and their footprints", FootprintList),),
        description="Finds cubes that have a pixel at a position, or whose footprint shares a point with a square "
        "around it, or with a region.",
        query=FootprintQuery,
    )
)
def get_footprints(request: Request, query: FootprintQuery) -> FootprintList:
    """Footprints of the cubes that see a position, or that share a point with a square around it or with a region."""
    svc = request.services
    place: Footprint | tuple[float, float]
    if query.ra is not None and query.dec is not None:
        place = query.ra % 360.0, query.dec
    else:
        place = parse_region(query.region)
    if isinstance(place, Footprint):
        found = current_index(svc).find(place, None, query.product)
    else:
        found = find_near(SectorRequest(*place, query.radius, query.product), svc)
    return FootprintList(footprints=[_footprint(cube) for cube in found])
