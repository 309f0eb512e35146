"""Parameters of Zcut and Hapcut in the OpenAPI document. `zcut_hapcut_parameters` parses them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from tessera_cloud.http.fields import Dec, Ra, Units, X, Y


class ZcutSurvey(BaseModel):
    """Parameters of Zcut's ``survey``; names may be in any case."""

    ra: Ra
    dec: Dec
    radius: Annotated[
        str, Field(description="Radius with the unit `d` (default), `m` or `s`: `0.2`, `12m`.", examples=["0.2"])
    ] = "0"


class HapcutCutout(BaseModel):
    """Parameters of Hapcut's ``astrocut``; names may be in any case."""

    ra: Ra
    dec: Dec
    y: Y
    x: X
    units: Units = "px"


class ZcutCutout(HapcutCutout):
    """Parameters of Zcut's ``astrocut``; names may be in any case."""

    survey: Annotated[str, Field(description="Name of one survey; all by default.", examples=["goods_north"])] = ""
    format: Annotated[str, Field(description="Format of the files: `fits`, `jpg` or `png`.", examples=["fits"])] = (
        "fits"
    )
    stretch: Annotated[
        str,
        Field(description="Stretch of pictures: `asinh`, `sinh`, `sqrt`, `log` or `linear`.", examples=["asinh"]),
    ] = "asinh"
    minmax_percent: Annotated[
        str, Field(description="Percentiles that become black and white.", examples=["0.5,99.5"])
    ] = ""
    minmax_value: Annotated[
        str, Field(description="Values of pixels that become black and white.", examples=["0,100"])
    ] = ""
    invert: Annotated[
        str, Field(description="Whether black and white are exchanged: `true` or `false`.", examples=["false"])
    ] = "false"
