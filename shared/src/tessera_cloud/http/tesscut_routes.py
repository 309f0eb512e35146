"""Routes of TESSCut v0.1, as unmodified clients call them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from tessera.errors import InvalidValueError
from tessera_cloud.application.cutouts import NO_DATA, find_sectors, plan_cutouts, result_key, write_zip
from tessera_cloud.application.results import LINK_SECONDS, ResultWriter
from tessera_cloud.application.tesscut import parse_cutout_request, parse_sector_request
from tessera_cloud.bootstrap import services
from tessera_cloud.errors import TransientError, UsageError
from tessera_cloud.http.parameters import read_parameters
from tessera_cloud.observability import logger

BASE = "/tesscut/api/v0.1"
ZIP_NAME = "tesscut.zip"

router = Router()


def _json(document: dict[str, object], status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    return Response(status, "application/json; charset=UTF-8", json.dumps(document))


def _event() -> APIGatewayProxyEvent:
    return APIGatewayProxyEvent(router.current_event.raw_event)


@router.route(f"{BASE}/sector", method=["GET", "POST"])
def sector() -> Response[str]:
    """CCDs that see a position."""
    request = parse_sector_request(read_parameters(_event()))
    svc = services()
    results = find_sectors(request, store=svc.store, cube_bucket=svc.settings.cube_bucket)
    return _json({"results": results})


# A zip is no JSON, which is all that the resolver can validate; parse_cutout_request checks the parameters.
@router.route(f"{BASE}/astrocut", method=["GET", "POST"], enable_validation=False)
def astrocut() -> Response[Any]:
    """Zip of target pixel files, or a message where there is nothing to cut.

    A large zip is answered with 303: unlike 307, it makes clients that sent a POST fetch the file with a GET.
    """
    request = parse_cutout_request(read_parameters(_event()))
    svc = services()
    planned = plan_cutouts(
        request,
        store=svc.store,
        cube_bucket=svc.settings.cube_bucket,
        cache=svc.cubes,
        memory_mb=svc.settings.memory_mb,
    )
    if not planned:
        return _json({"msg": NO_DATA})
    bucket, key = svc.settings.result_bucket, result_key(planned, request)
    with ResultWriter(svc.store, bucket, key) as out:
        write_zip(planned, request, out, svc.store)
        data = out.finish()
        logger.info("cut", cubes=[item.published.obs_id for item in planned], bytes=out.n_bytes)
    if data is None:
        url = svc.store.presign(bucket, key, LINK_SECONDS, ZIP_NAME)
        return Response(HTTPStatus.SEE_OTHER, "text/plain", b"", headers={"Location": url})
    disposition = {"Content-Disposition": f'attachment; filename="{ZIP_NAME}"'}
    return Response(HTTPStatus.OK, "application/zip", data, headers=disposition)


def add_error_answers(app: APIGatewayRestResolver) -> None:
    """Turn errors into answers: the user's are explained, ours are logged."""

    @app.exception_handler([UsageError, InvalidValueError])
    def usage(error: Exception) -> Response[str]:
        return _json({"msg": str(error)}, HTTPStatus.BAD_REQUEST)

    @app.exception_handler(TransientError)
    def transient(error: Exception) -> Response[str]:
        logger.warning("transient", error=str(error))
        return _json({"msg": "busy; try again in a few seconds"}, HTTPStatus.SERVICE_UNAVAILABLE)

    @app.not_found
    def unknown(error: Exception) -> Response[str]:
        return _json({"msg": f"{app.current_event.path}: {error}"}, HTTPStatus.NOT_FOUND)

    @app.exception_handler(Exception)
    def fatal(error: Exception) -> Response[str]:
        logger.exception("fatal", error=str(error))
        return _json({"msg": "internal error"}, HTTPStatus.INTERNAL_SERVER_ERROR)
