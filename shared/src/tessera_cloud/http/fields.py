"""Fields that several requests and answers share. Each has a description and an example for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tessera_cloud.contracts import ProductName


class Params(BaseModel):
    """Base of requests: unknown fields and numbers that are not finite are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Document(BaseModel):
    """Base of answers."""

    model_config = ConfigDict(frozen=True)


Ra = Annotated[float, Field(ge=-360, le=360, description="Right ascension in degrees, ICRS.", examples=[88.9515])]
Dec = Annotated[float, Field(ge=-90, le=90, description="Declination in degrees, ICRS.", examples=[-75.3911])]
Sector = Annotated[int, Field(ge=1, le=99_999, description="Number of the sector, from 1.", examples=[1])]
Camera = Annotated[int, Field(ge=1, le=4, description="Number of the camera, 1 to 4.", examples=[4])]
Ccd = Annotated[int, Field(ge=1, le=4, description="Number of the CCD of the camera, 1 to 4.", examples=[2])]
Product = Annotated[ProductName, Field(description="Kind of frames.", examples=["SPOC"])]
Flags = Annotated[
    bool,
    Field(
        description="Whether collateral pixels, which see no sky, are marked in APERTURE and have no value, and blank, "
        "repeated and saturated cadences have bits from 2^24 on in QUALITY.",
        examples=[True],
    ),
]
Bytes = Annotated[int, Field(description="Size in bytes.", examples=[1_234_567])]
CubeName = Annotated[str, Field(description="Name of the cube.", examples=["tess-s0001-4-2"])]
Source = Annotated[str, Field(description="Service that knew the name.", examples=["MAST"])]
Day = Annotated[str, Field(description="Day of the first frame, UTC.", examples=["2018-07-25"])]
LastDay = Annotated[str, Field(description="Day of the last frame, UTC.", examples=["2018-08-22"])]
CadenceSeconds = Annotated[int, Field(description="Time between two frames in seconds.", examples=[1800])]
FirstMjd = Annotated[float, Field(description="Start of the first frame, MJD.", examples=[58324.79])]
LastMjd = Annotated[float, Field(description="End of the last frame, MJD.", examples=[58352.68])]
SRegion = Annotated[
    str,
    Field(
        description="Outline on the sky as an IVOA polygon, in degrees.",
        examples=["POLYGON ICRS 83.1 -81.6 101.3 -70.9 77.2 -66.9 45.6 -75.4"],
    ),
]
Rows = Annotated[int, Field(description="Number of rows of pixels.", examples=[15])]
Columns = Annotated[int, Field(description="Number of columns of pixels.", examples=[15])]
Y = Annotated[float, Field(gt=0, description="Number of rows, or height of the cutout, in `units`.", examples=[5])]
X = Annotated[float, Field(gt=0, description="Number of columns, or width of the cutout, in `units`.", examples=[5])]
Units = Annotated[
    str,
    Field(description="Unit of `x` and `y`: `px` (pixels), `d` (degrees), `m` or `s` (arcminutes, arcseconds).",
          examples=["px"]),
]  # fmt: skip
SectorName = Annotated[
    str,
    Field(description="One sector or several: `1`, `28,68`, `[28, 68]`, repeated, or `All`.", examples=["1"]),
]
FreeProduct = Annotated[str, Field(description="Kind of frames: `SPOC` or `TICA`, in any case.", examples=["SPOC"])]
