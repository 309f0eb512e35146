"""Parameters and bodies of requests about builds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tessera_cloud.http.fields import Camera, Ccd, Params, Product, Sector


class BuildQuery(Params):
    """Filter of a list of builds."""

    status: (
        Annotated[
            Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
            Field(description="State of the builds; all by default.", examples=["RUNNING"]),
        ]
        | None
    ) = None
    limit: Annotated[int, Field(ge=1, le=100, description="Largest number of builds.", examples=[20])] = 20


class BuildBody(Params):
    """Cube to build from the frames in the stack's own bucket."""

    sector: Sector
    camera: Camera
    ccd: Ccd
    product: Product = "SPOC"
    max_concurrency: (
        Annotated[
            int,
            Field(
                ge=1, le=1000, description="Largest number of blocks at a time; the stack's by default.", examples=[40]
            ),
        ]
        | None
    ) = None
    on_unreadable: Annotated[
        Literal["fail", "skip"],
        Field(description="`skip` leaves out frames that cannot be read; `fail` stops the build.", examples=["fail"]),
    ] = "fail"
    grow: Annotated[
        bool,
        Field(
            description="Builds only the frames that the current cube lacks, as a segment of a growing cube.",
            examples=[False],
        ),
    ] = False
