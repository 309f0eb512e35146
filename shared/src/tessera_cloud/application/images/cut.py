"""Cuts the images of an order: several files at the same time, each independently of the others."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tessera.errors import ImageFormatError, InvalidInputError
from tessera.images.batch import quiet_fits
from tessera.images.cut import FileCuts, ImageCut, ImageCutoutOptions, cut_file
from tessera.images.pictures import Pictured
from tessera.provenance.record import Origin
from tessera.roman.cut import AsdfOptions, AsdfPart, cut_asdf
from tessera.roman.file import quiet_asdf
from tessera_cloud.application.backend import HasPublicStore
from tessera_cloud.application.images.datasets import store_of
from tessera_cloud.application.images.objects import ObjectSource
from tessera_cloud.application.images.order import ImageOrder, OrderedImage
from tessera_cloud.errors import ForbiddenError, ObjectChangedError, ObjectMissingError, TransientError

FILES_AT_ONCE = 8
_REASON_LENGTH = 300


@dataclass
class Made:
    """Cutouts of one file.

    Parameters
    ----------
    image : OrderedImage
        File that was cut.
    cuts : list of ImageCut
        Cutouts of a FITS file that have pixels.
    part : AsdfPart or None
        Cutout of an ASDF file.
    reason : str
        Error message; empty if the file was cut or the cutout has no pixels.
    gone : bool
        Whether the file is not where the index says.
    origin : Origin or None
        What records say of the file; None if it could not be opened.
    fill_value : float
        Value of pixels beyond the image.
    """

    image: OrderedImage
    cuts: list[ImageCut] = field(default_factory=list)
    part: AsdfPart | None = None
    reason: str = ""
    gone: bool = False
    origin: Origin | None = None
    fill_value: float = math.nan

    @property
    def pictured(self) -> list[tuple[int, Pictured]]:
        """Cutouts that pictures can be made of, with their extension numbers."""
        if self.part is not None and self.part.cutout is not None:
            return [(0, self.part.cutout)]
        return [(cut.extension, cut) for cut in self.cuts]

    @property
    def is_empty(self) -> bool:
        """Whether no cutout has pixels."""
        return not self.cuts and self.part is None


def cut_images(order: ImageOrder, backend: HasPublicStore) -> list[Made]:
    """Cut all files of an order, several at the same time. A file that fails has a reason.

    Raises
    ------
    TransientError, ObjectChangedError
        If the same request may succeed later.
    """

    def cut(image: OrderedImage) -> Made:
        source = ObjectSource(store_of(backend, public=image.public), image.found)
        made = (_cut_asdf if image.kind == "asdf" else _cut_fits)(image, source, order)
        if isinstance(source.error, TransientError | ObjectChangedError):
            raise source.error
        if isinstance(source.error, ObjectMissingError | ForbiddenError):
            made.gone, made.reason = True, "the file is no longer at its source"
        return made

    with quiet_fits(), quiet_asdf(), ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        return list(pool.map(cut, order.images))


def _cut_fits(image: OrderedImage, source: ObjectSource, order: ImageOrder) -> Made:
    def cut(fill: float) -> FileCuts:
        options = ImageCutoutOptions(list(image.extensions), fill_value=fill)
        return cut_file(source, image.found.name, [order.target], order.request.size, options)

    fill = math.nan
    cuts = cut(fill)
    if any(isinstance(part.reason, InvalidInputError) for part in cuts.parts):
        fill = 0.0  # the image has integers, and no value that means "missing"
        cuts = cut(fill)
    found = [part.cut for part in cuts.parts if part.cut is not None]
    failed = [part.reason for part in cuts.parts if part.status == "error"] + [cuts.error]
    failed += [ImageFormatError(f"extension {item!r} is not an image with pixels") for item in cuts.missing]
    reason = next((str(each) for each in failed if each is not None), "")
    if all(cut.is_empty for cut in found):
        found = []
    origin = None if cuts.origin is None else _origin(image, cuts.origin.size)
    return Made(image, found, reason=reason[:_REASON_LENGTH], origin=origin, fill_value=fill)


def _origin(image: OrderedImage, n_bytes: int) -> Origin:
    """What records say of a file that has so many bytes, unpacked if it is packed."""
    found = image.found
    return Origin.of(f"s3://{found.bucket}/{found.key}", n_bytes, found.etag)


def _cut_asdf(image: OrderedImage, source: ObjectSource, order: ImageOrder) -> Made:
    options = AsdfOptions(math.nan, not order.request.full, {})
    (part,) = cut_asdf(source, image.found.name, [order.target], order.request.size, options)
    reason = (part.reason or "it cannot be read") if part.status == "error" else ""
    origin = None if part.origin is None else _origin(image, part.origin.size)
    return Made(image, part=part if part.cutout is not None else None, reason=reason[:_REASON_LENGTH], origin=origin)
