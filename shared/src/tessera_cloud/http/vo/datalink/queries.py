"""Parameters of DataLink for the OpenAPI document, and how they are read."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import BaseModel, Field

from tessera_cloud.application.vo.identifiers import ALLOWED
from tessera_cloud.errors import UsageError
from tessera_cloud.http.vo.dali import content_type, most_rows, once
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
    ids = dict.fromkeys(text for text in given.get("id", ()) if text.strip())
    form = once(given.get("responseformat", ()), "RESPONSEFORMAT")
    most = most_rows(once(given.get("maxrec", ()), "MAXREC"), sys.maxsize)
    return LinksRequest(tuple(ids), content_type(form, _FORMATS), most)


def parse_id(given: Parameters) -> str:
    """Read the one identifier of a request; raises the errors of `parse_links`."""
    text = once(given.get("id", ()), "ID")
    if not text:
        raise UsageError.about("ID", None, ALLOWED)
    return text
