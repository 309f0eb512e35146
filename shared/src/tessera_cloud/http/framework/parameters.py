"""Parameters of a request, from its query string or its body."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, NoReturn
from urllib.parse import parse_qs

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from tessera_cloud.errors import UsageError, as_text, cut

FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
MULTIPART = "multipart/form-data"
_ALLOWED = "a JSON object"
_POSITION = re.compile(r"line \d+ column \d+")


def read_json(text: str, name: str = "body") -> Any:
    """Parse JSON. A name that an object has twice is refused, because one of the values would be lost.

    Parameters
    ----------
    text : str
        JSON, perhaps after a byte order mark.
    name : str, optional
        Name of the text in errors.

    Raises
    ------
    UsageError
        Saying what is wrong, and where.
    """

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise UsageError(f"{name} has {cut(key)} twice; allowed: once", parameter=key, allowed="once")
            found[key] = value
        return found

    def refuse(constant: str) -> NoReturn:
        raise UsageError(f"{name} has {constant}; allowed: finite numbers", value=constant, allowed="finite numbers")

    try:
        document = json.loads(text.removeprefix("\N{BYTE ORDER MARK}"), object_pairs_hook=build, parse_constant=refuse)
    except json.JSONDecodeError as error:
        where = _POSITION.search(str(error))
        reason = f"{name} is not JSON" + (f", at {where[0]}" if where else "")
    except RecursionError:
        reason = f"{name} is nested too deeply"
    except ValueError:
        reason = f"{name} has a number of too many digits"
    else:
        if _is_text(text, document):
            return document
        reason = f"{name} has half of a character"
    raise UsageError(f"{reason}; allowed: {_ALLOWED}", parameter=name, value=text, allowed=_ALLOWED)


def _is_text(text: str, document: object) -> bool:
    """Whether the texts of a document are Unicode: an escape of half a character alone is none."""
    if "\\ud" not in text.lower():
        return True
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _json_values(value: Any) -> list[str]:
    return [as_text(item) for item in value] if isinstance(value, list) else [as_text(value)]


def content_type(event: APIGatewayProxyEvent) -> str:
    """Content type of the body in small letters, without its parameters; empty if the request names none."""
    return (event.headers.get("content-type") or "").split(";")[0].strip().lower()


def read_body(event: APIGatewayProxyEvent) -> str:
    """Body as text.

    Raises
    ------
    UsageError
        If the body is not UTF-8.
    """
    try:
        return str(event.decoded_body or "")
    except (ValueError, binascii.Error) as error:
        raise UsageError("the body is not UTF-8; allowed: UTF-8", parameter="body", allowed="UTF-8") from error


def read_content(event: APIGatewayProxyEvent) -> bytes:
    """Bytes of the body; none if there is no body."""
    text = str(event.raw_event.get("body") or "")
    try:
        return base64.b64decode(text) if event.is_base64_encoded else text.encode()
    except ValueError as error:
        raise UsageError("the body is damaged; allowed: bytes", parameter="body", allowed="bytes") from error


def is_form(event: APIGatewayProxyEvent) -> bool:
    """Whether the body is a form. curl says so of every body, also of JSON."""
    return content_type(event) == FORM and not read_body(event).lstrip().startswith(("{", "["))


def check_json(event: APIGatewayProxyEvent, *, only: bool) -> None:
    """Check that a body says that it is JSON, or says nothing that it is not.

    Parameters
    ----------
    event : APIGatewayProxyEvent
        Event of API Gateway.
    only : bool
        Whether nothing but JSON is allowed. A page of another address may send other types without asking.

    Raises
    ------
    UsageError
        Naming the content type and those that are allowed.
    """
    kind = content_type(event)
    if kind == _JSON or kind.endswith("+json") or (not only and kind in ("", FORM, "text/plain")):
        return
    raise UsageError.about("Content-Type", kind or None, _JSON if only else f"{_JSON}, {FORM}")


def _body_parameters(event: APIGatewayProxyEvent, *, multipart: bool) -> dict[str, list[str]]:
    kind = content_type(event) or FORM
    if multipart and kind == MULTIPART:
        return _read_multipart(event)
    body = read_body(event)
    if not body:
        return {}
    if kind == FORM:
        return read_form(body)
    if kind != _JSON:
        raise UsageError.about("Content-Type", kind, ", ".join([FORM, *([MULTIPART] if multipart else []), _JSON]))
    document = read_json(body)
    if not isinstance(document, dict):
        raise UsageError.about("body", document, _ALLOWED)
    return {name: _json_values(value) for name, value in document.items() if value is not None}


def read_form(body: str) -> dict[str, list[str]]:
    """Parameters of the body of a form."""
    try:
        return parse_qs(body, keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        allowed = "at most 1,000 fields"
        raise UsageError(
            f"the body has too many fields; allowed: {allowed}", parameter="body", allowed=allowed
        ) from error


def _read_multipart(event: APIGatewayProxyEvent) -> dict[str, list[str]]:
    """Parameters of a form of several parts, which have no files."""
    from email import message_from_bytes, policy  # noqa: PLC0415 - few clients send such forms

    head = f"Content-Type: {event.headers.get('content-type')}\r\n\r\n".encode()
    message = message_from_bytes(head + read_content(event), policy=policy.HTTP)
    found: dict[str, list[str]] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str) or part.get_filename() is not None:
            raise UsageError(
                "the body has a part that is no parameter; allowed: parameters, and no files",
                parameter="body",
                allowed="parameters, and no files",
            )
        payload = part.get_payload(decode=True)
        try:
            found.setdefault(name, []).append(payload.decode() if isinstance(payload, bytes) else "")
        except UnicodeDecodeError as error:
            raise UsageError("the body is not UTF-8; allowed: UTF-8", parameter="body", allowed="UTF-8") from error
    if message.defects or not message.is_multipart():
        allowed = "a whole form, whose Content-Type names its boundary"
        raise UsageError(f"the body is damaged; allowed: {allowed}", parameter="body", allowed=allowed)
    return found


def read_query(event: APIGatewayProxyEvent) -> dict[str, list[str]]:
    """Parameters of the query string, each with all its values."""
    return dict(event.resolved_query_string_parameters or {})


def read_parameters(event: APIGatewayProxyEvent, *, multipart: bool = False) -> dict[str, list[str]]:
    """Parameters of the query string and of a form or JSON body, with names in lower case.

    With `multipart`, a form may also have several parts.
    """
    parameters: dict[str, list[str]] = {}
    for source in (read_query(event), _body_parameters(event, multipart=multipart)):
        for name, values in source.items():
            parameters.setdefault(name.lower(), []).extend(values)
    return parameters
