"""Makes cutouts of FITS images, and pictures of image cutouts, again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord

from tessera.errors import ProvenanceError
from tessera.images.batch import quiet_fits
from tessera.images.cut import ImageCut, ImageCutoutOptions, cut_file
from tessera.images.hdus import cut_hdu, cutout_file, write_bytes
from tessera.images.inputs import ImagePixel
from tessera.images.pictures import Pictured, PictureOptions, build_picture
from tessera.io.sources import Location
from tessera.provenance.record import Origin, Record, from_number
from tessera.roman.file import quiet_asdf
from tessera.roman.origin.asdf_record import AsdfRecipe
from tessera.verify.origins import replaced_problems
from tessera.verify.products.arrays import save_array
from tessera.verify.products.product import MadeAgain, following, in_window
from tessera.verify.report import Problem
from tessera.windows import Placement, Window


def image_again(record: Record, location: Location) -> MadeAgain:
    """Make cutouts of a FITS image again; see `tessera.verify.made_again.make_again`."""
    request = record.request
    sky = SkyCoord(from_number(request["ra"]), from_number(request["dec"]), unit="deg")
    windows = [Window(**item["window"]) for item in request["cuts"]]
    numbers = [int(item["extension"]) for item in request["cuts"]]
    fill_value = from_number(request["fill_value"])
    pairs = list(zip(numbers, windows, strict=True))
    with quiet_fits():
        found = [_cut_again(location, number, window, fill_value) for number, window in pairs]
        day = date.fromisoformat(request["date"])
        hdus = cutout_file([(cut, cut_hdu(cut)) for cut, _ in found], sky, day)
        hdus[0].header["PROCVER"] = record.engine
        content = write_bytes(hdus)
    now = found[0][1]
    return MadeAgain(content, in_window(windows[0]), [] if now is None else replaced_problems(record.origin, now))


def _cut_again(location: Location, number: int, window: Window, fill_value: float) -> tuple[ImageCut, Origin | None]:
    options = ImageCutoutOptions(extension=number, placement=Placement.CENTRE, fill_value=fill_value)
    middle = ImagePixel(window.first_row + (window.n_rows - 1) / 2, window.first_column + (window.n_columns - 1) / 2)
    cuts = cut_file(location, location, [middle], (window.n_columns * u.pix, window.n_rows * u.pix), options)
    part = next(iter(cuts.parts), None)
    if part is None or part.cut is None:
        reason = cuts.error if part is None else part.reason
        if isinstance(reason, OSError):
            raise reason
        raise ProvenanceError(f"extension {number} of {location} cannot be cut: {reason}")
    if part.cut.overlap.window != window:
        raise ProvenanceError(f"the window {window} has no place on extension {number} of {location}")
    return part.cut, cuts.origin


def image_picture_again(record: Record, find: Callable[[Origin], Location | None]) -> MadeAgain:
    """Draw a picture of image cutouts again.

    Parameters
    ----------
    record : Record
        Its record.
    find : callable
        Finds the image of a cutout; None if nobody says where it is.

    Raises
    ------
    ProvenanceError
        When an image is not found, or the record says too little.
    OSError, TesseraError
        When an image cannot be read.
    """
    with following():
        records = [Record.of(document) for document in record.source["cutouts"]]
        return _draw_again(records, PictureOptions(**record.request), find)


def _draw_again(records: list[Record], options: PictureOptions, find: Callable[[Origin], Location | None]) -> MadeAgain:
    cutouts: list[Pictured] = []
    problems: list[Problem] = []
    windows = []
    for one in records:
        location = find(one.origin)
        if location is None:
            raise ProvenanceError(f"its source {one.origin.location} is not beside it; name it with --from")
        cutout, window, now = _pictured(one, location)
        cutouts.append(cutout)
        windows.append(window)
        problems += [] if now is None else replaced_problems(one.origin, now)
    files, place = [one.origin.location for one in records], records[0].request
    levels = np.array(build_picture(cutouts, files, SkyCoord(place["ra"], place["dec"], unit="deg"), options))
    window, top = windows[0], windows[0].n_rows - 1

    def locate(index: tuple[int, ...]) -> dict[str, int]:
        row = top - index[0] if options.flip_orientation else index[0]
        return {"row": window.first_row + row, "column": window.first_column + index[1]}

    return MadeAgain(save_array(levels), locate, problems)


def _pictured(record: Record, location: Location) -> tuple[Pictured, Window, Origin | None]:
    """Cutout of a picture, its window, and what is found of its source."""
    if record.kind == "ASDF image cutout":
        recipe = AsdfRecipe.from_document(record.request)
        with quiet_asdf():
            part = recipe.cut(location)
        if part.cutout is None:
            raise ProvenanceError(f"the image cannot be cut: {part.reason or part.error}")
        return part.cutout, recipe.window, part.origin
    (item,) = record.request["cuts"]
    window, fill_value = Window(**item["window"]), from_number(record.request["fill_value"])
    with quiet_fits():
        cut, origin = _cut_again(location, int(item["extension"]), window, fill_value)
    return cut, window, origin
