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

    The parameters are left out, because pyvo warns of each. The record for registries has them.

    Parameters
    ----------
    name : str
        Beginning of the paths of the service, such as ``/sia2``.
    base : str
        Address of the API as the client sees it.
    """
    return Capabilities(capability=list(capabilities_of([name], base, with_parameters=False)))


def capabilities_of(names: Iterable[str], base: str, *, with_parameters: bool) -> Iterator[Capability]:
    """Capabilities of some services, with or without the parameters of each."""
    for name in names:
        for service in SERVICES[name]:
            yield _capability(service, _interface(service, base, with_parameters=with_parameters))
        yield _vosi("capabilities", f"{base}{name}/capabilities")
        yield _vosi("availability", f"{base}{name}/availability")


def _vosi(kind: str, url: str) -> Capability:
    interface = ParamHTTP(version="1.1", access_url=[AccessURL(value=AnyUrl(url), use="full")])
    return Capability(standard_id=AnyUrl(_VOSI + kind), interface=[interface])


def _capability(service: Service, interface: ParamHTTP) -> Capability:
    return Capability(standard_id=AnyUrl(service.standard), description=service.about, interface=[interface])


def _interface(service: Service, base: str, *, with_parameters: bool) -> ParamHTTP:
    use = cast("Literal['full', 'base']", service.use)
    interface = ParamHTTP(
        role="std",
        version=service.version,
        access_url=[AccessURL(value=AnyUrl(f"{base}{service.path}"), use=use)],
        result_type=service.result or None,
    )
    if not with_parameters:
        return interface
    params = [_param(field, required=field.name in service.required) for field in service.fields]
    return interface.model_copy(update={"query_type": ["GET", "POST"], "param": params})


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
