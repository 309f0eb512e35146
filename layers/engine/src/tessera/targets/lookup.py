"""Look up many names at a resolver."""

from __future__ import annotations

from tessera.errors import InvalidInputError
from tessera.progress import counting
from tessera.targets.names import AmbiguousNameError, NameResolverError
from tessera.targets.places import NamedPlace, Names

_NAMES_AT_ONCE = 8
_MOST_FAILURES = 3


class Lookup:
    """Asks a resolver for names. In a list, a name without a position does not stop the others.

    Parameters
    ----------
    names : Names
        The resolver. After `_MOST_FAILURES` names in a row without an answer, it is not asked again.
    argument : str
        Name of the caller's argument, for errors.
    single : bool
        Whether there is one name and no list.
    """

    def __init__(self, names: Names, argument: str, *, single: bool) -> None:
        self._names, self._argument, self._single = names, argument, single
        self.failure: NameResolverError | None = None
        self._n_failures, self.n_answers = 0, 0

    def find_all(self, names: list[str], *, show: bool) -> dict[str, NamedPlace | str]:
        """Look up names, several at the same time: each name with its place, or the reason why it has none."""
        with counting(show and len(names) > _NAMES_AT_ONCE, "name", len(names)) as counter:

            def find(name: str) -> NamedPlace | str:
                place = self._find(name)
                counter.add()
                return place

            return dict(zip(names, counter.map(find, names, _NAMES_AT_ONCE), strict=True)) if names else {}

    def _find(self, name: str) -> NamedPlace | str:
        if self.failure is not None and (self._single or self._n_failures >= _MOST_FAILURES):
            return str(self.failure)
        try:
            place = self._ask(name)
        except NameResolverError as error:
            self.failure, self._n_failures = error, self._n_failures + 1
            return str(error)
        except InvalidInputError as error:
            self.n_answers += 1
            if self._single:
                raise
            return str(error)
        self.n_answers, self._n_failures = self.n_answers + 1, 0
        return place

    def _ask(self, name: str) -> NamedPlace:
        try:
            place = self._names.find(name)
        except InvalidInputError as error:
            kind = AmbiguousNameError if isinstance(error, AmbiguousNameError) else InvalidInputError
            raise kind(self._argument, name, error.allowed) from error
        if place is None:
            raise InvalidInputError(self._argument, name, self._names.allowed)
        return place
