"""Models of VOSI 1.1 and VODataService 1.2, where those of vo-models lack elements.

Importing this module takes half a second, so it is imported only for answers that need it.
"""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import AnyUrl, field_validator
from pydantic_xml import BaseXmlModel, attr, element
from vo_models.vodataservice.models import DataType
from vo_models.voresource.models import AccessURL, Resource, ResourceName, Rights
from vo_models.vosi.capabilities.models import NSMAP as VOSI_NAMES

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_VS = "http://www.ivoa.net/xml/VODataService/v1.1"
_RECORD_NAMES = {
    "ri": "http://www.ivoa.net/xml/RegistryInterface/v1.0",
    "vr": "http://www.ivoa.net/xml/VOResource/v1.0",
    "vs": _VS,
    "xsi": _XSI,
}


class InputParam(BaseXmlModel, tag="param"):
    """A parameter of a service. vo-models has no element for its name."""

    use: Literal["required", "optional"] = attr(name="use", default="optional")
    std: bool = attr(name="std", default=True)
    name: str = element(tag="name")
    description: str | None = element(tag="description", default=None)
    unit: str | None = element(tag="unit", default=None)
    ucd: str | None = element(tag="ucd", default=None)
    data_type: DataType = element(tag="dataType")


class ParamHTTP(BaseXmlModel, tag="interface", nsmap={"xsi": _XSI}):
    """An interface that takes parameters over HTTP."""

    type: Literal["vs:ParamHTTP"] = attr(name="type", ns="xsi", default="vs:ParamHTTP")
    role: str | None = attr(name="role", default=None)
    version: str | None = attr(name="version", default=None)
    access_url: list[AccessURL] = element(tag="accessURL")
    query_type: list[Literal["GET", "POST"]] = element(tag="queryType", default=[])
    result_type: str | None = element(tag="resultType", default=None)
    param: list[InputParam] = element(tag="param", default=[])
    test_query: str | None = element(tag="testQuery", default=None)


class Capability(BaseXmlModel, tag="capability", ns="", nsmap={"": "", "xsi": _XSI}):
    """What a service can do. That of vo-models writes no parameters of its interfaces."""

    standard_id: AnyUrl = attr(name="standardID")
    description: str | None = element(tag="description", default=None)
    interface: list[ParamHTTP] = element(tag="interface", default=[])


class Capabilities(BaseXmlModel, tag="capabilities", ns="vosi", nsmap=VOSI_NAMES):
    """The capabilities of a service (VOSI 1.1)."""

    capability: list[Capability] = element(tag="capability", ns="", nsmap={"": ""})


class Footprint(BaseXmlModel, tag="footprint"):
    """Address of a MOC."""

    value: str
    ivo_id: str = attr(name="ivo-id", default="ivo://ivoa.net/std/moc")


class Coverage(BaseXmlModel, tag="coverage"):
    """What the data of a service cover: places (a MOC), times (MJD) and energies (J)."""

    spatial: str | None = element(tag="spatial", default=None)
    temporal: list[str] = element(tag="temporal", default=[])
    spectral: list[str] = element(tag="spectral", default=[])
    footprint: Footprint | None = element(tag="footprint", default=None)
    waveband: list[str] = element(tag="waveband", default=[])


class CatalogService(Resource, tag="Resource", ns="ri", nsmap=_RECORD_NAMES):
    """Record of a service (VOResource 1.1, VODataService 1.2)."""

    type: Literal["vs:CatalogService"] = attr(name="type", ns="xsi", default="vs:CatalogService")
    rights: list[Rights] = element(tag="rights", default=[], ns="")
    capability: list[Capability] = element(tag="capability", default=[], ns="")
    facility: list[ResourceName] = element(tag="facility", default=[], ns="")
    instrument: list[ResourceName] = element(tag="instrument", default=[], ns="")
    coverage: Coverage | None = element(tag="coverage", default=None, ns="")

    @field_validator("created", "updated")
    @classmethod
    def _validate_timestamps(cls, value: datetime.datetime) -> datetime.datetime:
        """Leave out the check of vo-models, which asks the clock of the machine. `build_record` asks our own."""
        return value
