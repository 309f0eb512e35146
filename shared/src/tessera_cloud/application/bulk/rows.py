"""Reads the rows of a list. Names, and numbers in the TESS Input Catalog, are looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from tessera.bulk.lists.forms import Form
from tessera.bulk.options import UPLOAD_ROWS, BulkOptions
from tessera.bulk.target_rows import TargetRows
from tessera.sky.position_text import POSITIONS
from tessera.targets.names import AmbiguousNameError, NameResolverError
from tessera.targets.places import NamedPlace, StarPlace, Stars
from tessera_cloud.application.backend import HasClock, HasNames, HasStarPlaces
from tessera_cloud.errors import AmbiguousTargetError, TransientError

MOST_NAMES = 200
"""Largest number of different names that are looked up for a list: eight at a time, in about ten seconds."""
MOST_STARS = 10_000
"""Largest number of stars of the TESS Input Catalog whose positions are looked up for a list."""


class HasLookup(HasNames, HasStarPlaces, HasClock, Protocol):
    """What looking up targets needs."""


@dataclass
class _Watched:
    """Names and stars, until a time in seconds since 1970; as `Names` and `Stars` of the engine."""

    backend: HasLookup
    deadline: float | None
    allowed: str = f"a name that is known, or {POSITIONS}"

    def find(self, name: str) -> NamedPlace | None:
        self._check()
        try:
            return self.backend.names.find(name)
        except TransientError as error:
            raise NameResolverError(str(error)) from error
        except AmbiguousTargetError as error:
            raise AmbiguousNameError("name", name, error.allowed) from error

    def find_places(self, tics: Sequence[int]) -> Mapping[int, StarPlace]:
        self._check()
        places = self.backend.star_places
        assert places is not None
        return places.find_places(tics)

    def _check(self) -> None:
        if self.deadline is not None and self.backend.now().timestamp() > self.deadline:
            raise NameResolverError("looking up the names of the list takes too long; give positions, or fewer names")


def read_rows(
    data: bytes,
    form: str,
    options: BulkOptions,
    backend: HasLookup,
    deadline: float | None = None,
    *,
    most_rows: int = UPLOAD_ROWS,
) -> TargetRows:
    """Read the rows of a list.

    Parameters
    ----------
    data : bytes
        The list.
    form : str
        Format; see `tessera.bulk.lists.forms`.
    options : BulkOptions
        For rows that do not say otherwise.
    backend : HasLookup
        Resolver of names, catalogue of stars, and clock.
    deadline : float, optional
        Time in seconds since 1970 after which nothing more is looked up.
    most_rows : int, optional
        Largest number of rows.

    Raises
    ------
    InvalidInputError, UnreadableFileError, NameResolverError
        See `tessera.bulk.lists.read.read_list`.
    """
    from tessera.bulk.lists.read import read_list  # noqa: PLC0415 - progress is shown without it

    watched = _Watched(backend, deadline)
    stars: Stars | None = None if backend.star_places is None else watched
    return read_list(
        data,
        options,
        form=cast("Form", form),
        names=watched,
        stars=stars,
        most_rows=most_rows,
        most_names=MOST_NAMES,
        most_stars=MOST_STARS,
    )
