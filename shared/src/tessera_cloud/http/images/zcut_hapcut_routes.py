"""Operations of Zcut and Hapcut v0.1, for unmodified clients of MAST."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera.sky.footprint import sky_box
from tessera_cloud.application.images.answer import answer_images
from tessera_cloud.application.images.index import ServedDataset
from tessera_cloud.application.images.order import ImageRequest, Protocol, place_image_order
from tessera_cloud.application.images.served import current_datasets
from tessera_cloud.http.charging import charge
from tessera_cloud.http.framework.answers import tesscut_json
from tessera_cloud.http.framework.operations import ZIP, Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.images.models import NoHap, SurveyList
from tessera_cloud.http.images.send import send
from tessera_cloud.http.images.zcut_hapcut_parameters import parse_image_request, parse_surveys
from tessera_cloud.http.images.zcut_hapcut_queries import HapcutCutout, ZcutCutout, ZcutSurvey
from tessera_cloud.http.models import Message
from tessera_cloud.http.tesscut.parameters import parse_sector_request

ZCUT, HAPCUT = "/zcut/api/v0.1", "/hapcut/api/v0.1"
NOTHING_FOUND: dict[Protocol, dict[str, Any]] = {
    Protocol.ZCUT: {"msg": "Missing survey files for input target. Cutout not performed."},
    Protocol.HAPCUT: {"msg": "Missing HAP files for input target. Cutout not performed.", "results": []},
}
"""Answers that MAST's clients show if there is nothing to cut."""

group = Group("Zcut-Hapcut", "Cutouts of images by the protocols of MAST's Zcut and Hapcut services.")


_ARCHIVE = Answer(200, "A zip of cutouts", content_type=ZIP)
_ELSEWHERE = Answer(303, "The address of a larger zip", content_type="text/plain", location=True)


def survey(request: Request) -> Response[str]:
    """Surveys that have images of a position."""
    wanted = parse_sector_request(request.parameters())
    region = sky_box(wanted.ra, wanted.dec, 2 * wanted.radius, 2 * wanted.radius)
    datasets = [served for served in current_datasets(request.services) if served.dataset.zcut]
    names = dict.fromkeys(served.dataset.zcut for served in datasets if served.find(region))
    return tesscut_json({"surveys": list(names)})


def _answer(request: Request, wanted: ImageRequest, protocol: Protocol, datasets: list[ServedDataset]) -> Response[Any]:
    order = place_image_order(wanted, datasets, protocol)
    note(protocol=str(protocol), images=len(order.images))
    charge(request, 0)
    answer = answer_images(order, request.services)
    return send(answer, request) if answer.name else tesscut_json(NOTHING_FOUND[protocol])


def zcut(request: Request) -> Response[Any]:
    """Zip with one file for each survey, or with pictures."""
    parameters = request.parameters()
    wanted, names = parse_image_request(parameters), parse_surveys(parameters)
    surveys = [served for served in current_datasets(request.services) if served.dataset.zcut]
    chosen = [served for served in surveys if not names or served.dataset.zcut in names]
    return _answer(request, wanted, Protocol.ZCUT, chosen)


def hapcut(request: Request) -> Response[Any]:
    """Zip with one file for each image."""
    given = request.parameters()
    wanted = parse_image_request({name: given[name] for name in HapcutCutout.model_fields if name in given})
    chosen = [served for served in current_datasets(request.services) if served.dataset.hapcut]
    return _answer(request, wanted, Protocol.HAPCUT, chosen)


_SURVEYS = Answer(200, "The names of the surveys", SurveyList)
_NO_SURVEY = Answer(200, "A message if there is nothing to cut", Message)
_NO_HAP = Answer(200, "A message if there is nothing to cut", NoHap)

for _method in ("GET", "POST"):
    group.add(
        Operation(
            _method,
            f"{ZCUT}/survey",
            f"zcut_survey_{_method.lower()}",
            "Surveys that see a position",
            (_SURVEYS,),
            description="Lists surveys that have an image of a position, as Zcut does.",
            query=ZcutSurvey,
            form=True,
        )
    )(survey)
    group.add(
        Operation(
            _method,
            f"{ZCUT}/astrocut",
            f"zcut_astrocut_{_method.lower()}",
            "Cutouts of surveys around a position",
            (_NO_SURVEY, _ARCHIVE, _ELSEWHERE),
            description="Gives a zip with one FITS file for each survey, or with pictures, as Zcut does.",
            query=ZcutCutout,
            form=True,
            paid=True,
        )
    )(zcut)
    group.add(
        Operation(
            _method,
            f"{HAPCUT}/astrocut",
            f"hapcut_astrocut_{_method.lower()}",
            "Cutouts of Hubble's images around a position",
            (_NO_HAP, _ARCHIVE, _ELSEWHERE),
            description="Gives a zip with one FITS file for each image, as Hapcut does.",
            query=HapcutCutout,
            form=True,
            paid=True,
        )
    )(hapcut)
