"""Clauses of the standards as checks of any service, and a report by clause.

A check takes a `Site`, asks it, and raises `RefusedError` with a sentence if the clause does not hold. It knows nothing
of our service: what it asks for comes from what the service says of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.ivoa.clauses.site import Site

Check = Callable[[Site], None]


class RefusedError(AssertionError):
    """A clause does not hold. The message has the reason."""


class NotOfferedError(Exception):
    """The service does not offer what an optional clause is about. The message says what."""


@dataclass(frozen=True)
class Clause:
    """One statement of a standard.

    Parameters
    ----------
    standard, section
        Where the statement is, such as "SIA 2.0" and "{query} POS".
    sentence
        What the standard asks for.
    check
        Asks the service.
    """

    standard: str
    section: str
    sentence: str
    check: Check

    @property
    def name(self) -> str:
        return self.check.__name__


CLAUSES: dict[str, Clause] = {}
"""By the name of the function that checks it."""


def clause(standard: str, section: str, sentence: str) -> Callable[[Check], Check]:
    """Declare that a function checks a clause."""

    def declare(check: Check) -> Check:
        assert check.__name__ not in CLAUSES, f"two checks have the name {check.__name__}"
        CLAUSES[check.__name__] = Clause(standard, section, sentence, check)
        return check

    return declare


def require(holds: object, why: str) -> None:
    if not holds:
        raise RefusedError(why)


def run(site: Site, names: list[str] | None = None) -> Iterator[tuple[Clause, str | None]]:
    """Check clauses one after the other; each with the reason why it does not hold, or None."""
    for each in CLAUSES.values():
        if names is None or each.name in names:
            try:
                each.check(site)
            except RefusedError as reason:
                yield each, str(reason)
            except NotOfferedError:
                yield each, None
            except Exception as error:  # noqa: BLE001 - whatever a service answers, the report goes on
                yield each, f"{type(error).__name__}: {error}"
            else:
                yield each, None
