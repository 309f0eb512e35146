"""Finds positions of names: in MAST's resolver, or in a short list for machines without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tessera.targets.names import AmbiguousNameError, MastNames, NameResolverError
from tessera.targets.places import NamedPlace
from tessera_cloud.errors import AmbiguousTargetError, BusyError

_NOISE = re.compile(r"[\s\-_*]+")


def _key(name: str) -> str:
    """Form of a name for comparison: without case, blanks, hyphens, underscores and asterisks."""
    return _NOISE.sub("", name).casefold()


@cache
def _bundled() -> dict[str, NamedPlace]:
    rows = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))
    return {
        _key(spelling): NamedPlace(row["name"], row["ra"], row["dec"], "bundled list")
        for row in rows
        for spelling in (row["name"], *row.get("also", ()))
    }


class BundledNames:
    """A short list of names as `NameResolver`: stars of the demonstration, and bright or well-known targets of TESS."""

    def find(self, name: str) -> NamedPlace | None:
        """See `NameResolver`."""
        return _bundled().get(_key(name))


class MastResolver:
    """MAST's resolver as `NameResolver`.

    Parameters
    ----------
    server, timeout, attempts, clock
        See `tessera.targets.names.MastNames`. The API answers within 29 seconds, so the time is short.
    """

    def __init__(
        self, server: str, timeout: float = 8.0, attempts: int = 2, clock: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._names = MastNames(server, timeout, attempts, clock)

    def find(self, name: str) -> NamedPlace | None:
        """See `NameResolver`."""
        try:
            return self._names.find(name)
        except NameResolverError as error:
            raise BusyError("MAST's name resolver does not answer; try again later") from error
        except AmbiguousNameError as error:
            raise AmbiguousTargetError.about("name", name, error.allowed) from error
