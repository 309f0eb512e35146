"""Files of the answer to an order of images in its protocol: which ones, their names and contents."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, TypeAlias

from astropy import units as u
from astropy.io import fits

from tessera import CutoutsCombiner
from tessera.errors import InvalidInputError
from tessera.images.batch import quiet_fits
from tessera.images.hdus import cut_hdu, cutout_file, file_bytes
from tessera.images.names import cutout_stem, different_names, file_stem, size_text
from tessera.images.origin.image_record import image_record, with_record
from tessera.images.origin.picture_record import recorded_picture
from tessera.images.pictures import Pictured, PictureOptions, build_picture, picture_bytes
from tessera.provenance.record import Origin, Record
from tessera.roman.cut import AsdfPart
from tessera.roman.origin.asdf_record import AsdfRecipe
from tessera.roman.products import fits_object
from tessera.roman.writer import AsdfWriter
from tessera_cloud.application.images.cut import Made
from tessera_cloud.application.images.order import ImageOrder, Protocol
from tessera_cloud.errors import NotFoundError, UsageError

Files: TypeAlias = list[tuple[str, bytes]]
"""Names and contents of files."""


@dataclass(frozen=True, slots=True)
class FilePlan:
    """Plan of the files of an answer.

    Parameters
    ----------
    build : callable
        Builds the files from the cutouts that have pixels, the order, and the day of creation.
    is_file : bool
        Whether the answer is a single file and no archive, if all images can be cut.
    """

    build: Callable[[Sequence[Made], ImageOrder, date], Files]
    is_file: bool = False


def plan_files(order: ImageOrder) -> FilePlan:
    """Plan the files of an order in its protocol."""
    match order.protocol:
        case Protocol.OWN:
            return _own_plan(order)
        case Protocol.ZCUT:
            return FilePlan(partial(_pictures, stem=_zcut_stem) if order.request.is_picture else _survey_files)
        case Protocol.HAPCUT:
            return FilePlan(_hap_files)


def _own_plan(order: ImageOrder) -> FilePlan:
    """One file for a mean, a colour picture or a single image; otherwise a file for each image, or for each picture."""
    request, alone = order.request, len(order.images) == 1
    if request.combine:
        return FilePlan(_mean_file, is_file=True)
    if request.is_colour:
        return FilePlan(_colour_file, is_file=True)
    if request.is_picture:
        return FilePlan(partial(_pictures, stem=_own_stem), is_file=alone and len(order.images[0].extensions) < 2)
    return FilePlan(_asdf_files if request.form == "asdf" else _fits_files, is_file=alone)


# ---------------------------------------------------------------- names


def _own_stem(file: str, order: ImageOrder) -> str:
    return cutout_stem(file_stem(file), order.sky, order.request.size)


def _stem_of(made: Made, order: ImageOrder) -> str:
    """The same for a cutout; that of a shape has the size of its box."""
    stem = file_stem(made.image.found.name)
    if not order.request.area:
        return cutout_stem(stem, order.sky, order.request.size)
    rows, columns = made.pictured[0][1].data.shape[-2:]
    return cutout_stem(stem, order.sky, (columns, rows))


def _zcut_tail(order: ImageOrder) -> str:
    """End of the names of Zcut's files: ``150.100000_2.200000_300.0pix-x-200.0pix_astrocut``."""
    request = order.request
    unit = u.pixel if request.unit == "px" else u.deg
    size = size_text((request.columns * unit, request.rows * unit))
    return f"{request.ra:.6f}_{request.dec:.6f}_{size}_astrocut"


def _zcut_stem(file: str, order: ImageOrder) -> str:
    return f"{file_stem(file)}_{_zcut_tail(order)}"


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{positive if value >= 0 else negative}{abs(value):.4f}".replace(".", "d")


def hap_name(file: str, ra: float, dec: float) -> str:
    """Name of a Hapcut file, such as ``hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_ir_f160w.fits``.

    >>> hap_name("hst_skycell-p2007x09y05_wfc3_ir_f160w_coarse_drz.fits", 351.347812, 28.497808)
    'hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_ir_f160w_coarse.fits'
    """
    stem = re.sub(r"_dr[zc]$", "", file_stem(file)).removeprefix("hst_")
    head, _, rest = stem.partition("_")
    place = f"-{_degrees(ra, 'ra', 'ra')}-{_degrees(dec, 'decn', 'decs')}"
    return f"hst_cutout_{head}{place}{'_' if rest else ''}{rest}.fits"


def _named(names: Sequence[str], contents: Sequence[bytes]) -> Files:
    """Files with these contents; equal names are made different."""
    return list(zip(different_names(names), contents, strict=True))


# ---------------------------------------------------------------- FITS and ASDF


def _hdus(made: Made, order: ImageOrder, day: date, *, with_tree: bool = True) -> fits.HDUList:
    """Cutouts of one image as a FITS file."""
    if made.part is not None:
        tree = AsdfWriter(meta_only=True).write(made.part) if with_tree else None
        return fits_object(made.part, day, tree)
    return cutout_file([(cut, cut_hdu(cut)) for cut in made.cuts], order.sky, day)


def _fits_files(several: Sequence[Made], order: ImageOrder, day: date) -> Files:
    names = [f"{_stem_of(made, order)}.fits" for made in several]
    return _named(names, [_fits_file(made, order, day) for made in several])


def _fits_file(made: Made, order: ImageOrder, day: date) -> bytes:
    """FITS file of one image, with its record."""
    content = file_bytes(_hdus(made, order, day))
    if made.origin is None:
        return content
    if made.part is not None:
        return AsdfRecipe.of(made.part, "fits", day).with_record(content, made.origin)
    return with_record(content, made.origin, made.cuts, sky=order.sky, day=day, fill_value=made.fill_value)


def _asdf_files(several: Sequence[Made], order: ImageOrder, day: date) -> Files:
    parts = [(made, made.part) for made in several if made.part is not None]
    names = [f"{_stem_of(made, order)}.asdf" for made, _ in parts]
    return _named(names, [_asdf_file(part, made.origin, day) for made, part in parts])


def _asdf_file(part: AsdfPart, origin: Origin | None, day: date) -> bytes:
    """ASDF file of one image, with its record."""
    content = AsdfWriter().write(part)
    return content if origin is None else AsdfRecipe.of(part, "asdf", day).with_record(content, origin)


def _mean_file(several: Sequence[Made], order: ImageOrder, day: date) -> Files:
    """Build one FITS file with the mean of all cutouts.

    Raises
    ------
    UsageError
        If the cutouts do not share a grid.
    """
    files: list[Any] = [_hdus(made, order, day, with_tree=False) for made in several]
    try:
        with quiet_fits():
            combined = CutoutsCombiner(files).combine(memory_only=True)
    except InvalidInputError as error:
        message = f"these images cannot be combined: {error}"
        raise UsageError(message, parameter="combine", value="mean", allowed="images that share a grid") from error
    assert isinstance(combined, fits.HDUList)
    stem = cutout_stem(f"{several[0].image.dataset}_mean", order.sky, order.request.size)
    return [(f"{stem}.fits", file_bytes(combined))]


def _survey_files(several: Sequence[Made], order: ImageOrder, day: date) -> Files:
    """Build one FITS file for each survey, in Zcut's form."""
    by_survey: dict[str, list[Made]] = {}
    for made in several:
        by_survey.setdefault(made.image.survey, []).append(made)
    tail = _zcut_tail(order)
    return [
        (f"{survey}_{tail}.fits", file_bytes(_survey_hdus(found, order, day))) for survey, found in by_survey.items()
    ]


def _survey_hdus(several: Sequence[Made], order: ImageOrder, day: date) -> fits.HDUList:
    """Cutouts of one survey as a FITS file."""
    cuts = [(cut, cut_hdu(cut)) for made in several for cut in made.cuts]
    hdus = cutout_file(cuts, order.sky, day)
    for made in several:
        if made.part is not None:
            hdus.extend(_hdus(made, order, day, with_tree=False)[1:])
    return hdus


def _hap_files(several: Sequence[Made], order: ImageOrder, day: date) -> Files:
    """Build one FITS file for each image, in Hapcut's form: extensions keep their names."""
    files = []
    for made in several:
        hdus = _hdus(made, order, day)
        for hdu in hdus[1:]:
            if hdu.header.get("O_EXT_NM"):
                hdu.header["EXTNAME"] = hdu.header["O_EXT_NM"]
        files.append(file_bytes(hdus))
    names = [hap_name(made.image.found.name, order.request.ra, order.request.dec) for made in several]
    return _named(names, files)


# ---------------------------------------------------------------- pictures


_Band: TypeAlias = tuple[Made, Pictured]
"""Cutout that a picture is made of, and those of its file."""


def _picture(bands: Sequence[_Band], order: ImageOrder, day: date) -> bytes:
    """Build a picture of one cutout, or a colour picture of three. Those of our own API have a record."""
    look = order.request.look
    options = PictureOptions(look.stretch, look.percent, look.values, look.invert)
    files = [made.image.found.name for made, _ in bands]
    image = build_picture([cutout for _, cutout in bands], files, order.sky, options)
    suffix = f".{order.request.form}"
    if order.protocol is not Protocol.OWN:
        return picture_bytes(image, suffix)
    records = [_band_record(made, cutout, order, day) for made, cutout in bands]
    return recorded_picture(image, suffix, records, options)


def _band_record(made: Made, cutout: Pictured, order: ImageOrder, day: date) -> Record:
    assert made.origin is not None
    if made.part is not None:
        return AsdfRecipe.of(made.part, "asdf", day).record(made.origin, {})
    cuts = [cut for cut in made.cuts if cut is cutout]
    return image_record(made.origin, cuts, {}, sky=order.sky, day=day, fill_value=made.fill_value)


def _pictures(
    several: Sequence[Made], order: ImageOrder, day: date, *, stem: Callable[[str, ImageOrder], str]
) -> Files:
    """Build a picture of each cutout."""
    shown = [(made, extension, cutout) for made in several for extension, cutout in made.pictured]
    names = [f"{stem(made.image.found.name, order)}_{extension}.{order.request.form}" for made, extension, _ in shown]
    return _named(names, [_picture([(made, cutout)], order, day) for made, _, cutout in shown])


def _colour_file(several: Sequence[Made], order: ImageOrder, day: date) -> Files:
    """Build one colour picture of three bands.

    Raises
    ------
    NotFoundError
        If a band has no pixels at the position.
    UsageError
        If the cutouts of the bands differ in shape or number.
    """
    request = order.request
    chosen: list[_Band] = []
    for band in request.bands:
        of_band = [(made, cutout) for made in several if made.image.band == band for _, cutout in made.pictured]
        if not of_band:
            raise NotFoundError(f"band {band} has no pixels there", parameter="bands", value=band)
        chosen.append(of_band[0])
    try:
        data = _picture(chosen, order, day)
    except InvalidInputError as error:
        raise UsageError(f"these bands do not make one picture: {error}", parameter="bands") from error
    stem = cutout_stem(f"{several[0].image.dataset}_{'-'.join(request.bands)}", order.sky, request.size)
    return [(f"{stem}.{request.form}", data)]
