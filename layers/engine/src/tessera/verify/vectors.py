"""Finds the cotrending vectors that a product was made with, and says whether they are still the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from tessera.errors import ProvenanceError, TesseraError
from tessera.io.sources import Location
from tessera.lightcurves.detrending.alignment import open_vectors
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera.provenance.record import Origin
from tessera.verify.report import Problem

Find: TypeAlias = "Callable[..., Location | None]"
"""Finds the source of a product; see `tessera.verify.given.GivenSources.find`."""


@contextmanager
def told(replaced: Sequence[Problem]) -> Iterator[None]:
    """Let errors of what is made with vectors say that they were replaced, if they were.

    Raises
    ------
    ProvenanceError
        In place of an error of the work, if the vectors are others than those of the record.
    """
    try:
        yield
    except TesseraError as error:
        if not replaced:
            raise
        raise ProvenanceError(f"{replaced[0].text}; {error}") from error


def vectors_again(
    named: Mapping[str, str] | None, cube: Location, find: Find
) -> tuple[CotrendingVectors | None, list[Problem]]:
    """Open the cotrending vectors that a record names.

    Parameters
    ----------
    named : mapping or None
        What the record says of them; see `CotrendingVectors.origin`. None if it names none.
    cube : str or Path
        Where the cube was found; the vectors may be beside it.
    find : callable
        See `Find`.

    Returns
    -------
    (CotrendingVectors or None, list of Problem)
        The vectors, and whether they are others than those of the record.

    Raises
    ------
    ProvenanceError
        When nobody says where they are.
    OSError, UnreadableFileError
        When they cannot be read.
    """
    if named is None:
        return None, []
    name = named["location"] or "of cotrending vectors"
    location = find(Origin(named["location"], 0), beside=cube)
    if location is None:
        raise ProvenanceError(f"its source {name} is not beside it; name it with --from")
    vectors = open_vectors(location)
    now = vectors.origin["digest"]
    if now == named["digest"]:
        return vectors, []
    text = f"the source {name} was replaced: the digest of its values was {named['digest']} and is {now}"
    return vectors, [Problem("source", text, {"location": named["location"]})]
