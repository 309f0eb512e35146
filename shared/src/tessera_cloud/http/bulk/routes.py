"""Operations on lists of targets."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.bulk.price import ListPrice, check_allowed, check_seen, price_list
from tessera_cloud.application.bulk.status import list_state
from tessera_cloud.application.bulk.submit import place_order, submit_list
from tessera_cloud.application.bulk.uploads import UPLOAD_BYTES, begin_upload
from tessera_cloud.application.jobs import submit as jobs
from tessera_cloud.application.jobs.records import Asker
from tessera_cloud.application.jobs.work import lists
from tessera_cloud.errors import TooLargeError
from tessera_cloud.http.bulk.given import CONTENT_TYPES, OPEN_SECONDS, PRICED_ROWS, Asked, read_asked
from tessera_cloud.http.bulk.models import ListJob, ListPlan, ListUpload
from tessera_cloud.http.bulk.queries import BulkBody, BulkQuery, ListCancel, ListPage, UploadBody
from tessera_cloud.http.bulk.respond import to_list
from tessera_cloud.http.charging import charge
from tessera_cloud.http.clients import client_of
from tessera_cloud.http.cutouts.wait_routes import LISTS_PATH
from tessera_cloud.http.framework.answers import iso, json_answer
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.models import ErrorDocument

TOO_LARGE = Answer(413, "The list is too long for a request, or exceeds a limit; the answer says which", ErrorDocument)
NO_UPLOAD = Answer(404, "There is no upload of this id, or its file has not arrived", ErrorDocument)
UNKNOWN = Answer(404, "There is no list of this id, or its results were deleted", ErrorDocument)

group = Group("Lists", "Cutouts and light curves of many targets in one request.")


@group.add(
    Operation(
        "POST",
        f"{LISTS_PATH}/plan",
        "plan_list",
        "Count the cutouts of a list, and find its price",
        (Answer(200, "The plan", ListPlan), TOO_LARGE, NO_UPLOAD),
        description="Counts rows, cubes, bytes and requests, and finds price, time and size of the results. No pixel "
        "is read. The body is a file, with options in the query; or JSON with `targets` or `upload`, and options.",
        query=BulkQuery,
        body=BulkBody,
        files=CONTENT_TYPES,
        paid=True,
    )
)
def plan_list(request: Request, query: BulkQuery) -> ListPlan:
    """The plan of a list."""
    asked = read_asked(request, query)
    price = _price(asked, request)
    if price is None:
        allowed = f"at most {PRICED_ROWS:,} rows"
        more = "POST /v1/bulk plans a longer list as its first step, and ends there if the list exceeds a limit"
        message = f"the list is too long for a price at once; allowed: {allowed}; {more}"
        raise TooLargeError(message, parameter="upload", value=asked.given.upload, allowed=allowed)
    return ListPlan.model_validate(price.plan.to_dict())


@group.add(
    Operation(
        "POST",
        LISTS_PATH,
        "post_list",
        "Make cutouts and light curves of a list of targets",
        (
            Answer(202, "The list, as it waits or is worked on", ListJob, location=True),
            Answer(429, "You have too many lists that have not ended", ErrorDocument),
            TOO_LARGE,
            NO_UPLOAD,
            Answer(404, "No target is on a cube", ErrorDocument),
        ),
        description="Takes the same bodies as `POST /v1/bulk/plan`. The same list with the same options is worked on "
        "once. Rows that are not understood are in `plan.problems` and in the table of results; the others are made.",
        query=BulkQuery,
        body=BulkBody,
        files=CONTENT_TYPES,
        paid=True,
    )
)
def post_list(request: Request, query: BulkQuery) -> Response[Any]:
    """Begin the work on a list, or find it."""
    svc = request.services
    asked = read_asked(request, query)
    price = _price(asked, request)
    if price is not None:
        check_seen(price, asked.options)
        check_allowed(price.plan)
    plan = None if price is None else price.plan
    charge(request, 0)
    order = place_order(asked.given, asked.options, svc)
    asker = Asker(client=client_of(request.event), token=svc.new_token())
    status = submit_list(order, asked.given, plan.cubes if plan else 0, asker, svc)
    note(list=order.id, phase=status.phase)
    document = to_list(list_state(status, svc), request, plan=None if plan is None else plan.to_dict(), limit=0)
    return json_answer(document.model_dump_json(), HTTPStatus.ACCEPTED, Location=document.url)


def _price(asked: Asked, request: Request) -> ListPrice | None:
    """Price of a list; None if it is too long."""
    if asked.rows is None:
        return None
    price = price_list(asked.rows, asked.options, request.services, asked.began + OPEN_SECONDS)
    note(rows=price.plan.rows, list_cutouts=price.plan.cutouts, usd=price.plan.usd, broken_cubes=price.n_broken)
    return price


@group.add(
    Operation(
        "POST",
        f"{LISTS_PATH}/uploads",
        "post_upload",
        "Begin to upload a list",
        (Answer(201, "Where to upload the list", ListUpload),),
        description="For a list that is too long for a request. Send the file to `url` with PUT, then give the id of "
        "the upload to `POST /v1/bulk`.",
        body=UploadBody,
        paid=True,
    )
)
def post_upload(request: Request, body: UploadBody) -> Response[Any]:
    """Begin an upload."""
    charge(request, 0)
    upload = begin_upload(body.bytes, request.services)
    document = ListUpload(upload=upload.id, url=upload.url, expires=iso(upload.expires), max_bytes=UPLOAD_BYTES)
    return json_answer(document.model_dump_json(), HTTPStatus.CREATED)


@group.add(
    Operation(
        "GET",
        f"{LISTS_PATH}/{{job}}",
        "get_list",
        "Progress and products of a list",
        (Answer(200, "The list as it is now", ListJob), UNKNOWN),
        description="Shows how far the work is, and links the products that are finished, page by page. With `limit=0` "
        "it links none.",
        query=ListPage,
        paid=True,
    )
)
def get_list(request: Request, query: ListPage) -> ListJob:
    """A list."""
    svc = request.services
    status = jobs.job_status(request.path["job"], svc, lists(svc.settings))
    return to_list(list_state(status, svc), request, after=query.after, limit=query.limit)


@group.add(
    Operation(
        "DELETE",
        f"{LISTS_PATH}/{{job}}",
        "cancel_list",
        "Stop the work on a list",
        (
            Answer(200, "The list: cancelled, or as it is if other clients asked for it too", ListJob),
            Answer(403, "The token is missing, or is not one of this list", ErrorDocument),
            UNKNOWN,
            Answer(409, "The work has ended already", ErrorDocument),
        ),
        description="Withdraws a client from a list. The work stops when all clients that asked for it have withdrawn. "
        "What is finished stays, and the same request goes on with the rest.",
        query=ListCancel,
    )
)
def cancel_list(request: Request, query: ListCancel) -> ListJob:
    """Withdraw a client from a list."""
    svc = request.services
    status = jobs.cancel(request.path["job"], query.cancel_token, svc, lists(svc.settings))
    return to_list(list_state(status, svc), request, limit=0)
