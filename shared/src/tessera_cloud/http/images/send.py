"""Sends a file or an archive: inline, or by a redirection to it."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.images.answer import ImageAnswer
from tessera_cloud.http.charging import charge, charge_result
from tessera_cloud.http.framework.answers import result_url, see_other
from tessera_cloud.http.framework.operations import ZIP, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.observability import logger

CONTENT = {".fits": "application/fits", ".asdf": "application/octet-stream", ".png": "image/png", ".jpg": "image/jpeg"}
CONTENT |= {".zip": ZIP}
_LOGGED = 20
"""Largest number of failures in a log line."""


def send(answer: ImageAnswer, request: Request, media: str = "") -> Response[Any]:
    """Answer with a file, or with a redirection to it.

    Parameters
    ----------
    answer : ImageAnswer
        The file; it has a name.
    request : Request
        Request of the client.
    media : str, optional
        Media type of the file; by default that of its suffix.
    """
    kind = media or CONTENT["." + answer.name.rpartition(".")[2]]
    if answer.failures:
        logger.warning("images cannot be cut", failures=[asdict(failure) for failure in answer.failures[:_LOGGED]])
    note(n_cutouts=answer.n_cutouts, cutout_bytes=answer.n_bytes, cached=int(answer.cached))
    if answer.data is None:
        charge_result(request, answer.key)
        return see_other(result_url(request.services, answer.key, answer.name, kind))
    charge(request, len(answer.data))
    disposition = {"Content-Disposition": f'attachment; filename="{answer.name}"'}
    return Response(HTTPStatus.OK, kind, answer.data, headers=disposition)
