"""What a service tells about a list of targets: its price, how far it is, and its products."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self, get_args

from tessera.bulk.plan.price import BulkPlan, PlanLimit
from tessera.bulk.target_rows import RowProblem
from tessera.client.watching import JobStatus, WorkState
from tessera.client.wire.documents import Fields

_NUMBERS = ("minutes", "requests_per_second", "usd", "task_seconds")


def read_plan(document: Fields) -> BulkPlan:
    """Read the plan of a list."""
    problems = tuple(
        RowProblem(item.integer("row"), item.optional_text("name"), item.text("reason"))
        for item in document.each("problems")
    )
    limits = tuple(
        PlanLimit(item.text("limit"), item.number("value"), item.number("allowed")) for item in document.each("limits")
    )
    others: dict[str, Any] = {
        "problems": problems,
        "limits": limits,
        "usd_parts": document.fields("usd_parts").numbers(),
    }
    for item in fields(BulkPlan):
        if item.name not in others and (item.default is MISSING or document.has(item.name)):
            read = document.number if item.name in _NUMBERS else document.integer
            others[item.name] = read(item.name)
    return BulkPlan(**others)


@dataclass(frozen=True)
class BulkFile:
    """A product of a list.

    Parameters
    ----------
    name : str
        Name below the folder of the results, with slashes.
    size : int
        Bytes.
    sha256 : str
        SHA-256 in hexadecimal digits; empty if the service does not know it.
    url : str
        Where it is loaded from, for some minutes.
    """

    name: str
    size: int
    sha256: str
    url: str = field(repr=False)

    @classmethod
    def read(cls, document: Fields) -> Self:
        """Read an answer of the service."""
        return cls(
            document.text("name"), document.integer("bytes"), document.optional_text("sha256"), document.text("url")
        )


@dataclass(frozen=True)
class BulkState(WorkState):
    """The work on a list as it was when the service was asked.

    Parameters
    ----------
    id : str
        Id of the list.
    status : {'queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled'}
        State.
    phase : str
        What is done now: ``queued``, ``planning``, ``cutting``, ``finishing`` or ``ended``.
    rows, rows_done : int
        Number of rows of the list, and of those with nothing left to do. A row on three cubes counts a third when each
        of them has ended. Each is 0 until it is known.
    cutouts, n_done, n_failed, n_no_overlap : int
        Number of cutouts, of those that were made, of those that could not be made, and of those without a pixel on the
        frame. Each is 0 until it is known.
    eta_seconds : float or None
        Estimated time until the end, if it is known.
    turn : int or None
        Number of a queued list in the order of starting, from 1.
    reason : str
        Why the list failed; otherwise empty.
    plan : BulkPlan or None
        What the work is and costs, when it is known.
    status_url, manifest_url : str
        Addresses of the table of all rows and of the list of all products, which work for some minutes; empty until
        there are these files.
    cancel_token : str
        Secret with which the list may be cancelled. Only the answer to an order has it; otherwise empty.
    """

    phase: str
    rows: int
    rows_done: int
    cutouts: int
    n_done: int
    n_failed: int
    n_no_overlap: int
    eta_seconds: float | None
    turn: int | None
    reason: str
    plan: BulkPlan | None = field(default=None, repr=False)
    status_url: str = field(default="", repr=False)
    manifest_url: str = field(default="", repr=False)
    cancel_token: str = field(default="", repr=False)

    @classmethod
    def read(cls, document: Fields) -> Self:
        """Read an answer of the service."""
        progress, plan = document.fields("progress"), document.optional_fields("plan")
        names = ("rows", "rows_done", "cutouts", "done", "failed", "no_overlap")
        rows, rows_done, cutouts, done, failed, no_overlap = (progress.optional_integer(name) or 0 for name in names)
        return cls(
            document.text("id"),
            document.choice("status", get_args(JobStatus)),  # type: ignore[arg-type] # it is one of them
            document.optional_text("phase"),
            rows,
            rows_done,
            cutouts,
            done,
            failed,
            no_overlap,
            document.optional_number("eta_seconds"),
            document.optional_integer("turn"),
            document.optional_text("reason"),
            None if plan is None else read_plan(plan),
            document.optional_text("status_url"),
            document.optional_text("manifest_url"),
            document.optional_text("cancel_token"),
        )

    @property
    def progress(self) -> tuple[int, int]:
        """Number of rows with nothing left to do, and of all rows."""
        return self.rows_done, self.rows


@dataclass(frozen=True)
class FilePage:
    """Some of the products that are finished, by name, and the name after which there are more; empty if none are."""

    files: tuple[BulkFile, ...]
    following: str

    @classmethod
    def read(cls, document: Fields) -> Self:
        """Read an answer of the service."""
        files = tuple(map(BulkFile.read, document.each("files")))
        return cls(files, files[-1].name if files and document.has("next") else "")


@dataclass(frozen=True)
class Upload:
    """Where a list is uploaded to."""

    id: str
    url: str = field(repr=False)
    most: int

    @classmethod
    def read(cls, document: Fields) -> Self:
        """Read an answer of the service."""
        return cls(document.text("upload"), document.text("url"), document.integer("max_bytes"))
