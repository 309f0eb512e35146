"""Requests to a service, and its answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message
from typing import Protocol

import httpx

Params = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """Status, headers with lower-case names, and body. `url` is where the body came from."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def media_type(self) -> str:
        """Without parameters."""
        return (
            _parsed(self.headers.get("content-type", "")).get_content_type() if "content-type" in self.headers else ""
        )

    def media_parameter(self, name: str) -> str | None:
        value = _parsed(self.headers.get("content-type", "")).get_param(name)
        return value if isinstance(value, str) else None


class Web(Protocol):
    """What sends requests."""

    def ask(self, url: str, params: Params = (), *, method: str = "GET", follow: bool = True) -> Answer:
        """Send a request. Parameters of a POST are a form; of other methods they are the query."""


@dataclass(frozen=True)
class Http:
    """Real requests."""

    seconds: float = 60.0
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, url: str, params: Params = (), *, method: str = "GET", follow: bool = True) -> Answer:
        pairs = list(params)
        address = httpx.URL(url)
        fields: dict[str, list[str]] = {}
        if method == "POST":
            for name, value in pairs:
                fields.setdefault(name, []).append(value)
        else:
            address = address.copy_with(params=[*address.params.multi_items(), *pairs])
        with httpx.Client(timeout=self.seconds, follow_redirects=follow, headers=self.headers) as client:
            answer = client.request(method, address, data=fields if method == "POST" else None)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, headers, answer.content, str(answer.url))


@dataclass
class Remembering:
    """Sends each GET of a document that does not change only once.

    Parameters
    ----------
    web
        What sends the requests.
    changing
        How the addresses begin whose documents change: those of jobs.
    """

    web: Web
    changing: str
    answers: dict[tuple[str, tuple[tuple[str, str], ...]], Answer] = field(default_factory=dict)

    def ask(self, url: str, params: Params = (), *, method: str = "GET", follow: bool = True) -> Answer:
        pairs = tuple(params)
        if method != "GET" or not follow or url.startswith(self.changing):
            return self.web.ask(url, pairs, method=method, follow=follow)
        if (url, pairs) not in self.answers:
            self.answers[url, pairs] = self.web.ask(url, pairs)
        return self.answers[url, pairs]


def _parsed(content_type: str) -> Message:
    message = Message()
    message["content-type"] = content_type
    return message
