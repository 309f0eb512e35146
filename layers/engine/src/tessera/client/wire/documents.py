"""Read the JSON documents of a service. Fields that a newer service adds are ignored."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tessera.client.wire.exchange import exchange, not_a_service
from tessera.client.wire.steps import Answer, Send, Service, Steps

Record = TypeVar("Record")


class _UnexpectedError(ValueError):
    """A document has another form than it should have."""


class Fields:
    """The fields of an object. A field that is missing or of another type is a `ValueError`."""

    def __init__(self, document: object) -> None:
        if not isinstance(document, dict):
            raise _UnexpectedError(f"{type(document).__name__} instead of an object")
        self._document: dict[str, Any] = document

    def _take(self, name: str, *kinds: type) -> Any:
        value = self._document.get(name)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise _UnexpectedError(f"without a usable field {name!r}")
        return value

    def has(self, name: str) -> bool:
        """Whether there is a field of this name that is not null."""
        return self._document.get(name) is not None

    def text(self, name: str) -> str:
        """A text."""
        return str(self._take(name, str))

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of several words."""
        value = self.text(name)
        if value not in choices:
            raise _UnexpectedError(f"without a usable field {name!r}")
        return value

    def optional_text(self, name: str) -> str:
        """A text, or null, which becomes an empty text."""
        return "" if self._document.get(name) is None else self.text(name)

    def integer(self, name: str) -> int:
        """An integer."""
        return int(self._take(name, int))

    def optional_integer(self, name: str) -> int | None:
        """An integer, or null."""
        return None if self._document.get(name) is None else self.integer(name)

    def ccd(self) -> tuple[int, int, int]:
        """Sector, camera and CCD."""
        return self.integer("sector"), self.integer("camera"), self.integer("ccd")

    def number(self, name: str) -> float:
        """A number that is finite."""
        try:
            value = float(self._take(name, int, float))
        except OverflowError as error:
            raise _UnexpectedError(f"without a usable field {name!r}") from error
        if not math.isfinite(value):
            raise _UnexpectedError(f"without a usable field {name!r}")
        return value

    def optional_number(self, name: str) -> float | None:
        """A number that is finite, or null."""
        return None if self._document.get(name) is None else self.number(name)

    def numbers(self) -> dict[str, float]:
        """All fields of an object of numbers."""
        return {name: self.number(name) for name in self._document}

    def switch(self, name: str) -> bool:
        """True or False."""
        return bool(self._take(name, bool))

    def fields(self, name: str) -> Fields:
        """An object."""
        return Fields(self._take(name, dict))

    def optional_fields(self, name: str) -> Fields | None:
        """An object, or null."""
        return None if self._document.get(name) is None else self.fields(name)

    def each(self, name: str) -> list[Fields]:
        """A list of objects."""
        return [Fields(item) for item in self._take(name, list)]

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(str(item) for item in self._take(name, list))

    def floats(self, name: str, n_axes: int) -> NDArray[np.float64]:
        """A list of numbers, or of such lists; null becomes NaN."""
        try:
            array = np.array(self._take(name, list), np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise _UnexpectedError(f"without a usable field {name!r}") from error
        if array.ndim != n_axes:
            raise _UnexpectedError(f"without a usable field {name!r}")
        return array


def each(name: str, read: Callable[[Fields], Record]) -> Callable[[Fields], list[Record]]:
    """Return a function that reads a list of objects of a document."""
    return lambda fields: [read(item) for item in fields.each(name)]


def read_fields(answer: Answer, service: Service, read: Callable[[Fields], Record]) -> Record:
    """Read the document of an answer.

    Raises
    ------
    ForeignServerError
        When the answer is no such document.
    """
    try:
        document = json.loads(answer.read())
    except (ValueError, RecursionError) as error:
        raise not_a_service(answer, service, f"{answer.kind or 'no type'}, which is not JSON") from error
    try:
        return read(Fields(document))
    except _UnexpectedError as error:
        raise not_a_service(answer, service, f"a document {error}") from error


def ask(request: Send, service: Service, read: Callable[[Fields], Record]) -> Steps[Record]:
    """Send a request that is answered with a document, and read this.

    Raises
    ------
    ServiceError
        See `tessera.client.wire.exchange.exchange` and `read_fields`.
    """
    with (yield from exchange(request, service)) as answer:
        return read_fields(answer, service, read)
