"""TESSCut v0.1, as unmodified clients call it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud import bootstrap
from tessera_cloud.application import jobs
from tessera_cloud.application.backend import current_index
from tessera_cloud.application.catalogue import find_sectors
from tessera_cloud.application.cutout_answers import answer_now
from tessera_cloud.application.cutout_order import place_order
from tessera_cloud.application.cutouts import NO_DATA
from tessera_cloud.application.frame_header import frame_header
from tessera_cloud.application.tesscut import parse_cutout_request, parse_sector_request, parse_wcs_request
from tessera_cloud.http.answers import archive, message, result_url, see_other, tesscut_json
from tessera_cloud.http.links import link
from tessera_cloud.http.models import Message, SectorList, WcsDocument
from tessera_cloud.http.operations import ZIP, Answer, Door, Operation, Request
from tessera_cloud.http.outcome import note
from tessera_cloud.http.queries import TesscutCutout, TesscutMoving, TesscutSector, TesscutWcs

BASE = "/tesscut/api/v0.1"
NOT_YET = "Moving targets are not served yet. Cutout not performed."
NO_WCS = "No FFIs found for the sector, camera and CCD."
METHODS = ("GET", "POST")

door = Door("TESSCut")

_SAID = Answer(200, "A message where there is nothing to cut", Message)
_ARCHIVE = Answer(200, "A zip of target pixel files, one for each CCD", content_type=ZIP)
_ELSEWHERE = Answer(303, "A larger zip is elsewhere, or will be", content_type="text/plain", location=True)


def _each_method(path: str, name: str, summary: str, query: type, *answers: Answer) -> list[Operation]:
    """An operation for GET, and for POST with a form or JSON."""
    return [
        Operation(method, f"{BASE}/{path}", f"{name}_{method.lower()}", summary, answers, query=query, form=True)
        for method in METHODS
    ]


def sector(request: Request) -> Response[str]:
    """Rows of the CCDs that see a position."""
    wanted = parse_sector_request(request.parameters())
    rows = find_sectors(wanted, current_index(bootstrap.services()))
    note(n_rows=len(rows))
    return tesscut_json({"results": rows})


def astrocut(request: Request) -> Response[Any]:
    """Zip of target pixel files, a message where there is nothing to cut, or where the zip will be."""
    wanted = parse_cutout_request(request.parameters())
    svc = bootstrap.services()
    order = place_order(wanted, svc)
    if not order.cubes:
        return message(NO_DATA)
    if order.is_heavy(svc.settings):
        status = jobs.submit(order, svc)
        note(job=order.id, phase=status.phase, cubes=[cube.obs_id for cube in order.cubes])
        if status.phase == "succeeded":
            note(cached=1)
            return see_other(result_url(svc, status.key))
        return see_other(link(request.base, f"/v1/jobs/{order.id}/wait", n=1))
    answer = answer_now(order, svc)
    note(cubes=list(answer.cubes), n_cutouts=len(answer.cubes), cutout_bytes=answer.n_bytes, cached=int(answer.cached))
    if answer.is_empty:
        return message(NO_DATA)
    return archive(answer.data) if answer.data is not None else see_other(result_url(svc, answer.key))


def ffi_wcs(request: Request) -> Response[str]:
    """WCS of the frames of a CCD."""
    wanted = parse_wcs_request(request.parameters())
    text = frame_header(wanted.cube_id, bootstrap.services())
    return message(NO_WCS) if text is None else tesscut_json({"wcs": text})


def moving_target(request: Request) -> Response[str]:
    """Say that there is no such thing yet, in the way that users get to see."""
    request.parameters()
    return message(NOT_YET)


for _operation in _each_method(
    "sector", "tesscut_sector", "CCDs that see a position", TesscutSector, Answer(200, "CCDs", SectorList)
):
    door.add(_operation)(sector)
for _operation in _each_method(
    "astrocut", "tesscut_astrocut", "Target pixel files around a position", TesscutCutout, _SAID, _ARCHIVE, _ELSEWHERE
):
    door.add(_operation)(astrocut)
for _operation in _each_method(
    "ffi_wcs",
    "tesscut_ffi_wcs",
    "WCS of the frames of a CCD",
    TesscutWcs,
    Answer(200, "The header", WcsDocument),
    Answer(200, "A message where there is no such CCD", Message),
):
    door.add(_operation)(ffi_wcs)
for _path in ("sector", "astrocut"):
    for _operation in _each_method(
        f"moving_target/{_path}",
        f"tesscut_moving_{_path}",
        "Not served yet",
        TesscutMoving,
        Answer(200, "A message", Message),
    ):
        door.add(_operation)(moving_target)
