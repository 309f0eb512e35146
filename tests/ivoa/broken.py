"""A service that is wrong in one way: requests or answers are changed on their way."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.ivoa.clauses.web import Answer, Params, Web

Pairs = list[tuple[str, str]]
Asked = Callable[[Pairs], Iterable[tuple[str, str]]]
Answered = Callable[[Answer], Answer]


@dataclass(frozen=True)
class Fault:
    """One way to be wrong. It changes the parameters of requests, answers, or the method of requests."""

    asked: Asked = list
    answered: Answered = lambda answer: answer
    methods: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class BrokenWeb:
    """Sends requests, and is wrong in one way where the address has a word."""

    web: Web
    fault: Fault
    where: str = ""

    def ask(self, url: str, params: Params = (), *, method: str = "GET", follow: bool = True) -> Answer:
        if not re.search(self.where, url):
            return self.web.ask(url, params, method=method, follow=follow)
        method = dict(self.fault.methods).get(method, method)
        return self.fault.answered(
            self.web.ask(url, list(self.fault.asked(list(params))), method=method, follow=follow)
        )


def ignoring(*names: str) -> Fault:
    """Parameters are ignored; all are if none is named."""
    return Fault(asked=lambda pairs: [pair for pair in pairs if names and pair[0].upper() not in names])


def first_value_only() -> Fault:
    """Of several values of a parameter the first is taken."""
    return Fault(asked=lambda pairs: list(dict(reversed(pairs)).items()))


def upper_names_only() -> Fault:
    return Fault(asked=lambda pairs: [pair for pair in pairs if pair[0].isupper()])


def setting(name: str, value: str) -> Fault:
    """A parameter has always the same value."""
    return Fault(asked=lambda pairs: [*(pair for pair in pairs if pair[0] != name), (name, value)])


def spoiling(name: str, value: str) -> Fault:
    """A parameter has another value, where it is sent."""
    return Fault(asked=lambda pairs: [(each, value if each == name else text) for each, text in pairs])


def replacing(pattern: str, text: str, count: int = 0) -> Fault:
    """The body has another text."""
    changed = re.compile(pattern.encode(), re.DOTALL)
    return Fault(
        answered=lambda answer: dataclasses.replace(answer, body=changed.sub(text.encode(), answer.body, count))
    )


def field(name: str, attribute: str, value: str) -> Fault:
    """A FIELD or PARAM of a VOTable has another attribute."""
    element = re.compile(rf'<(?:FIELD|PARAM)\b[^>]*\bname="{name}"[^>]*>'.encode())
    wanted = re.compile(rf'\b{attribute}="[^"]*"'.encode())

    def change(answer: Answer) -> Answer:
        changed = element.sub(lambda found: wanted.sub(f'{attribute}="{value}"'.encode(), found[0]), answer.body)
        return dataclasses.replace(answer, body=changed)

    return Fault(answered=change)


def status(before: int, after: int) -> Fault:
    def change(answer: Answer) -> Answer:
        return dataclasses.replace(answer, status=after) if answer.status == before else answer

    return Fault(answered=change)


def header(name: str, value: str, only: int = 0) -> Fault:
    """A header has another value, or is missing if there is none; in answers of a status, if one is given."""

    def change(answer: Answer) -> Answer:
        if only and answer.status != only:
            return answer
        rest = {each: text for each, text in answer.headers.items() if each != name}
        return dataclasses.replace(answer, headers=rest | ({name: value} if value else {}))

    return Fault(answered=change)


def body(text: str, only: int) -> Fault:
    """Answers of a status have another body."""

    def change(answer: Answer) -> Answer:
        return dataclasses.replace(answer, body=text.encode()) if answer.status == only else answer

    return Fault(answered=change)
