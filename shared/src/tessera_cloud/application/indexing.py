"""Code that the workflows FootprintIndex and ImageIndex share.

A run first lists everything and writes a list of things to read. Each of its tasks reads one thing and leaves an
outcome. The end of the run merges the outcomes with the index.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated, Generic, Protocol, TypeVar

from pydantic import Field

from tessera_cloud.contracts import Wire
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import ObjectReader, ObjectWriter

SMALL_READS = 32
"""Largest number of small documents that are read at the same time."""
NAMED = 20
"""Largest number of failures that an answer names. The others are only counted."""
LOST = "its task left no outcome"
"""Reason of a failure whose task left no outcome. Another run may succeed."""


class RunRequest(Wire):
    """Input of list_cubes and list_images: a name of this run, which is part of keys."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]


class RunRef(Wire):
    """Reference to the documents of a run: answer of a listing task, and input of a task that writes an index.

    Parameters
    ----------
    run, bucket : str
        Name of the run, and bucket of its documents.
    listing : str
        Key of the listing.
    to_read : str
        Key of the list of tasks, which the Map reads.
    results : str
        Prefix below which the Map writes how the tasks ended. Their answers together may be larger than a state.
    n_found, n_to_read : int
        Number of things in the listing, and number of tasks.
    max_concurrency : int
        Largest number of tasks that run at the same time.
    """

    run: str
    bucket: str
    listing: str
    to_read: str
    results: str = ""
    n_found: int
    n_to_read: int
    max_concurrency: Annotated[int, Field(ge=1)] = 40


def write_run(ref: RunRef, listing: Wire, tasks: Sequence[Wire], store: ObjectWriter) -> None:
    """Write the documents of a run: the listing and the tasks."""
    documents = [task.model_dump(mode="json") for task in tasks]
    store.write(ref.bucket, ref.listing, listing.model_dump_json().encode())
    store.write(ref.bucket, ref.to_read, json.dumps(documents).encode())


_Task = TypeVar("_Task", bound=Wire)
_Result = TypeVar("_Result", bound=Wire)


def read_outcomes(
    ref: RunRef, task: type[_Task], outcome: type[_Result], key_of: Callable[[_Task], str], store: ObjectReader
) -> list[_Result]:
    """Read the outcomes that the tasks of a run have left.

    Parameters
    ----------
    ref : RunRef
        The run.
    task, outcome : type
        Types of the tasks and of their outcomes.
    key_of : callable
        Returns the key of the outcome of a task.
    store : ObjectReader
        Store of the outcomes.
    """

    def read(item: _Task) -> _Result | None:
        try:
            data, _ = store.read(ref.bucket, key_of(item))
        except ObjectMissingError:
            return None
        return outcome.model_validate_json(data)

    tasks = [task.model_validate(item) for item in json.loads(store.read(ref.bucket, ref.to_read)[0])]
    with ThreadPoolExecutor(SMALL_READS) as pool:
        return [found for found in pool.map(read, tasks) if found]


_Row_co = TypeVar("_Row_co", covariant=True)
_Row = TypeVar("_Row")
_Found = TypeVar("_Found")


class Outcome(Protocol[_Row_co]):
    """Outcome of a task: a row of the index, or the reason why there is none."""

    @property
    def row(self) -> _Row_co | None:
        """Row of the index; None if there is none."""

    @property
    def reason(self) -> str:
        """Reason why there is no row; empty if there is one."""


@dataclass
class Merge(Generic[_Found, _Row]):
    """Rows of an index, and counts of what happened to the listed things.

    Parameters
    ----------
    rows : list
        Rows of the new index.
    read, kept : int
        Numbers of rows that are new or changed, and that stayed the same.
    failures : list of (found, reason)
        Things that could not be read.
    lost : list
        Things that had to be read and whose task left no outcome.
    """

    rows: list[_Row] = field(default_factory=list)
    read: int = 0
    kept: int = 0
    failures: list[tuple[_Found, str]] = field(default_factory=list)
    lost: list[_Found] = field(default_factory=list)

    def add(self, found: _Found, outcome: Outcome[_Row] | None, row: _Row | None) -> None:
        """Add a listed thing: take the row of its outcome, keep its row of the index, or note a failure.

        `row` is None if the index has no row of the thing, or a row of another version.
        """
        if outcome is not None and outcome.row is not None:
            self.rows.append(outcome.row)
            self.read += 1
        elif outcome is not None:
            self.failures.append((found, outcome.reason))
        elif row is not None:
            self.rows.append(row)
            self.kept += 1
        else:
            self.lost.append(found)
