"""Answers about what a cutout shows, where a place is seen, and what a name means."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tessera_cloud.http.models import Document

Value = float | None
"""Null where nothing is known."""


class PreviewWindow(Document):
    """Pixels of a preview, counted from 0 on the frame; negative beyond its lower edges."""

    first_row: int
    first_column: int
    rows: int
    columns: int


class PreviewTarget(Document):
    """Where the position is on the frame; the centre of the first pixel is 0."""

    row: float
    column: float
    edge_distance_px: float = Field(description="To the nearest edge of the pixels that see the sky; negative beyond.")
    on_silicon: bool = Field(description="Whether the position is on pixels that see the sky.")


class PreviewCurve(Document):
    """A light curve as parallel lists, in order of time."""

    time: list[Value] = Field(description="Mid-exposures, BTJD.")
    flux: list[Value]
    error: list[Value]
    quality: list[int] = Field(description="Bits; 0 is good. Cadences with flags are averaged apart from others.")
    binned: int = Field(description="Cadences of a point, at most.")
    cadences: int = Field(description="Of the cube.")


class PreviewLimits(Document):
    """Percentiles 0.5 and 99.5 of the frames; null where nothing is known."""

    median: list[float] | None
    difference: list[float] | None


class PreviewPictures(Document):
    """The frames as PNG; below the address of the API."""

    median: str
    difference: str


class Preview(Document):
    """What a cutout shows. Frames are lists of rows, the first row first."""

    cube: str
    window: PreviewWindow
    target: PreviewTarget
    aperture: list[list[int]] = Field(description="1 for the pixels whose sum is the light curve.")
    background_subtracted: bool = Field(description="False also where no pixel is outside of the aperture.")
    lightcurve: PreviewCurve
    median: list[list[Value]] = Field(description="Median of the cadences without flags; background included.")
    difference: list[list[Value]] = Field(
        description="Mean of the brightest tenth of the cadences without flags less that of the faintest."
    )
    limits: PreviewLimits
    units: str
    pictures: PreviewPictures


class Sighting(PreviewTarget):
    """A cube that has a pixel at a position."""

    cube: str
    sector: int
    camera: int
    ccd: int
    start: str = Field(description="Day of the first frame.")
    stop: str
    cadence_seconds: int | None
    n_cadences: int


class Sightings(Document):
    """Cubes that have a pixel at a position."""

    ra: float
    dec: float
    cubes: list[Sighting]


class MapCcd(Document):
    """A CCD of a sector."""

    cube: str
    camera: int
    ccd: int
    corners: list[list[float]] = Field(description="Four times right ascension and declination in degrees, ICRS.")


class MapSector(Document):
    """A sector and its CCDs."""

    sector: int
    start: str = Field(description="Day of the first frame.")
    stop: str
    cadence_seconds: int
    ccds: list[MapCcd]


class SkyMap(Document):
    """Footprints of all cubes of a product."""

    sectors: list[MapSector]


class ResolvedPlace(Document):
    """A position, and what it is the position of."""

    name: str
    ra: float
    dec: float
    source: str = Field(description="Who said so; `coordinates` where the name was a position.")


class ResolvedTarget(Document):
    """A body of the solar system."""

    moving: Literal[True]
    name: str = Field(description="Full name, which `target` of `/v1/cutouts` takes.")
    source: str
