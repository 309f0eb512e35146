"""Rows of an answer of DataLink: what belongs to a cube or to a file of images.

All rows follow from the index, so an answer costs no more than reading it. Terms of `semantics` are those that the
vocabulary has had from its beginning. Validators with an older copy refuse ``#documentation`` and ``#coderived``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from http import HTTPStatus

from tessera.tess.products import PRODUCTS
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.vo.identifiers import Published, identifier
from tessera_cloud.application.vo.links.places import public_address, stored_file
from tessera_cloud.application.vo.links.ranges import find_ranges
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import JSON
from tessera_cloud.http.vo.descriptors import FITS, LINKS_TYPE, ZIP, soda_descriptors_of
from tessera_cloud.http.vo.errors import fault
from tessera_cloud.http.vo.votable.elements import CONTENT_TYPE, Cell, Descriptor, Field, text_field
from tessera_cloud.names import CubeId

FILE_PATH, PREVIEW_PATH = "/datalink/file", "/datalink/preview"
SIDECAR_PATH, FRAMES_PATH = "/datalink/sidecar", "/datalink/frames"
PNG = "image/png"
FIELDS = (
    text_field("ID", "meta.id;meta.main", description="Identifier, as the request has it."),
    text_field("access_url", "meta.ref.url", description="Address of the link."),
    text_field("service_def", "meta.ref", description="Description of a service in this answer."),
    text_field("error_message", "meta.code.error", description="Why there is no link."),
    text_field("description", "meta.note", description="What the link is."),
    text_field("semantics", "meta.code", description="Term of http://www.ivoa.net/rdf/datalink/core."),
    text_field("content_type", "meta.code.mime", description="Media type of what the link gives."),
    Field("content_length", "long", unit="byte", ucd="phys.size;meta.file", description="Bytes that the link gives."),
    text_field("content_qualifier", description="Term of http://www.ivoa.net/rdf/product-type."),
    text_field("local_semantics", "meta.id.assoc", description="Name of the kind of link at this service."),
    text_field("link_auth", "meta.code", description="Whether the link wants credentials."),
    Field("link_authorized", "boolean", ucd="meta.code", description="Whether the client may use the link."),
)
_PREVIEW_SIDE, _PREVIEW_SCALE = 20, 16


@dataclass(frozen=True, slots=True)
class Link:
    """A row with the columns of `FIELDS`. It has one of `access_url`, `service_def` and `error_message`."""

    ID: str
    access_url: str | None = None
    service_def: str | None = None
    error_message: str | None = None
    description: str | None = None
    semantics: str = "#this"
    content_type: str | None = None
    content_length: int | None = None
    content_qualifier: str | None = None
    local_semantics: str | None = None
    link_auth: str | None = "false"
    link_authorized: bool | None = True

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Values in the order of `FIELDS`."""
        return astuple(self)


def error_link(given: str, message: str) -> Link:
    """Row that tells why there is no file."""
    return Link(given, error_message=message, link_auth=None, link_authorized=None)


class LinksOf:
    """Links of a cube or of a file of images.

    Parameters
    ----------
    given : str
        Identifier, as the request has it.
    of : PublishedCube or PublishedImage
        The cube or the file.
    base : str
        Address of the API as the client sees it.
    backend : Backend
        Index and settings.
    """

    def __init__(self, given: str, of: Published, base: str, backend: Backend) -> None:
        self._given, self._of, self._base, self._backend = given, of, base, backend
        self._id = identifier(of, backend.settings.ivo_authority)
        self._ranges = find_ranges(of)
        self._kind = "#cube" if isinstance(of, PublishedCube) else "#image"

    def descriptors(self, name: str) -> tuple[Descriptor, ...]:
        """Descriptions of the services that cut it. Their IDs within the answer begin with `name`."""
        if self._ranges is None:
            return ()
        return soda_descriptors_of(self._base, self._id, self._ranges, name, (FITS, ZIP))

    def rows(self, services: tuple[Descriptor, ...]) -> Iterator[Link]:
        """All links, the file itself first, then `services`."""
        yield self._file()
        for service in services:
            about = service.description.partition(". ")[0].removesuffix(".")
            name = service.name.partition(" of ")[0].replace(" ", "-")
            cutout = self._link("", about, "#cutout", FITS, name=name, kind=self._kind)
            yield replace(cutout, access_url=None, service_def=service.id)
        if self._ranges is None:
            return
        if isinstance(self._of, PublishedCube):
            yield from self._cube(self._of, self._ranges.middle)
        else:
            preview = self._at(PREVIEW_PATH, ID=self._id)
            yield self._link(preview, "Picture of the middle", "#preview", PNG, name="preview", kind="#image")

    def _link(self, url: str, about: str, semantics: str, content_type: str, *, name: str, kind: str = "") -> Link:
        return Link(
            self._given,
            url,
            description=about,
            semantics=semantics,
            content_type=content_type,
            content_qualifier=kind or None,
            local_semantics=name,
        )

    def _at(self, path: str, **query: object) -> str:
        return link(self._base, path, **query)

    def _file(self) -> Link:
        file = stored_file(self._of, self._backend)
        if reason := file.refusal(self._backend.settings.client_daily_gb):
            message = fault("/datalink/links", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "", reason)
            return error_link(self._given, message)
        url = public_address(file.bucket, file.key) if file.public else self._at(FILE_PATH, ID=self._id)
        about = f"The whole {self._kind[1:]}, {file.name}"
        return replace(
            self._link(url, about, "#this", file.content_type, name="file", kind=self._kind),
            content_length=file.size or None,
        )

    def _cube(self, cube: PublishedCube, middle: tuple[float, float]) -> Iterator[Link]:
        (ra, dec), side = middle, _PREVIEW_SIDE
        window = {"cube": cube.obs_id, "ra": f"{ra:.6f}", "dec": f"{dec:.6f}", "size": side}
        look = {"background": "true", "points": 2000, "image": "median", "stretch": "asinh", "scale": _PREVIEW_SCALE}
        preview = self._at("/v1/preview.png", **window, **look)
        about = f"Median of the frames in the middle, {side} by {side} pixels"
        yield self._link(preview, about, "#preview", PNG, name="preview", kind="#image")
        about = "All but the pixels of the cube: times, quality and WCS, as an npz of NumPy"
        yield self._link(self._at(SIDECAR_PATH, ID=self._id), about, "#auxiliary", ZIP, name="sidecar")
        about = "Table of the frames of the cube: names, addresses, times and quality"
        yield self._link(self._at(FRAMES_PATH, ID=self._id), about, "#progenitor", CONTENT_TYPE, name="frames")
        about = "Where the cube comes from, and which frames were left out"
        yield self._link(self._at(f"/v1/cubes/{cube.obs_id}"), about, "#auxiliary", JSON, name="origin")
        others = {CubeId(cube.ccd_id, product).obs_id for product in PRODUCTS} - {cube.obs_id}
        for other in current_index(self._backend).cubes:
            if other.obs_id in others:
                links = self._at("/datalink/links", ID=identifier(other, self._backend.settings.ivo_authority))
                about = f"The {other.cube_id.product} cube of the same CCD and sector"
                yield self._link(links, about, "#auxiliary", LINKS_TYPE, name="other-product")
        coverage = self._at(f"/v1/coverage/{cube.cube_id.product}/s{cube.sequence_number:04d}.fits")
        yield self._link(coverage, "Coverage of the sector on the sky (MOC)", "#auxiliary", FITS, name="coverage")
