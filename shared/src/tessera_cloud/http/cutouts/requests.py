"""Converts requests for cutouts of our own API to those of the use cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from tessera.errors import InvalidValueError, shown
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutouts.fixed import Position, Region
from tessera_cloud.application.cutouts.follow_target import find_target_cubes, follow
from tessera_cloud.application.cutouts.moving import Moving
from tessera_cloud.application.cutouts.options import CutoutOptions, Size, read_apertures
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.index.catalogue import served_cube
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.index.with_frames import index_for
from tessera_cloud.application.targets.body_names import body_name
from tessera_cloud.application.targets.names import find_star, resolve_name
from tessera_cloud.application.targets.path import MovingTarget, Path
from tessera_cloud.contracts import ProductName, PublishedCube
from tessera_cloud.errors import AmbiguousTargetError, NotFoundError, UnknownTargetError, UsageError
from tessera_cloud.http.cutouts.nothing import no_sectors
from tessera_cloud.http.cutouts.queries import (
    AngularSize,
    CutoutBody,
    CutoutQuery,
    FileOptions,
    FileQuery,
    PathTable,
    Target,
)
from tessera_cloud.http.cutouts.regions import Polygon


def _pair(given: Sequence[float] | None) -> tuple[float, float] | None:
    return None if given is None else (given[0], given[1])


def _whole_pair(given: Sequence[float] | None) -> tuple[int, int] | None:
    return None if given is None else (int(given[0]), int(given[1]))


def _numbers(text: str | None) -> list[float] | None:
    return None if text is None else [float(piece) for piece in text.split(",")]


def _options(
    given: FileOptions,
    product: str,
    sectors: Iterable[float] | None,
    time: Sequence[float] | None,
    cadences: Sequence[float] | None,
) -> CutoutOptions:
    return CutoutOptions(
        sectors=None if sectors is None else tuple(sorted({int(sector) for sector in sectors})),
        product=cast("ProductName", product),
        placement=given.placement,
        layout=given.layout,
        time=_pair(time),
        cadences=_whole_pair(cadences),
        quality_mask=given.quality_mask,
        flags=given.flags,
        provenance=True,
        crate=True,
        difference=given.difference,
        frames=given.frames,
    )


def from_query(query: CutoutQuery, backend: Backend) -> CutoutRequest:
    """Convert a query string or a form. A name is looked up.

    Raises
    ------
    NotFoundError
        If nobody knows the name.
    """
    options = _options(query, query.product, _numbers(query.sectors), _numbers(query.time), _numbers(query.cadences))
    return _placed(query, options, backend)


def of_one_cube(query: FileQuery, backend: Backend) -> tuple[PublishedCube, CutoutRequest]:
    """Convert a query string that names a cube; the cube, and what is cut out of it.

    Raises
    ------
    NotFoundError
        If no cube of that name is served, or nobody knows the name of the target.
    """
    cube = served_cube(query.cube, backend, frames=query.frames)
    options = _options(
        query, cube.cube_id.product, [cube.sequence_number], _numbers(query.time), _numbers(query.cadences)
    )
    return cube, _placed(query, options, backend)


def _placed(query: CutoutQuery | FileQuery, options: CutoutOptions, backend: Backend) -> CutoutRequest:
    sides = [int(piece) for piece in query.size.split(",")]
    size = Size(rows=sides[0], columns=sides[-1])
    if query.name:
        place = resolve_name(query.name, backend)
        star = find_star(query.name, place, backend)
        return _around(Position(ra=place.ra, dec=place.dec, size=size, star=star), options, query.aperture, backend)
    assert query.ra is not None
    assert query.dec is not None
    return _around(Position(ra=query.ra % 360.0, dec=query.dec, size=size), options, query.aperture, backend)


def to_request(given: CutoutBody | CutoutQuery, backend: Backend) -> CutoutRequest:
    """Convert a JSON body, or a form; raises the errors of `from_body` and `from_query`."""
    return from_query(given, backend) if isinstance(given, CutoutQuery) else from_body(given, backend)


def from_body(body: CutoutBody, backend: Backend) -> CutoutRequest:
    """Convert a JSON body. A named target is looked up and followed.

    Raises
    ------
    NotFoundError
        If no sector saw the target.
    """
    options = _options(body, body.product, body.sectors, body.time, body.cadences)
    if body.region is not None:
        return CutoutRequest(target=_region(body.region), options=options)
    size = _size(body.size)
    if body.target is not None:
        return _followed(body.target, size, options, backend)
    if body.path is not None:
        return CutoutRequest(target=Moving(path=_path(body.path), size=size), options=options)
    assert body.position is not None
    ra, dec = body.position.place
    return _around(Position(ra=ra, dec=dec, size=size), options, body.aperture, backend)


def _around(target: Position, options: CutoutOptions, text: str, backend: Backend) -> CutoutRequest:
    """A request for windows around a position, with the apertures that their files mark.

    Raises
    ------
    UsageError
        If an aperture does not have the pixels of the size, or is that of a cube that is not cut.
    """
    if not text:
        return CutoutRequest(target=target, options=options)
    from tessera.lightcurves.photometry import parse_aperture  # noqa: PLC0415 - brings much

    try:
        apertures = read_apertures(text)
    except ValueError as error:
        raise UsageError.about("aperture", text, "one for all cubes, and one for each cube by name") from error
    for digits in apertures.digits:
        try:
            parse_aperture(digits, *target.size.pixels())
        except InvalidValueError as error:
            raise UsageError.about("aperture", digits, error.allowed) from error
    if apertures.own:
        cubes = [cube.obs_id for cube in target.find_cubes(index_for(backend, frames=options.frames), options)]
        for name in apertures.own:
            if cubes and name not in cubes:
                raise UsageError.about("aperture", name, f"apertures of the cubes that are cut: {', '.join(cubes)}")
    return CutoutRequest(target=target.model_copy(update={"aperture": str(apertures)}), options=options)


def _region(polygon: Polygon) -> Region:
    centre = polygon.centre
    if centre is None:
        raise UsageError.about("region", "the whole sky", "a polygon with a middle")
    return Region(ra=centre[0], dec=centre[1], corners=tuple(sorted(polygon.corners)))


def _size(size: int | tuple[int, int] | AngularSize) -> Size:
    if isinstance(size, AngularSize):
        return Size(rows=size.height, columns=size.width, unit="d")
    rows, columns = (size, size) if isinstance(size, int) else size
    return Size(rows=rows, columns=columns)


def _path(table: PathTable) -> Path:
    places = tuple(zip(table.time, table.ra, table.dec, strict=True))
    return Path(target=table.name, observer="TESS", places=places)


def _followed(target: Target, size: Size, options: CutoutOptions, backend: Backend) -> CutoutRequest:
    name = body_name(target.name, "target.name")
    try:
        found = follow(MovingTarget(name=name, kind=target.kind), size, options, backend)
    except (UnknownTargetError, AmbiguousTargetError) as error:
        raise UsageError.about("target.name", target.name, error.allowed) from error
    if found is None:
        raise _no_passage(target, options, backend)
    return found


def _no_passage(target: Target, options: CutoutOptions, backend: Backend) -> NotFoundError:
    """Error of a target that crossed no cube of the sectors and the product."""
    where, index = shown(target.name), current_index(backend)
    if options.sectors is not None:
        moving = MovingTarget(name=target.name, kind=target.kind)
        cubes = find_target_cubes(moving, options.product, None, 0.0, backend)
        if cubes:
            return no_sectors(options, ", ".join(sorted({str(cube.sequence_number) for cube in cubes})), where, index)
    message = f"{where} crossed no {options.product} cube while its frames were taken"
    return NotFoundError(message, parameter="target.name", value=target.name)
