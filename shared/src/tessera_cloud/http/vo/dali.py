"""Parameters that all services of tables have (DALI 1.1): MAXREC, RESPONSEFORMAT, and others that are given once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tessera_cloud.errors import MultiValuedError, UsageError, cut
from tessera_cloud.http.framework.meant import nearest

_PARAMETERS: Final = {"xml": {"serialization=tabledata", "charset=utf-8"}, "text": {"header=present", "charset=utf-8"}}
"""Parameters of media types that tell what we write."""


def once(texts: Sequence[str], name: str) -> str:
    """Value of a parameter that may be given once, without blanks around it; empty if it is missing or blank.

    Parameters
    ----------
    texts : sequence of str
        All values of the parameter.
    name : str
        Its name.

    Raises
    ------
    MultiValuedError
        If it has several values that are not blank.
    """
    given = [text.strip() for text in texts if text.strip()]
    if len(given) > 1:
        value = cut(", ".join(given))
        message = f"{name} is given {len(given)} times: {value}; allowed: once"
        raise MultiValuedError(message, parameter=name, value=value)
    return given[0] if given else ""


def media_type(text: str) -> str:
    """Media type in small letters and without blanks. A plus sign in an address may have become a blank."""
    parts = [part.strip().lower().replace(" ", "+") for part in text.split(";")]
    return ";".join(part.replace("+=+", "=").replace('"', "") for part in parts)


def content_type(text: str, formats: Mapping[str, str]) -> str:
    """Content type of the answer that RESPONSEFORMAT asks for.

    Parameters
    ----------
    text : str
        Value of RESPONSEFORMAT; empty for a VOTable.
    formats : mapping
        Allowed values without parameters, to the content type of each.

    Raises
    ------
    UsageError
        If there is no such format. We write VOTables in the serialization TABLEDATA alone.
    """
    kind, *rest = media_type(text or "votable").split(";")
    found, _, own = formats.get(kind, "").partition(";")
    if not found or not set(rest) <= {own, *_PARAMETERS["xml" if found.endswith("xml") else "text"]}:
        near = nearest(text, list(formats))
        raise UsageError.about("RESPONSEFORMAT", text, ", ".join(formats) + (f"; did you mean {near}?" if near else ""))
    return formats[kind]


def most_rows(text: str, most: int) -> int | None:
    """Value of MAXREC, and at most `most`; None for an empty text.

    Raises
    ------
    UsageError
        If it is no whole number from 0.
    """
    if not text:
        return None
    if not re.fullmatch(r"\+?\d+", text, re.ASCII):
        raise UsageError.about("MAXREC", text, "a whole number from 0; 0 is for no rows")
    return int(min(float(text), most))
