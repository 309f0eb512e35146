"""Answers about previews, positions and names."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tessera_cloud.http.fields import (
    CadenceSeconds,
    Camera,
    Ccd,
    Columns,
    CubeName,
    Day,
    Dec,
    Document,
    LastDay,
    Ra,
    Rows,
    Sector,
    Source,
)

Value = float | None
"""A number, or null if it is unknown."""
_PICTURE = "https://api.example.org/v1/preview.png?cube=tess-s0001-4-2&ra=88.9515&dec=-75.3911"


class PreviewWindow(Document):
    """Pixels of a preview, counted from 0 on the frame; negative beyond its lower edges."""

    first_row: int = Field(description="First row.", examples=[1012])
    first_column: int = Field(description="First column.", examples=[640])
    rows: Rows
    columns: Columns
    science_pixels: int | None = Field(
        default=None, description="Number of its pixels that see the sky.", examples=[121]
    )


class PreviewTarget(Document):
    """Pixel of the position on the frame; the centre of the first pixel is 0."""

    row: float = Field(description="Row of the position.", examples=[1019.231])
    column: float = Field(description="Column of the position.", examples=[647.802])
    edge_distance_px: float = Field(
        description="Pixels to the nearest edge of the pixels that see the sky; negative beyond.", examples=[603.8]
    )
    on_silicon: bool = Field(description="Whether the position is on pixels that see the sky.", examples=[True])


class PreviewWcs(Document):
    """Where the pixels of a preview are on the sky: a tangential projection without distortion, fitted to the WCS."""

    ra: Ra
    dec: Dec
    row: float = Field(description="Row of `ra` and `dec` on the frame; the centre of the first is 0.", examples=[1019])
    column: float = Field(description="Column of `ra` and `dec` on the frame.", examples=[647])
    matrix: list[list[float]] = Field(
        description="Degrees per pixel: the standard coordinates xi (to the east) and eta (to the north) are this "
        "matrix times the distances in columns and rows.",
        examples=[[[-0.00291, 0.00482], [0.00486, 0.00294]]],
    )
    max_separation_arcsec: float = Field(
        description="Largest distance to the WCS of the frame, over all pixels.", examples=[0.0021]
    )


class PreviewCurve(Document):
    """A light curve as parallel lists, in order of time."""

    time_system: Literal["BTJD", "TJD"] = Field(
        description="Name of the times: `BTJD` at the barycentre for SPOC frames, `TJD` at the spacecraft for TICA.",
        examples=["BTJD"],
    )
    time: list[Value] = Field(
        description="Mid-exposures: days since JD 2457000 in TDB, see `time_system`.", examples=[[1325.3, 1325.321]]
    )
    flux: list[Value] = Field(description="Sum of the pixels in the aperture, in `units`.", examples=[[1034.5, 1033.9]])
    error: list[Value] = Field(description="One-sigma errors of the flux.", examples=[[1.2, 1.2]])
    quality: list[int] = Field(
        description="Bits of quality; 0 is good. Cadences with flags are averaged apart from others.",
        examples=[[0, 0]],
    )
    trend: list[Value] | None = Field(
        None, description="Trend that was removed from the flux; not there if nothing was.", examples=[[0.4, 0.3]]
    )
    binned: int = Field(description="Largest number of cadences in a point.", examples=[1])
    cadences: int = Field(description="Number of cadences of the cube.", examples=[1282])


class PreviewLimits(Document):
    """Percentiles 0.5 and 99.5 of the frames; null if they are unknown."""

    median: list[float] | None = Field(description="Limits of the median frame.", examples=[[95.2, 1010.4]])
    difference: list[float] | None = Field(description="Limits of the difference frame.", examples=[[-3.1, 12.7]])


class PreviewPictures(Document):
    """Addresses of the frames as PNG."""

    median: str = Field(
        description="Address of the median frame.",
        examples=[f"{_PICTURE}&image=median"],
    )
    difference: str = Field(
        description="Address of the difference frame.",
        examples=[f"{_PICTURE}&image=difference"],
    )


class PreviewProvenance(Document):
    """Record of a preview, which says what it was made of; `tessera verify` makes it again and compares."""

    record: str = Field(
        description="The record as canonical JSON: source, request, version, and the checksum of the preview.",
        examples=['{"data":{"sha256":"9f86d081884c7d65"},"engine":"0.1.0","kind":"preview","record":1}'],
    )
    sha256: str = Field(
        description="SHA-256 of this text, which names the record.",
        examples=["4c3e1e8c1f8a2a5f3b4d5b9c0de1f2a3b4c5d6e7f8091a2b3c4d5e6f70819203"],
    )
    signature: str = Field(
        default="",
        description="Signature of this text by the operator's key; only of a service that has one.",
        examples=["ed25519:0123456789abcdef:kgCpqfDZyrhyDoILX2QlQKKye1QWUD+Ps3YiI+vbadoIWsHkPhWZbkWPNhPQ8R2M=="],
    )


class Preview(Document):
    """Preview of a cutout. Frames are lists of rows, the first row first."""

    cube: CubeName
    window: PreviewWindow = Field(description="Pixels of the preview.")
    target: PreviewTarget = Field(description="Where the position is on the frame.")
    wcs: PreviewWcs = Field(description="Where the pixels are on the sky.")
    aperture: list[list[int]] = Field(
        description="1 for the pixels whose sum is the light curve, 0 for the others.", examples=[[[0, 1], [0, 1]]]
    )
    background_subtracted: bool = Field(
        description="Whether the background is subtracted; also false if the aperture has all pixels.",
        examples=[True],
    )
    detrended: str | None = Field(
        None,
        description="Parts of the trend that was removed; not there if nothing was.",
        examples=["cbv: 8 cotrending vectors"],
    )
    lightcurve: PreviewCurve = Field(description="Light curve of the aperture.")
    median: list[list[Value]] = Field(
        description="Median of the cadences without flags, background included.",
        examples=[[[95.2, 310.0], [97.1, 1010.4]]],
    )
    difference: list[list[Value]] = Field(
        description="Mean of the brightest tenth of the cadences without flags minus that of the faintest.",
        examples=[[[-3.1, 2.0], [0.4, 12.7]]],
    )
    limits: PreviewLimits = Field(description="Limits for showing the frames.")
    units: str = Field(description="Unit of the flux.", examples=["e-/s"])
    pictures: PreviewPictures = Field(description="The frames as PNG.")
    provenance: PreviewProvenance = Field(description="Record of the preview.")


class FrameCost(Document):
    """Reads of a cutout of a CCD that has frames and no cube yet."""

    requests: int = Field(description="Range requests of a cutout of any size.", examples=[2564])
    bytes_per_row: int = Field(description="Bytes of frames for each row of a cutout.", examples=[21906816])
    rows_at_once: int = Field(
        description="Most rows of a cutout that is made at once; a larger one is a job. 0 if all are jobs.",
        examples=[18],
    )
    seconds: float = Field(description="Time of reading for a cutout of ten rows, about.", examples=[2.8])
    usd: float = Field(
        description="Price of reading for a cutout of ten rows in dollars, whoever pays for the requests.",
        examples=[0.0011],
    )


class Sighting(PreviewTarget):
    """A cube that has a pixel at a position."""

    cube: CubeName
    sector: Sector
    camera: Camera
    ccd: Ccd
    start: Day
    stop: LastDay
    cadence_seconds: CadenceSeconds | None
    n_cadences: int = Field(description="Number of cadences of the cube.", examples=[1282])
    science_pixels: int | None = Field(
        default=None,
        description="Number of pixels of the window of `size` that see the sky; null without `size`.",
        examples=[121],
    )
    frames: FrameCost | None = Field(
        description="Reads of a cutout, if there is no cube yet, and the frames themselves are cut; null for a cube."
    )


class Sightings(Document):
    """Cubes that have a pixel at a position."""

    ra: Ra
    dec: Dec
    cubes: list[Sighting] = Field(description="Cubes by sector, camera and CCD; empty if no cube has such a pixel.")


class MapCcd(Document):
    """A CCD of a sector."""

    cube: CubeName
    camera: Camera
    ccd: Ccd
    corners: list[list[float]] = Field(
        description="Vertices of the footprint, each right ascension and declination in degrees, ICRS.",
        examples=[[[83.1, -81.6], [101.3, -70.9], [77.2, -66.9], [45.6, -75.4]]],
    )


class MapSector(Document):
    """A sector and its CCDs."""

    sector: Sector
    start: Day
    stop: LastDay
    cadence_seconds: CadenceSeconds
    ccds: list[MapCcd] = Field(description="CCDs by camera and CCD.")


class SkyMap(Document):
    """Footprints of all cubes of a product."""

    sectors: list[MapSector] = Field(description="Sectors by number.")


class ResolvedPlace(Document):
    """A position, and the object there."""

    name: str = Field(description="Name of the object, or the position.", examples=["pi Men"])
    ra: Ra
    dec: Dec
    source: str = Field(
        description="Service that knew the name; `coordinates` if the name was a position.",
        examples=["MAST (SIMBAD)"],
    )


class ResolvedTarget(Document):
    """A body of the solar system."""

    moving: Literal[True] = Field(description="The target moves.", examples=[True])
    name: str = Field(
        description="Full name, which `target` of `/v1/cutouts` takes.", examples=["354 Eleonora (A893 BA)"]
    )
    source: Source = Field(examples=["JPL Horizons"])
