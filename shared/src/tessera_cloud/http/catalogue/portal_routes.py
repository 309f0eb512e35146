"""Operations of MAST's portal that clients call before they request cutouts, such as the search of lightkurve."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field

from tessera_cloud.application.index.portal import columns_config, find_observations
from tessera_cloud.application.index.served import current_index
from tessera_cloud.errors import UsageError
from tessera_cloud.http.framework.operations import JSON, Answer, Group, Operation, Request
from tessera_cloud.http.framework.parameters import read_json

group = Group("Portal", "Searches for observations, as MAST's portal answers them; lightkurve sends these first.")


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
