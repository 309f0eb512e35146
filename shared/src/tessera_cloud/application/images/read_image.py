"""Reads one file of images for the index: headers and WCS, and no pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from tessera.errors import ImageFormatError, TesseraError
from tessera.images.batch import quiet_fits
from tessera.images.extensions import check_extension
from tessera.images.file import ImageFile, open_images
from tessera.images.wcs import scales_at, sky_of_pixels
from tessera.roman.file import open_asdf, quiet_asdf
from tessera.roman.wcs import pixel_scales, to_sky
from tessera.sky.footprint import Footprint
from tessera.sky.sphere import unit_vectors
from tessera_cloud import keys
from tessera_cloud.application.backend import HasPublicStore
from tessera_cloud.application.images.datasets import store_of
from tessera_cloud.application.images.messages import ImageFootprint, ImageOutcome, ImageRow, ImageTask
from tessera_cloud.application.images.objects import ObjectSource
from tessera_cloud.errors import FatalError, TransientError

MOST_PACKED_BYTES = 128 << 20
"""Largest size in bytes of a packed file, which any cutout must read whole."""
MOST_DEGREES = 90.0
"""Largest side of an image in degrees. The corners of a larger image do not determine its outline."""
_PACKED = (b"\x1f\x8b", b"BZh")
_REASON_LENGTH = 300


def _footprint(sky: Any, **about: Any) -> ImageFootprint:
    """Image of the index, from the positions of its corners: (4, 2) degrees of RA and Dec."""
    vertices = np.asarray(sky, np.float64)
    vertices[:, 0] %= 360.0
    if not np.isfinite(vertices).all():
        raise ImageFormatError("its WCS gives no positions for the corners of the image")
    vectors = unit_vectors(*vertices.T)
    lengths = np.linalg.norm(vectors - np.roll(vectors, -1, axis=0), axis=1)
    if lengths.max() > 2 * np.sin(np.radians(MOST_DEGREES / 2)) or lengths.min() == 0:
        raise ImageFormatError(f"its sides are not between 0 and {MOST_DEGREES:g} degrees on the sky")
    return ImageFootprint(s_region=Footprint(vertices).format_s_region(), **about)


def _corners(rows: int, columns: int) -> tuple[Any, Any]:
    """Columns and rows of the four corner pixels."""
    return np.array([0, 0, columns - 1, columns - 1]), np.array([0, rows - 1, rows - 1, 0])


def _fits_image(file: ImageFile, number: int) -> ImageFootprint:
    shape = file.shape(number)
    if len(shape) > 2:
        raise ImageFormatError(f"its shape is {shape}; the service cuts images of two axes, and the library cubes too")
    rows, columns = shape
    header = file.header(number)
    wcs = file.wcs(header)
    per_row, per_column = scales_at(wcs, (rows - 1) / 2, (columns - 1) / 2)
    return _footprint(
        sky_of_pixels(wcs, np.column_stack(_corners(rows, columns))),
        extension=number,
        name=str(header.get("EXTNAME") or ""),
        rows=rows,
        columns=columns,
        row_scale=per_row,
        column_scale=per_column,
    )


def _read_fits(source: ObjectSource, extension: Any) -> tuple[ImageFootprint, ...]:
    with quiet_fits(), open_images(source) as file:
        numbers, missing = file.choose(check_extension(extension))
        if not numbers:
            raise ImageFormatError(f"no image with pixels, of extensions {missing or 'of any name'}")
        return tuple(_fits_image(file, number) for number in numbers)


def _read_asdf(source: ObjectSource) -> tuple[ImageFootprint, bool]:
    """Image of an ASDF file, and whether its arrays are packed."""
    with quiet_asdf(), open_asdf(source, source.name, {}) as image:
        rows, columns = image.shape
        sky = np.column_stack(to_sky(image.wcs, *_corners(rows, columns)))
        scales = pixel_scales(image.wcs, np.array([(columns - 1) / 2]), np.array([(rows - 1) / 2]))
        per_column, per_row = (float(scale) for scale in np.ravel(scales)[:2])
        about = {"extension": 0, "name": "data", "rows": rows, "columns": columns}
        packed = not image.data.is_plain
    return _footprint(sky, row_scale=per_row, column_scale=per_column, **about), packed


def _check_packed(source: ObjectSource) -> None:
    if source.size > MOST_PACKED_BYTES:
        allowed = f"allowed: {MOST_PACKED_BYTES:,}"
        raise ImageFormatError(
            f"it is packed, so it cannot be read in parts, and it has {source.size:,} bytes; {allowed}"
        )


def _read(task: ImageTask, source: ObjectSource) -> ImageRow:
    whole = source.read(0, min(3, source.size)).startswith(_PACKED)
    if whole:
        _check_packed(source)
    if task.kind == "asdf":
        image, packed = _read_asdf(source)
        whole = whole or packed
        images: tuple[ImageFootprint, ...] = (image,)
    else:
        images = _read_fits(source, task.extension)
    if whole:
        _check_packed(source)
    return ImageRow(found=task.image, band=task.band, whole=whole, images=images)


def read_image_row(task: ImageTask, backend: HasPublicStore) -> ImageOutcome:
    """Read the headers of a file, and write the outcome: a row of the index, or the reason why there is none.

    Raises
    ------
    TransientError
        If the same call may succeed later. No outcome is written then.
    """
    source = ObjectSource(store_of(backend, public=task.public), task.image)
    try:
        outcome = ImageOutcome(dataset=task.dataset, found=task.image, row=_read(task, source))
    except (TesseraError, FatalError, OSError, ValueError, TypeError, LookupError, RuntimeError) as error:
        if isinstance(source.error, TransientError):
            raise source.error from error
        reason = f"{type(error).__name__}: {error}"[:_REASON_LENGTH]
        outcome = ImageOutcome(dataset=task.dataset, found=task.image, reason=reason)
    key = keys.image_outcome(task.run, task.number)
    backend.store.write(backend.settings.cube_bucket, key, outcome.model_dump_json().encode())
    return outcome
