"""Parameters of TESSCut in the OpenAPI document. `parameters` parses them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from tessera_cloud.http.fields import Camera, Ccd, Dec, FreeProduct, Ra, Sector, SectorName, Units, X, Y

Provenance = Annotated[
    bool,
    Field(
        description="Whether files say in a last HDU, PROVENANCE, what they were made of. Not a parameter of TESSCut.",
        examples=[False],
    ),
]


class TesscutSector(BaseModel):
    """Parameters of TESSCut's ``sector``; names may be in any case."""

    ra: Ra
    dec: Dec
    radius: Annotated[
        str,
        Field(
            description="Radius with the unit `d` (default), `m`, `s` or `px` (21 arcseconds): `0.2`, `12m`, `5px`.",
            examples=["0.2"],
        ),
    ] = "0"
    product: FreeProduct = "SPOC"


class TesscutCutout(BaseModel):
    """Parameters of TESSCut's ``astrocut``; names may be in any case."""

    ra: Ra
    dec: Dec
    y: Y
    x: X
    units: Units = "px"
    sector: SectorName = "All"
    product: FreeProduct = "SPOC"
    provenance: Provenance = False


class TesscutWcs(BaseModel):
    """Parameters of TESSCut's ``ffi_wcs``; names may be in any case."""

    sector: Sector
    camera: Camera
    ccd: Ccd
    product: FreeProduct = "SPOC"


class TesscutMoving(BaseModel):
    """Parameters of TESSCut's ``moving_target/sector``; names may be in any case."""

    obj_id: Annotated[
        str,
        Field(
            max_length=100,
            description="Name, number or designation that JPL Horizons knows: `Eleonora`, `354`.",
            examples=["Eleonora"],
        ),
    ]
    obj_type: Annotated[
        str,
        Field(
            description="`majorbody` or `smallbody`; needed only if the name is ambiguous.",
            examples=["smallbody"],
        ),
    ] = ""
    product: FreeProduct = "SPOC"


class TesscutMovingCutout(TesscutMoving):
    """Parameters of TESSCut's ``moving_target/astrocut``; names may be in any case."""

    y: Y
    x: X
    units: Units = "px"
    sector: SectorName = "All"
    provenance: Provenance = False
