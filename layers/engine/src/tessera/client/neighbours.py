"""Ask a service for the stars around a position."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from tessera.checks import check_integer, check_number
from tessera.client.cuts.cutting import settle_position
from tessera.client.places import TargetInput, check_cube
from tessera.client.wire.documents import Fields, ask
from tessera.client.wire.steps import Service, Steps
from tessera.errors import InvalidInputError

_RADIUS = "degrees above 0, at most 0.5"
_EPOCH = "a Julian year from 1900 to 2100"


@dataclass(frozen=True)
class NeighbourStar:
    """A star of the catalogue of a service.

    Parameters
    ----------
    name : str
        Name, such as ``Gaia DR3 4623036865373793408``.
    ra, dec : float
        Position at the epoch of the answer, ICRS degrees.
    magnitude : float
        TESS magnitude.
    distance : float
        Angle to the position that was asked for, arcseconds.
    pm_ra, pm_dec : float or None
        Proper motion in mas a year, in right ascension times cos(dec) and in declination; None if not known.
    row, column : float or None
        Pixel on the frames of the cube, the centre of the first is 0; None without a cube, or beyond its frames.
    """

    name: str
    ra: float
    dec: float
    magnitude: float
    distance: float
    pm_ra: float | None
    pm_dec: float | None
    row: float | None
    column: float | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        known = (fields.number(name) for name in ("ra", "dec", "magnitude", "distance_arcsec"))
        more = (fields.optional_number(name) for name in ("pm_ra", "pm_dec", "row", "column"))
        return cls(fields.text("name"), *known, *more)


@dataclass(frozen=True)
class Neighbours:
    """Stars around a position.

    Parameters
    ----------
    catalogue : str
        Name of the catalogue; empty if the service has none.
    epoch : float or None
        Julian year of the positions; None without a catalogue.
    reason : str
        Why there is no star; empty if there are some.
    total : int
        Number of stars in the circle, which may be more than are here.
    stars : tuple of NeighbourStar
        The stars, the brightest first.
    """

    catalogue: str
    epoch: float | None
    reason: str
    total: int
    stars: tuple[NeighbourStar, ...] = field(repr=False)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        catalogue = fields.optional_fields("catalogue")
        return cls(
            "" if catalogue is None else catalogue.text("name"),
            fields.optional_number("epoch"),
            fields.optional_text("reason"),
            fields.integer("total"),
            tuple(map(NeighbourStar.read, fields.each("stars"))),
        )


class NeighbourOperations:
    """Operations of a service on the stars around a position."""

    service: Service

    def neighbours(
        self,
        target: TargetInput,
        radius: float = 0.05,
        *,
        cube: str | None = None,
        epoch: float | None = None,
        limit: int = 1000,
    ) -> Steps[Neighbours]:
        """Ask for the stars around a position, from the catalogue of the service.

        Parameters
        ----------
        target : (ra, dec), SkyCoord or str
            Position in degrees, name or written position.
        radius : float, optional
            Radius in degrees, at most 0.5.
        cube : str, optional
            Name of a cube such as ``tess-s0001-4-2``: stars then have their pixel on its frames.
        epoch : float, optional
            Julian year to which proper motions bring the stars, 1900 to 2100; by default the middle of the times of the
            cube, or the epoch of the catalogue.
        limit : int, optional
            Largest number of stars, at most 5,000. The brightest are kept.

        Returns
        -------
        Neighbours
            The stars, or the reason why there are none.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        NothingFoundError
            When nobody knows the name.
        ServiceError
            When there is no such cube, there are too many stars, or the service cannot answer.
        """
        degrees = check_number("radius", radius, _RADIUS)
        if not 0 < degrees <= 0.5:
            raise InvalidInputError("radius", radius, _RADIUS)
        query: dict[str, Any] = {"radius": degrees, "limit": check_integer("limit", limit, 1, 5000)}
        if cube is not None:
            query["cube"] = check_cube(cube)
        if epoch is not None:
            query["epoch"] = check_number("epoch", epoch, _EPOCH)
            if not 1900 <= query["epoch"] <= 2100:
                raise InvalidInputError("epoch", epoch, _EPOCH)
        place = yield from settle_position(target, self.service)
        request = self.service.get("/v1/neighbours", ra=place.ra, dec=place.dec, **query)
        return (yield from ask(request, self.service, Neighbours.read))
