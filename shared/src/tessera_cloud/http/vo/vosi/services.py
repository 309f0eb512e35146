"""The services of the Virtual Observatory that we have, and their parameters, as documents of VOSI declare them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tessera_cloud.http.vo.descriptors import (
    LINKS_STANDARD,
    LINKS_TYPE,
    SODA_ASYNC_STANDARD,
    SODA_SYNC_STANDARD,
)
from tessera_cloud.http.vo.sia.inputs import INPUTS
from tessera_cloud.http.vo.votable.elements import CONTENT_TYPE, Field, text_field

SIA_STANDARD = "ivo://ivoa.net/std/SIA#query-2.0"


@dataclass(frozen=True, slots=True)
class Service:
    """A resource of a service that a standard describes.

    Parameters
    ----------
    standard : str
        Identifier of the standard.
    path : str
        Path of the resource.
    version : str
        Version of the standard.
    about : str
        Sentence for people.
    use : {'base', 'full'}
        Whether parameters have to be added to the address.
    result : str
        Media type of the answers; empty if there are several.
    fields : tuple of Field
        Parameters.
    required : tuple of str
        Names of the parameters without which there is nothing to answer.
    """

    standard: str
    path: str
    version: str
    about: str
    use: str
    result: str
    fields: tuple[Field, ...]
    required: tuple[str, ...] = ()


def _interval(name: str, unit: str, ucd: str, about: str) -> Field:
    return Field(name, "double", "2", unit, ucd, xtype="interval", description=about)


_FORMAT = text_field("RESPONSEFORMAT", "meta.code.mime", description="Media type of the answer.")
_MAXREC = Field("MAXREC", "int", ucd="meta.number", description="Largest number of rows.")
_ID = text_field("ID", "meta.id;meta.main", description="Identifier of a cube or a file of images.")
_POS = text_field("POS", "pos.outline;obs", description="Circle, polygon or range, degrees in ICRS.")
_BAND = _interval("BAND", "m", "em.wl;stat.interval", "Wavelengths.")
_TIME = _interval("TIME", "d", "time.interval;obs.exposure", "Times, MJD in UTC.")
_POL = text_field("POL", "meta.code;phys.polarization", description="Polarization states.")
_SIA = tuple(param.field for param in INPUTS)
_SODA = (
    text_field("ID", "meta.ref.url;meta.curation", description=_ID.description),
    Field("CIRCLE", "double", "3", "deg", "pos.outline;obs", xtype="circle", description="Circle in ICRS."),
    Field("POLYGON", "double", "*", "deg", "pos.outline;obs", xtype="polygon", description="Polygon in ICRS."),
    *(_POS, _TIME, _BAND, _POL, _FORMAT),
)

SERVICES: Mapping[str, tuple[Service, ...]] = {
    "/sia2": (
        Service(SIA_STANDARD, "/sia2/query", "2.0", "Finds cubes of TESS and images.", "base", CONTENT_TYPE, _SIA),
    ),
    "/datalink": (
        Service(
            LINKS_STANDARD,
            "/datalink/links",
            "1.1",
            "Lists what belongs to a cube or an image.",
            "base",
            LINKS_TYPE,
            (_ID, _FORMAT, _MAXREC),
            ("ID",),
        ),
    ),
    "/soda": (
        Service(SODA_SYNC_STANDARD, "/soda/sync", "1.0", "Cuts cubes and images at once.", "full", "", _SODA, ("ID",)),
        Service(
            SODA_ASYNC_STANDARD, "/soda/async", "1.0", "Cuts cubes and images in a job.", "full", "", _SODA, ("ID",)
        ),
    ),
}
"""Resources of each service, by the beginning of their paths."""
