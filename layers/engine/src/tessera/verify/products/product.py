"""What `tessera verify` knows of a product before and after it is made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tessera.errors import ProvenanceError, TesseraError
from tessera.provenance.record import Record
from tessera.verify.compare import Locate
from tessera.verify.report import Problem
from tessera.windows import Window


@contextmanager
def following() -> Iterator[None]:
    """Say of any error of the work that the request in the record is the reason. Errors of ours say more, and pass.

    Raises
    ------
    ProvenanceError
        In place of an error of Python.
    """
    try:
        yield
    except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError) as error:
        if isinstance(error, TesseraError):
            raise
        raise ProvenanceError(f"the request in the record cannot be followed: {error!r}") from error


@dataclass(frozen=True)
class MadeAgain:
    """A product that was made again.

    Parameters
    ----------
    content : bytes
        The product without its record, in the form that its `Product` compares.
    locate : callable
        See `tessera.verify.compare.Locate`.
    problems : list of Problem
        What differs about its source.
    """

    content: bytes
    locate: Locate
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Product:
    """A product that was read.

    Parameters
    ----------
    record : Record or None
        Its record; None if it has none.
    content : bytes
        The product without its record.
    problems : sequence of Problem
        Which checksums do not fit.
    compare : callable
        Says what differs from the product that was made again, and the names of what differs only in the way in which
        processors round.
    """

    record: Record | None
    content: bytes
    problems: Sequence[Problem]
    compare: Callable[[MadeAgain], tuple[list[Problem], list[str]]]


def in_window(window: Window) -> Locate:
    """Where the pixels of an image's cutout are on the image."""

    def locate(index: tuple[int, ...]) -> dict[str, int]:
        if len(index) < 2:
            return {}
        return {"row": window.first_row + index[-2], "column": window.first_column + index[-1]}

    return locate
