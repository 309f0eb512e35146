"""Cutouts of many targets from many files of images: the native way, which `FITSCutout` is made of.

Nothing here raises for one bad item of a batch: every target, file and extension has its own result.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import FITSFixedWarning

from tessera.errors import UNUSABLE
from tessera.images.cut import FileCuts, ImageCutoutOptions, ImagePart, cut_file
from tessera.images.cut_targets import PartStatus
from tessera.images.file import check_extension
from tessera.images.hdus import cut_hdu, cutout_file, write_bytes
from tessera.images.inputs import label_inputs
from tessera.images.names import cutout_stem, different_names, file_stem
from tessera.inputs import Coordinates, CutoutSize, check_fill_value, parse_coordinates, parse_size_input
from tessera.io.file_objects import ImageInput
from tessera.io.files import output_folder, write_pieces
from tessera.windows import Side

if TYPE_CHECKING:
    from tessera.io.sources import Location

FILES_AT_ONCE = 16
"""Files that are worked on at the same time."""


def cut_files(
    files: Mapping[Location, ImageInput],
    targets: Sequence[SkyCoord],
    size: tuple[Side, Side],
    options: ImageCutoutOptions,
) -> list[FileCuts]:
    """Cut all targets out of all files, several files at the same time; the order is that of the files."""
    with ThreadPoolExecutor(min(FILES_AT_ONCE, len(files))) as pool:
        return list(pool.map(lambda item: cut_file(item[1], item[0], targets, size, options), files.items()))


@dataclass(frozen=True)
class ImageCutoutResult:
    """What became of one target in one extension of one file.

    Parameters
    ----------
    file : str or Path
        As it was given.
    ra, dec : float
        Target, ICRS degrees.
    extension : int
        Number of the extension; -1 where the whole file could not be used.
    status : {'ok', 'empty', 'no overlap', 'error'}
        What became of it; 'empty' are pixels that are all 0 or all NaN.
    reason : str
        Why there is no cutout; empty when there is one.
    hdus : HDUList or None
        The cutout, where no folder was given.
    path : Path or None
        Where it was written, where a folder was given.
    """

    file: Location
    ra: float
    dec: float
    extension: int
    status: PartStatus
    reason: str = ""
    hdus: fits.HDUList | None = None
    path: Path | None = None


def make_image_cutouts(
    files: ImageInput | Sequence[ImageInput],
    coordinates: Coordinates,
    size: CutoutSize,
    *,
    options: ImageCutoutOptions | None = None,
    output_dir: Location | None = None,
) -> list[ImageCutoutResult]:
    """Cut many targets out of many files of images.

    Parameters
    ----------
    files : str, Path, file object, HDUList, or list of them
        As for `tessera.FITSCutout`.
    coordinates : SkyCoord, str, or list of them
        Targets, in any frame.
    size : int, Quantity, or (columns, rows) of them
        Pixels or angles.
    options : ImageCutoutOptions, optional
        Which extensions, and the rest; by default the first image, with the target in the centre pixel.
    output_dir : str or Path, optional
        Where the files are written, one for each cutout; without it they come back as HDULists.

    Returns
    -------
    list of ImageCutoutResult
        Files first, then targets, then extensions, each in the order in which it was given. One that fails has the
        reason in its result and does not keep the others from being made.

    Raises
    ------
    InvalidInputError
        For arguments that nothing can be done with.
    """
    labelled, targets, sides = label_inputs(files), parse_coordinates(coordinates), parse_size_input(size)
    options = options or ImageCutoutOptions()
    checked = replace(
        options, extension=check_extension(options.extension), fill_value=check_fill_value(options.fill_value)
    )
    folder = output_folder(output_dir)
    stems = dict(zip(labelled, different_names([file_stem(label) for label in labelled]), strict=True))
    today = date.today()  # noqa: DTZ011 - the user's day, as DATE is a note to them

    def cut(label: Location) -> list[ImageCutoutResult]:
        cuts = cut_file(labelled[label], label, targets, sides, checked)
        parts = [*cuts.parts, *_failures(cuts, targets)]
        names = different_names(
            [f"{cutout_stem(stems[label], part.sky, sides)}_{part.extension}.fits" for part in parts]
        )
        return [
            _result(part, None if folder is None else folder / name, today)
            for part, name in zip(parts, names, strict=True)
        ]

    with quiet_fits(), ThreadPoolExecutor(min(FILES_AT_ONCE, len(labelled))) as pool:
        return [result for results in pool.map(cut, labelled) for result in results]


@contextmanager
def quiet_fits() -> Iterator[None]:
    """No warnings of what astropy mends in a header.

    It is for the thread that starts others, as Python's filters of warnings are those of all threads.
    """
    with warnings.catch_warnings():
        for kind in (FITSFixedWarning, fits.verify.VerifyWarning):
            warnings.simplefilter("ignore", kind)
        yield


def _failures(cuts: FileCuts, targets: Sequence[SkyCoord]) -> list[ImagePart]:
    """Parts for what has none: files that could not be used, and extensions that are not there."""
    reasons: list[Exception] = [] if cuts.error is None else [cuts.error]
    reasons += [ValueError(f"extension {item!r} is no image with pixels") for item in cuts.missing]
    if not reasons and not cuts.parts:
        reasons.append(ValueError("there is no image with pixels in the file"))
    return [ImagePart(cuts.file, sky, -1, "error", reason) for sky in targets for reason in reasons]


def _result(part: ImagePart, path: Path | None, day: date) -> ImageCutoutResult:
    reason = "" if part.reason is None else str(part.reason)
    ra, dec = float(part.sky.ra.deg), float(part.sky.dec.deg)
    result = ImageCutoutResult(part.file, ra, dec, part.extension, part.status, reason)
    if part.cut is None:
        return result
    try:
        hdus = cutout_file([(part.cut, cut_hdu(part.cut))], part.sky, day)
        if path is None:
            return replace(result, hdus=hdus)
        return replace(result, path=write_pieces(path, [write_bytes(hdus)], flush=False))
    except UNUSABLE as error:
        return replace(result, status="error", reason=str(error))
