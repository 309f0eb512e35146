"""Places on the sky in requests: Point and Polygon of GeoJSON, or POLYGON of the IVOA."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from tessera.errors import InvalidValueError
from tessera.sky.footprint import Footprint
from tessera.sky.sphere import unit_vectors
from tessera_cloud.application.cutouts.target import separation
from tessera_cloud.errors import UsageError
from tessera_cloud.http.fields import Dec, Params, Ra
from tessera_cloud.http.framework.forms import together
from tessera_cloud.http.framework.parameters import read_json
from tessera_cloud.http.framework.refusals import TOGETHER

MAX_REACH = 29.0
"""Largest distance of a corner from the middle of a region, in degrees."""
MOST_CORNERS = 100
_ALLOWED = (
    "a GeoJSON Point or Polygon of [ra, dec] in degrees, or POLYGON ra dec ra dec ra dec, "
    f"with ra from -360 to 360, dec from -90 to 90 and at least 3 corners, at most {MOST_CORNERS}"
)


class Position(Params):
    """A position, ICRS."""

    ra: Ra
    dec: Dec

    @property
    def place(self) -> tuple[float, float]:
        """Right ascension from 0 to 360, and declination, in degrees."""
        return self.ra % 360.0, self.dec


class Point(Params):
    """A position in GeoJSON; longitude is right ascension."""

    type: Annotated[Literal["Point"], Field(description="Type of the geometry.", examples=["Point"])]
    coordinates: Annotated[
        tuple[Ra, Dec],
        Field(description="Right ascension and declination in degrees.", examples=[[88.9515, -75.3911]]),
    ]

    @property
    def place(self) -> tuple[float, float]:
        """Right ascension from 0 to 360, and declination, in degrees."""
        return self.coordinates[0] % 360.0, self.coordinates[1]


def _kind_of_place(value: object) -> str:
    given: object = value if isinstance(value, dict) else vars(value) if isinstance(value, Params) else {}
    return "Point" if isinstance(given, dict) and given.keys() & {"type", "coordinates"} else "Position"


Place: TypeAlias = Annotated[
    Annotated[Position, Tag("Position")] | Annotated[Point, Tag("Point")], Discriminator(_kind_of_place)
]
"""A position in either form. Errors are about the form that was meant."""


class Polygon(Params):
    """A polygon in GeoJSON with one ring, which may be closed; longitude is right ascension."""

    type: Annotated[Literal["Polygon"], Field(description="Type of the geometry.", examples=["Polygon"])]
    coordinates: Annotated[
        tuple[
            Annotated[tuple[tuple[Ra, Dec], ...], Field(min_length=3, max_length=MOST_CORNERS, title="corners")], ...
        ],
        Field(
            min_length=1,
            max_length=1,
            title="rings",
            description="One ring of positions, each right ascension and declination in degrees.",
            examples=[[[[88.0, -75.0], [89.0, -75.0], [89.0, -76.0]]]],
        ),
    ]

    @model_validator(mode="after")
    def _is_small(self) -> Polygon:
        n_corners = len(set(self.corners))
        if n_corners < 3:
            raise together("region", f"region has {n_corners} different corners", "at least 3 corners")
        centre = self.centre
        reach = 180.0 if centre is None else max(separation(centre, corner) for corner in self.corners)
        if reach > MAX_REACH:
            said = f"region has a corner {reach:.1f} degrees from its middle"
            raise together("region", said, f"at most {MAX_REACH:g} degrees")
        return self

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """Corners as right ascension and declination in degrees. The first corner is not repeated."""
        ring = tuple((ra % 360.0, dec) for ra, dec in self.coordinates[0])
        return ring[:-1] if ring[0] == ring[-1] else ring

    @property
    def centre(self) -> tuple[float, float] | None:
        """Middle of the corners; None if they surround the whole sky."""
        ra, dec = np.array(self.corners).T
        middle = unit_vectors(ra, dec).mean(axis=0)
        length = float(np.linalg.norm(middle))
        if length < 0.1:
            return None
        x, y, z = middle / length
        return float(np.degrees(np.arctan2(y, x)) % 360.0), float(np.degrees(np.arcsin(np.clip(z, -1, 1))))


def _is_convex(corners: tuple[tuple[float, float], ...]) -> bool:
    ra, dec = np.array(corners).T
    vectors = unit_vectors(ra, dec)
    turns = np.einsum("ij,ij->i", np.cross(vectors, np.roll(vectors, -1, axis=0)), np.roll(vectors, -2, axis=0))
    return bool((turns > -1e-12).all() or (turns < 1e-12).all())


def _geometry(text: str) -> Point | Polygon:
    try:
        if text.lstrip().startswith("{"):
            document = read_json(text, "region")
            kind = Point if isinstance(document, dict) and document.get("type") == "Point" else Polygon
            return kind.model_validate(document)
        vertices = Footprint.parse_s_region(text).vertices
        return Polygon.model_validate({"type": "Polygon", "coordinates": [vertices.tolist()]})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == TOGETHER:
            raise UsageError(first["msg"], parameter="region", value=text, allowed=first["ctx"]["allowed"]) from error
        raise UsageError.about("region", text, _ALLOWED) from error
    except (InvalidValueError, ValueError) as error:
        raise UsageError.about("region", text, _ALLOWED) from error


def parse_region(text: str) -> Footprint | tuple[float, float]:
    """Parse the place of a request for footprints: a polygon, or right ascension and declination of a point.

    Raises
    ------
    UsageError
        If the text is not a place, or if the polygon is not convex.
    """
    geometry = _geometry(text)
    if isinstance(geometry, Point):
        return geometry.place
    if not _is_convex(geometry.corners):
        raise UsageError.about("region", text, "a convex polygon")
    return Footprint(np.array(geometry.corners))
