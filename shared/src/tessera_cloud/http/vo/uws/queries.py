"""Parameters of UWS in the OpenAPI document, and their values."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from tessera_cloud.application.vo.uws.records import check_length
from tessera_cloud.errors import UsageError
from tessera_cloud.http.vo.soda.queries import SodaQuery

PHASES = (
    "PENDING",
    "QUEUED",
    "EXECUTING",
    "COMPLETED",
    "ERROR",
    "UNKNOWN",
    "HELD",
    "SUSPENDED",
    "ABORTED",
    "ARCHIVED",
)
_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|\+00:00)?)?)?)?", re.ASCII
)
_TIMES = "a time in UTC such as 2026-11-26, 2026-11-26T09:15 or 2026-11-26T09:15:35Z"
_NUMBER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML cannot have."""


class JobFilter(BaseModel):
    """Which jobs to list; names may be in any case."""

    phase: Annotated[list[str], Field(description="Only jobs in one of these phases.", examples=[["EXECUTING"]])] = []
    after: Annotated[
        str | None,
        Field(description="Only jobs that were made after this time, UTC.", examples=["2026-11-26T09:00:00Z"]),
    ] = None
    last: Annotated[int | None, Field(description="At most this number of jobs, the newest.", examples=[10])] = None


class JobWait(BaseModel):
    """Whether to wait for a change of the phase; names may be in any case."""

    wait: Annotated[
        int | None,
        Field(description="Longest time to wait in seconds; -1 for as long as the service allows.", examples=[10]),
    ] = None
    phase: Annotated[
        str | None, Field(description="Wait only while the job is in this phase.", examples=["QUEUED"])
    ] = None


class JobParameters(SodaQuery):
    """Parameters of a job, those of ``/soda/sync``; names may be in any case."""

    id: Annotated[
        list[str],
        Field(
            alias="ID",
            description="Identifiers of cubes or images, as below `/soda/sync`.",
            examples=[["tess-s0001-4-2"]],
        ),
    ] = []  # noqa: RUF012 - pydantic copies it
    runid: Annotated[str, Field(alias="RUNID", description="A name, which the job repeats.", examples=["survey-7"])] = (
        ""
    )


class NewJob(JobParameters):
    """Parameters of a job, and whether to start it; names may be in any case."""

    phase: Annotated[str | None, Field(alias="PHASE", description="`RUN` starts the job.", examples=["RUN"])] = None


class JobAction(BaseModel):
    """Whether to delete a job; names may be in any case."""

    action: Annotated[str | None, Field(description="`DELETE` deletes the job.", examples=["DELETE"])] = None


class JobPhase(BaseModel):
    """Whether to start or to abort a job; names may be in any case."""

    phase: Annotated[str, Field(description="`RUN` or `ABORT`.", examples=["RUN"])]


class JobDestruction(BaseModel):
    """When a job is forgotten; names may be in any case."""

    destruction: Annotated[str, Field(description="Time, UTC.", examples=["2026-11-27T12:00:00Z"])]


class JobDuration(BaseModel):
    """How long a job may run; names may be in any case."""

    executionduration: Annotated[
        int, Field(description="Seconds; 0 for as long as the service allows.", examples=[3600])
    ]


def once(given: Mapping[str, Sequence[str]], name: str, allowed: str) -> str:
    """Value of a parameter that has to be given once; `name` in capitals.

    Raises
    ------
    UsageError
        If it is missing, or given several times.
    """
    values = given.get(name.lower(), [])
    if len(values) > 1:
        message = f"{name} is given {len(values)} times; allowed: once"
        raise UsageError(message, parameter=name, value=", ".join(values), allowed="once")
    if not values:
        raise UsageError.about(name, None, allowed)
    return values[0].strip()


def phases(values: Sequence[str]) -> frozenset[str]:
    """Phases by their names."""
    for value in values:
        if value not in PHASES:
            raise UsageError.about("PHASE", value, ", ".join(PHASES))
    return frozenset(values)


def moment(name: str, text: str) -> float:
    """A time in UTC, as seconds since 1970."""
    match = _TIME.fullmatch(text)
    if match:
        year, month, day, hour, minute, second, fraction = match.groups()
        try:
            found = datetime.datetime(
                int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
                int((fraction or "0")[:6].ljust(6, "0")), datetime.UTC,
            )  # fmt: skip
            return found.timestamp()
        except ValueError:
            pass
    raise UsageError.about(name, text, _TIMES)


def whole(name: str, text: str, least: int, what: str) -> int:
    """A whole number that is not below `least`."""
    if not _NUMBER.fullmatch(text) or int(text) < least:
        raise UsageError.about(name, text, what)
    return int(text)


def check_texts(parameters: Sequence[tuple[str, str]]) -> None:
    """Check that parameters fit into a document.

    Raises
    ------
    UsageError
        If a text has characters that XML cannot have, or all texts are too long.
    """
    for name, value in parameters:
        if _CONTROL.search(value) or _CONTROL.search(name):
            raise UsageError.about(name, value, "texts without control characters")
    check_length(parameters)
