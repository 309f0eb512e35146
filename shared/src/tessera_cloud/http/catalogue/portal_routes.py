"""Operations of MAST's portal and name resolver that clients call before they request cutouts.

lightkurve asks the name resolver, even for a position, then the portal, and then TESSCut.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field

from tessera_cloud.application.backend import HasNames
from tessera_cloud.application.index.portal import columns_config, find_observations
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.targets.names import resolve_name
from tessera_cloud.errors import NotFoundError, UsageError
from tessera_cloud.http.fields import Params
from tessera_cloud.http.framework.operations import JSON, Answer, Group, Operation, Request
from tessera_cloud.http.framework.parameters import read_json

group = Group(
    "Portal", "Positions of names and searches for observations, as MAST answers them; lightkurve sends these first."
)


class PortalQuery(BaseModel):
    """A request to the portal."""

    model_config = ConfigDict(extra="allow")

    request: str = Field(
        description="JSON text with `service`, one of `Mast.Caom.*`, and `params`.",
        examples=['{"service": "Mast.Caom.Cone", "params": {"ra": 88.9515, "dec": -75.3911, "radius": 0.02}}'],
    )


class PortalColumns(BaseModel):
    """A request for the columns of a table."""

    model_config = ConfigDict(extra="allow")

    colConfigId: str = Field(  # noqa: N815 - MAST's spelling
        "", description="Name of a table; ignored, because there is only one.", examples=["Mast.Caom.Cone"]
    )


class PortalAnswer(BaseModel):
    """A table in the portal's form."""

    status: str = Field(description="State of the search.", examples=["COMPLETE"])
    msg: str = Field(description="Message for the user; empty if there is no error.", examples=[""])
    fields: list[dict[str, Any]] = Field(
        description="Names and types of the columns.", examples=[[{"name": "obs_id", "type": "string"}]]
    )
    data: list[dict[str, Any]] = Field(description="Rows of the table.", examples=[[{"obs_id": "tess-s0001-4-2"}]])
    paging: dict[str, int] = Field(description="Page and number of rows.", examples=[{"page": 1, "rows": 1}])


Name = Annotated[str, Field(min_length=1, max_length=100, description="Name, or written position.")]


class ResolverQuery(Params):
    """A request to the name resolver."""

    name: Annotated[
        list[Name],
        Field(
            min_length=1,
            max_length=30,
            description="Names, or written positions; repeated.",
            examples=[["TIC 261136679"]],
        ),
    ]
    outputFormat: Annotated[  # noqa: N815 - MAST's spelling
        Literal["json"], Field(description="Form of the answer.", examples=["json"])
    ] = "json"
    resolveAll: Annotated[  # noqa: N815 - MAST's spelling
        bool, Field(description="Whether all sources are asked; ignored, because each name has one.", examples=[False])
    ] = False
    resolver: Annotated[
        str,
        Field(max_length=20, description="Source to ask; ignored, because each name has one.", examples=["SIMBAD"]),
    ] = ""


class ResolverAnswer(BaseModel):
    """Positions in the form of MAST's name resolver."""

    resolvedCoordinate: list[dict[str, Any]] = Field(  # noqa: N815 - MAST's spelling
        description="Positions of the names that are known, in degrees.",
        examples=[[{"searchString": "pi men", "canonicalName": "pi Men", "ra": 84.2912, "decl": -80.4691}]],
    )
    status: str = Field(description="Error of the search; empty if there is none.", examples=[""])


def _json(document: object) -> Response[str]:
    return Response(200, JSON, json.dumps(document))


@group.add(
    Operation(
        "POST",
        "/api/v0/invoke",
        "portal_invoke",
        "Observations, as the portal of MAST lists them",
        (Answer(200, "A table of observations", PortalAnswer),),
        description="Answers the searches of clients that look for cubes in the portal of MAST, such as lightkurve.",
        query=PortalQuery,
        form=True,
    )
)
def invoke(request: Request) -> Response[str]:
    """Observations that a request matches."""
    texts = request.parameters().get("request") or [""]
    asked = read_json(texts[0], "request")
    if not isinstance(asked, dict):
        raise UsageError.about("request", texts[0], "a JSON object")
    return _json(find_observations(asked, current_index(request.services)))


@group.add(
    Operation(
        "POST",
        "/portal/Mashup/Mashup.asmx/columnsconfig",
        "portal_columns",
        "Columns of the table of observations",
        (Answer(200, "The columns by name"),),
        description="Lists the columns by which the observations can be filtered.",
        query=PortalColumns,
        form=True,
    )
)
def columns(_request: Request) -> Response[str]:
    """Columns that requests can filter by."""
    return _json(columns_config())


@group.add(
    Operation(
        "GET",
        "/Santa-war/query",
        "resolver_query",
        "Positions of names, as the name resolver of MAST gives them",
        (Answer(200, "Positions of the names that are known", ResolverAnswer),),
        description="Finds the positions of names as `/v1/resolve` does, for programs that ask MAST's name resolver.",
        query=ResolverQuery,
    )
)
def resolve(request: Request, query: ResolverQuery) -> ResolverAnswer:
    """Positions of names."""
    found = (_resolved(name, request.services) for name in query.name)
    return ResolverAnswer(resolvedCoordinate=[row for row in found if row], status="")


def _resolved(name: str, names: HasNames) -> dict[str, Any]:
    """Row of the resolver's answer; empty if nobody knows the name."""
    try:
        place = resolve_name(name, names)
    except NotFoundError:
        return {}
    source = re.sub(r"^MAST \((.*)\)$", r"\1", place.source)
    row = {"searchString": name.lower(), "resolver": source, "cached": False, "canonicalName": place.name}
    return row | {"ra": place.ra, "decl": place.dec}
