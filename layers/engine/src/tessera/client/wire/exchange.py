"""Send a request: follow redirections, wait for a service that is busy, and turn what went wrong into an error."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

from tessera.client.wire.failures import (
    About,
    BusyServiceError,
    DamagedAnswerError,
    ForeignServerError,
    NothingFoundError,
    RefusedRequestError,
    ServiceError,
    UnreachableServiceError,
)
from tessera.client.wire.steps import Answer, Send, Service, Steps, Wait
from tessera.io.locations import shown

MOST_HOPS = 10
"""Largest number of redirections of one request."""
SHORTEST_PAUSE = 0.5
"""Shortest time in seconds between two tries."""
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_PASSING = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
_REPEATABLE = ("GET", "PUT")
"""Methods of requests that do the same when they are sent again."""
_REDIRECTIONS = (301, 302, 303, 307, 308)
_IDS = ("x-amzn-requestid", "x-amz-apigw-id", "x-amz-request-id", "x-request-id")
_LONGEST_MESSAGE = 1000
_LONGEST_DOUBLING = 6


def exchange(request: Send, service: Service) -> Steps[Answer]:
    """Send a request until the service has an answer for it.

    Returns
    -------
    Answer
        An answer whose status is below 300.

    Raises
    ------
    ServiceError
        When there is no such answer.
    """
    tries = _Tries(service)
    while True:
        try:
            answer: Answer = yield request
        except UnreachableServiceError as error:
            yield Wait(tries.after_silence(request, error))
            continue
        service.narrator.say("%s %s: %d", request.method, shown(request.url), answer.status)
        if answer.status < 300:
            return answer
        with answer:
            if answer.status in _REDIRECTIONS:
                request = tries.redirected(request, answer)
                continue
            pause = tries.after_error(request, answer)
        yield Wait(pause)


class _Tries:
    """The tries of one request."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._hops = self._failures = self._refusals = 0
        self._waited = 0.0

    def after_silence(self, request: Send, error: UnreachableServiceError) -> float:
        """Seconds until the next try after a broken connection; raises the error if there is none."""
        if request.method not in _REPEATABLE or self._failures >= self._service.retries:
            raise error
        return self._pause(str(error))

    def after_error(self, request: Send, answer: Answer) -> float:
        """Seconds until the next try after an answer that is an error; raises it if there is none."""
        if answer.status in _BUSY:
            return self._wait_for(answer)
        if answer.status in _PASSING and request.method in _REPEATABLE and self._failures < self._service.retries:
            return self._pause(f"{answer.where} is answered {_status_text(answer.status)}")
        raise error_of(answer, self._service)

    def redirected(self, request: Send, answer: Answer) -> Send:
        """The request that follows a redirection."""
        location, self._hops = answer.headers.get("location", ""), self._hops + 1
        url = urljoin(request.url, location)
        parts = urlsplit(url)
        if not location or parts.scheme not in ("http", "https") or not parts.hostname:
            raise DamagedAnswerError(f"{answer.where} redirects to {shown(location)!r}, which is no address")
        if self._hops > MOST_HOPS:
            raise DamagedAnswerError(f"{answer.where} redirects more than {MOST_HOPS} times")
        if request.method == "GET" or answer.status == HTTPStatus.SEE_OTHER:
            return Send("GET", url, most=request.most, into=request.into)
        if urlsplit(request.url).hostname != parts.hostname:
            meant = f"{parts.scheme}://{parts.hostname}"
            raise DamagedAnswerError(f"{answer.where} redirects to {meant}; give this address to the client")
        return replace(request, url=url)

    def _pause(self, reason: str) -> float:
        pause = SHORTEST_PAUSE * 2.0 ** min(self._failures, _LONGEST_DOUBLING)
        self._failures += 1
        self._service.narrator.say("%s; the next try is in %g s", reason, pause)
        return pause

    def _wait_for(self, answer: Answer) -> float:
        default = SHORTEST_PAUSE * 2.0 ** min(self._refusals, _LONGEST_DOUBLING)
        pause = max(SHORTEST_PAUSE, retry_after(answer.headers, default))
        if self._waited + pause > self._service.patience:
            said = f"{self._service.address} is busy and asks to wait for {pause:,.15g} s more"
            limit = f"patience is {self._service.patience:g} s, of which {self._waited:g} s are over"
            raise BusyServiceError(f"{said}; {limit}{_and_message(answer)}", about(answer))
        self._waited, self._refusals = self._waited + pause, self._refusals + 1
        self._service.narrator.say("%s is busy; the next try is in %g s", self._service.address, pause)
        return pause


def retry_after(headers: Mapping[str, str], default: float) -> float:
    """Seconds that the header Retry-After asks to wait: a number, or a date, which is compared with the header Date."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        left = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):  # neither, or there is no Date, or only one has a time zone
        return default
    return max(0.0, left.total_seconds())


def _status_text(status: int) -> str:
    known = {item.value: item.phrase for item in HTTPStatus}
    return f"{status} {known[status]}" if status in known else str(status)


def _document(answer: Answer) -> dict[str, Any]:
    """JSON object of an answer; empty if it is something else."""
    try:
        document = json.loads(answer.read())
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _details(answer: Answer) -> dict[str, Any]:
    """What an error of our API says; empty for errors of other programs."""
    details = _document(answer).get("error")
    return details if isinstance(details, dict) and isinstance(details.get("message"), str) else {}


def about(answer: Answer) -> About:
    """What an answer says about an error."""
    details = _details(answer)
    parameter, value, allowed = (
        None if (found := details.get(name)) is None else _shortened(str(found))
        for name in ("parameter", "value", "allowed")
    )
    request_id = next((_shortened(answer.headers[name]) for name in _IDS if answer.headers.get(name)), "")
    return About(answer.status, str(details.get("code", "")), parameter, value, allowed, request_id, _parts(details))


def _parts(details: dict[str, Any]) -> tuple[tuple[int, ...], ...]:
    """Sectors of smaller requests; empty if the service names none."""
    try:
        return tuple(tuple(int(sector) for sector in part) for part in details.get("parts") or ())
    except (TypeError, ValueError):
        return ()


def _message(answer: Answer) -> str:
    """What an answer says in words; empty if it says nothing."""
    document = _document(answer)
    found = _details(answer).get("message") or document.get("msg") or document.get("message")
    return _shortened(found) if isinstance(found, str) else ""


def _and_message(answer: Answer) -> str:
    return f": {message}" if (message := _message(answer)) else ""


def _shortened(text: str) -> str:
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[: _LONGEST_MESSAGE - 3]}..."


def error_of(answer: Answer, service: Service) -> ServiceError:
    """Error that an answer is, whose status is 400 or above."""
    status, message, ours = answer.status, _message(answer), bool(_details(answer))
    if urlsplit(answer.request.url).netloc != urlsplit(service.address.url).netloc:
        asked = "ask for the cutouts again" if status in (403, 404) else "try again later"
        said = f"{answer.where} has the result, and answers {_status_text(status)}; {asked}"
        return DamagedAnswerError(said, about(answer))
    if ours and status == HTTPStatus.NOT_FOUND:
        return NothingFoundError(f"{service.address} finds nothing: {message}", about(answer))
    if ours and status < 500:
        return RefusedRequestError(f"{service.address} refuses the request: {message}", about(answer))
    if status >= 500 or status in (401, 403, 407):
        verb = "fails" if status >= 500 else "refuses the request"
        return ServiceError(
            f"{service.address} {verb} with {_status_text(status)}{_and_message(answer)}", about(answer)
        )
    return not_a_service(answer, service, f"{_status_text(status)} and {answer.kind or 'no type'}")


def not_a_service(answer: Answer, service: Service, found: str) -> ForeignServerError:
    """Error of an answer that no Tessera service gives."""
    path = urlsplit(answer.request.url).path
    return ForeignServerError(
        f"{service.address} is no Tessera service: it answers {answer.request.method} {path} with {found}",
        about(answer),
    )


def check_kind(answer: Answer, service: Service, kinds: Collection[str], wanted: str) -> None:
    """Raise a `ForeignServerError` when an answer has another type than these."""
    if answer.kind not in kinds:
        raise not_a_service(answer, service, f"{answer.kind or 'no type'} instead of {wanted}")
