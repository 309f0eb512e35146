"""Find the positions of the rows that have a name or a number only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tessera.errors import InvalidInputError
from tessera.targets.lookup import Lookup
from tessera.targets.names import NameResolverError
from tessera.targets.places import TICS_AT_ONCE, Names, StarPlace, Stars

_GIVE = "give their ra and dec"


@dataclass(frozen=True)
class Found:
    """What was found.

    Parameters
    ----------
    places : dict
        Name, or number in the TESS Input Catalog, to its position, or to the reason why it has none.
    failure : NameResolverError or None
        The error if nobody answered at all.
    """

    places: dict[str | int, StarPlace | str]
    failure: NameResolverError | None = None


def look_up(
    asked: Iterable[str | int],
    names: Names | None,
    stars: Stars | None,
    *,
    most_names: int,
    most_stars: int,
    argument: str,
) -> Found:
    """Find positions.

    Parameters
    ----------
    asked : iterable of str or int
        Names, and numbers in the TESS Input Catalog. Numbers are names if there is no catalogue.
    names : Names or None
        Resolver of names, which is asked for several names at the same time.
    stars : Stars or None
        Catalogue, which is asked for many numbers at once.
    most_names, most_stars : int
        Largest number of different names and numbers that are asked for.
    argument : str
        Name of the caller's argument, for errors.
    """
    once = list(dict.fromkeys(asked))
    numbers = [one for one in once if isinstance(one, int)] if stars is not None else []
    texts = [one for one in once if isinstance(one, str) or stars is None]
    places: dict[str | int, StarPlace | str] = {}
    failures: list[NameResolverError | None] = []
    if stars is not None and numbers:
        failures.append(_find_stars(numbers, stars, most_stars, places))
    if texts:
        failures.append(_find_names(texts, names, most_names, argument, places))
    failed = [failure for failure in failures if failure is not None]
    return Found(places, failed[0] if failed and len(failed) == len(failures) else None)


def _find_stars(
    numbers: list[int], stars: Stars, most: int, places: dict[str | int, StarPlace | str]
) -> NameResolverError | None:
    failure: NameResolverError | None = None
    n_answers = 0
    for first in range(0, min(len(numbers), most), TICS_AT_ONCE):
        some = numbers[first : min(first + TICS_AT_ONCE, most)]
        try:
            if failure is not None and n_answers == 0:
                raise failure
            found = stars.find_places(some)
            n_answers += 1
        except NameResolverError as error:
            failure = error
            places |= dict.fromkeys(some, str(error))
            continue
        unknown = "a number in the TESS Input Catalog"
        places |= {tic: found.get(tic) or str(InvalidInputError("tic", tic, unknown)) for tic in some}
    too_many = f"the list has more than {most:,} TIC numbers without a position; {_GIVE}"
    places |= dict.fromkeys(numbers[most:], too_many)
    return None if n_answers else failure


def _find_names(
    texts: list[str | int], names: Names | None, most: int, argument: str, places: dict[str | int, StarPlace | str]
) -> NameResolverError | None:
    if names is None:
        places |= dict.fromkeys(texts, f"names are not looked up here; {_GIVE}")
        return None
    lookup = Lookup(names, argument, single=False)
    words = {text: f"TIC {text}" if isinstance(text, int) else text for text in texts[:most]}
    found = lookup.find_all(list(dict.fromkeys(words.values())), show=False)
    for text, word in words.items():
        place = found[word]
        places[text] = place if isinstance(place, str) else StarPlace(place.ra, place.dec)
    places |= dict.fromkeys(texts[most:], f"the list has more than {most:,} names without a position; {_GIVE}")
    return lookup.failure if lookup.n_answers == 0 else None
