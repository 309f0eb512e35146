"""Requests of our own API as the use cases know them."""

from __future__ import annotations

from collections.abc import Sequence

from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.results import NO_DATA
from tessera_cloud.application.targets.path import MovingTarget, Path
from tessera_cloud.errors import NotFoundError, UsageError
from tessera_cloud.http.cutouts.queries import MAX_SIDE, AngularSize, CutoutBody, CutoutQuery


def _pair(name: str, given: Sequence[float] | None) -> tuple[float, float] | None:
    if given is None:
        return None
    first, last = given
    if first > last:
        raise UsageError.about(name, f"{first:g},{last:g}", "first, last, with first <= last")
    return first, last


def _whole_pair(name: str, given: Sequence[float] | None) -> tuple[int, int] | None:
    pair = _pair(name, given)
    return None if pair is None else (int(pair[0]), int(pair[1]))


def _numbers(text: str | None) -> list[float] | None:
    return None if text is None else [float(piece) for piece in text.split(",")]


def _sides(text: str) -> tuple[int, int]:
    sides = [int(piece) for piece in text.split(",")]
    if not all(1 <= side <= MAX_SIDE for side in sides):
        raise UsageError.about("size", text, f"1 to {MAX_SIDE:,} pixels")
    return sides[0], sides[-1]


def _sectors(numbers: Sequence[int] | None) -> tuple[int, ...] | None:
    if numbers is None:
        return None
    if not all(numbers):
        raise UsageError.about("sectors", ",".join(map(str, numbers)), "integers from 1")
    return tuple(sorted(set(numbers)))


def from_query(query: CutoutQuery) -> CutoutRequest:
    """The request of a query string."""
    rows, columns = _sides(query.size)
    return CutoutRequest(
        ra=query.ra % 360.0,
        dec=query.dec,
        rows=rows,
        columns=columns,
        sectors=_sectors([int(piece) for piece in query.sectors.split(",")] if query.sectors else None),
        product=query.product,
        placement=query.placement,
        layout=query.layout,
        time=_pair("time", _numbers(query.time)),
        cadences=_whole_pair("cadences", _numbers(query.cadences)),
        quality_mask=query.quality_mask,
    )


def _size(size: int | tuple[int, int] | AngularSize) -> dict[str, object]:
    if isinstance(size, AngularSize):
        return {"rows": size.height, "columns": size.width, "unit": "d"}
    rows, columns = (size, size) if isinstance(size, int) else size
    return {"rows": rows, "columns": columns}


def follow_body(body: CutoutBody, backend: Backend) -> CutoutRequest:
    """The request of a JSON body; what moves is followed.

    Raises
    ------
    NotFoundError
        When no sector saw the target.
    """
    like = from_body(body)
    if body.path is None and body.target is None:
        return like
    from tessera_cloud.application.cutouts.follow_target import follow, moving_request  # noqa: PLC0415 - brings much

    if body.path is not None:
        table = body.path
        places = tuple(zip(table.time, table.ra, table.dec, strict=True))
        return moving_request(Path(target=table.name, observer="TESS", places=places), like)
    assert body.target is not None
    found = follow(MovingTarget(name=body.target.name, kind=body.target.kind), like, backend)
    if found is None:
        raise NotFoundError(NO_DATA)
    return found


def from_body(body: CutoutBody) -> CutoutRequest:
    """The request of a JSON body; of what moves, everything but the place."""
    if body.target is not None or body.path is not None:
        place: dict[str, object] = _size(body.size)
        centre: tuple[float, float] | None = (0.0, 0.0)
    elif body.region is not None:
        centre = body.region.centre
        place = {"region": tuple(sorted(body.region.corners))}
    else:
        centre = body.position.place if body.position else None
        place = _size(body.size)
    if centre is None:
        raise UsageError.about("region", "the whole sky", "a polygon with a middle")
    return CutoutRequest.model_validate(
        place
        | {
            "ra": centre[0],
            "dec": centre[1],
            "sectors": _sectors(body.sectors),
            "product": body.product,
            "placement": body.placement,
            "layout": body.layout,
            "time": _pair("time", body.time),
            "cadences": _whole_pair("cadences", body.cadences),
            "quality_mask": body.quality_mask,
        }
    )
