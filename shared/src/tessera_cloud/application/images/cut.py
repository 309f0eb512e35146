"""Making files of cutouts: one file of images at a time, and what becomes of several together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from astropy.coordinates import SkyCoord
from astropy.io import fits

from tessera.compat.images.cutouts_combiner import CutoutsCombiner
from tessera.errors import InvalidInputError
from tessera.images.batch import quiet_fits
from tessera.images.cut import CutOptions, FileCuts, ImageCut, cut_file
from tessera.images.hdus import cut_hdu, cutout_file, file_bytes
from tessera.images.names import cutout_stem, file_stem
from tessera.images.pictures import Pictured, PictureOptions, make_picture, picture_bytes
from tessera.roman.cut import AsdfOptions, AsdfPart, cut_asdf
from tessera.roman.file import quiet_asdf
from tessera.roman.products import fits_object
from tessera.roman.writer import AsdfWriter
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.images.objects import ObjectSource, store_of
from tessera_cloud.application.images.order import ImageLook, ImageOrder, OrderedImage
from tessera_cloud.errors import NotFoundError, TransientError, UsageError

FILES_AT_ONCE = 8
_REASON_LENGTH = 300


@dataclass
class Made:
    """The cutouts of one file.

    Parameters
    ----------
    image : OrderedImage
        Of which.
    sky : SkyCoord
        Target.
    cuts : list of ImageCut
        Those of a FITS file with pixels.
    part : AsdfPart or None
        That of an ASDF file.
    reason : str
        What failed; empty where nothing did, also where there are no pixels.
    """

    image: OrderedImage
    sky: SkyCoord
    cuts: list[ImageCut] = field(default_factory=list)
    part: AsdfPart | None = None
    reason: str = ""

    @property
    def pictured(self) -> list[tuple[int, Pictured]]:
        """What pictures show, and the numbers of their extensions."""
        if self.part is not None and self.part.cutout is not None:
            return [(0, self.part.cutout)]
        return [(cut.extension, cut) for cut in self.cuts]

    @property
    def is_empty(self) -> bool:
        """Whether there are no pixels."""
        return not self.cuts and self.part is None

    def hdus(self, day: date, *, with_tree: bool = True) -> fits.HDUList:
        """A FITS file of them."""
        if self.part is not None:
            tree = AsdfWriter(meta_only=True).write(self.part) if with_tree else None
            return fits_object(self.part, day, tree)
        return cutout_file([(cut, cut_hdu(cut)) for cut in self.cuts], self.sky, day)


def cut_images(order: ImageOrder, backend: Backend) -> list[Made]:
    """Cut all files of an order, several at the same time; one that fails has a reason.

    Raises
    ------
    TransientError, ObjectChangedError
        When asking again may help.
    """
    request = order.request
    sky = SkyCoord(request.ra, request.dec, unit="deg")

    def cut(image: OrderedImage) -> Made:
        source = ObjectSource(store_of(backend, public=image.public), image.found)
        made = (_cut_asdf if image.kind == "asdf" else _cut_fits)(image, source, sky, order)
        if isinstance(source.error, TransientError) or type(source.error).__name__ == "ObjectChangedError":
            assert source.error is not None
            raise source.error
        return made

    with quiet_fits(), quiet_asdf(), ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        return list(pool.map(cut, order.images))


def _cut_fits(image: OrderedImage, source: ObjectSource, sky: SkyCoord, order: ImageOrder) -> Made:
    def cut(fill: float) -> FileCuts:
        options = CutOptions(list(image.extensions), fill_value=fill)
        return cut_file(source, image.found.name, [sky], order.request.size, options)

    cuts = cut(math.nan)
    if any(isinstance(part.reason, InvalidInputError) for part in cuts.parts):
        cuts = cut(0.0)  # an image of integers that has no value for missing ones
    found = [part.cut for part in cuts.parts if part.cut is not None]
    failed = [part.reason for part in cuts.parts if part.status == "error"] + [cuts.error]
    reason = next((f"{type(each).__name__}: {each}" for each in failed if each is not None), "")
    if all(cut.is_empty for cut in found):
        found = []
    return Made(image, sky, found, reason=reason[:_REASON_LENGTH])


def _cut_asdf(image: OrderedImage, source: ObjectSource, sky: SkyCoord, order: ImageOrder) -> Made:
    options = AsdfOptions(math.nan, not order.request.full, {})
    (part,) = cut_asdf(source, image.found.name, [sky], order.request.size, options)
    reason = (part.reason or "it cannot be read") if part.status == "error" else ""
    return Made(image, sky, part=part if part.cutout is not None else None, reason=reason[:_REASON_LENGTH])


def name_of(made: Made, order: ImageOrder, suffix: str) -> str:
    """File name of the cutouts of one file."""
    return cutout_stem(file_stem(made.image.found.name), made.sky, order.request.size) + suffix


def _look(look: ImageLook) -> PictureOptions:
    return PictureOptions(look.stretch, look.percent, look.values, look.invert)


def picture(cutouts: Sequence[Pictured], files: Sequence[str], sky: SkyCoord, order: ImageOrder) -> bytes:
    """A picture of one cutout, or of three."""
    made = make_picture(cutouts, files, sky, _look(order.request.look))
    return picture_bytes(made, f".{order.request.form}")


def make_pictures(made: Made, order: ImageOrder) -> list[tuple[str, bytes]]:
    """A picture of each cutout of a file."""
    suffix, name = f".{order.request.form}", made.image.found.name
    return [
        (name_of(made, order, f"_{extension}{suffix}"), picture([cutout], [name], made.sky, order))
        for extension, cutout in made.pictured
    ]


def make_colours(several: Sequence[Made], order: ImageOrder) -> tuple[str, bytes]:
    """A picture in three bands.

    Raises
    ------
    NotFoundError
        When a band has no pixels there.
    UsageError
        When the bands do not go together.
    """
    chosen: list[Pictured] = []
    files: list[str] = []
    for band in order.request.bands:
        of_band = [(made, cutout) for made in several if made.image.band == band for _, cutout in made.pictured]
        if not of_band:
            raise NotFoundError(f"band {band} has no pixels there", parameter="bands", value=band)
        chosen.append(of_band[0][1])
        files.append(of_band[0][0].image.found.name)
    sky = several[0].sky
    stem = f"{several[0].image.dataset}_{'-'.join(order.request.bands)}"
    try:
        data = picture(chosen, files, sky, order)
    except InvalidInputError as error:
        raise UsageError(f"these bands do not make one picture: {error}", parameter="bands") from error
    return f"{cutout_stem(stem, sky, order.request.size)}.{order.request.form}", data


def make_mean(several: Sequence[Made], order: ImageOrder, day: date) -> tuple[str, bytes]:
    """One FITS file of the mean of all cutouts.

    Raises
    ------
    UsageError
        When they do not share a grid.
    """
    files: list[Any] = [made.hdus(day, with_tree=False) for made in several]
    try:
        with quiet_fits():
            combined = CutoutsCombiner(files).combine(memory_only=True)
    except InvalidInputError as error:
        message = f"these images cannot be combined: {error}"
        raise UsageError(message, parameter="combine", value="mean", allowed="images that share a grid") from error
    assert isinstance(combined, fits.HDUList)
    name = cutout_stem(f"{several[0].image.dataset}_mean", several[0].sky, order.request.size)
    return f"{name}.fits", file_bytes(combined)


def make_file(made: Made, order: ImageOrder, day: date) -> list[tuple[str, bytes]]:
    """The files of one file's cutouts."""
    form = order.request.form
    if form in ("png", "jpg"):
        return make_pictures(made, order)
    if form == "asdf":
        assert made.part is not None
        return [(name_of(made, order, ".asdf"), AsdfWriter().write(made.part))]
    return [(name_of(made, order, ".fits"), file_bytes(made.hdus(day)))]
