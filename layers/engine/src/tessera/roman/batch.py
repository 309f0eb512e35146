"""Cutouts of many targets from many ASDF files. As with `make_image_cutouts`, each has its own result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from astropy.coordinates import SkyCoord

from tessera.errors import InvalidInputError
from tessera.images.batch import FILES_AT_ONCE, ImageCutoutResult
from tessera.images.cut_targets import DAMAGED, reason_text
from tessera.images.inputs import Targets, label_inputs, read_image_targets
from tessera.images.names import cutout_stem, different_names, file_stem, replaceable
from tessera.inputs import CutoutSize, parse_size_input
from tessera.io.file_objects import ImageInput
from tessera.io.files import write_pieces
from tessera.io.outputs import create_folder
from tessera.progress import ProgressInput, counting
from tessera.roman.cut import AsdfOptions, AsdfPart, cut_asdf
from tessera.roman.file import quiet_asdf
from tessera.roman.origin.asdf_record import AsdfRecipe
from tessera.roman.writer import AsdfWriter
from tessera.windows import Side

if TYPE_CHECKING:
    from pathlib import Path

    from tessera.io.sources import Location


def asdf_name(part: AsdfPart, size: tuple[Side, Side], suffix: str, *, lite: bool) -> str:
    """File name of a cutout of an ASDF file."""
    stem = cutout_stem(file_stem(part.file), part.sky, size).removesuffix("_astrocut")
    return f"{stem}{'_lite' if lite else ''}_astrocut{suffix}"


def make_asdf_cutouts(
    files: ImageInput | Sequence[ImageInput],
    coordinates: Targets,
    size: CutoutSize,
    options: AsdfOptions,
    output_dir: Location,
    *,
    progress: ProgressInput = None,
) -> list[ImageCutoutResult]:
    """Cut many targets out of many ASDF files, and write an ASDF file for each cutout.

    Parameters
    ----------
    files, coordinates, size
        See `tessera.images.batch.make_image_cutouts`.
    options : AsdfOptions
        Options of the cutouts.
    output_dir : str or Path
        Folder of the files.
    progress : bool or callable, optional
        See `tessera.images.batch.make_image_cutouts`.

    Returns
    -------
    list of ImageCutoutResult
        Results, ordered by file and then by target, with extension 0. A cutout that fails has its reason in its result.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    MissingPackageError
        When asdf or gwcs is not installed.
    """
    labelled, sides = label_inputs(files), parse_size_input(size)
    given, unknown = read_image_targets(coordinates)
    targets = [sky for sky in given if isinstance(sky, SkyCoord)]
    if len(targets) < len(given):
        raise InvalidInputError("coordinates", given, "positions on the sky; only FITS images take pixels")
    usable = [sky for number, sky in enumerate(targets) if number not in unknown]
    folder, writer = create_folder(output_dir), AsdfWriter()
    order = {id(sky): number for number, sky in enumerate(targets)}

    def every(label: Location, several: list[AsdfPart]) -> list[AsdfPart]:
        lost = [AsdfPart(label, targets[number], "error", error=error) for number, error in unknown.items()]
        return sorted([*several, *lost], key=lambda part: order[id(part.sky)])

    def cut(label: Location) -> list[AsdfPart]:
        several = cut_asdf(labelled[label], label, usable, sides, options)
        counter.add(len(targets))
        return several

    with quiet_asdf(), counting(progress, "target", len(labelled) * len(targets)) as counter:
        found = counter.map(cut, labelled, min(FILES_AT_ONCE, len(labelled)))
        parts = [part for label, several in zip(labelled, found, strict=True) for part in every(label, several)]
        names = different_names([asdf_name(part, sides, ".asdf", lite=options.lite) for part in parts])
        today = date.today()  # noqa: DTZ011 - the user's local date, as in FITS files
        making = partial(_write, writer=writer, day=today, fill_value=options.fill_value)
        return [making(part, folder / name) for part, name in zip(parts, names, strict=True)]


def _write(part: AsdfPart, path: Path, *, writer: AsdfWriter, day: date, fill_value: float) -> ImageCutoutResult:
    reason = part.reason or reason_text(part.error, named=True)
    ra, dec = float(part.sky.ra.deg), float(part.sky.dec.deg)
    result = ImageCutoutResult(part.file, ra, dec, 0, part.status, reason)
    if part.cutout is None:
        return result
    try:
        content = writer.write(part)
        if part.origin is not None:
            content = AsdfRecipe.of(part, "asdf", day, fill_value).with_record(content, part.origin)
        return replace(result, path=write_pieces(replaceable(path, content), [content]))
    except DAMAGED as error:
        return replace(result, status="error", reason=reason_text(error))
