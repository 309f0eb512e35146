"""Requests for cutouts of images, the files that they need, and the limits of what a client can wait for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import model_validator

from tessera.sky.shapes.parse import parse_shape
from tessera.sky.shapes.shape import Shape
from tessera.windows import Side
from tessera_cloud.application.images.datasets import Dataset
from tessera_cloud.application.images.index import ServedDataset
from tessera_cloud.application.images.messages import FoundImage, ImageFootprint, ImageRow
from tessera_cloud.application.results import order_id
from tessera_cloud.contracts import Asked, Wire
from tessera_cloud.errors import TooLargeError

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

Form: TypeAlias = Literal["fits", "asdf", "png", "jpg"]
Stretch: TypeAlias = Literal["asinh", "sinh", "sqrt", "log", "linear"]
Pair: TypeAlias = tuple[float, float]

MOST_PIXELS = 16_000_000
"""Largest number of pixels of all cutouts of a request. They are held in memory, as pixels and as files."""
MOST_IMAGES = 64
"""Largest number of files of a request."""
MOST_PACKED_BYTES = 128 << 20
"""Largest size in bytes of all packed files of a request, which are read whole and unpacked in memory."""
FULL_PLANES = 8
"""Number of arrays that are cut of a whole ASDF tree: the image, and others such as errors and quality."""
EDGE_BEND = 0.04
"""Bend of an image's edges, as a fraction of its size. Polygons have straight edges; later the WCS decides."""
MOST_DEGREES = 120.0
"""Largest side of the box in which images are searched, in degrees."""


class Protocol(StrEnum):
    """Protocol of a request, which decides the files of its answer."""

    OWN = ""
    ZCUT = "zcut"
    HAPCUT = "hapcut"


class ImageLook(Asked):
    """Look of a picture. Limits are percentiles or values."""

    stretch: Stretch = "asinh"
    percent: Pair | None = None
    values: Pair | None = None
    invert: bool = False


class ImageRequest(Asked):
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
        Format of the answer.
    full : bool
        Whether an ASDF file has the whole tree.
    combine : bool
        Whether FITS cutouts are combined to their mean.
    bands : tuple of str
        Bands to cut; red, green and blue for a colour picture. Empty for all.
    look : ImageLook
        Look of a picture.
    area : str
        Shape whose box is cut whatever the size, as `tessera.sky.shapes.parse.parse_shape` reads it. Then `ra` and
        `dec` are its middle, and `rows` and `columns` are about those of the box.
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
    area: str = ""

    @model_validator(mode="after")
    def _pixels(self) -> ImageRequest:
        if self.unit == "px":
            object.__setattr__(self, "rows", float(max(1, round(self.rows))))
            object.__setattr__(self, "columns", float(max(1, round(self.columns))))
        return self

    @property
    def is_picture(self) -> bool:
        """Whether the answer has pictures instead of data."""
        return self.form in ("png", "jpg")

    @property
    def is_colour(self) -> bool:
        """Whether the answer is one colour picture of three bands."""
        return self.is_picture and len(self.bands) == 3

    @property
    def size(self) -> tuple[Side, Side]:
        """Columns and rows, in the engine's form."""
        if self.unit == "d":
            from astropy import units as u  # noqa: PLC0415 - see `ImageOrder.sky`

            return self.columns * u.deg, self.rows * u.deg
        return round(self.columns), round(self.rows)

    def shape(self, image: ImageFootprint) -> tuple[int, int]:
        """Approximate numbers of rows and columns of the cutout of an image."""
        if self.unit == "px":
            return round(self.rows), round(self.columns)
        return max(1, round(self.rows / image.row_scale)), max(1, round(self.columns / image.column_scale))

    def side(self, image: ImageFootprint) -> float:
        """Side in degrees of a box that holds the cutout of an image at any rotation, with a margin for bent edges."""
        rows, columns = self.shape(image)
        around = math.hypot(rows * image.row_scale, columns * image.column_scale)
        bend = EDGE_BEND * max(image.rows * image.row_scale, image.columns * image.column_scale)
        return min(around + bend, MOST_DEGREES)


class OrderedImage(Wire):
    """A file to cut.

    Parameters
    ----------
    dataset, kind, band, survey : str
        Dataset and its kind, band of the file, and survey in the Zcut protocol.
    public : bool
        Whether the file is read without credentials.
    found : FoundImage
        Place and version of the file.
    extensions : tuple of int
        Numbers of the images to cut; empty for ASDF.
    pixels : int
        Approximate number of pixels of its cutouts.
    whole : bool
        Whether any cutout must read the whole file.
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
    """A request and the files that it needs, with their versions at the time of the request."""

    request: ImageRequest
    images: tuple[OrderedImage, ...]
    protocol: Protocol = Protocol.OWN

    @cached_property
    def sky(self) -> SkyCoord:
        """Position of the cutouts."""
        from astropy.coordinates import SkyCoord  # noqa: PLC0415 - takes half a second; many requests cut nothing

        return SkyCoord(self.request.ra, self.request.dec, unit="deg")

    @cached_property
    def target(self) -> SkyCoord | Shape:
        """What is cut: the position, or the shape."""
        return parse_shape(self.request.area) if self.request.area else self.sky

    @cached_property
    def id(self) -> str:
        """Hash of the request and its files. It is the same for the same request of the same files."""
        files = [(image.dataset, image.band, image.extensions, image.found.model_dump()) for image in self.images]
        return order_id(self.protocol, self.request.model_dump(mode="json"), files)

    def check(self) -> None:
        """Check the limits of what a client can wait for.

        Raises
        ------
        TooLargeError
            If a limit is exceeded. The message names it.
        """
        pixels = sum(image.pixels for image in self.images)
        packed = sum(image.found.size for image in self.images if image.whole)
        if pixels > MOST_PIXELS:
            value, allowed = f"{pixels:,} pixels in all", f"at most {MOST_PIXELS:,}"
            raise TooLargeError(f"size is {value}; allowed: {allowed}", parameter="size", value=value, allowed=allowed)
        if len(self.images) > MOST_IMAGES:
            raise TooLargeError.about("position", f"on {len(self.images)} images", f"at most {MOST_IMAGES}; name bands")
        if packed > MOST_PACKED_BYTES:
            allowed = f"at most {MOST_PACKED_BYTES:,}; name bands"
            raise TooLargeError.about("position", f"on packed images of {packed:,} bytes", allowed)


def ordered_file(dataset: Dataset, row: ImageRow, images: Sequence[ImageFootprint], pixels: int) -> OrderedImage:
    """A file to cut: some of its images, in cutouts of about so many pixels in all."""
    return OrderedImage(
        dataset=dataset.name,
        kind=dataset.kind,
        band=row.band,
        survey=dataset.zcut,
        public=dataset.public,
        found=row.found,
        extensions=() if dataset.kind == "asdf" else tuple(image.extension for image in images),
        pixels=pixels,
        whole=row.whole,
    )


def _ordered(served: ServedDataset, request: ImageRequest) -> list[OrderedImage]:
    dataset, found = served.dataset, []
    for row, images in served.near(request.ra, request.dec, request.side):
        if request.bands and row.band not in request.bands:
            continue
        shapes = [request.shape(image) for image in images]
        pixels = sum(rows * columns for rows, columns in shapes) * (FULL_PLANES if request.full else 1)
        found.append(ordered_file(dataset, row, images, pixels))
    return found


def place_image_order(
    request: ImageRequest, datasets: list[ServedDataset], protocol: Protocol = Protocol.OWN
) -> ImageOrder:
    """Build the order of a request for some datasets.

    Parameters
    ----------
    request : ImageRequest
        Position, size and form of the cutouts.
    datasets : list of ServedDataset
        Datasets to search.
    protocol : Protocol, optional
        Protocol of the request.

    Returns
    -------
    ImageOrder
        Request and the files that it may touch.

    Raises
    ------
    TooLargeError
        If the order exceeds a limit.
    """
    found = [image for served in datasets for image in _ordered(served, request)]
    order = ImageOrder(request=request, images=tuple(found), protocol=protocol)
    order.check()
    return order
