"""Check options of public functions: words, switches, numbers and ranges. Errors name the option and its value."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import numpy as np

from tessera.errors import InvalidInputError


def check_choice(
    argument: str, value: object, choices: Iterable[str], message: str = "", *, any_case: bool = False
) -> str:
    """Return an option that is one of several words.

    Parameters
    ----------
    argument : str
        Name of the option, for the error.
    value : object
        Value that the user gave.
    choices : iterable of str
        Allowed words.
    message : str, optional
        Sentence at the beginning of the error's text.
    any_case : bool, optional
        Whether capital and small letters are the same.

    Returns
    -------
    str
        The word as it is in `choices`.

    Raises
    ------
    InvalidInputError
        When the value is not one of the words. The error names the word that was probably meant.
    """
    words = list(map(str, choices))
    known = {word.lower() if any_case else word: word for word in words}
    found = known.get(value.lower() if any_case else value) if isinstance(value, str) else None
    if found is not None:
        return found
    raise InvalidInputError(argument, value, ", ".join(map(repr, words)) + did_you_mean(value, words), message)


def did_you_mean(value: object, words: Iterable[str]) -> str:
    """End of an error's sentence that names the word that was probably meant; empty if no word is like the value."""
    lowered = {word.lower(): word for word in words}
    text = value.strip().lower() if isinstance(value, str) else ""
    close = get_close_matches(text[:80], lowered, 1)
    return f"; did you mean {lowered[close[0]]!r}?" if close else ""


def check_switch(argument: str, value: object) -> bool:
    """Return an option that is True or False. Texts such as 'no' are refused, because Python takes them for True.

    Raises
    ------
    InvalidInputError
        When the value is neither.
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, numbers.Integral) and value in (0, 1):
        return value == 1
    raise InvalidInputError(argument, value, "True or False")


def check_integer(argument: str, value: object, lowest: int, highest: int, about: str = "") -> int:
    """Return an option that is an integer from `lowest` to `highest`, of Python or NumPy.

    Parameters
    ----------
    argument, value
        See `check_choice`.
    lowest, highest : int
        Smallest and largest allowed value.
    about : str, optional
        What the integer is, for the error; begins with a comma or a blank.

    Raises
    ------
    InvalidInputError
        When the value is not such an integer.
    """
    allowed = f"an integer from {lowest} to {highest}{about}"
    if isinstance(value, (bool, np.bool_)):
        raise InvalidInputError(argument, value, allowed)
    try:
        number = operator.index(value)  # type: ignore[arg-type] # another type is reported here
    except TypeError as error:
        raise InvalidInputError(argument, value, allowed) from error
    if not lowest <= number <= highest:
        raise InvalidInputError(argument, value, allowed)
    return number


def check_number(argument: str, value: object, allowed: str = "a number") -> float:
    """Return an option that is a real number, as float. NaN and infinity are numbers.

    Raises
    ------
    InvalidInputError
        When the value is something else.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InvalidInputError(argument, value, allowed)
    try:
        return float(value)
    except OverflowError as error:
        raise InvalidInputError(argument, value, allowed) from error


def check_pair(argument: str, value: Any, allowed: str) -> tuple[Any, Any]:
    """Return the two items of an option that is a pair.

    Raises
    ------
    InvalidInputError
        When the value is not a list, tuple or array of two items.
    """
    several = isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0)
    if not several or len(value) != 2:
        raise InvalidInputError(argument, value, allowed)
    return value[0], value[1]


def check_number_range(argument: str, value: Any, about: str) -> tuple[float, float]:
    """Return a range of numbers, ends included, the first not above the last. An end may be infinite.

    Parameters
    ----------
    argument, value
        See `check_choice`.
    about : str
        What the numbers are, for the error.

    Raises
    ------
    InvalidInputError
        When the value is not such a range.
    """
    allowed = f"two numbers, the first and the last {about}, the first not above the last"
    first, last = (check_number(argument, item, allowed) for item in check_pair(argument, value, allowed))
    if math.isnan(first) or math.isnan(last) or first > last:
        raise InvalidInputError(argument, value, allowed)
    return first, last


def check_integer_range(argument: str, value: Any, about: str, highest: int = 2**31 - 1) -> tuple[int, int]:
    """Return a range of integers from 0 to `highest`, ends included, the first not above the last.

    Raises
    ------
    InvalidInputError
        See `check_number_range`.
    """
    allowed = f"two integers from 0 to {highest}, the first and the last {about}, the first not above the last"
    try:
        first, last = (check_integer(argument, item, 0, highest) for item in check_pair(argument, value, allowed))
    except InvalidInputError as error:
        raise InvalidInputError(argument, value, allowed) from error
    if first > last:
        raise InvalidInputError(argument, value, allowed)
    return first, last
