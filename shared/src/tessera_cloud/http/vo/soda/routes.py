"""Operations of SODA 1.0."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.vo.soda.orders import place
from tessera_cloud.application.vo.soda.parameters import parse_soda
from tessera_cloud.errors import cut
from tessera_cloud.http.charging import check_share
from tessera_cloud.http.framework.operations import ZIP, Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.images.send import send
from tessera_cloud.http.vo.soda.queries import SodaQuery

SYNC = "/soda/sync"

group = Group("SODA", "Cuts cubes and images by the protocol SODA 1.0.")

_ANSWERS = (
    Answer(200, "A target pixel file, or a cutout of an image", content_type="application/fits"),
    Answer(200, "A zip of several files", content_type=ZIP),
    Answer(204, "The shapes, times and bands have no pixel of the files", content_type=""),
    Answer(303, "The address of a larger file", content_type="text/plain", location=True),
    Answer(404, "An ID names nothing", content_type="text/plain"),
    Answer(413, "The cutouts are too large; the answer says what makes them", content_type="text/plain"),
)


def sync(request: Request) -> Response[Any]:
    """Cutouts of the files that the IDs name."""
    from tessera_cloud.application.vo.soda.answer import answer_soda, check_sync  # noqa: PLC0415 - brings astropy

    svc = request.services
    wanted = parse_soda(request.parameters(multipart=True))
    placed = place(wanted, svc)
    note(ids=list(wanted.ids), results=len(placed.results), **({"run": cut(wanted.run)} if wanted.run else {}))
    check_sync(placed, svc.settings)
    check_share(request)
    answer = answer_soda(wanted, placed, svc, time.sleep)
    if not answer.name:
        return Response(HTTPStatus.NO_CONTENT)
    return send(answer, request, wanted.media if wanted.form == "fits" else "")


for method in ("GET", "POST"):
    group.add(
        Operation(
            method,
            SYNC,
            f"soda_sync_{method.lower()}",
            "Cutouts by shapes on the sky",
            _ANSWERS,
            description="Cuts each shape out of each file that an ID names. A cutout is the box of pixels that holds "
            "the shape; the aperture of a target pixel file marks the pixels inside.",
            query=SodaQuery,
            form=True,
            multipart=True,
            paid=True,
        )
    )(sync)
