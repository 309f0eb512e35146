"""Operations of VOSI 1.1, and the record for registries."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.backend import Backend
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.switch import current_switch
from tessera_cloud.errors import TransientError
from tessera_cloud.http.framework.operations import Answer, Group, Handler, Operation, Request
from tessera_cloud.http.vo.documents import XML, xml_answer
from tessera_cloud.http.vo.vosi.services import SERVICES

group = Group(
    "VOSI", "Capabilities and state of the services of the Virtual Observatory, and their record for registries."
)
_PAID = ("/soda",)
"""Services that stop while paid work is paused. The others only tell so."""


def _state(name: str, backend: Backend) -> tuple[bool, list[str]]:
    """Whether a service works, and remarks."""
    switch = current_switch(backend)
    notes = [switch.message] if switch.paused else []
    try:
        n_cubes = len(current_index(backend).cubes)
    except TransientError:
        return False, [*notes, "the list of cubes cannot be read; ask again later"]
    return not (switch.paused and name in _PAID), notes or [f"{n_cubes:,} cubes are served"]


def _availability(name: str) -> Handler:
    def answer(request: Request) -> Response[Any]:
        from vo_models.vosi.availability import Availability  # noqa: PLC0415 - half a second; few ask for it

        available, notes = _state(name, request.services)
        return xml_answer(Availability(available=available, note=notes))

    return answer


def _capabilities(name: str) -> Handler:
    def answer(request: Request) -> Response[Any]:
        from tessera_cloud.http.vo.vosi.build import build_capabilities  # noqa: PLC0415 - half a second; few ask for it

        return xml_answer(build_capabilities(name, request.base))

    return answer


for _name in SERVICES:
    group.add(
        Operation(
            "GET",
            f"{_name}/capabilities",
            f"get_{_name[1:]}_capabilities",
            f"Capabilities of {_name}",
            (Answer(200, "The capabilities", content_type=XML),),
            description="Lists the resources of the service, the standard of each, and their parameters.",
        )
    )(_capabilities(_name))
    group.add(
        Operation(
            "GET",
            f"{_name}/availability",
            f"get_{_name[1:]}_availability",
            f"State of {_name}",
            (Answer(200, "The availability, with a note", content_type=XML),),
            description="Tells whether the service can answer now: whether there is a list of cubes, and whether paid "
            "work is paused.",
        )
    )(_availability(_name))


@group.add(
    Operation(
        "GET",
        "/registry.xml",
        "get_registry_record",
        "Record of the services for registries",
        (Answer(200, "The record", content_type=XML),),
        description="Describes all services of the Virtual Observatory, as registries want it (VOResource 1.1).",
    )
)
def get_registry_record(request: Request) -> Response[Any]:
    """Record for registries."""
    from tessera_cloud.http.vo.vosi.record import build_record  # noqa: PLC0415 - half a second; few ask for it

    return xml_answer(build_record(request.base, request.services))
