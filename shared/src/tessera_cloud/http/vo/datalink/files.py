"""Files to which rows of DataLink link: the whole file of a cube or an image, the sidecar of a cube, and its frames."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera.cubes.reader import Cube
from tessera.tess.times import to_mast_mjd, to_utc_mjd
from tessera_cloud.application.images.answer import answer_images
from tessera_cloud.application.index.catalogue import served_cube
from tessera_cloud.application.results import LINK_SECONDS
from tessera_cloud.application.sidecar import known_cube
from tessera_cloud.application.vo.identifiers import find_published
from tessera_cloud.application.vo.links.places import frame_address, public_address, stored_file
from tessera_cloud.application.vo.links.preview import preview_order
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import NotFoundError, TooLargeError
from tessera_cloud.http.charging import charge
from tessera_cloud.http.framework.answers import see_other
from tessera_cloud.http.framework.operations import NO_STORE, ZIP, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.vo.datalink.queries import parse_id
from tessera_cloud.http.vo.datalink.rows import PNG
from tessera_cloud.http.vo.votable.elements import CONTENT_TYPE, Cell, Field, Info, Table, text_field
from tessera_cloud.http.vo.votable.writer import votable_bytes
from tessera_cloud.observability import count_usd

_UNSAFE = re.compile(r"[^A-Za-z0-9_.+-]")
"""Characters of keys that are unsafe in headers and file names."""
_FRAME_FIELDS = (
    text_field("name", "meta.id;meta.main", description="File name of the frame."),
    text_field(
        "access_url", "meta.ref.url", description="Address of the frame at MAST; empty if the name has another form."
    ),
    Field("t_min", "double", unit="d", ucd="time.start;obs.exposure", description="Start of the exposure, MJD in UTC."),
    Field("t_max", "double", unit="d", ucd="time.end;obs.exposure", description="End of the exposure, MJD in UTC."),
    Field("cadence", "int", ucd="meta.number", description="Number of the cadence; 0 if the frame has none."),
    Field("quality", "int", ucd="meta.code.qual", description="Bits of DQUALITY; 0 for a frame without a flag."),
)


def send_file(request: Request) -> Response[Any]:
    """Redirect a client to the whole file of a cube or an image.

    The bytes of a file in a bucket of ours count for the client once a day, and so do the dollars. HEAD gives no link.
    """
    svc, given = request.services, parse_id(request.parameters())
    of = find_published(given, svc)
    if isinstance(of, PublishedCube):
        of = served_cube(of.obs_id, svc)
    file = stored_file(of, svc)
    note(bucket=file.bucket, file_bytes=file.size)
    if file.public:
        return see_other(public_address(file.bucket, file.key))
    if reason := file.refusal(svc.settings.client_daily_gb):
        raise TooLargeError(reason, parameter="ID", value=given)
    if request.event.http_method == "HEAD":
        return Response(HTTPStatus.OK, file.content_type, b"", headers=dict(NO_STORE))
    size = file.size or svc.store.head(file.bucket, file.key).size
    count_usd(bytes_out=charge(request, size, once=f"{file.bucket}/{file.key}"))
    saved_as = _UNSAFE.sub("_", file.name)
    return see_other(svc.store.presign(file.bucket, file.key, LINK_SECONDS, saved_as, file.content_type))


def send_preview(request: Request) -> Response[Any]:
    """Answer with a picture of the middle of an image."""
    svc, given = request.services, parse_id(request.parameters())
    of = find_published(given, svc)
    if isinstance(of, PublishedCube):
        raise NotFoundError.about("ID", given, "a file of images; /v1/preview.png draws cubes")
    charge(request, 0)
    order = preview_order(of, svc)
    answer = answer_images(order, svc) if order else None
    if answer is None or answer.data is None:
        raise NotFoundError(f"the middle of {of.row.found.name} has no pixels", parameter="ID", value=given)
    charge(request, len(answer.data))
    return Response(HTTPStatus.OK, PNG, answer.data, headers=dict(NO_STORE))


def send_sidecar(request: Request) -> Response[Any]:
    """Answer with the sidecar of a cube."""
    published, cube = _open(request)
    data = cube.to_sidecar()
    charge(request, len(data))
    disposition = {"Content-Disposition": f'attachment; filename="{published.obs_id}-sidecar.npz"'}
    return Response(HTTPStatus.OK, ZIP, data, headers=disposition | NO_STORE)


def send_frames(request: Request) -> Response[Any]:
    """Answer with a table of the frames of a cube."""
    published, cube = _open(request)
    infos = (Info("QUERY_STATUS", "OK"), Info("cube", published.obs_id))
    document = votable_bytes(Table(_FRAME_FIELDS, _frames(cube), "frames"), infos)
    charge(request, len(document))
    return Response(HTTPStatus.OK, CONTENT_TYPE, document.decode(), headers=dict(NO_STORE), compress=True)


def _open(request: Request) -> tuple[PublishedCube, Cube]:
    """The cube that a request names, and its sidecar."""
    svc, given = request.services, parse_id(request.parameters())
    of = find_published(given, svc)
    if not isinstance(of, PublishedCube):
        raise NotFoundError.about("ID", given, "a cube; this is a file of images")
    charge(request, 0)
    published = served_cube(of.obs_id, svc)
    return published, known_cube(published, svc)


def _frames(cube: Cube) -> Iterator[tuple[Cell, ...]]:
    series, product = cube.series, cube.product
    columns = (series[name].tolist() for name in ("file", "start", "stop", "cadence_number", "quality"))
    for file, start, stop, number, quality in zip(*columns, strict=True):
        name = file.decode("ascii", "replace")
        times = (to_utc_mjd(product, to_mast_mjd(product, days)) for days in (start, stop))
        yield name, frame_address(product.name, name), *times, number, quality
