"""Answers about light curves of all sectors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tessera_cloud.http.fields import Camera, Ccd, CubeName, Document, Sector

Value = float | None
"""A number, or null if it is unknown."""


class StitchedSector(Document):
    """A sector of a light curve of all sectors."""

    sector: Sector
    camera: Camera
    ccd: Ccd
    n_points: int = Field(description="Number of points.", examples=[1180])
    start: float = Field(description="Time of the first point, see `time_system`.", examples=[1325.3])
    stop: float = Field(description="Time of the last point.", examples=[1353.1])
    level: float = Field(description="Median of the flux without quality bits, in `unit`.", examples=[1034.5])
    scatter: float = Field(description="1.4826 times the median distance from the level, in `unit`.", examples=[2.1])
    factor: float = Field(description="Number by which the flux is multiplied.", examples=[0.000967])
    offset: float = Field(description="Number that is added to the flux after that.", examples=[0.0])
    unit: str = Field(description="Unit of the flux of the sector.", examples=["e-/s"])
    n_pixels: int = Field(description="Number of pixels of the aperture.", examples=[9])
    cube: CubeName
    row: Value = Field(description="Row of the target on the frame; the centre of the first is 0.", examples=[1019.231])
    column: Value = Field(description="Column of the target on the frame.", examples=[647.802])
    edge: Value = Field(description="Pixels to the nearest edge of the pixels that see the sky.", examples=[603.8])
    detrended: str = Field(
        description="Trend that was taken from the flux; empty for none.", examples=["pld: 3 components of 9 pixels"]
    )


class StitchedGap(Document):
    """A time without points."""

    start: float = Field(description="Time of the last point before it.", examples=[1338.5])
    stop: float = Field(description="Time of the first point after it.", examples=[1339.7])
    before: int = Field(description="Sector of the point before it.", examples=[1])
    after: int = Field(description="Sector of the point after it.", examples=[1])
    days: float = Field(description="Its length in days.", examples=[1.2])


class CcdLeftOut(Document):
    """A CCD that has the target and is not used."""

    sector: Sector
    camera: Camera
    ccd: Ccd
    cube: CubeName
    reason: str = Field(description="Why it is not used.", examples=["the target is not on pixels that see the sky"])
    failed: bool = Field(description="Whether it was chosen and cannot be used.", examples=[False])


class StitchedPoints(Document):
    """The points of all sectors as parallel lists, in order of time."""

    time_system: Literal["BTJD", "TJD"] = Field(
        description="Name of the times: `BTJD` at the barycentre for SPOC frames, `TJD` at the spacecraft for TICA.",
        examples=["BTJD"],
    )
    time: list[float] = Field(
        description="Mid-exposures: days since JD 2457000 in TDB, see `time_system`.", examples=[[1325.3, 1325.321]]
    )
    flux: list[Value] = Field(description="Flux at one level, in `units`.", examples=[[1.0002, 0.9997]])
    error: list[Value] = Field(description="One-sigma errors of the flux.", examples=[[0.0011, 0.0011]])
    trend: list[Value] | None = Field(
        description="Trend that was taken from the flux, in `units`; null if none was.", examples=[[0.0012, 0.0009]]
    )
    quality: list[int] = Field(description="Bits of quality; 0 is good.", examples=[[0, 0]])
    sector: list[int] = Field(description="Sector of each point.", examples=[[1, 1]])


class StitchedLightCurve(Document):
    """The light curves of a target in several sectors as one."""

    target: str | None = Field(description="Name of the target; null for a position.", examples=["pi Men"])
    tic: int | None = Field(description="Number in the TESS Input Catalog; null if unknown.", examples=[261136679])
    ra: float | None = Field(description="Right ascension in degrees, ICRS.", examples=[88.9515])
    dec: float | None = Field(description="Declination in degrees, ICRS.", examples=[-75.3911])
    product: str | None = Field(description="Kind of frames.", examples=["SPOC"])
    level: Literal["divide", "shift", "none"] = Field(
        description="Rule that brought the sectors to one level.", examples=["divide"]
    )
    units: str = Field(description="Unit of the flux; empty if it was divided by the levels.", examples=[""])
    background_subtracted: bool = Field(description="Whether the background is subtracted.", examples=[True])
    detrended: str = Field(description="How the light curves were detrended; empty if not.", examples=["pld"])
    sectors: list[StitchedSector] = Field(description="Sectors by time, with what was done to each.")
    gaps: list[StitchedGap] = Field(description="Times without points.")
    left_out: list[CcdLeftOut] = Field(description="CCDs that have the target and are not used.")
    lightcurve: StitchedPoints = Field(description="The points.")
