"""Answers that more than one part of the API gives."""

from __future__ import annotations

import datetime
import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.backend import Backend
from tessera_cloud.application.results import LINK_SECONDS
from tessera_cloud.http.framework.operations import JSON, NO_STORE, ZIP

ZIP_NAME = "tesscut.zip"


def message(text: str) -> Response[str]:
    """What TESSCut's clients show where there is no data: 200, and no zip."""
    return tesscut_json({"msg": text})


def tesscut_json(document: dict[str, object]) -> Response[str]:
    """JSON with the content type that MAST sends."""
    return Response(HTTPStatus.OK, "application/json; charset=UTF-8", json.dumps(document))


def see_other(url: str) -> Response[Any]:
    """Send a client elsewhere; unlike 307, it makes clients that sent a POST fetch the file with a GET."""
    return Response(HTTPStatus.SEE_OTHER, "text/plain", b"", headers={"Location": url} | NO_STORE)


def archive(data: bytes) -> Response[Any]:
    """A zip inline."""
    disposition = {"Content-Disposition": f'attachment; filename="{ZIP_NAME}"'}
    return Response(HTTPStatus.OK, ZIP, data, headers=disposition)


def result_url(backend: Backend, key: str, name: str = ZIP_NAME) -> str:
    """Address of a stored answer, which works for some minutes."""
    return backend.store.presign(backend.settings.result_bucket, key, LINK_SECONDS, name)


def iso(seconds: float) -> str:
    """A time in seconds since 1970 as ISO 8601, UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def json_answer(text: str, status: HTTPStatus, **headers: str) -> Response[str]:
    """JSON with a status and headers of its own."""
    return Response(status, JSON, text, headers=dict(NO_STORE) | headers)
