"""Base of `FITSCutout`: it makes and writes pictures of cutouts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from astropy.coordinates import SkyCoord

from tessera.checks import check_switch
from tessera.compat.pictures import Pictures, check_recorded
from tessera.errors import InvalidInputError
from tessera.images.names import check_prefix, cutout_stem, different_names, file_stem
from tessera.images.pictures import Drawn, Image, PictureOptions, Row
from tessera.io.locations import shown

if TYPE_CHECKING:
    from tessera.io.sources import Location


class ImageCutout(Pictures):
    """Base of classes that cut images. A subclass sets `_coordinates` and `_size`, and implements `_rows`."""

    _coordinates: list[SkyCoord]

    def _rows(self) -> Sequence[Row]:
        """File, target and cutout of each cutout, ordered by file and then by target."""
        raise NotImplementedError

    def _too_few(self, sky: SkyCoord, rows: list[Row]) -> list[Row]:  # noqa: ARG002 - see the base
        message = "Color cutouts require 3 input images (RGB). If you supplied 3 images one may have been empty."
        raise InvalidInputError("input_files", [shown(file) for file, _, _ in rows], "three cutouts", message)

    def _too_many(self, sky: SkyCoord) -> str:  # noqa: ARG002 - see the base
        return "Too many inputs for a color cutout, only the first three will be used."

    @cached_property
    def image_cutouts(self) -> list[Image]:
        """Pictures of the last call of `get_image_cutouts`. Without a call, they are made with default arguments."""
        return self.get_image_cutouts()

    def get_image_cutouts(  # noqa: PLR0917 - astrocut's signature
        self,
        stretch: str = "asinh",
        minmax_percent: Sequence[float] | None = None,
        minmax_value: Sequence[float] | None = None,
        invert: bool = False,
        colorize: bool = False,
        flip_orientation: bool = True,
    ) -> list[Image]:
        """Make pictures. This method needs Pillow.

        Parameters
        ----------
        stretch, minmax_percent, minmax_value, invert
            See `tessera.images.stretch.normalize_img`. Without limits, the percentiles 0.5 and 99.5 are used.
        colorize : bool, optional
            Whether to make one colour picture of each target. Its first three cutouts are red, green and blue, each
            with its own limits.
        flip_orientation : bool, optional
            Whether the first row of pixels is at the bottom.

        Returns
        -------
        list of PIL.Image.Image
            Pictures. ``info`` of each picture has its file, target, size and pixel scale.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed, or when a colour picture has fewer than three cutouts or
            cutouts of different shapes.
        """
        options = PictureOptions(stretch, minmax_percent, minmax_value, invert, flip_orientation)
        return [picture for _, _, picture, _ in self._draw(options, colorize=colorize)]

    def _draw(self, options: PictureOptions, *, colorize: bool) -> list[Drawn]:
        made = list(self._iter_pictures(self._rows(), options, colorize=check_switch("colorize", colorize)))
        self.__dict__["image_cutouts"] = [picture for _, _, picture, _ in made]
        return made

    def _picture_names(self, suffix: str, cutout_prefix: str, *, colorize: bool) -> list[str]:
        rows, prefix = self._rows(), check_prefix(cutout_prefix)
        if colorize:
            names = [cutout_stem(prefix, sky, self._size) + suffix for sky in self._coordinates]
            pairs = zip(names, self._coordinates, strict=True)
            return different_names([name for name, sky in pairs if any(row[1] is sky for row in rows)])
        numbers: dict[Location, int] = {}
        for file, _, _ in rows:
            numbers.setdefault(file, len(numbers))
        names = []
        for file, sky, cutout in rows:
            several = sum(row[0] == file and row[1] is sky for row in rows) > 1
            number = f"{numbers[file]}-{getattr(cutout, 'extension', 0)}" if several else str(numbers[file])
            names.append(f"{cutout_stem(file_stem(file), sky, self._size)}_{number}{suffix}")
        return different_names(names)

    def write_as_img(  # noqa: PLR0917 - astrocut's signature
        self,
        stretch: str = "asinh",
        minmax_percent: Sequence[float] | None = None,
        minmax_value: Sequence[float] | None = None,
        invert: bool = False,
        colorize: bool = False,
        output_format: str = ".jpg",
        output_dir: Location = ".",
        cutout_prefix: str = "cutout",
        flip_orientation: bool = True,
        *,
        provenance: bool = False,
    ) -> Any:
        """Write pictures: one of each cutout, or with `colorize` one of each target.

        Parameters
        ----------
        stretch, minmax_percent, minmax_value, invert, colorize, flip_orientation
            See `get_image_cutouts`.
        output_format : str, optional
            File suffix that Pillow supports, such as '.jpg', '.png' or '.tiff'.
        output_dir : str or Path, optional
            Folder of the pictures. It is created if it does not exist.
        cutout_prefix : str, optional
            First part of the file name of a colour picture.
        provenance : bool, optional
            Whether the pictures say what they were made of; see docs/explanation/provenance.md. Only JPEG and PNG can.

        Returns
        -------
        list of (str or None), or str or None
            Paths, in the order of the pictures. A picture that cannot be written in the format is None and causes a
            `DataWarning`. A colour picture of a single target returns its path without a list.

        Raises
        ------
        InvalidInputError
            See `get_image_cutouts`; also when Pillow does not support the format.
        """
        suffix = check_recorded(output_format, provenance=provenance)
        options = PictureOptions(stretch, minmax_percent, minmax_value, invert, flip_orientation)
        made = self._draw(options, colorize=colorize)
        names = self._picture_names(suffix, cutout_prefix, colorize=colorize)
        paths = self._write_pictures(zip(names, made, strict=True), output_dir, options if provenance else None)
        return paths[0] if colorize and len(self._coordinates) == 1 else paths
