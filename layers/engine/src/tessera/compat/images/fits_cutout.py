"""`FITSCutout`: astrocut's class for cutouts of FITS images, without its defects."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from time import localtime, monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits

from tessera.checks import check_switch
from tessera.compat.images import fits_cutout_instance
from tessera.compat.images.image_cutout import ImageCutout
from tessera.errors import DataWarning, InvalidInputError, InvalidQueryError
from tessera.images.batch import cut_files, quiet_fits
from tessera.images.cut import FileCuts, ImageCutoutOptions, ImagePart
from tessera.images.cut_targets import reason_text
from tessera.images.extensions import check_extension
from tessera.images.hdus import cut_hdu, cutout_file, file_bytes
from tessera.images.inputs import check_fsspec_kwargs, label_inputs
from tessera.images.names import check_prefix, cutout_stem, different_names, file_stem, replaceable, zip_file_name
from tessera.images.origin.image_record import image_record
from tessera.images.pictures import Row
from tessera.inputs import (
    CutoutSize,
    check_fill_value,
    check_rounding,
    parse_coordinates,
    parse_size_input,
    sky_text,
)
from tessera.io.deflate import ZIP_START, zip_pieces
from tessera.io.file_objects import ImageInput
from tessera.io.files import write_files, write_pieces
from tessera.io.filesystems import in_filesystem
from tessera.io.locations import shown
from tessera.io.outputs import create_folder, file_in_folder
from tessera.narrator import Narrator
from tessera.provenance.crate import Crate, Member
from tessera.provenance.record import Record
from tessera.sky.coordinates import Coordinates

if TYPE_CHECKING:
    from tessera.io.sources import Location


def _warn(message: str) -> None:
    warnings.warn(message, DataWarning, stacklevel=5)


def _warn_of_part(part: ImagePart, place: str) -> None:
    where = f"{shown(part.file)}, extension {part.extension}{place}"
    if part.status == "no overlap":
        _warn(f"Cutout footprint does not overlap with data in {where}, skipping...")
    elif part.status == "error":
        _warn(f"Error encountered when performing cutout on {where}, skipping... ({reason_text(part.reason)})")


class FITSCutout(ImageCutout):
    """Cutouts of one or several targets from one or several files of images. The constructor makes them.

    Parameters
    ----------
    input_files : str, Path, file object, HDUList, or list of them
        Images: local paths, ``s3://`` or ``https://`` URLs, open files or HDULists. Files may be packed with gzip or
        bzip2, or compressed in tiles. From unpacked remote files, only headers and the bytes of the cutouts are read.
    coordinates : SkyCoord, str, or list of them
        Positions of the targets. Text is "ra dec" in degrees. Every position of a list or an array gets a cutout.
    cutout_size : int, array, list, tuple or Quantity, optional
        Size in pixels or as angle: one value for both axes, or (columns, rows). The size of the pixels at the target
        converts angles.
    fill_value : float, optional
        Value of pixels beyond the image. The data type of the image must be able to represent it. In an image of
        integers with a BLANK card, NaN is written as the BLANK value.
    limit_rounding_method : {'round', 'ceil', 'floor'}, optional
        Rule that rounds the limits of the window to integers. 'round' is the default, as in astrocut. It puts the
        target one pixel off the centre of most windows of odd size; 'ceil' centres these windows. See also
        `tessera.images.batch.make_image_cutouts`.
    extension : int, str, list of them, 'all' or None, optional
        Numbers or names of extensions; by default the first image.
    single_outfile : bool, optional
        Whether to write all cutouts of a target into one file.
    verbose : bool, optional
        Whether to print progress on stderr. Messages that the logger ``tessera`` prints are not repeated.
    fsspec_kwargs : dict, optional
        Arguments for fsspec, such as credentials. With them, fsspec opens all URLs; S3 is read anonymously unless they
        contain credentials.
    allow_empty : bool, optional
        Whether to keep cutouts whose pixels are all 0 or all NaN. Their headers have the card EMPTY.
    filesystem : fsspec file system, optional
        File system of the images, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.

    Attributes
    ----------
    cutouts_by_file : dict
        File, as it was given, to a list of `CutoutInstance`. With several targets: file to a dict of "ra dec" (degrees
        with eight decimals) to such a list.
    hdu_cutouts_by_file : dict
        The same with an ImageHDU for each cutout. It includes empty extensions of files that have other cutouts.
    parts : list of ImagePart
        The result for each target in each extension, with the reason if there is no cutout.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    InvalidQueryError
        When there is no cutout. Extensions without a cutout, and files that cannot be read, are skipped with a
        `DataWarning`. When the only file cannot be read, the error of that file is raised.
    """

    CutoutInstance = fits_cutout_instance.CutoutInstance

    def __init__(  # noqa: PLR0917 - astrocut's signature
        self,
        input_files: ImageInput | Sequence[ImageInput],
        coordinates: Coordinates,
        cutout_size: CutoutSize = 25,
        fill_value: float = np.nan,
        limit_rounding_method: str = "round",
        extension: Any = None,
        single_outfile: bool = True,
        verbose: bool = False,
        *,
        fsspec_kwargs: Mapping[str, Any] | None = None,
        allow_empty: bool = False,
        filesystem: Any = None,
    ) -> None:
        self._narrator = Narrator(__name__, verbose=verbose)
        self._files = label_inputs(in_filesystem(filesystem, input_files))
        self._coordinates = parse_coordinates(coordinates)
        self._size = parse_size_input(cutout_size)
        self._options = ImageCutoutOptions(
            check_extension(extension),
            check_rounding(limit_rounding_method),
            check_fill_value(fill_value),
            check_fsspec_kwargs(fsspec_kwargs),
        )
        self._single_outfile = check_switch("single_outfile", single_outfile)
        self._allow_empty = check_switch("allow_empty", allow_empty)
        self._narrator.say("Coordinates: %s", ", ".join(sky_text(sky) for sky in self._coordinates))
        self._narrator.say("Cutout size: [%s %s]", *self._size)
        self.cutout()

    def cutout(self) -> list[fits.HDUList]:
        """Make the cutouts. The constructor calls this method."""
        started = monotonic()
        with quiet_fits():
            files = cut_files(self._files, self._coordinates, self._size, self._options)
        self.parts = [part for file in files for part in file.parts]
        for cut in (part.cut for part in self.parts if part.cut is not None):
            self._narrator.say("Original image shape: %s", cut.shape_input)
            self._narrator.say("Image cutout shape: %s", cut.data.shape)
        self._origins = {file.file: file.origin for file in files if file.origin is not None}
        self._kept: list[ImagePart] = []
        for file in files:
            self._judge(file)
        if not self._kept:
            self._explain(files)
        self._narrator.say("Total time: %.2f sec", monotonic() - started)
        return self.fits_cutouts

    def _judge(self, file: FileCuts) -> None:
        """Keep the cutouts of a file, and warn about missing ones."""
        if file.error is not None and file.parts:
            _warn(f"{shown(file.file)} is cut as far as it can be read: {reason_text(file.error)}")
        elif file.error is not None:
            if len(self._files) == 1:
                raise file.error
            _warn(f"{shown(file.file)} is skipped: {reason_text(file.error)}")
            return
        if not file.parts and not file.missing:
            _warn(f"No image extensions with data found in {shown(file.file)}, skipping...")
            return
        if file.missing:
            listed = ",".join(str(item) for item in file.missing)
            text = "are image extensions or have data, extension(s)"
            _warn(f"Not all requested extensions in {shown(file.file)} {text} {listed} will be skipped.")
        for sky in self._coordinates:
            parts = [part for part in file.parts if part.sky is sky]
            place = f" at {sky_text(sky)}" if len(self._coordinates) > 1 else ""
            for part in parts:
                _warn_of_part(part, place)
            if any(part.status == "ok" or (part.status == "empty" and self._allow_empty) for part in parts):
                self._kept += [part for part in parts if part.cut is not None]
            else:
                _warn(f"Cutout of {shown(file.file)}{place} contains no data, skipping...")

    def _explain(self, files: Sequence[FileCuts]) -> None:
        """Raise the error that best explains why there is no cutout."""
        reasons = [part.reason for part in self.parts] + [file.error for file in files]
        for reason in reasons:
            if isinstance(reason, InvalidInputError) or (isinstance(reason, OSError) and len(self._files) == 1):
                raise reason
        raise InvalidQueryError("Cutout contains no data! (Check image footprint.)") from next(
            (reason for reason in reasons if reason is not None), None
        )

    def _rows(self) -> list[tuple[Location, SkyCoord, fits_cutout_instance.CutoutInstance]]:
        return [(item.file, item.coordinates, item) for item in self._instances]

    def _record(self, row: Row) -> Record:
        file, sky, item = row
        day = date.today()  # noqa: DTZ011 - DATE is the user's local date
        cuts = [item.cut]  # type: ignore[attr-defined] # of `CutoutInstance`
        return image_record(self._origins[file], cuts, {}, sky=sky, day=day, fill_value=self._options.fill_value)

    @cached_property
    def _instances(self) -> list[fits_cutout_instance.CutoutInstance]:
        kept = (part for part in self._kept if part.status == "ok" or self._allow_empty)
        return [
            fits_cutout_instance.CutoutInstance(part.file, part.sky, part.cut) for part in kept if part.cut is not None
        ]

    @cached_property
    def _hdus(self) -> list[fits.ImageHDU]:
        return [cut_hdu(part.cut) for part in self._kept if part.cut is not None]

    def _by_file(self, pairs: Iterable[tuple[Location, SkyCoord, Any]]) -> dict[Location, Any]:
        found: dict[Location, Any] = {}
        for file, sky, value in pairs:
            if len(self._coordinates) == 1:
                found.setdefault(file, []).append(value)
            else:
                found.setdefault(file, {}).setdefault(sky_text(sky), []).append(value)
        return found

    @cached_property
    def cutouts_by_file(self) -> dict[Location, Any]:
        """See the class."""
        return self._by_file(self._rows())

    @cached_property
    def hdu_cutouts_by_file(self) -> dict[Location, Any]:
        """See the class."""
        hdus = zip(self._kept, self._hdus, strict=True)
        return self._by_file((part.file, part.sky, hdu) for part, hdu in hdus)

    def _groups(self) -> list[tuple[SkyCoord, Location | None, list[int]]]:
        """Files to write: target, image file (None for all), and numbers of their cutouts in `_kept`."""
        groups: dict[tuple[int, Location | None], list[int]] = {}
        for number, part in enumerate(self._kept):
            groups.setdefault((id(part.sky), None if self._single_outfile else part.file), []).append(number)
        return [(self._kept[numbers[0]].sky, file, numbers) for (_, file), numbers in groups.items()]

    @cached_property
    def fits_cutouts(self) -> list[fits.HDUList]:
        """Files of cutouts: one for each target, or with `single_outfile` False one for each target and image file."""
        today = date.today()  # noqa: DTZ011 - DATE is the user's local date
        files = []
        for sky, _, numbers in self._groups():
            cuts = [(self._kept[number].cut, self._hdus[number]) for number in numbers]
            files.append(cutout_file([(cut, hdu) for cut, hdu in cuts if cut is not None], sky, today))
        return files

    def _names(self, cutout_prefix: str) -> list[str]:
        prefix = check_prefix(cutout_prefix)
        stems = [(prefix if file is None else file_stem(file), sky) for sky, file, _ in self._groups()]
        return different_names([f"{cutout_stem(stem, sky, self._size)}.fits" for stem, sky in stems])

    def write_as_fits(self, output_dir: Location = ".", cutout_prefix: str = "cutout") -> list[str]:
        """Write the cutouts as FITS files. Each file appears only when it is complete.

        Parameters
        ----------
        output_dir : str or Path, optional
            Folder of the files. It is created if it does not exist.
        cutout_prefix : str, optional
            First part of the file name, if a file has the cutouts of all images.

        Returns
        -------
        list of str
            Paths, in the order of `fits_cutouts`.
        """
        folder = create_folder(output_dir)
        made = zip(self._names(cutout_prefix), map(file_bytes, self.fits_cutouts), strict=True)
        written = write_files((replaceable(folder / name, content), [content]) for name, content in made)
        paths = [path.as_posix() for path in written]
        self._narrator.say("Cutout filepaths: %s", paths)
        return paths

    def write_as_zip(
        self, output_dir: Location = ".", filename: Location | None = None, *, provenance: bool = False
    ) -> str:
        """Write the FITS files into an archive. The archive appears only when it is complete.

        Parameters
        ----------
        output_dir : str or Path, optional
            Folder of the archive. It is created if it does not exist.
        filename : str or Path, optional
            File name; ``.zip`` is added if it is missing. The default is made of target and size, or is
            ``astrocut_fits_cutouts.zip`` for several targets.
        provenance : bool, optional
            Whether the last member says what the others were made from; see docs/explanation/provenance.md.

        Returns
        -------
        str
            Path of the archive.
        """
        name = os.fspath(filename) if filename is not None else zip_file_name(self._coordinates, self._size)
        path = file_in_folder(output_dir, name if name.lower().endswith(".zip") else f"{name}.zip", "filename")
        names = self._names("cutout")
        files = zip(names, map(file_bytes, self.fits_cutouts), strict=True)
        members: Iterable[Member] = ((name, [data], len(data)) for name, data in files)
        if check_switch("provenance", provenance):
            used = [dict.fromkeys(self._kept[number].file for number in numbers) for _, _, numbers in self._groups()]
            found = [[self._origins[file] for file in files if file in self._origins] for files in used]
            members = Crate().describe(members, dict(zip(names, found, strict=True)))
        return write_pieces(replaceable(path, ZIP_START), zip_pieces(members, localtime()[:6])).as_posix()
