"""Orders for cutouts of images by a shape."""

from __future__ import annotations

from tessera.cutouts.frame_pixels import about_frame
from tessera.sky.footprint import footprint_vectors, grow
from tessera.sky.shapes.boxes import find_box
from tessera.sky.shapes.parse import parse_shape
from tessera.sky.shapes.shape import Shape
from tessera_cloud.application.backend import HasImages
from tessera_cloud.application.images.messages import ImageFootprint
from tessera_cloud.application.images.order import EDGE_BEND, ImageOrder, ImageRequest, ordered_file
from tessera_cloud.application.images.served import find_dataset
from tessera_cloud.application.vo.identifiers import PublishedImage
from tessera_cloud.application.vo.soda.parameters import SodaShape
from tessera_cloud.errors import TooLargeError


def image_order(image: PublishedImage, given: SodaShape, backend: HasImages) -> ImageOrder | None:
    """Order for a shape of one file of images; None where they do not overlap.

    Raises
    ------
    TooLargeError
        If the cutout is too large.
    """
    shape = parse_shape(given.text)
    near = [part for part in image.row.images if _touches(shape, part)]
    if not near:
        return None
    boxes = [_about_box(shape, part) for part in near]
    (ra, dec), (rows, columns) = shape.middle, max(boxes)
    request = ImageRequest(ra=ra, dec=dec, rows=rows, columns=columns, area=given.text)
    dataset = find_dataset(image.dataset, backend).dataset
    pixels = sum(n_rows * n_columns for n_rows, n_columns in boxes)
    order = ImageOrder(request=request, images=(ordered_file(dataset, image.row, near, pixels),))
    try:
        order.check()
    except TooLargeError as error:
        message = f"{given.parameter} is {given.text!r}: {error}"
        raise TooLargeError(message, parameter=given.parameter, value=given.text, allowed=error.allowed) from error
    return order


def _touches(shape: Shape, part: ImageFootprint) -> bool:
    """Whether a shape may touch an image, whose edges may be bent."""
    margin = EDGE_BEND * max(part.rows * part.row_scale, part.columns * part.column_scale)
    return bool(shape.overlaps(grow(footprint_vectors([part.s_region]), margin))[0])


def _about_box(shape: Shape, part: ImageFootprint) -> tuple[int, int]:
    """Rows and columns of the box on an image, about, as its footprint lets expect."""
    frame = about_frame(footprint_vectors([part.s_region])[0], min(part.row_scale, part.column_scale))
    window = find_box(shape, frame)
    return (1, 1) if window is None else window.shape
