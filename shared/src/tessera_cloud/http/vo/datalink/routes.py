"""Operations of DataLink 1.1."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.vo.identifiers import find_published
from tessera_cloud.errors import NotFoundError
from tessera_cloud.http.framework.operations import NO_STORE, ZIP, Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.vo.datalink import files
from tessera_cloud.http.vo.datalink.queries import FileQuery, LinksQuery, LinksRequest, parse_links
from tessera_cloud.http.vo.datalink.rows import (
    FIELDS,
    FILE_PATH,
    FRAMES_PATH,
    PNG,
    PREVIEW_PATH,
    SIDECAR_PATH,
    Link,
    LinksOf,
    error_link,
)
from tessera_cloud.http.vo.descriptors import FITS, LINKS_STANDARD, LINKS_TYPE, links_descriptor
from tessera_cloud.http.vo.errors import fault
from tessera_cloud.http.vo.votable.elements import CONTENT_TYPE, Descriptor, Info, Table, wide_fields
from tessera_cloud.http.vo.votable.writer import votable_bytes

MOST_IDS = 200
"""Largest number of identifiers of a request that are answered. An answer has about 10 kB for each."""

group = Group("DataLink", "Lists what belongs to a cube or an image, by the protocol DataLink 1.1.")


class _Collected:
    """Links of the identifiers of a request, as many as fit."""

    def __init__(self, wanted: LinksRequest, request: Request) -> None:
        self._request = request
        self.rows: list[Link] = []
        self.descriptors: list[Descriptor] = []
        self.overflow = ""
        for number, given in enumerate(wanted.ids, 1):
            rows, descriptors = self._links(given, f"cutout{number}")
            if number > MOST_IDS or (wanted.most is not None and len(self.rows) + len(rows) > wanted.most):
                self.overflow = (
                    f"the links of {number - 1} of {len(wanted.ids)} identifiers are here; ask for the others"
                )
                return
            self.rows += rows
            self.descriptors += descriptors

    def _links(self, given: str, name: str) -> tuple[list[Link], tuple[Descriptor, ...]]:
        backend = self._request.services
        try:
            found = find_published(given, backend)
        except NotFoundError as error:
            return [error_link(given, fault("/datalink/links", HTTPStatus.NOT_FOUND, "", str(error)))], ()
        links = LinksOf(given, found, self._request.base, backend)
        services = links.descriptors(name)
        return list(links.rows(services)), services

    def last(self) -> Iterator[Info]:
        """Remark after the table."""
        if self.overflow:
            yield Info("QUERY_STATUS", "OVERFLOW", self.overflow)


def _answer_links(request: Request) -> Response[Any]:
    """Answer with the links of all identifiers that a request has."""
    wanted = parse_links(request.parameters(multipart=True))
    found = _Collected(wanted, request)
    note(n_rows=len(found.rows))
    infos = (Info("standardID", LINKS_STANDARD), Info("QUERY_STATUS", "OK"))
    descriptors = [links_descriptor(request.base, itself=True), *found.descriptors]
    rows = [row.cells for row in found.rows]
    table = Table(wide_fields(FIELDS, rows), rows, "links")
    document = votable_bytes(table, infos, descriptors, found.last())
    return Response(HTTPStatus.OK, wanted.content_type, document.decode(), headers=dict(NO_STORE), compress=True)


_ANSWERS = tuple(
    Answer(200, "A table of links, and descriptions of the services that it names", content_type=kind)
    for kind in (LINKS_TYPE, "text/xml")
)
_ABOUT = (
    "Lists the file itself (`#this`), cutouts (`#cutout`, by SODA), a preview, and what it was made of. A row of an "
    f"identifier that nothing has tells so. An answer has the links of at most {MOST_IDS} identifiers."
)


@group.add(
    Operation(
        "GET",
        "/datalink/links",
        "get_links",
        "Links of cubes and files of images",
        _ANSWERS,
        description=_ABOUT,
        query=LinksQuery,
        form=True,
        multipart=True,
    )
)
def get_links(request: Request) -> Response[Any]:
    """Links of some identifiers."""
    return _answer_links(request)


@group.add(
    Operation(
        "POST",
        "/datalink/links",
        "post_links",
        "Links of cubes and files of images, asked for by a form",
        _ANSWERS,
        description=_ABOUT,
        query=LinksQuery,
        form=True,
        multipart=True,
    )
)
def post_links(request: Request) -> Response[Any]:
    """Links of some identifiers, which a form has."""
    return _answer_links(request)


_NOT_FOUND = Answer(404, "Nothing has this identifier", content_type="text/plain")


@group.add(
    Operation(
        "GET",
        FILE_PATH,
        "get_file",
        "The whole file of a cube or an image",
        (
            Answer(200, "The answer to HEAD", content_type=FITS),
            Answer(303, "The address of the file", content_type="text/plain", location=True),
            _NOT_FOUND,
        ),
        description="Redirects to the file. The bytes of a file in a bucket of this service count for the client, once "
        "a day.",
        query=FileQuery,
        form=True,
        paid=True,
    )
)
def get_file(request: Request) -> Response[Any]:
    """Redirection to a file."""
    return files.send_file(request)


@group.add(
    Operation(
        "GET",
        PREVIEW_PATH,
        "get_image_preview",
        "A picture of an image",
        (Answer(200, "A grey picture of the middle of the image", content_type=PNG), _NOT_FOUND),
        description="Draws at most 300 by 300 pixels in the middle of the first image of a file. `/v1/preview.png` "
        "draws cubes.",
        query=FileQuery,
        form=True,
        paid=True,
    )
)
def get_image_preview(request: Request) -> Response[Any]:
    """Picture of an image."""
    return files.send_preview(request)


@group.add(
    Operation(
        "GET",
        SIDECAR_PATH,
        "get_sidecar",
        "All but the pixels of a cube",
        (Answer(200, "The sidecar of the cube, an npz of NumPy", content_type=ZIP), _NOT_FOUND),
        description="Gives headers, times, quality and WCS of a cube in one small file.",
        query=FileQuery,
        form=True,
        paid=True,
    )
)
def get_sidecar(request: Request) -> Response[Any]:
    """Sidecar of a cube."""
    return files.send_sidecar(request)


@group.add(
    Operation(
        "GET",
        FRAMES_PATH,
        "get_frames",
        "Frames of a cube",
        (
            Answer(
                200, "A table of the frames: names, addresses at MAST, times and quality", content_type=CONTENT_TYPE
            ),
            _NOT_FOUND,
        ),
        description="Lists the frames that a cube was made of, in the order of its cadences, as a VOTable.",
        query=FileQuery,
        form=True,
        paid=True,
    )
)
def get_frames(request: Request) -> Response[Any]:
    """Frames of a cube."""
    return files.send_frames(request)
