"""Make and write pictures of ASDF cutouts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from astropy.coordinates import SkyCoord
from astropy.table import Table

from tessera.checks import check_switch
from tessera.compat.pictures import Pictures, check_recorded
from tessera.compat.roman.asdf_selection import cutout_table
from tessera.errors import InputWarning
from tessera.images.names import check_prefix, cutout_stem, different_names, file_stem
from tessera.images.pictures import Drawn, Image, PictureOptions, Row
from tessera.inputs import sky_text

if TYPE_CHECKING:
    from tessera.io.sources import Location


class AsdfPictures(Pictures):
    """The part of `ASDFCutout` that makes pictures."""

    def _rows(self, input_files: Any = None, coordinates: Any = None) -> Sequence[Row]:
        """File, target and cutout of the selected files and targets."""
        raise NotImplementedError

    def _too_few(self, sky: SkyCoord, rows: list[Row]) -> list[Row]:  # noqa: ARG002 - see the base
        message = f"Color cutouts require 3 input images (RGB) for coordinate {sky_text(sky)}. "
        message += "If you supplied 3 images one of the cutouts may have been empty."
        warnings.warn(message, InputWarning, stacklevel=7)
        return []

    def _too_many(self, sky: SkyCoord) -> str:
        message = f"More than 3 cutouts found for coordinate {sky_text(sky)}. "
        return message + "Only the first three will be used for the color cutout."

    def iter_image_cutouts(
        self,
        *,
        input_files: Any = None,
        coordinates: Any = None,
        stretch: str = "asinh",
        minmax_percent: Sequence[float] | None = None,
        minmax_value: Sequence[float] | None = None,
        invert: bool = False,
        colorize: bool = False,
        flip_orientation: bool = True,
    ) -> Iterator[tuple[str, SkyCoord, Image]]:
        """File, target and picture of the selected files and targets. The iteration makes each when it reaches it.

        Parameters
        ----------
        input_files, coordinates : optional
            Files and targets to select; by default all.
        stretch, minmax_percent, minmax_value, invert, colorize, flip_orientation
            See `tessera.FITSCutout.get_image_cutouts`. A target with fewer than three cutouts gets no colour picture,
            but an `InputWarning`.
        """
        options = PictureOptions(stretch, minmax_percent, minmax_value, invert, flip_orientation)
        rows = self._rows(input_files, coordinates)
        for file, sky, picture, _ in self._iter_pictures(rows, options, colorize=check_switch("colorize", colorize)):
            yield file, sky, picture

    def get_image_cutouts(self, **arguments: Any) -> Table:
        """Table of the items of `iter_image_cutouts`, with the same arguments."""
        return cutout_table(self.iter_image_cutouts(**arguments))

    @cached_property
    def image_cutouts(self) -> Table:
        """Grey pictures of all cutouts."""
        return self.get_image_cutouts()

    def write_as_img(
        self,
        *,
        colorize: bool = False,
        output_format: str = ".jpg",
        output_dir: Location = ".",
        cutout_prefix: str = "cutout",
        input_files: Any = None,
        coordinates: Any = None,
        provenance: bool = False,
        **arguments: Any,
    ) -> list[str]:
        """Write pictures. Each file appears only when it is complete.

        Parameters
        ----------
        colorize : bool, optional
            Whether to make one colour picture of each target.
        output_format : str, optional
            File suffix that Pillow supports, such as '.jpg', '.png' or '.tiff'.
        output_dir : str or Path, optional
            Folder of the pictures. It is created if it does not exist.
        cutout_prefix : str, optional
            First part of the file name of a colour picture.
        input_files, coordinates : optional
            Files and targets to select; by default all.
        provenance : bool, optional
            Whether the pictures say what they were made of; see docs/explanation/provenance.md. Only JPEG and PNG can.
        **arguments
            Further arguments of `iter_image_cutouts`.

        Returns
        -------
        list of str
            Paths of the pictures. A picture that cannot be written is left out with a `DataWarning`.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed, or Pillow does not support the format.
        """
        suffix, options = check_recorded(output_format, provenance=provenance), PictureOptions(**arguments)
        rows = self._rows(input_files, coordinates)
        made = self._iter_pictures(rows, options, colorize=check_switch("colorize", colorize))
        named = self._named(made, suffix, check_prefix(cutout_prefix) if colorize else None)
        paths = self._write_pictures(named, output_dir, options if provenance else None)
        return [path for path in paths if path is not None]

    def _named(self, made: Iterable[Drawn], suffix: str, stem: str | None) -> Iterator[tuple[str, Drawn]]:
        """File name and picture of each item. Without a stem, the name begins with the name of the image's file."""
        names: list[str] = []
        for drawn in made:
            file, sky, *_ = drawn
            name = cutout_stem(file_stem(file) if stem is None else stem, sky, self._size) + suffix
            names = different_names([*names, name])
            yield names[-1], drawn
