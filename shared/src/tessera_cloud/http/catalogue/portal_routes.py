"""What clients ask MAST's portal before they come for cutouts; lightkurve's search is one of them."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field

from tessera_cloud.application.index.portal import columns_config, find_observations
from tessera_cloud.application.index.served import current_index
from tessera_cloud.errors import UsageError
from tessera_cloud.http.framework.operations import JSON, Answer, Group, Operation, Request

group = Group("Portal")


class PortalQuery(BaseModel):
    """A request to the portal."""

    model_config = ConfigDict(extra="allow")

    request: str = Field(description="JSON: `service`, one of `Mast.Caom.*`, and `params`.")


class PortalColumns(BaseModel):
    """Which table is asked for."""

    model_config = ConfigDict(extra="allow")

    colConfigId: str = Field("", description="Of no effect: there is one table.")  # noqa: N815 - MAST's spelling


class PortalAnswer(BaseModel):
    """A table as the portal gives it."""

    status: str
    msg: str
    fields: list[dict[str, Any]]
    data: list[dict[str, Any]]
    paging: dict[str, int]


def _json(document: object) -> Response[str]:
    return Response(200, JSON, json.dumps(document))


@group.add(
    Operation(
        "POST",
        "/api/v0/invoke",
        "portal_invoke",
        "Observations, as MAST's portal lists them",
        (Answer(200, "A table", PortalAnswer),),
        query=PortalQuery,
        form=True,
    )
)
def invoke(request: Request) -> Response[str]:
    """Rows of the footprint index."""
    texts = request.parameters().get("request") or [""]
    try:
        asked = json.loads(texts[0])
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise UsageError.about("request", texts[0], "a JSON object")
    return _json(find_observations(asked, current_index(request.services)))


@group.add(
    Operation(
        "POST",
        "/portal/Mashup/Mashup.asmx/columnsconfig",
        "portal_columns",
        "Columns of the table of observations",
        (Answer(200, "By name"),),
        query=PortalColumns,
        form=True,
    )
)
def columns(_request: Request) -> Response[str]:
    """What there is to filter by."""
    return _json(columns_config())
