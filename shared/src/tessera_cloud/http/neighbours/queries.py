"""Parameters of requests for neighbouring stars."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tessera_cloud.http.cutouts.queries import CUBE, CUBE_WORDS
from tessera_cloud.http.fields import Dec, Params, Ra
from tessera_cloud.http.framework.forms import TextForm

MAX_RADIUS = 0.5
MAX_STARS = 5_000


class NeighbourQuery(Params):
    """A circle on the sky, and the cube on whose frames the stars are placed."""

    ra: Ra
    dec: Dec
    radius: Annotated[
        float, Field(gt=0, le=MAX_RADIUS, description="Radius of the circle in degrees.", examples=[0.05])
    ] = 0.05
    epoch: Annotated[
        float | None,
        Field(
            ge=1900,
            le=2100,
            description="Julian year to which proper motions bring the stars; by default the middle of the times of "
            "`cube`, or the epoch of the catalogue if there is no cube.",
            examples=[2018.6],
        ),
    ] = None
    cube: Annotated[
        str,
        TextForm(f"({CUBE})?", CUBE_WORDS),
        Field(
            description="Name of a cube: stars then have their row and column on its frames.",
            examples=["tess-s0001-4-2"],
        ),
    ] = ""
    limit: Annotated[
        int, Field(ge=1, le=MAX_STARS, description="Largest number of stars; the brightest are kept.", examples=[1000])
    ] = 1000
