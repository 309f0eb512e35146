"""Cutouts of many targets from many files of images: Tessera's own function for this.

One bad item does not raise an error for the whole batch: every target, file and extension has its own result.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import FITSFixedWarning

from tessera.checks import check_switch
from tessera.errors import ImageFormatError, InvalidInputError
from tessera.images.cut import FileCuts, ImageCutoutOptions, ImagePart, cut_file, failed_parts
from tessera.images.cut_targets import DAMAGED, PartStatus, reason_text
from tessera.images.extensions import check_extension
from tessera.images.hdus import cut_hdu, cutout_file, write_bytes
from tessera.images.inputs import Target, Targets, check_fsspec_kwargs, label_inputs, read_image_targets
from tessera.images.names import cutout_stem, different_names, file_stem, replaceable
from tessera.images.origin.image_record import with_record
from tessera.inputs import CutoutSize, check_fill_value, parse_size_input
from tessera.io.file_objects import ImageInput
from tessera.io.files import FileGroup
from tessera.io.filesystems import in_filesystem
from tessera.io.outputs import output_folder
from tessera.progress import ProgressInput, check_progress, counting
from tessera.provenance.record import Origin
from tessera.windows import Side

if TYPE_CHECKING:
    from tessera.io.sources import Location

FILES_AT_ONCE = 16
"""Number of files that are cut at the same time."""


def cut_files(
    files: Mapping[Location, ImageInput],
    targets: Sequence[SkyCoord],
    size: tuple[Side, Side],
    options: ImageCutoutOptions,
) -> list[FileCuts]:
    """Cut all targets out of all files, several files at the same time.

    Parameters
    ----------
    files : mapping
        Name of each file in results, to the file.
    targets : sequence of SkyCoord
        Positions of the targets, ICRS.
    size : tuple of int, float or Quantity
        Columns and rows, in the order of `tessera.inputs.parse_size_input`.
    options : ImageCutoutOptions
        Options of the cutouts.

    Returns
    -------
    list of FileCuts
        One result per file, in the order of the files.
    """
    with ThreadPoolExecutor(min(FILES_AT_ONCE, len(files))) as pool:
        return list(pool.map(lambda item: cut_file(item[1], item[0], targets, size, options), files.items()))


@dataclass(frozen=True)
class ImageCutoutResult:
    """The result for one target in one extension of one file.

    Parameters
    ----------
    file : str or Path
        The file, as it was given.
    ra, dec : float
        Position of the target, ICRS degrees.
    extension : int
        Number of the extension; -1 if the whole file or the extension could not be used.
    status : {'ok', 'empty', 'no overlap', 'error'}
        Outcome. With 'empty', all pixels are 0 or all are NaN. With 'no overlap', the window does not touch the image.
    reason : str
        Why there is no cutout; empty if there is one.
    hdus : HDUList or None
        The cutout, if no folder was given.
    path : Path or None
        Path of the file, if a folder was given.
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
    coordinates: Targets,
    size: CutoutSize,
    *,
    options: ImageCutoutOptions | None = None,
    output_dir: Location | None = None,
    filesystem: Any = None,
    progress: ProgressInput = None,
) -> list[ImageCutoutResult]:
    """Cut many targets out of many files of images.

    Parameters
    ----------
    files : str, Path, file object, HDUList, or list of them
        Images, as for `tessera.FITSCutout`.
    coordinates : SkyCoord, str, ImagePixel, or list of them
        Positions of the targets, in any frame, or pixels. Text is "ra dec" in degrees, or in another form that
        docs/guide/cutouts.md lists.
    size : int, Quantity, or (columns, rows) of them
        Size in pixels or as angle: one value for both axes, or (columns, rows).
    options : ImageCutoutOptions, optional
        Options of the cutouts. By default, the first image is cut with the target in the centre pixel.
    output_dir : str or Path, optional
        Folder of the files, one for each cutout. Without it, the results contain HDULists.
    filesystem : fsspec file system, optional
        File system of the images, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.
    progress : bool or callable, optional
        True shows a bar or lines on stderr. A function is called with (done, total) after each target of each file,
        by one thread at a time. An error that it raises ends the work.

    Returns
    -------
    list of ImageCutoutResult
        Results, ordered by file, then by target, then by extension, each in the order in which it was given. A cutout
        that fails has its reason in its result; the other cutouts are still made.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    """
    labelled = label_inputs(in_filesystem(filesystem, files))
    sides = parse_size_input(size)
    targets, unknown = read_image_targets(coordinates)
    known = [number for number in range(len(targets)) if number not in unknown]
    checked, progress = _check_options(options), check_progress(progress)
    folder = output_folder(output_dir)
    stems = dict(zip(labelled, different_names([file_stem(label) for label in labelled]), strict=True))
    today = date.today()  # noqa: DTZ011 - DATE is the user's local date

    def cut(label: Location) -> list[ImageCutoutResult]:
        usable = [targets[number] for number in known]
        cuts = cut_file(labelled[label], label, usable, sides, checked)
        lost = [part for number, error in unknown.items() for part in failed_parts(label, [targets[number]], -1, error)]
        parts = [*cuts.parts, *_failures(cuts, usable), *lost]
        places = [*(known[part.number] for part in parts[: len(parts) - len(lost)]), *unknown]
        ordered = sorted(zip(places, parts, strict=True), key=lambda pair: pair[0])
        names = _names(stems[label], [part for _, part in ordered], sides)
        making = _Making(today, cuts.origin if checked.provenance else None, checked.fill_value)
        results = []
        with FileGroup() as group:
            for (place, part), name in zip(ordered, names, strict=True):
                counter.reach(label, place)
                results.append(_result(part, None if folder is None else folder / name, making, group))
        counter.reach(label, len(targets))
        return [_without_failed(result, group.failed) for result in results]

    with quiet_fits(), counting(progress, "target", len(labelled) * len(targets)) as counter:
        found = counter.map(cut, labelled, min(FILES_AT_ONCE, len(labelled)))
    return [result for results in found for result in results]


def _names(stem: str, parts: Sequence[ImagePart], size: tuple[Side, Side]) -> list[str]:
    return different_names([f"{cutout_stem(stem, part.sky, size)}_{part.extension}.fits" for part in parts])


def _check_options(options: ImageCutoutOptions | None) -> ImageCutoutOptions:
    options = ImageCutoutOptions() if options is None else options
    if not isinstance(options, ImageCutoutOptions):
        raise InvalidInputError("options", options, "an ImageCutoutOptions, or None")
    return replace(
        options,
        extension=check_extension(options.extension),
        fill_value=check_fill_value(options.fill_value),
        fsspec_options=check_fsspec_kwargs(options.fsspec_options, "fsspec_options"),
        provenance=check_switch("provenance", options.provenance),
    )


@contextmanager
def quiet_fits() -> Iterator[None]:
    """Suppress astropy's warnings about headers that it corrects.

    Use it in the thread that starts the other threads, because Python's filters of warnings apply to all threads.
    """
    with warnings.catch_warnings():
        for kind in (FITSFixedWarning, fits.verify.VerifyWarning):
            warnings.simplefilter("ignore", kind)
        yield


def _failures(cuts: FileCuts, targets: Sequence[Target]) -> list[ImagePart]:
    """Parts with errors for files that could not be used, and for extensions that do not exist."""
    reasons: list[Exception] = [] if cuts.error is None else [cuts.error]
    reasons += [ImageFormatError(f"extension {item!r} is not an image with pixels") for item in cuts.missing]
    if not reasons and not cuts.parts:
        reasons.append(ImageFormatError("the file has no image with pixels"))
    return [part for reason in reasons for part in failed_parts(cuts.file, targets, -1, reason)]


def _without_failed(result: ImageCutoutResult, failed: Mapping[Path, OSError]) -> ImageCutoutResult:
    """The result; an error if its file could not be flushed to the disk."""
    if result.path is None or result.path not in failed:
        return result
    return replace(result, status="error", reason=str(failed[result.path]), path=None)


def _write(group: FileGroup, path: Path, content: bytes) -> Path:
    return group.write(replaceable(path, content), [content])


@dataclass(frozen=True)
class _Making:
    """Date of a file, what its record says of the image (None without a record), and the fill value."""

    day: date
    origin: Origin | None
    fill_value: float


def _result(part: ImagePart, path: Path | None, making: _Making, group: FileGroup) -> ImageCutoutResult:
    ra, dec = float(part.sky.ra.deg), float(part.sky.dec.deg)
    result = ImageCutoutResult(part.file, ra, dec, part.extension, part.status, reason_text(part.reason, named=True))
    if part.cut is None:
        return result
    try:
        hdus = cutout_file([(part.cut, cut_hdu(part.cut))], part.sky, making.day)
        if path is None:
            return replace(result, hdus=hdus)
        content = write_bytes(hdus)
        if making.origin is not None:
            made = {"sky": part.sky, "day": making.day, "fill_value": making.fill_value}
            content = with_record(content, making.origin, [part.cut], **made)
        return replace(result, path=_write(group, path, content))
    except DAMAGED as error:
        return replace(result, status="error", reason=reason_text(error))
