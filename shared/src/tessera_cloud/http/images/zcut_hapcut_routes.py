"""Zcut and Hapcut v0.1, as unmodified clients of MAST call them."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, Field

from tessera.sky.footprint import sky_box
from tessera_cloud.application.images.answer import answer_images
from tessera_cloud.application.images.index import ServedDataset
from tessera_cloud.application.images.order import ImageRequest, Protocol, place_image_order
from tessera_cloud.application.images.served import current_datasets
from tessera_cloud.http.cutouts.queries import Dec, Ra
from tessera_cloud.http.framework.answers import tesscut_json
from tessera_cloud.http.framework.operations import ZIP, Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.images.models import NoHap, SurveyList
from tessera_cloud.http.images.routes import send
from tessera_cloud.http.images.zcut_hapcut_parameters import parse_image_request, parse_surveys
from tessera_cloud.http.models import Message
from tessera_cloud.http.tesscut.parameters import parse_sector_request

ZCUT, HAPCUT = "/zcut/api/v0.1", "/hapcut/api/v0.1"
NOTHING_FOUND: dict[Protocol, dict[str, Any]] = {
    Protocol.ZCUT: {"msg": "Missing survey files for input target. Cutout not performed."},
    Protocol.HAPCUT: {"msg": "Missing HAP files for input target. Cutout not performed.", "results": []},
}
"""What MAST's clients show where there is nothing to cut."""

group = Group("Zcut-Hapcut")


class ZcutSurvey(BaseModel):
    """Parameters of Zcut's ``survey``; names may be in any case."""

    ra: Ra
    dec: Dec
    radius: Annotated[str, Field(description="With the unit `d` (default), `m` or `s`.")] = "0"


class HapcutCutout(BaseModel):
    """Parameters of Hapcut's ``astrocut``; names may be in any case."""

    ra: Ra
    dec: Dec
    y: Annotated[float, Field(gt=0, description="Rows, in `units`.", examples=[5])]
    x: Annotated[float, Field(gt=0, description="Columns, in `units`.", examples=[5])]
    units: Annotated[str, Field(description="`px` (default), `d`, `m` or `s`.")] = "px"


class ZcutCutout(HapcutCutout):
    """Parameters of Zcut's ``astrocut``; names may be in any case."""

    survey: Annotated[str, Field(description="One survey; all by default.")] = ""
    format: Annotated[str, Field(description="`fits` (default), `jpg` or `png`.")] = "fits"
    stretch: Annotated[str, Field(description="`asinh` (default), `sinh`, `sqrt`, `log` or `linear`.")] = "asinh"
    minmax_percent: Annotated[str, Field(description="Percentiles of black and white: `0.5,99.5`.")] = ""
    minmax_value: Annotated[str, Field(description="Values of black and white.")] = ""
    invert: Annotated[str, Field(description="`true` or `false`.")] = "false"


_ARCHIVE = Answer(200, "A zip of cutouts", content_type=ZIP)
_ELSEWHERE = Answer(303, "A larger zip is elsewhere", content_type="text/plain", location=True)


def survey(request: Request) -> Response[str]:
    """Surveys that see a position."""
    wanted = parse_sector_request(request.parameters())
    region = sky_box(wanted.ra, wanted.dec, 2 * wanted.radius, 2 * wanted.radius)
    datasets = [served for served in current_datasets(request.services) if served.dataset.zcut]
    names = dict.fromkeys(served.dataset.zcut for served in datasets if served.find(region))
    return tesscut_json({"surveys": list(names)})


def _answer(request: Request, wanted: ImageRequest, protocol: Protocol, datasets: list[ServedDataset]) -> Response[Any]:
    order = place_image_order(wanted, datasets, protocol)
    note(protocol=str(protocol), images=len(order.images))
    answer = answer_images(order, request.services)
    return send(answer, request) if answer.name else tesscut_json(NOTHING_FOUND[protocol])


def zcut(request: Request) -> Response[Any]:
    """Zip of one file for each survey, or of pictures."""
    parameters = request.parameters()
    wanted, names = parse_image_request(parameters), parse_surveys(parameters)
    surveys = [served for served in current_datasets(request.services) if served.dataset.zcut]
    chosen = [served for served in surveys if not names or served.dataset.zcut in names]
    return _answer(request, wanted, Protocol.ZCUT, chosen)


def hapcut(request: Request) -> Response[Any]:
    """Zip of one file for each image."""
    given = request.parameters()
    wanted = parse_image_request({name: given[name] for name in HapcutCutout.model_fields if name in given})
    chosen = [served for served in current_datasets(request.services) if served.dataset.hapcut]
    return _answer(request, wanted, Protocol.HAPCUT, chosen)


for _path, _name, _summary, _handler, _query, _answers in (
    (f"{ZCUT}/survey", "zcut_survey", "Surveys that see a position", survey, ZcutSurvey,
     (Answer(200, "They", SurveyList),)),
    (f"{ZCUT}/astrocut", "zcut_astrocut", "Cutouts of surveys around a position", zcut, ZcutCutout,
     (Answer(200, "A message where there is nothing to cut", Message), _ARCHIVE, _ELSEWHERE)),
    (f"{HAPCUT}/astrocut", "hapcut_astrocut", "Cutouts of Hubble's images around a position", hapcut, HapcutCutout,
     (Answer(200, "A message where there is nothing to cut", NoHap), _ARCHIVE, _ELSEWHERE)),
):  # fmt: skip
    for _method in ("GET", "POST"):
        _operation = Operation(
            _method, _path, f"{_name}_{_method.lower()}", _summary, _answers, query=_query, form=True
        )
        group.add(_operation)(_handler)
