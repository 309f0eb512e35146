"""Parameters of SODA in the OpenAPI document. `tessera_cloud.application.vo.soda` parses them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class SodaQuery(BaseModel):
    """Parameters of SODA 1.0; names may be in any case."""

    model_config = ConfigDict(populate_by_name=True)

    id: Annotated[
        list[str],
        Field(
            alias="ID",
            description="Identifiers of cubes or images: `obs_publisher_did` of `/sia2/query`, or the name of a cube.",
            examples=[["tess-s0001-4-2"]],
        ),
    ]
    circle: Annotated[
        list[str],
        Field(
            alias="CIRCLE",
            description="Circles: right ascension, declination and radius in degrees, ICRS.",
            examples=[["60.1 -36.2 0.02"]],
        ),
    ] = []
    polygon: Annotated[
        list[str],
        Field(
            alias="POLYGON",
            description="Polygons: right ascension and declination of at least three corners in degrees, ICRS.",
            examples=[["60 -36.3 60.2 -36.3 60.1 -36.1"]],
        ),
    ] = []
    pos: Annotated[
        list[str],
        Field(
            alias="POS",
            description="Shapes: `CIRCLE ra dec radius`, `RANGE ra1 ra2 dec1 dec2` or `POLYGON ra1 dec1 ...`.",
            examples=[["RANGE 60 60.1 -36.3 -36.2"]],
        ),
    ] = []
    time: Annotated[
        list[str],
        Field(
            alias="TIME",
            description="Intervals of time, MJD in UTC; `-Inf` and `+Inf` for open ends.",
            examples=[["58330 58331.5"]],
        ),
    ] = []
    band: Annotated[
        list[str],
        Field(
            alias="BAND",
            description="Intervals of wavelength in metres. TESS sees 6e-7 to 1e-6; cubes have one band.",
            examples=[["6e-7 8e-7"]],
        ),
    ] = []
    pol: Annotated[
        list[str],
        Field(
            alias="POL",
            description="Polarization states. TESS sees intensity alone, so there is nothing without `I` among them.",
            examples=[["I"]],
        ),
    ] = []
    responseformat: Annotated[
        str,
        Field(
            alias="RESPONSEFORMAT",
            description="`application/fits` or `image/fits` for one file, or `application/zip`. By default, one file "
            "comes as it is, and several in a zip.",
            examples=["application/zip"],
        ),
    ] = ""
    runid: Annotated[
        str, Field(alias="RUNID", description="A name for the log of the service.", examples=["survey-7"])
    ] = ""
