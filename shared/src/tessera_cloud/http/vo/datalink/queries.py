"""Parameters of DataLink for the OpenAPI document, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import BaseModel, Field

from tessera_cloud.errors import UsageError, cut
from tessera_cloud.http.vo.descriptors import LINKS_TYPE

Parameters: TypeAlias = Mapping[str, Sequence[str]]
"""Values of each parameter. Names are in lower case."""

_FORMATS = {"votable": LINKS_TYPE, "application/x-votable+xml": LINKS_TYPE, "text/xml": "text/xml"}
"""RESPONSEFORMAT without its parameters to the content type of the answer."""

_Id: TypeAlias = Annotated[
    str,
    Field(
        description="Identifier of a cube or a file of images: an `obs_publisher_did` of `/sia2/query`, or the name of "
        "a cube.",
        examples=["ivo://tessera/cubes?tess-s0001-4-2"],
    ),
]


class LinksQuery(BaseModel):
    """Parameters of DataLink 1.1. Their names may have any case."""

    id: Annotated[
        list[str],
        Field(
            description="Identifiers of cubes or files of images: each an `obs_publisher_did` of `/sia2/query`, or the "
            "name of a cube. Repeat the parameter for more.",
            examples=[["ivo://tessera/cubes?tess-s0001-4-2"]],
        ),
    ] = []
    responseformat: Annotated[
        str,
        Field(
            description="Format of the answer: `votable`, `application/x-votable+xml` or `text/xml`.",
            examples=["votable"],
        ),
    ] = "votable"
    maxrec: Annotated[
        int | None,
        Field(
            ge=0,
            description="Largest number of rows. Links of one identifier stay together; 0 for the columns alone.",
            examples=[1000],
        ),
    ] = None


class FileQuery(BaseModel):
    """A cube or a file of images."""

    id: _Id


@dataclass(frozen=True, slots=True)
class LinksRequest:
    """A request for links.

    Parameters
    ----------
    ids : tuple of str
        Identifiers, each once, in the order of the request.
    content_type : str
        Content type of the answer.
    most : int or None
        Largest number of rows.
    """

    ids: tuple[str, ...]
    content_type: str
    most: int | None


def parse_links(given: Parameters) -> LinksRequest:
    """Read the parameters of a request for links.

    Raises
    ------
    UsageError
        Naming the parameter, its value and what is allowed.
    """
    return LinksRequest(tuple(dict.fromkeys(given.get("id", ()))), _content_type(given), _most_rows(given))


def parse_id(given: Parameters) -> str:
    """Read the one identifier of a request; raises the errors of `parse_links`."""
    text = _one(given, "ID")
    if not text:
        raise UsageError.about("ID", None, "an obs_publisher_did of /sia2/query, or the name of a cube")
    return text


def _one(given: Parameters, name: str) -> str:
    """Value of a parameter that may be given once; empty if it is missing."""
    texts = [text for text in given.get(name.lower(), ()) if text.strip()]
    if len(texts) > 1:
        value = cut(", ".join(texts))
        raise UsageError(f"{name} is given {len(texts)} times: {value}; allowed: once", parameter=name, value=value)
    return texts[0].strip() if texts else ""


def _content_type(given: Parameters) -> str:
    text = _one(given, "RESPONSEFORMAT") or "votable"
    found = _FORMATS.get(text.partition(";")[0].strip().lower())
    if found is None:
        raise UsageError.about("RESPONSEFORMAT", text, ", ".join(_FORMATS))
    return found


def _most_rows(given: Parameters) -> int | None:
    text = _one(given, "MAXREC")
    if text and not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise UsageError.about("MAXREC", text, "a whole number from 0")
    return int(text) if text else None
