"""Answers about neighbouring stars."""

from __future__ import annotations

from pydantic import Field

from tessera_cloud.http.fields import Dec, Document, Ra


class StarCatalogueInfo(Document):
    """The star catalogue of the service."""

    name: str = Field(description="Name of the catalogue.", examples=["Gaia DR3"])
    stars: int = Field(description="Number of all its stars.", examples=[81_123_456])
    epoch: float = Field(description="Julian year of its positions.", examples=[2016.0])
    faintest: float = Field(description="Largest TESS magnitude in it.", examples=[16.0])


class Neighbour(Document):
    """A star of the catalogue."""

    name: str = Field(description="Name of the star.", examples=["Gaia DR3 4623036865373793408"])
    ra: Ra
    dec: Dec
    magnitude: float = Field(description="TESS magnitude.", examples=[12.345])
    distance_arcsec: float = Field(description="Angle to the centre of the circle in arcseconds.", examples=[31.42])
    pm_ra: float | None = Field(
        description="Proper motion in right ascension times cos(dec), mas a year; null if not known.", examples=[12.5]
    )
    pm_dec: float | None = Field(
        description="Proper motion in declination, mas a year; null if not known.", examples=[-3.1]
    )
    row: float | None = Field(
        description="Row on the frames of the cube, the centre of the first is 0; null if there is no cube, or the "
        "frames have no pixel there.",
        examples=[1019.231],
    )
    column: float | None = Field(description="Column on the frames of the cube, as `row`.", examples=[647.802])


class Neighbours(Document):
    """Stars around a position, the brightest first."""

    ra: Ra
    dec: Dec
    radius: float = Field(description="Radius of the circle in degrees.", examples=[0.05])
    epoch: float | None = Field(
        description="Julian year of the positions of the stars; null if there is no catalogue.", examples=[2018.6]
    )
    catalogue: StarCatalogueInfo | None = Field(description="The catalogue; null if the service has none.")
    reason: str | None = Field(
        description="Why there is no star here; null if there are some.",
        examples=["This service has no catalogue of stars."],
    )
    total: int = Field(description="Number of stars in the circle, which may be more than `limit`.", examples=[57])
    stars: list[Neighbour] = Field(description="The stars, the brightest first.")
