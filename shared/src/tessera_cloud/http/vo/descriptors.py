"""Descriptions of our services in answers, which show clients the parameters of a service (DataLink 1.1, SODA 1.0).

A description is for all rows of a table, whose column has the identifiers, or for one cube or file of images. That one
tells the ranges of its parameters.
"""

from __future__ import annotations

from dataclasses import replace

from tessera_cloud.application.vo.links.ranges import Ranges
from tessera_cloud.http.vo.votable.elements import CONTENT_TYPE, Descriptor, Field, Param, text_field, text_param

LINKS_STANDARD = "ivo://ivoa.net/std/DataLink#links-1.1"
SODA_SYNC_STANDARD = "ivo://ivoa.net/std/SODA#sync-1.0"
SODA_ASYNC_STANDARD = "ivo://ivoa.net/std/SODA#async-1.0"
LINKS_TYPE = f"{CONTENT_TYPE};content=datalink"
FITS, ZIP = "application/fits", "application/zip"
_ID = text_field("ID", "meta.id;meta.main", description="Identifier of a cube or a file of images.")
_SODA_ID = replace(_ID, ucd="meta.ref.url;meta.curation")
"""The parameter ID. Clients know parameters of SODA by name, UCD and unit."""


def links_descriptor(base: str, ref: str = "", *, itself: bool = False) -> Descriptor:
    """Description of the service of links.

    Parameters
    ----------
    base : str
        Address of the API as the client sees it.
    ref : str, optional
        ID of the column that has the identifiers; empty if clients choose them.
    itself : bool, optional
        Whether the description is part of an answer of this service.
    """
    params = (
        text_param("standardID", LINKS_STANDARD),
        text_param("accessURL", f"{base}/datalink/links"),
        text_param("contentType", LINKS_TYPE),
    )
    about = "Lists what belongs to a cube or a file of images: the file, cutouts, a preview and others."
    return Descriptor("links", params, (Param(_ID, ref=ref),), description=about, itself=itself)


def soda_descriptors(base: str, ref: str) -> tuple[Descriptor, Descriptor]:
    """Descriptions of the services that cut rows of a table: at once, and as a job.

    Parameters
    ----------
    base : str
        Address of the API as the client sees it.
    ref : str
        ID of the column that has the identifiers.
    """
    return _soda(base, Param(_SODA_ID, ref=ref), None, "soda")


def soda_descriptors_of(
    base: str, identifier: str, ranges: Ranges, name: str, formats: tuple[str, ...]
) -> tuple[Descriptor, Descriptor]:
    """Descriptions of the services that cut one cube or file of images: at once, and as a job.

    Parameters
    ----------
    base : str
        Address of the API as the client sees it.
    identifier : str
        Identifier of the cube or of the file.
    ranges : Ranges
        What it covers.
    name : str
        Beginning of the IDs of the descriptions within the document.
    formats : tuple of str
        Content types of cutouts.
    """
    return _soda(base, Param(_SODA_ID, identifier), ranges, name, formats)


def _soda(
    base: str, id_param: Param, ranges: Ranges | None, name: str, formats: tuple[str, ...] = ()
) -> tuple[Descriptor, Descriptor]:
    inputs = (id_param, *_shapes(ranges), *_axes(ranges), _form(formats))
    of = f" of {id_param.value.partition('?')[2]}" if id_param.value else ""
    now = Descriptor(
        f"cutout{of}",
        (text_param("standardID", SODA_SYNC_STANDARD), text_param("accessURL", f"{base}/soda/sync")),
        inputs,
        id=f"{name}-sync",
        description="Cuts a circle, a polygon or a range of coordinates. The answer is a file, or a zip of several.",
    )
    job = replace(
        now,
        name=f"cutout job{of}",
        params=(text_param("standardID", SODA_ASYNC_STANDARD), text_param("accessURL", f"{base}/soda/async")),
        id=f"{name}-async",
        description="Cuts in a job (UWS 1.1), also what is too much for an answer at once.",
    )
    return now, job


def _numbers(*values: float) -> str:
    return " ".join(f"{value:.12g}" for value in values)


def _shapes(ranges: Ranges | None) -> tuple[Param, ...]:
    outline = "pos.outline;obs"
    circle = Field(
        "CIRCLE", "double", "3", "deg", outline, xtype="circle", description="Right ascension, declination and radius."
    )
    polygon = Field(
        "POLYGON", "double", "*", "deg", outline, xtype="polygon", description="Right ascensions and declinations."
    )
    pos = text_field(
        "POS", outline, description="CIRCLE ra dec radius, POLYGON ra dec ra dec ra dec, or RANGE ra ra dec dec."
    )
    around = _numbers(*ranges.circle) if ranges else ""
    vertices = _numbers(*(value for vertex in ranges.polygon for value in vertex)) if ranges else ""
    return Param(circle, maximum=around), Param(polygon, maximum=vertices), Param(pos)


def _axes(ranges: Ranges | None) -> tuple[Param, ...]:
    """Times, wavelengths and polarizations. Those that are not known of one file are left out."""
    time = Field("TIME", "double", "2", "d", "time.interval;obs.exposure", xtype="interval", description="MJD in UTC.")
    band = Field("BAND", "double", "2", "m", "em.wl;stat.interval", xtype="interval", description="Wavelengths.")
    pol = text_field("POL", "meta.code;phys.polarization", description="Polarization states; the images have I.")
    if ranges is None:
        return Param(time), Param(band), Param(pol, options=("I",))
    limits = [(field, given) for field, given in ((time, ranges.times), (band, ranges.band)) if given]
    known = [Param(field, minimum=repr(low), maximum=repr(high)) for field, (low, high) in limits]
    return *known, Param(pol, options=("I",))


def _form(formats: tuple[str, ...]) -> Param:
    return Param(
        text_field("RESPONSEFORMAT", "meta.code.mime", description="Content type of the answer."), options=formats
    )
