"""Reads a list of targets and its options from a request: a file with options in the query, JSON, or an upload."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tessera.bulk.lists.forms import find_form
from tessera.bulk.options import BODY_ROWS, BulkOptions, check_options
from tessera.bulk.target_rows import TargetRows
from tessera.errors import InvalidValueError, TooManyRowsError, UnreadableFileError
from tessera.targets.names import NameResolverError
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.bulk.rows import read_rows
from tessera_cloud.application.bulk.submit import GivenList
from tessera_cloud.application.bulk.uploads import read_upload
from tessera_cloud.errors import BusyError, TooLargeError, UsageError, as_text
from tessera_cloud.http.bulk.queries import BulkBody, BulkQuery
from tessera_cloud.http.framework.meant import meant
from tessera_cloud.http.framework.operations import Request, validated_document
from tessera_cloud.http.framework.parameters import FORM, content_type, read_json, read_query
from tessera_cloud.http.framework.refusals import check_no_query

BODY_BYTES = 4_000_000
"""Largest size of a list in a request. Lambda takes 6 MB, in which it has a third more characters."""
UNPACKED_BYTES = 40_000_000
"""Largest size of a packed body after it is unpacked."""
PRICED_ROWS = 100_000
"""Largest number of rows of an upload that is priced while the client waits."""
LOOK_UP_SECONDS, OPEN_SECONDS = 11.0, 20.0
"""Seconds of a request after which no name is looked up, and no cube is opened. API Gateway gives up after 29."""
CONTENT_TYPES = (
    "text/csv",
    "text/plain",
    "application/x-votable+xml",
    "application/vnd.apache.parquet",
    "application/fits",
)
_NEED = "a list of targets: CSV, ECSV, VOTable, Parquet, FITS or JSON"
_UPLOAD = "upload a longer one: see POST /v1/bulk/uploads"
_SAID = 400
"""Number of characters of the reasons that an error tells, beside the first one."""


@dataclass(frozen=True)
class Asked:
    """What a client asks for.

    Parameters
    ----------
    given : GivenList
        The list.
    options : BulkOptions
        What to make of it.
    rows : TargetRows or None
        Its rows; None if it is so long that the client would wait too long for its price.
    began : float
        Time of the request, in seconds since 1970.
    """

    given: GivenList
    options: BulkOptions
    rows: TargetRows | None
    began: float


def read_asked(request: Request, query: BulkQuery) -> Asked:
    """Read list and options.

    Raises
    ------
    UsageError
        Naming what is wrong.
    TooLargeError
        If the list is too long for a request, or for an upload.
    BusyError
        If all rows need names to be looked up, and nobody answers.
    """
    svc, began = request.services, request.services.now().timestamp()
    given, options = _read_list(request, query)
    if given.data is None:
        return Asked(given, options, None, began)
    rows = _read_rows(given, options, svc, began + LOOK_UP_SECONDS)
    if rows is not None and not len(rows):
        raise _nothing_understood(rows)
    return Asked(given, options, rows, began)


def _read_rows(given: GivenList, options: BulkOptions, backend: Backend, deadline: float) -> TargetRows | None:
    """Rows of a list; None if an upload has more than are priced at once."""
    assert given.data is not None
    most = PRICED_ROWS if given.upload else BODY_ROWS
    try:
        with _told("upload" if given.upload else "body"):
            return read_rows(given.data, given.form, options, backend, deadline, most_rows=most)
    except TooManyRowsError:
        if given.upload:
            return None
        raise _too_large(f"more than {most:,} rows", f"at most {most:,} rows in a request") from None


def _too_large(has: str, allowed: str) -> TooLargeError:
    message = f"the list has {has}; allowed: {allowed}; {_UPLOAD}"
    return TooLargeError(message, parameter="body", value=has, allowed=allowed)


def _nothing_understood(rows: TargetRows) -> UsageError:
    """Error of a list of which no row was understood, with the reasons of the first rows."""
    said = ""
    for n_said, problem in enumerate(rows.problems):
        reason = f"row {problem.row}: {problem.reason}"
        if said and len(said) + len(reason) > _SAID:
            said += f"; and {len(rows.problems) - n_said:,} more"
            break
        said += f"; {reason}" if said else reason
    message = f"no row of the list can be used: {said}"
    return UsageError(message, parameter="targets", allowed="at least one row with a target")


def _read_list(request: Request, query: BulkQuery) -> tuple[GivenList, BulkOptions]:
    data = _content(request)
    if query.upload is not None:
        if data:
            raise UsageError(
                "the request has a body and upload; allowed: one of them",
                parameter="upload",
                allowed="a body, or upload",
            )
        return _uploaded(query.upload, query.format, request.services), _options(query.arguments())
    if not data.strip():
        raise UsageError.about("body", None, _NEED)
    kind = content_type(request.event)
    if kind.startswith("multipart/"):
        raise UsageError.about("Content-Type", kind, f"{', '.join(CONTENT_TYPES)}, with the file as it is")
    with _told("body"):
        form = query.format or find_form("", "" if kind == FORM else kind, data[:4096], "body")
    if form == "json" and (body := _body(data)) is not None:
        check_no_query(read_query(request.event), has_body=True)
        options = _options(body.arguments())
        if body.upload is not None:
            return _uploaded(body.upload, body.format, request.services), options
        targets = json.dumps(body.targets, ensure_ascii=False, separators=(",", ":")).encode()
        return GivenList.of(targets, "json"), options
    return GivenList.of(data, form), _options(query.arguments())


def _body(data: bytes) -> BulkBody | None:
    """The body, if it is an object with options and not only the rows or the columns of a list."""
    try:
        document = read_json(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError("the body is not UTF-8; allowed: UTF-8", parameter="body", allowed="UTF-8") from error
    if not isinstance(document, (dict, list)):
        allowed = "an object with targets, or a list of targets"
        raise UsageError(f"body is {as_text(document)[:80]}; allowed: {allowed}", parameter="body", allowed=allowed)
    if isinstance(document, list) or _are_columns(document):
        return None
    return validated_document(BulkBody, document)


def _are_columns(document: dict[str, Any]) -> bool:
    """Whether an object is a table of columns: it has columns of targets, and no option that is no column."""
    from tessera.bulk.lists.columns import ROLES, has_columns  # noqa: PLC0415 - progress is shown without it

    options = BulkBody.model_fields.keys() - ROLES.keys()
    if any(meant(name, ["targets", "upload"]) for name in document) or any(name in options for name in document):
        return False
    lists = bool(document) and all(isinstance(value, list) for value in document.values())
    return lists or has_columns(list(document))


def _content(request: Request) -> bytes:
    """Body, unpacked if its encoding says that it is packed."""
    data = request.content()
    if len(data) > BODY_BYTES:
        raise _too_large(f"{len(data):,} bytes", f"at most {BODY_BYTES:,} bytes in a request")
    encoding = (request.event.headers.get("content-encoding") or "identity").strip().lower()
    if encoding == "identity" or not data:
        return data
    if encoding not in ("gzip", "x-gzip"):
        raise UsageError.about("Content-Encoding", encoding, "gzip, or none")
    try:
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(data)).read(UNPACKED_BYTES + 1)
    except EOFError as error:
        raise UsageError.about("Content-Encoding", encoding, "a body that is packed with gzip and complete") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UsageError.about("Content-Encoding", encoding, "a body that is packed with gzip") from error
    if len(unpacked) > UNPACKED_BYTES:
        raise _too_large(f"more than {UNPACKED_BYTES:,} bytes", f"at most {UNPACKED_BYTES:,} bytes in a packed request")
    return unpacked


def _uploaded(upload: str, form: str | None, backend: Backend) -> GivenList:
    found = read_upload(upload, backend)
    with _told("upload"):
        return GivenList(
            form or find_form("", "", found.start, "upload"), found.sha256, found.n_bytes, found.data, upload
        )


def _options(arguments: dict[str, Any]) -> BulkOptions:
    with _told(""):
        return check_options(**arguments)


@contextmanager
def _told(parameter: str) -> Iterator[None]:
    """Tell errors of the engine as errors of a parameter; of the one that is wrong if `parameter` is empty."""
    try:
        yield
    except TooManyRowsError:
        raise
    except InvalidValueError as error:
        raise UsageError(str(error), parameter=parameter or error.argument, allowed=error.allowed) from error
    except UnreadableFileError as error:
        raise UsageError(cut_sentence(str(error)), parameter=parameter, allowed=_NEED) from error
    except NameResolverError as error:
        raise BusyError(str(error)) from error


def cut_sentence(text: str) -> str:
    """Text of an error of a file in one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= 500 else f"{line[:497]}..."
