"""What the workflows FootprintIndex and ImageIndex share.

A run lists what there is and writes down what has to be read; tasks read it, one thing each, and leave what came of it;
the end of the run merges that with the index.
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
"""Small documents that are read at the same time."""
NAMED = 20
"""Failures that an answer names; the rest is counted."""
LOST = "its task left no outcome"
"""Reason of a failure of which nothing is known; trying again may help."""


class RunRequest(Wire):
    """Input of list_cubes and list_images: a name of this run, which becomes part of keys."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]


class RunRef(Wire):
    """Reference to the documents of a run; answer of what lists, and input of what writes an index.

    Parameters
    ----------
    run, bucket : str
        Name of the run, and where its documents are.
    listing : str
        Key of what was listed.
    to_read : str
        Key of the list of tasks that the Map reads.
    n_found, n_to_read : int
        How many were listed, and how many tasks there are.
    """

    run: str
    bucket: str
    listing: str
    to_read: str
    n_found: int
    n_to_read: int


def write_run(ref: RunRef, listing: Wire, tasks: Sequence[Wire], store: ObjectWriter) -> None:
    """Write the documents of a run: what was listed, and the tasks."""
    documents = [task.model_dump(mode="json") for task in tasks]
    store.write(ref.bucket, ref.listing, listing.model_dump_json().encode())
    store.write(ref.bucket, ref.to_read, json.dumps(documents).encode())


_Task = TypeVar("_Task", bound=Wire)
_Result = TypeVar("_Result", bound=Wire)


def read_outcomes(
    ref: RunRef, task: type[_Task], outcome: type[_Result], key_of: Callable[[_Task], str], store: ObjectReader
) -> list[_Result]:
    """What the tasks of a run have left.

    Parameters
    ----------
    ref : RunRef
        The run.
    task, outcome : type
        Of what the Map read, and of what a task leaves.
    key_of : callable
        Key of what a task leaves.
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
    """What a task left: a row of the index, or the reason why there is none."""

    @property
    def row(self) -> _Row_co | None:
        """Of the index."""

    @property
    def reason(self) -> str:
        """Why there is no row."""


@dataclass
class Merge(Generic[_Found, _Row]):
    """Rows of an index, and what became of what was listed.

    Parameters
    ----------
    rows : list
        To be indexed.
    read, kept : int
        How many of them are new or changed, and how many stay.
    failures : list of (found, reason)
        What could not be read.
    lost : list
        What should have been read, of which no outcome is there.
    """

    rows: list[_Row] = field(default_factory=list)
    read: int = 0
    kept: int = 0
    failures: list[tuple[_Found, str]] = field(default_factory=list)
    lost: list[_Found] = field(default_factory=list)

    def add(self, found: _Found, outcome: Outcome[_Row] | None, row: _Row | None) -> None:
        """Decide about what was found, from what its task left and from its row in the index.

        The row is None where the index has none, or one of another object.
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
