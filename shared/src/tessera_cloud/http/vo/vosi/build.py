"""Builds the documents of VOSI 1.1 and the record for registries.

Importing this module takes half a second; see `models`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, cast

from pydantic import AnyUrl
from vo_models.vodataservice.models import DataType
from vo_models.voresource.models import AccessURL

from tessera_cloud.http.vo.vosi.models import Capabilities, Capability, InputParam, ParamHTTP
from tessera_cloud.http.vo.vosi.services import SERVICES, Service
from tessera_cloud.http.vo.votable.elements import Field

_VOSI = "ivo://ivoa.net/std/VOSI#"


def build_capabilities(name: str, base: str) -> Capabilities:
    """Capabilities of a service: its own, and those of VOSI.

    Parameters
    ----------
    name : str
        Beginning of the paths of the service, such as ``/sia2``.
    base : str
        Address of the API as the client sees it.
    """
    return Capabilities(capability=list(capabilities_of([name], base)))


def capabilities_of(names: Iterable[str], base: str) -> Iterator[Capability]:
    """Capabilities of some services."""
    for name in names:
        yield from (_capability(service, base) for service in SERVICES[name])
        yield _vosi("capabilities", f"{base}{name}/capabilities")
        yield _vosi("availability", f"{base}{name}/availability")


def _vosi(kind: str, url: str) -> Capability:
    interface = ParamHTTP(version="1.1", access_url=[AccessURL(value=AnyUrl(url), use="full")])
    return Capability(standard_id=AnyUrl(_VOSI + kind), interface=[interface])


def _capability(service: Service, base: str) -> Capability:
    use = cast("Literal['full', 'base']", service.use)
    interface = ParamHTTP(
        role="std",
        version=service.version,
        access_url=[AccessURL(value=AnyUrl(f"{base}{service.path}"), use=use)],
        query_type=["GET", "POST"],
        result_type=service.result or None,
        param=[_param(field, required=field.name in service.required) for field in service.fields],
    )
    return Capability(standard_id=AnyUrl(service.standard), description=service.about, interface=[interface])


def _param(field: Field, *, required: bool) -> InputParam:
    kind = DataType(type="vs:VOTableType", arraysize=field.arraysize or None, value=field.datatype)
    return InputParam(
        use="required" if required else "optional",
        name=field.name,
        description=field.description or None,
        unit=field.unit or None,
        ucd=field.ucd or None,
        data_type=kind,
    )
