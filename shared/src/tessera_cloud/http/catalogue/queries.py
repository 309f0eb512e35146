"""Parameters of requests for cubes and footprints."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from tessera_cloud.http.fields import Camera, Ccd, Dec, Params, Product, Ra, Sector
from tessera_cloud.http.framework.forms import check_place, together


class CubeQuery(Params):
    """Filter of a list of cubes; all cubes by default."""

    sector: Sector | None = None
    camera: Camera | None = None
    ccd: Ccd | None = None
    product: Product | None = None
    after: Annotated[
        str,
        Field(
            max_length=64,
            description="Name of the last cube of the previous page; empty for the first page.",
            examples=["tess-s0001-4-2"],
        ),
    ] = ""
    limit: Annotated[int, Field(ge=1, le=1000, description="Largest number of cubes of a page.", examples=[100])] = 100


class FootprintQuery(Params):
    """A position and what is around it, or a region."""

    ra: Ra | None = None
    dec: Dec | None = None
    radius: Annotated[
        float,
        Field(ge=0, le=30, description="Half the side of a square around the position, in degrees.", examples=[0.1]),
    ] = 0.0
    region: Annotated[
        str,
        Field(
            max_length=8000,
            description="Instead of a position: a GeoJSON Point or Polygon with longitude = right ascension, "
            "or `POLYGON ra dec ra dec ra dec`. A polygon must be convex.",
            examples=["POLYGON 88 -75 89 -75 89 -76"],
        ),
    ] = ""
    product: Product = "SPOC"

    @model_validator(mode="after")
    def _one_place(self) -> FootprintQuery:
        check_place(self.ra, self.dec, "region", has_other=bool(self.region))
        if self.region and "radius" in self.model_fields_set:
            raise together("radius", "radius is given with region", "region without radius, or ra and dec with radius")
        return self
