"""`ASDFCutout`: astrocut's class for cutouts of Roman images, without its defects."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cached_property
from time import localtime, monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from tessera.checks import check_choice, check_switch
from tessera.compat.roman.asdf_pictures import AsdfPictures
from tessera.compat.roman.asdf_selection import cutout_table, filter_table, select_coordinates, select_files
from tessera.errors import DataWarning, InvalidInputError, InvalidQueryError
from tessera.extras import MissingPackageError
from tessera.images.batch import FILES_AT_ONCE
from tessera.images.inputs import label_inputs
from tessera.images.names import different_names, replaceable
from tessera.images.pictures import Row
from tessera.inputs import (
    CutoutSize,
    check_fill_value,
    parse_coordinates,
    parse_size_input,
    sky_text,
)
from tessera.io.deflate import ZIP_START, zip_pieces
from tessera.io.file_objects import ImageInput
from tessera.io.files import write_files, write_pieces
from tessera.io.filesystems import in_filesystem
from tessera.io.outputs import create_folder, file_in_folder
from tessera.narrator import Narrator
from tessera.provenance.crate import Crate, Member
from tessera.provenance.record import Origin, Record
from tessera.roman.batch import asdf_name
from tessera.roman.cut import AsdfCutout2D, AsdfOptions, AsdfPart, cut_asdf
from tessera.roman.file import quiet_asdf
from tessera.roman.fits_writer import FitsWriter
from tessera.roman.origin.asdf_record import AsdfRecipe
from tessera.roman.products import asdf_object, fits_object
from tessera.roman.writer import AsdfWriter
from tessera.sky.coordinates import Coordinates

if TYPE_CHECKING:
    from tessera.io.sources import Location


FORMATS = (".asdf", ".fits")


def check_format(output_format: str, message: str) -> str:
    """Return a file suffix in small letters, with its dot, or raise `InvalidInputError`."""
    lower = output_format.lower().strip() if isinstance(output_format, str) else output_format
    suffix = f".{lower}" if isinstance(lower, str) and not lower.startswith(".") else lower
    return check_choice("output_format", suffix, FORMATS, message)


class ASDFCutout(AsdfPictures):
    """Cutouts of one or several targets from one or several ASDF files of Roman. The constructor makes them.

    Methods that take `input_files` and `coordinates` treat the cutouts of these files and targets only; by default all.

    Parameters
    ----------
    input_files : str, Path, file object, or list of them
        Images: local paths, ``s3://`` or ``https://`` URLs, or open files. From remote files, only
        the tree and the pixels of the cutouts are read, or the packed pieces that hold them.
    coordinates : SkyCoord, str, or list of them
        Positions of the targets. Text is "ra dec" in degrees.
    cutout_size : int, array, list, tuple or Quantity, optional
        Size in pixels or as angle: one value for both axes, or (columns, rows). The size of the pixels at the target
        converts angles. In a cutout of odd size, the target is in the centre pixel.
    fill_value : float, optional
        Value of pixels beyond the image. In arrays of integers, the fraction is dropped and NaN becomes 0. With `lite`
        False, arrays other than the image get 0 where their type cannot represent the value, such as -1 in ``dq``.
    key, secret, token : str, optional
        Credentials for S3. Without them, S3 is read with the credentials of the environment, or anonymously.
    lite : bool, optional
        Whether a cutout has only the image and its WCS. With False, a cutout has the whole tree of the file: each array
        with the rows and columns of the image is cut, and everything else is kept.
    asdf_kwargs : dict, optional
        Arguments of ``asdf.open``.
    verbose : bool, optional
        Whether to print progress on stderr. Messages that the logger ``tessera`` prints are not repeated.
    filesystem : fsspec file system, optional
        File system of the images, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.

    Attributes
    ----------
    cutouts_by_file : dict
        File to a dict of "ra dec" (degrees with eight decimals) to `~astropy.nddata.Cutout2D`. Its ``gwcs`` is exact,
        also for pixels beyond the image; its ``wcs`` is the FITS WCS that approximates it best.
    cutouts, asdf_cutouts, fits_cutouts, image_cutouts : Table
        Tables with the columns file, coordinate and cutout. The cutouts are Cutout2D, AsdfFile, HDUList or pictures.
    parts : list of AsdfPart
        The result for each target in each file, with the reason if there is no cutout.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    InvalidQueryError
        When there is no cutout. A file or a target without a cutout is skipped with a `DataWarning`. When the only file
        cannot be used, its own error is raised.
    """

    embed_asdf = True
    """Whether FITS files have an extension with the tree without pixels, which stdatamodels reads."""

    def __init__(  # noqa: PLR0917 - astrocut's signature
        self,
        input_files: ImageInput | Sequence[ImageInput],
        coordinates: Coordinates,
        cutout_size: CutoutSize = 25,
        fill_value: float = np.nan,
        key: str | None = None,
        secret: str | None = None,
        token: str | None = None,
        lite: bool = True,
        asdf_kwargs: Any = None,
        verbose: bool = False,
        *,
        filesystem: Any = None,
    ) -> None:
        self._narrator = Narrator(__name__, verbose=verbose)
        self._files = label_inputs(in_filesystem(filesystem, input_files))
        self._coordinates = parse_coordinates(coordinates)
        self._size = parse_size_input(cutout_size)
        self._lite = lite = check_switch("lite", lite)
        if asdf_kwargs is not None and not isinstance(asdf_kwargs, Mapping):
            message = "asdf_kwargs must be a dictionary."
            raise InvalidInputError("asdf_kwargs", asdf_kwargs, "a dict of arguments of asdf.open, or None", message)
        credentials = {"key": key, "secret": secret, "token": token}
        given = {name: value for name, value in credentials.items() if value is not None} or None
        open_options = {"memmap": True, **(asdf_kwargs or {})}
        self._options = AsdfOptions(check_fill_value(fill_value), lite, open_options, given)
        self._narrator.say("Coordinates: %s", ", ".join(sky_text(sky) for sky in self._coordinates))
        self._narrator.say("Cutout size: [%s %s]", *self._size)
        self.cutout()

    def cutout(self) -> None:
        """Make the cutouts. The constructor calls this method."""
        started = monotonic()
        files = list(self._files.items())
        with quiet_asdf(), ThreadPoolExecutor(min(FILES_AT_ONCE, len(files))) as pool:
            found = pool.map(
                lambda file: cut_asdf(file[1], file[0], self._coordinates, self._size, self._options), files
            )
            self.parts = [part for parts in found for part in parts]
        for part in self.parts:
            if part.reason:
                warnings.warn(part.reason, DataWarning, stacklevel=3)
        for cutout in (part.cutout for part in self.parts if part.cutout is not None):
            self._narrator.say("Original image shape: %s", cutout.shape_input)
            self._narrator.say("Image cutout shape: %s", cutout.shape)
        self._made = {(str(part.file), sky_text(part.sky)): part for part in self.parts if part.cutout is not None}
        if not self._made:
            self._explain()
        self.cutouts_by_file: dict[str, dict[str, AsdfCutout2D]] = {}
        for (file, text), part in self._made.items():
            self.cutouts_by_file.setdefault(file, {})[text] = part.cutout  # type: ignore[assignment] # not None
        self._narrator.say("Total time: %.2f sec", monotonic() - started)

    def _explain(self) -> None:
        """Raise the error that best explains why there is no cutout."""
        errors = [part.error for part in self.parts if part.error is not None]
        for error in errors:
            if len(self._files) == 1 or isinstance(error, (InvalidInputError, MissingPackageError)):
                raise error
        raise InvalidQueryError("Cutout contains no data! (Check image footprint.)") from next(iter(errors), None)

    # -- selection ----------------------------------------------------------------------------------------------------

    def _select(self, input_files: Any, coordinates: Any) -> tuple[list[str], list[str]]:
        files = select_files(self.cutouts_by_file, input_files)
        known = (text for file in files for text in self.cutouts_by_file[file])
        return files, select_coordinates(known, coordinates)

    def _parts(self, input_files: Any, coordinates: Any) -> Iterator[AsdfPart]:
        for place in self.iter_file_coord_pairs(input_files=input_files, coordinates=coordinates):
            yield self._made[place]

    def _rows(self, input_files: Any = None, coordinates: Any = None) -> list[tuple[str, SkyCoord, AsdfCutout2D]]:
        return list(self.iter_cutouts(input_files=input_files, coordinates=coordinates))

    def _record(self, row: Row) -> Record:
        part = self._made[row[0], sky_text(row[1])]
        assert part.origin is not None
        recipe = AsdfRecipe.of(part, "asdf", date.today(), self._options.fill_value)  # noqa: DTZ011 - the user's date
        return recipe.record(part.origin, {})

    def iter_file_coord_pairs(self, *, input_files: Any = None, coordinates: Any = None) -> Iterator[tuple[str, str]]:
        """File and target ("ra dec") of each cutout of the selected files and targets; by default of all."""
        files, texts = self._select(input_files, coordinates)
        for file in files:
            for text in texts:
                if text in self.cutouts_by_file[file]:
                    yield file, text

    def _table(self, name: str, rows: Callable[[], Iterable[Any]], input_files: Any, coordinates: Any) -> Table:
        """Table of the selected cutouts. If the attribute `name` already has the whole table, its rows are used."""
        if name not in self.__dict__:
            return cutout_table(rows())
        return filter_table(self.__dict__[name], *self._select(input_files, coordinates))

    # -- cutouts ------------------------------------------------------------------------------------------------------

    def iter_cutouts(
        self, *, input_files: Any = None, coordinates: Any = None
    ) -> Iterator[tuple[str, SkyCoord, AsdfCutout2D]]:
        """File, target and Cutout2D of the selected files and targets; by default of all."""
        for part in self._parts(input_files, coordinates):
            assert part.cutout is not None
            yield str(part.file), part.sky, part.cutout

    def get_cutouts(self, *, input_files: Any = None, coordinates: Any = None) -> Table:
        """Table of the items of `iter_cutouts`."""
        chosen = {"input_files": input_files, "coordinates": coordinates}
        return self._table("cutouts", lambda: self.iter_cutouts(**chosen), input_files, coordinates)

    @cached_property
    def cutouts(self) -> Table:
        """See the class."""
        return self.get_cutouts()

    def iter_asdf_cutouts(
        self, *, input_files: Any = None, coordinates: Any = None
    ) -> Iterator[tuple[str, SkyCoord, Any]]:
        """File, target and AsdfFile of the selected files and targets. The iteration makes each when it reaches it."""
        for part in self._parts(input_files, coordinates):
            yield str(part.file), part.sky, asdf_object(part)

    def get_asdf_cutouts(self, *, input_files: Any = None, coordinates: Any = None) -> Table:
        """Table of the items of `iter_asdf_cutouts`."""
        chosen = {"input_files": input_files, "coordinates": coordinates}
        return self._table("asdf_cutouts", lambda: self.iter_asdf_cutouts(**chosen), input_files, coordinates)

    @cached_property
    def asdf_cutouts(self) -> Table:
        """See the class."""
        return self.get_asdf_cutouts()

    def iter_fits_cutouts(
        self, *, input_files: Any = None, coordinates: Any = None
    ) -> Iterator[tuple[str, SkyCoord, fits.HDUList]]:
        """File, target and HDUList of the selected files and targets. The iteration makes each when it reaches it."""
        today = date.today()  # noqa: DTZ011 - DATE is the user's local date
        writer = AsdfWriter(meta_only=True)
        for part in self._parts(input_files, coordinates):
            tree = writer.write(part) if self.embed_asdf else None
            yield str(part.file), part.sky, fits_object(part, today, tree)

    def get_fits_cutouts(self, *, input_files: Any = None, coordinates: Any = None) -> Table:
        """Table of the items of `iter_fits_cutouts`."""
        chosen = {"input_files": input_files, "coordinates": coordinates}
        return self._table("fits_cutouts", lambda: self.iter_fits_cutouts(**chosen), input_files, coordinates)

    @cached_property
    def fits_cutouts(self) -> Table:
        """See the class."""
        return self.get_fits_cutouts()

    # -- files --------------------------------------------------------------------------------------------------------

    def _contents(self, suffix: str, input_files: Any, coordinates: Any) -> tuple[list[str], Iterator[bytes]]:
        """Names and contents of the files to write."""
        parts = list(self._parts(input_files, coordinates))
        names = [asdf_name(part, self._size, suffix, lite=self._lite) for part in parts]
        if suffix == ".asdf":
            writer = AsdfWriter()
            return different_names(names), (writer.write(part) for part in parts)
        to_fits = FitsWriter(date.today(), embed_asdf=self.embed_asdf)  # noqa: DTZ011 - DATE is the user's local date
        return different_names(names), (to_fits.write(part) for part in parts)

    def _write(self, suffix: str, output_dir: Location, input_files: Any, coordinates: Any) -> list[str]:
        names, contents = self._contents(suffix, input_files, coordinates)
        folder = create_folder(output_dir)
        files = (
            (replaceable(folder / name, content), [content]) for name, content in zip(names, contents, strict=True)
        )
        paths = [path.as_posix() for path in write_files(files)]
        self._narrator.say("Cutout filepaths: %s", paths)
        return paths

    def write_as_asdf(
        self, output_dir: Location = ".", *, input_files: Any = None, coordinates: Any = None
    ) -> list[str]:
        """Write the selected cutouts as ASDF files, and return their paths. A file appears only when it is complete."""
        return self._write(".asdf", output_dir, input_files, coordinates)

    def write_as_fits(
        self, output_dir: Location = ".", *, input_files: Any = None, coordinates: Any = None
    ) -> list[str]:
        """Write the selected cutouts as FITS files, and return their paths. A file appears only when it is complete."""
        return self._write(".fits", output_dir, input_files, coordinates)

    def write_as_zip(
        self,
        output_dir: Location = ".",
        filename: Location | None = None,
        *,
        output_format: str = ".asdf",
        input_files: Any = None,
        coordinates: Any = None,
        provenance: bool = False,
    ) -> str:
        """Write the selected cutouts into an archive. The archive appears only when it is complete.

        Parameters
        ----------
        output_dir : str or Path, optional
            Folder of the archive. It is created if it does not exist.
        filename : str or Path, optional
            File name; ``.zip`` is added if it is missing. By default ``astrocut_asdf_cutouts.zip``, or
            ``astrocut_fits_cutouts.zip`` for FITS files.
        output_format : {'.asdf', '.fits'}, optional
            Format of the files in the archive.
        input_files, coordinates : optional
            Files and targets to select; by default all.
        provenance : bool, optional
            Whether the last member says what the others were made from; see docs/explanation/provenance.md.

        Returns
        -------
        str
            Path of the archive.

        Raises
        ------
        InvalidInputError
            When the format is unknown, or a selected file or target has no cutout.
        """
        suffix = check_format(output_format, "File format must be either '.asdf' or '.fits'.")
        name = os.fspath(filename) if filename is not None else f"astrocut_{suffix[1:]}_cutouts.zip"
        path = file_in_folder(output_dir, name if name.lower().endswith(".zip") else f"{name}.zip", "filename")
        names, contents = self._contents(suffix, input_files, coordinates)
        members: Iterable[Member] = ((name, [data], len(data)) for name, data in zip(names, contents, strict=True))
        if check_switch("provenance", provenance):
            origins = ([Origin.of(part.file, 0)] for part in self._parts(input_files, coordinates))
            members = Crate(date.today()).describe(members, dict(zip(names, origins, strict=True)))  # noqa: DTZ011 - see above
        return write_pieces(replaceable(path, ZIP_START), zip_pieces(members, localtime()[:6])).as_posix()
