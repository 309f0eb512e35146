"""Compares two FITS files in memory: cards by keyword, and data by pixel."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.fits.headers import CARD, Header
from tessera.provenance.fits_files import read_hdus
from tessera.verify.report import Problem

MOST_NAMED = 20
"""Largest number of pixels of one column or image that are named one by one."""
_SUMS = ("CHECKSUM", "DATASUM")
"""Cards that `tessera.provenance.fits_files.data_problems` checks."""

_FITTED = ("WCS_MSEP", "WCS_SIG")
"""Cards of what a fit leaves: small differences of large numbers, which have few exact digits."""

Locate = Callable[[tuple[int, ...]], dict[str, int]]
"""Function that says where a pixel of a cutout is: its cadence in the cube, and its row and column on the frame."""


def compare_fits(found: bytes, wanted: bytes, locate: Locate) -> list[Problem]:
    """Say what differs between a file and the one that it should be.

    Parameters
    ----------
    found, wanted : bytes
        The file, and the file that was made again.
    locate : callable
        See `Locate`. It gets the place in the data: of a column of pixels the row of the table and the pixel.
    """
    if found == wanted:
        return []
    ours, theirs = list(read_hdus(found)), list(read_hdus(wanted))
    if len(ours) != len(theirs):
        return [Problem("structure", f"it has {len(ours)} HDUs, not {len(theirs)}")]
    problems: list[Problem] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(io.BytesIO(found)) as one, fits.open(io.BytesIO(wanted)) as other:
            for number, ((header, _), (right, _)) in enumerate(zip(ours, theirs, strict=True)):
                name = str(right.get("EXTNAME") or ("PRIMARY" if number == 0 else number))
                problems += _cards(name, header.cards, right.cards)
                problems += _data(name, one[number], other[number], locate)
    left = {*_SUMS, *rounded_cards(found, wanted)}
    if not problems and _plain(found, ours, left) != _plain(wanted, theirs, left):
        problems.append(Problem("structure", "its bytes differ, in blanks or in the order of its cards"))
    return problems


def rounded_cards(found: bytes, wanted: bytes) -> list[str]:
    """Keywords of cards that differ only in the way in which processors round."""
    names: dict[str, None] = {}
    for (one, _), (other, _) in zip(read_hdus(found), read_hdus(wanted), strict=False):
        ours, theirs = _by_keyword(one.cards), _by_keyword(other.cards)
        both = (name for name in theirs if name in ours and ours[name] != theirs[name] and name not in _SUMS)
        names |= {name: None for name in both if _are_equal(name, ours[name], theirs[name])}
    return list(names)


def _plain(content: bytes, hdus: Sequence[tuple[Header, int]], left: Collection[str]) -> list[str]:
    """Headers without some cards, such as those of checksums: astropy writes the time into their comments."""
    plain = []
    for header, start in hdus:
        text = content[start : start + header.n_bytes].decode("ascii")
        cards = (text[place : place + CARD] for place in range(0, len(text), CARD))
        plain.append("".join(card for card in cards if card[:8].strip() not in left))
    return plain


def _cards(name: str, found: Any, wanted: Any) -> Iterator[Problem]:
    ours, theirs = _by_keyword(found), _by_keyword(wanted)
    for keyword in dict.fromkeys([*theirs, *ours]):
        if keyword in _SUMS or _are_equal(keyword, ours.get(keyword), theirs.get(keyword)):
            continue
        said, right = (
            "missing" if keyword not in cards else ", ".join(repr(value) for value, _ in cards[keyword])
            for cards in (ours, theirs)
        )
        if said == right:
            said, right = (f"commented {cards[keyword][0][1]!r}" for cards in (ours, theirs))
        text = f"card {keyword} of {name} is {said:.200}, not {right:.200}"
        yield Problem("card", text, {"hdu": name, "keyword": keyword})


def _are_equal(keyword: str, found: Any, wanted: Any) -> bool:
    """Whether cards are equal, but for the way in which processors round."""
    if found == wanted or found is None or wanted is None:
        return bool(found == wanted)
    tolerance = 1e-6 if keyword in _FITTED else 1e-11
    pairs = zip(found, wanted, strict=False)
    return len(found) == len(wanted) and all(
        said == right and type(one) is type(other) and (one == other or _is_rounded(one, other, tolerance))
        for (one, said), (other, right) in pairs
    )


def _is_rounded(one: object, other: object, tolerance: float) -> bool:
    return isinstance(one, float) and isinstance(other, float) and math.isclose(one, other, rel_tol=tolerance)


def _by_keyword(cards: Any) -> dict[str, list[tuple[Any, str]]]:
    found: dict[str, list[tuple[Any, str]]] = {}
    for card in cards:
        found.setdefault(card.keyword, []).append((card.value, card.comment))
    return found


def _data(name: str, found: Any, wanted: Any, locate: Locate) -> Iterator[Problem]:
    if isinstance(wanted, fits.BinTableHDU) and isinstance(found, fits.BinTableHDU):
        ours, theirs = _table(found), _table(wanted)
        if ours.dtype != theirs.dtype or len(ours) != len(theirs):
            yield Problem("structure", f"the table {name} has other columns or rows", {"hdu": name})
            return
        for column in theirs.dtype.names or ():
            place, whole = {"hdu": name, "plane": column}, f"column {column} of {name}"
            yield from compare_arrays(ours[column], theirs[column], locate, name=column, place=place, whole=whole)
        return
    ours, theirs = found.data, wanted.data
    if ours is None and theirs is None:
        return
    if ours is None or theirs is None or ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        yield Problem("structure", f"the data of {name} have another shape or type", {"hdu": name})
        return
    yield from compare_arrays(ours, theirs, locate, name=name, place={"hdu": name, "plane": name})


def _table(hdu: fits.BinTableHDU) -> NDArray[Any]:
    """Bytes of the rows as they are in the file, by column."""
    return np.asarray(hdu.data).view(np.ndarray)


def compare_arrays(
    found: NDArray[Any], wanted: NDArray[Any], locate: Locate, *, name: str, place: Mapping[str, Any], whole: str = ""
) -> Iterator[Problem]:
    """Name the values of two arrays of one shape and type that differ, the first ones one by one.

    Parameters
    ----------
    found, wanted : ndarray
        The arrays.
    locate : callable
        See `Locate`. It gets the place in the array.
    name : str
        Name of the array.
    place : mapping
        What places of its values have in common.
    whole : str, optional
        Name of the array where its values are counted; by default `name`.
    """
    ours, theirs = (np.ascontiguousarray(values).reshape(-1).view(np.uint8) for values in (found, wanted))
    items = ours.reshape(found.size, -1) != theirs.reshape(found.size, -1)
    places = np.flatnonzero(items.any(axis=1))
    for number in places[:MOST_NAMED]:
        index = tuple(int(axis) for axis in np.unravel_index(number, found.shape))
        where = {**place, **locate(index)}
        at = [f"{axis} {where[axis]}" for axis in ("column", "row", "cadence", "point") if axis in where]
        text = f"{', '.join([name, *at])}: it is {found[index]}, not {wanted[index]}"
        yield Problem("pixel" if "row" in where else "value", text, where)
    if len(places) > MOST_NAMED:
        text = f"{len(places) - MOST_NAMED:,} more values of {whole or name} differ"
        yield Problem("pixel", text, dict(place))
