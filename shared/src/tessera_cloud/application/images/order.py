"""What is wanted of images, which files it is about, and whether it can be made while a client waits."""

from __future__ import annotations

import math
from enum import StrEnum
from functools import cached_property
from typing import Literal, TypeAlias

from astropy import units as u
from astropy.coordinates import SkyCoord
from pydantic import model_validator

from tessera.windows import Side
from tessera_cloud.application.images.index import ServedDataset
from tessera_cloud.application.images.messages import FoundImage, ImageFootprint
from tessera_cloud.application.results import order_id
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import TooLargeError

Form: TypeAlias = Literal["fits", "asdf", "png", "jpg"]
Stretch: TypeAlias = Literal["asinh", "sinh", "sqrt", "log", "linear"]
Pair: TypeAlias = tuple[float, float]

MOST_PIXELS = 16_000_000
"""Of all cutouts of a request: they are held in memory, as pixels and as files."""
MOST_IMAGES = 64
"""Files of a request."""
MOST_PACKED_BYTES = 128 << 20
"""Of files that have to be read whole, and unpacked in memory."""
FULL_PLANES = 8
"""Arrays of a whole ASDF tree that are cut: errors and quality beside the image."""
EDGE_BEND = 0.04
"""Of the size of an image: its polygon goes through the corners, and each file's WCS decides."""
MOST_DEGREES = 120.0
"""Of the box in which images are looked for."""


class Protocol(StrEnum):
    """Whose protocol a request speaks, which decides what files it gets."""

    OWN = ""
    ZCUT = "zcut"
    HAPCUT = "hapcut"


class ImageLook(Wire):
    """How a picture looks; limits are percentiles or values."""

    stretch: Stretch = "asinh"
    percent: Pair | None = None
    values: Pair | None = None
    invert: bool = False


class ImageRequest(Wire):
    """Cutouts of images around a position.

    Parameters
    ----------
    ra, dec : float
        ICRS degrees.
    rows, columns : float
        Size, in `unit`.
    unit : {'px', 'd'}
        Pixels or degrees.
    form : {'fits', 'asdf', 'png', 'jpg'}
        Of the answer.
    full : bool
        Whether an ASDF file has the whole tree.
    combine : bool
        Whether FITS cutouts become one, their mean.
    bands : tuple of str
        Those that are wanted; for a picture of three bands red, green and blue. Empty for all.
    look : ImageLook
        Of a picture.
    """

    ra: float
    dec: float
    rows: float
    columns: float
    unit: Literal["px", "d"] = "px"
    form: Form = "fits"
    full: bool = False
    combine: bool = False
    bands: tuple[str, ...] = ()
    look: ImageLook = ImageLook()

    @model_validator(mode="after")
    def _pixels(self) -> ImageRequest:
        if self.unit == "px":
            object.__setattr__(self, "rows", float(max(1, round(self.rows))))
            object.__setattr__(self, "columns", float(max(1, round(self.columns))))
        return self

    @property
    def is_picture(self) -> bool:
        """Whether pictures are wanted, and no data."""
        return self.form in ("png", "jpg")

    @property
    def is_colour(self) -> bool:
        """Whether one picture in three bands is wanted."""
        return self.is_picture and len(self.bands) == 3

    @property
    def size(self) -> tuple[Side, Side]:
        """Columns and rows, as the engine takes them."""
        if self.unit == "d":
            return self.columns * u.deg, self.rows * u.deg
        return round(self.columns), round(self.rows)

    def shape(self, image: ImageFootprint) -> tuple[int, int]:
        """Rows and columns of the cutout of an image, about."""
        if self.unit == "px":
            return round(self.rows), round(self.columns)
        return max(1, round(self.rows / image.row_scale)), max(1, round(self.columns / image.column_scale))

    def side(self, image: ImageFootprint) -> float:
        """Degrees of a box that holds the cutout of an image, however it is turned, and what its edges may bend."""
        rows, columns = self.shape(image)
        around = math.hypot(rows * image.row_scale, columns * image.column_scale)
        bend = EDGE_BEND * max(image.rows * image.row_scale, image.columns * image.column_scale)
        return min(around + bend, MOST_DEGREES)


class OrderedImage(Wire):
    """A file that is cut.

    Parameters
    ----------
    dataset, kind, band, survey : str
        What it is of; the survey is that of the Zcut protocol.
    public : bool
        Whether it is read without credentials.
    found : FoundImage
        Where it is, and its version.
    extensions : tuple of int
        Images that are cut; empty for ASDF.
    pixels : int
        Of its cutouts, about.
    whole : bool
        Whether all of it must be read.
    """

    dataset: str
    kind: str
    band: str
    survey: str
    public: bool
    found: FoundImage
    extensions: tuple[int, ...]
    pixels: int
    whole: bool


class ImageOrder(Wire):
    """A request and the files that it is about, as they were when it was made."""

    request: ImageRequest
    images: tuple[OrderedImage, ...]
    protocol: Protocol = Protocol.OWN

    @cached_property
    def sky(self) -> SkyCoord:
        """The position."""
        return SkyCoord(self.request.ra, self.request.dec, unit="deg")

    @cached_property
    def id(self) -> str:
        """The same for the same request of the same files."""
        files = [(image.dataset, image.band, image.extensions, image.found.model_dump()) for image in self.images]
        return order_id(self.protocol, self.request.model_dump(mode="json"), files)

    def check(self) -> None:
        """Refuse what cannot be made while a client waits.

        Raises
        ------
        TooLargeError
            Naming what is too large, and what is allowed.
        """
        pixels = sum(image.pixels for image in self.images)
        packed = sum(image.found.size for image in self.images if image.whole)
        if pixels > MOST_PIXELS:
            raise TooLargeError.about("size", f"{pixels:,} pixels in all", f"at most {MOST_PIXELS:,}")
        if len(self.images) > MOST_IMAGES:
            raise TooLargeError.about("position", f"on {len(self.images)} images", f"at most {MOST_IMAGES}; name bands")
        if packed > MOST_PACKED_BYTES:
            allowed = f"at most {MOST_PACKED_BYTES:,}; name bands"
            raise TooLargeError.about("position", f"on packed images of {packed:,} bytes", allowed)


def _ordered(served: ServedDataset, request: ImageRequest) -> list[OrderedImage]:
    dataset, found = served.dataset, []
    for row, images in served.near(request.ra, request.dec, request.side):
        if request.bands and row.band not in request.bands:
            continue
        shapes = [request.shape(image) for image in images]
        found.append(
            OrderedImage(
                dataset=dataset.name,
                kind=dataset.kind,
                band=row.band,
                survey=dataset.zcut,
                public=dataset.public,
                found=row.found,
                extensions=() if dataset.kind == "asdf" else tuple(image.extension for image in images),
                pixels=sum(rows * columns for rows, columns in shapes) * (FULL_PLANES if request.full else 1),
                whole=row.whole,
            )
        )
    return found


def place_image_order(
    request: ImageRequest, datasets: list[ServedDataset], protocol: Protocol = Protocol.OWN
) -> ImageOrder:
    """An order for the files of some datasets that a request may touch.

    Raises
    ------
    TooLargeError
        When it cannot be made.
    """
    found = [image for served in datasets for image in _ordered(served, request)]
    order = ImageOrder(request=request, images=tuple(found), protocol=protocol)
    order.check()
    return order
