"""Parameters of requests for previews, maps and names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tessera_cloud.http.cutouts.queries import Aperture, NamedCube, SidesText
from tessera_cloud.http.fields import Dec, Params, Product, Ra
from tessera_cloud.http.lightcurves.measures import BackgroundName, DetrendChoice, SmallSides

MAX_POINTS = 100_000
MAX_SCALE = 40


class WindowQuery(Params):
    """A window around a position on one cube."""

    cube: NamedCube
    ra: Ra
    dec: Dec
    size: SmallSides = "15"


class FramesQuery(WindowQuery):
    """A window around a position on one cube, and some of its cadences."""

    first: Annotated[int, Field(ge=0, description="First cadence, counted from 0.", examples=[0])] = 0
    count: Annotated[
        int | None,
        Field(
            ge=1,
            description="Number of cadences; fewer at the end of the cube. By default, as many as 4 MB can have.",
            examples=[1000],
        ),
    ] = None


class PreviewQuery(WindowQuery):
    """A window around a position on one cube, and options of its preview."""

    background: BackgroundName = "median"
    points: Annotated[
        int, Field(ge=10, le=MAX_POINTS, description="Largest number of points of the light curve.", examples=[2000])
    ] = 2000
    aperture: Annotated[
        Aperture,
        Field(
            description="Pixels of the aperture as hexadecimal digits, row by row; the first pixel is the highest bit "
            "of the first digit, and zeros fill the last one. By default the aperture has the target's pixel and its "
            "neighbours that are 3 sigma above the median.",
            examples=["07c0"],
        ),
    ] = ""

    detrend: DetrendChoice = "none"


class CurveQuery(PreviewQuery):
    """A window around a position on one cube; the light curve has all cadences by default."""

    points: Annotated[
        int,
        Field(ge=10, le=MAX_POINTS, description="Largest number of rows; by default all cadences.", examples=[2000]),
    ] = MAX_POINTS


class PictureQuery(PreviewQuery):
    """Frame to draw, and its look."""

    image: Annotated[Literal["median", "difference"], Field(description="Frame to draw.", examples=["median"])] = (
        "median"
    )
    stretch: Annotated[
        Literal["asinh", "linear", "log", "sqrt"], Field(description="Stretch of the picture.", examples=["asinh"])
    ] = "asinh"
    scale: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_SCALE,
            description="Side of a pixel of the frame in the picture, which has at most 2,000 pixels.",
            examples=[8],
        ),
    ] = 8


class SightingQuery(Params):
    """A position."""

    ra: Ra
    dec: Dec
    product: Product = "SPOC"
    size: (
        Annotated[
            SidesText,
            Field(
                description="Pixels of a window, or rows and columns: `10`, `10,20`. With it, the answer counts the "
                "science pixels of the window whose centre pixel has the position.",
                examples=["11"],
            ),
        ]
        | None
    ) = None

    @property
    def sides(self) -> tuple[int, int] | None:
        """Rows and columns of the window; None without a window."""
        if self.size is None:
            return None
        sides = [int(side) for side in self.size.split(",")]
        return sides[0], sides[-1]


class MapQuery(Params):
    """Filter of footprints."""

    product: Product = "SPOC"


class NameQuery(Params):
    """A name, or a written position."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Name or position: `TIC 261136679`, `pi Men`, `88.95 -75.39`, `05:55:48.4 -75:23:28`, "
            "`5h55m48.4s -75d23m28s`.",
            examples=["05:55:48.4 -75:23:28"],
        ),
    ]
    moving: Annotated[
        bool, Field(description="Whether the name is that of a body of the solar system.", examples=[False])
    ] = False
