"""Orders for previews of files of images."""

from __future__ import annotations

from tessera.sky.footprint import Footprint
from tessera.sky.shapes.polygon import Polygon
from tessera_cloud.application.backend import HasImages
from tessera_cloud.application.images.index import ServedDataset
from tessera_cloud.application.images.order import ImageLook, ImageOrder, ImageRequest, place_image_order
from tessera_cloud.application.images.served import find_dataset
from tessera_cloud.application.vo.identifiers import PublishedImage

_MOST_SIDE = 300
"""Largest side of a preview, in pixels of the image."""


def preview_order(of: PublishedImage, backend: HasImages) -> ImageOrder | None:
    """Order for a picture of the middle of the first image of a file; None if no image of it has a WCS.

    Raises
    ------
    TooLargeError
        If the file is packed and too large to be read.
    """
    if not of.row.images:
        return None
    image = of.row.images[0]
    outline = Footprint.parse_s_region(image.s_region).vertices
    ra, dec = Polygon(tuple((float(one), float(other)) for one, other in outline)).middle
    side = float(min(image.rows, image.columns, _MOST_SIDE))
    look = ImageLook(percent=(0.5, 99.5))
    request = ImageRequest(ra=ra, dec=dec, rows=side, columns=side, form="png", look=look)
    served = find_dataset(of.dataset, backend)
    assert served.index is not None
    only = served.index.model_copy(update={"rows": (of.row.model_copy(update={"images": (image,)}),)})
    return place_image_order(request, [ServedDataset(served.dataset, only)])
