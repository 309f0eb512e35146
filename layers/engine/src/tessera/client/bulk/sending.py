"""Send a list of targets to a service: in the body of a request, or to an upload link if it is large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from http import HTTPStatus
from typing import Any, TypeVar

from tessera.bulk.options import BulkOptions
from tessera.client.bulk.lists import GivenList
from tessera.client.bulk.records import Upload
from tessera.client.wire.documents import Fields, ask
from tessera.client.wire.exchange import exchange
from tessera.client.wire.failures import RefusedRequestError
from tessera.client.wire.steps import Send, Service, Steps
from tessera.errors import InvalidInputError

_LONGEST_URL = 4000
"""Longest address of a request. Many sectors are sent in the body, beside the id of an upload."""
Record = TypeVar("Record")
Show = Callable[[int, int], object]


def send_list(
    path: str,
    given: GivenList,
    options: BulkOptions,
    service: Service,
    read: Callable[[Fields], Record],
    *,
    show: Show | None = None,
) -> Steps[Record]:
    """Send a list with its options, and read the answer.

    Parameters
    ----------
    path : str
        Path of the operation, such as ``/v1/bulk``.
    given : GivenList
        The list.
    options : BulkOptions
        Options for all rows.
    service : Service
        The service.
    read : callable
        Reads the document of the answer.
    show : callable, optional
        Shows how many bytes of an upload are sent.

    Raises
    ------
    InvalidInputError
        When the list is larger than the service takes.
    ServiceError
        When the service does not take the list.
    """
    details = _details(options)
    request = Send("POST", service.address.link(path, **details), body=given.body())
    if given.fits_a_body and len(request.url) <= _LONGEST_URL:
        try:
            return (yield from ask(request, service, read))
        except RefusedRequestError as error:
            if error.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE or error.parameter not in (None, "body"):
                raise
    upload = yield from _upload(given, service, show)
    return (yield from ask(service.post(path, {"upload": upload} | details), service, read))


def _upload(given: GivenList, service: Service, show: Show | None) -> Steps[str]:
    """Upload a list, and return the id of the upload."""
    upload = yield from ask(service.post("/v1/bulk/uploads", {"bytes": given.size}), service, Upload.read)
    if given.size > upload.most:
        raise InvalidInputError("targets", f"a list of {given.size:,} bytes", f"at most {upload.most:,} bytes")
    service.narrator.say("%s is sent a list of %d bytes", service.address, given.size)
    (yield from exchange(Send("PUT", upload.url, body=given.body(show)), service)).close()
    return upload.id


def _details(options: BulkOptions) -> dict[str, Any]:
    """Options that differ from their defaults."""
    default = BulkOptions()
    names = [item.name for item in fields(BulkOptions)]
    given = {name: getattr(options, name) for name in names if getattr(options, name) != getattr(default, name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
