"""Operations for previews of a cutout, and for cubes that have pixels at a position."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.index.catalogue import served_cube
from tessera_cloud.application.previews.frames import find_frames
from tessera_cloud.application.previews.preview import PreviewRequest, csv_of, find_preview
from tessera_cloud.application.previews.targets import find_sightings
from tessera_cloud.application.previews.windows import WindowRequest
from tessera_cloud.http.charging import charge, check_share
from tessera_cloud.http.framework.cached_answers import NOT_MODIFIED, cached_answer, digest, not_modified
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.lightcurves.measures import read_sides
from tessera_cloud.http.models import ErrorDocument
from tessera_cloud.http.previews.models import Preview, Sightings
from tessera_cloud.http.previews.queries import (
    CurveQuery,
    FramesQuery,
    PictureQuery,
    PreviewQuery,
    SightingQuery,
)

PATH = "/v1/preview"
CSV, PNG, NPY = "text/csv; charset=UTF-8", "image/png", "application/octet-stream"

group = Group("Previews", "Light curves and pictures of a position, before anything is downloaded.")

_OTHERS = (
    NOT_MODIFIED,
    Answer(404, "There is no cube of this name, or the window is not on its frames", ErrorDocument),
    Answer(413, "The window is too large for a preview", ErrorDocument),
)


def _request(query: PreviewQuery) -> PreviewRequest:
    rows, columns = read_sides(query.size)
    return PreviewRequest(
        cube=query.cube,
        ra=query.ra % 360.0,
        dec=query.dec,
        rows=rows,
        columns=columns,
        background=query.background,
        points=query.points,
        aperture=query.aperture.lower(),
        detrend=query.detrend,
    )


class _Found:
    """A preview that the client may have already."""

    def __init__(self, request: Request, query: PreviewQuery, kind: str = "") -> None:
        self._wanted = _request(query)
        self._backend = request.services
        self._cube = served_cube(query.cube, self._backend, frames=True)
        self.tag = digest(f"{self._wanted.id_of(self._cube)} {kind}")
        self.at_client = not_modified(request, self.tag)
        note(cubes=[query.cube])

    def read(self) -> bytes:
        """Preview as JSON."""
        data, cached = find_preview(self._wanted, self._cube, self._backend)
        note(cached=int(cached))
        return data


@group.add(
    Operation(
        "GET",
        PATH,
        "get_preview",
        "Light curve, median and difference frame of a window of one cube",
        (Answer(200, "The preview", Preview), *_OTHERS),
        description="Shows what a cutout of one cube contains, before it is downloaded.",
        query=PreviewQuery,
        paid=True,
    )
)
def get_preview(request: Request, query: PreviewQuery) -> Response[Any]:
    """Preview of a window."""
    found = _Found(request, query)
    if found.at_client:
        return found.at_client
    preview = json.loads(found.read())
    pictures = {name: request.base + path for name, path in preview["pictures"].items()}
    return cached_answer(found.tag, json.dumps(preview | {"pictures": pictures}, separators=(",", ":")))


@group.add(
    Operation(
        "GET",
        f"{PATH}.csv",
        "get_preview_csv",
        "The light curve of a preview as CSV",
        (
            Answer(
                200,
                "A table with the columns time_btjd (TICA: time_tjd), flux, flux_err, quality, and trend if detrended",
                content_type=CSV,
            ),
            *_OTHERS,
        ),
        description="Gives the light curve of the same window as `/v1/preview`, one row for each point.",
        query=CurveQuery,
        paid=True,
    )
)
def get_preview_csv(request: Request, query: CurveQuery) -> Response[Any]:
    """Light curve as CSV."""
    found = _Found(request, query, "csv")
    if found.at_client:
        return found.at_client
    text = csv_of(json.loads(found.read()))
    name = f"{query.cube}_{query.ra:.6f}_{query.dec:.6f}_lightcurve.csv"
    disposition = f'attachment; filename="{name}"'
    return cached_answer(found.tag, text, CSV, **{"Content-Disposition": disposition})


@group.add(
    Operation(
        "GET",
        f"{PATH}.png",
        "get_preview_png",
        "A frame of a preview as PNG",
        (Answer(200, "A grey picture with the first row at the bottom", content_type=PNG), *_OTHERS),
        description="Draws the median or the difference frame of the same window as `/v1/preview`.",
        query=PictureQuery,
        paid=True,
    )
)
def get_preview_png(request: Request, query: PictureQuery) -> Response[Any]:
    """Frame as PNG."""
    found = _Found(request, query, f"{query.image} {query.stretch} {query.scale}")
    if found.at_client:
        return found.at_client
    from tessera.lightcurves.previews.pictures import PreviewPicture, preview_png  # noqa: PLC0415 - few requests need it

    png = preview_png(json.loads(found.read()), PreviewPicture(query.image, query.stretch, query.scale))
    return cached_answer(found.tag, png, PNG)


@group.add(
    Operation(
        "GET",
        f"{PATH}.npy",
        "get_preview_npy",
        "All pixels of a window of one cube as a NumPy file",
        (
            Answer(
                200,
                "A NumPy file with an item for each cadence: time, cadence, quality, and flux (rows, columns). "
                "A second array in the file says what it was made of. "
                "While more cadences follow, the header `Link` has their address as the next one",
                content_type=NPY,
            ),
            *_OTHERS,
        ),
        description="Gives the frames of the same window as `/v1/preview`, in answers of up to 4 MB.",
        query=FramesQuery,
        paid=True,
    )
)
def get_preview_npy(request: Request, query: FramesQuery) -> Response[Any]:
    """Frames as a NumPy file."""
    services, cube = request.services, served_cube(query.cube, request.services, frames=True)
    rows, columns = read_sides(query.size)
    wanted = WindowRequest(cube=query.cube, ra=query.ra % 360.0, dec=query.dec, rows=rows, columns=columns)
    tag = digest(f"{wanted.id_of(cube)} npy {query.first} {query.count}")
    note(cubes=[query.cube])
    if known := not_modified(request, tag):
        return known
    check_share(request)
    frames = find_frames(wanted, query.first, query.count, cube, services)
    note(cached=int(frames.cached))
    charge(request, len(frames.data))
    headers = {}
    if frames.next_first is not None:
        more = query.model_dump(exclude_none=True) | {"first": frames.next_first}
        headers["Link"] = f'<{request.base}{PATH}.npy?{urlencode(more, safe=",")}>; rel="next"'
    return cached_answer(tag, frames.data, NPY, **headers)


@group.add(
    Operation(
        "GET",
        "/v1/targets",
        "get_targets",
        "Cubes that have a pixel at a position",
        (Answer(200, "The cubes, and the pixel of each", Sightings),),
        description="Finds cubes by their WCS, which is more exact than their footprints.",
        query=SightingQuery,
    )
)
def get_targets(request: Request, query: SightingQuery) -> Sightings:
    """Cubes at a position."""
    ra = query.ra % 360.0
    found = find_sightings(ra, query.dec, query.product, request.services, query.sides)
    return Sightings.model_validate({"ra": ra, "dec": query.dec, "cubes": found})
