"""Orders for cutouts of images by a shape."""

from __future__ import annotations

import numpy as np

from tessera.sky.footprint import footprint_vectors
from tessera.sky.shapes.parse import parse_shape
from tessera.sky.sphere import unit_vectors
from tessera_cloud.application.backend import HasImages
from tessera_cloud.application.images.index import ServedDataset
from tessera_cloud.application.images.order import ImageOrder, ImageRequest, place_image_order
from tessera_cloud.application.images.served import find_dataset
from tessera_cloud.application.vo.identifiers import PublishedImage
from tessera_cloud.application.vo.soda.parameters import SodaShape


def image_order(image: PublishedImage, given: SodaShape, backend: HasImages) -> ImageOrder | None:
    """Order for a shape of one file of images; None where they do not overlap.

    Raises
    ------
    TooLargeError
        If the cutout is too large.
    """
    shape = parse_shape(given.text)
    footprints = footprint_vectors([part.s_region for part in image.row.images])
    if not shape.overlaps(footprints).any():
        return None
    (ra, dec), points = shape.middle, shape.outline(0.05)[:, 0]
    middle = unit_vectors(np.array([ra]), np.array([dec]))[0]
    side = 2 * float(np.degrees(np.arccos(np.clip((points @ middle).min(), -1.0, 1.0))))
    request = ImageRequest(ra=ra, dec=dec, rows=side, columns=side, unit="d")
    served = find_dataset(image.dataset, backend)
    assert served.index is not None
    only = served.index.model_copy(update={"rows": (image.row,)})
    order = place_image_order(request, [ServedDataset(served.dataset, only)])
    return order if order.images else None
