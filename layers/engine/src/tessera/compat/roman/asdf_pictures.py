"""Pictures of ASDF cutouts, in tables and by file and target."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astropy.coordinates import SkyCoord
from astropy.table import Table

from tessera.compat.roman.asdf_selection import cutout_table
from tessera.images.names import cutout_stem, different_names, file_stem
from tessera.images.pictures import (
    Image,
    PictureOptions,
    Row,
    check_format,
    colour_pictures,
    grey_pictures,
    write_picture,
)
from tessera.images.stretch import normalize_img
from tessera.inputs import parse_size_input, sky_text
from tessera.user_warnings import InputWarning
from tessera.windows import Side

if TYPE_CHECKING:
    from tessera.io.sources import Location

log = logging.getLogger("tessera")


def _three_bands(sky: SkyCoord, rows: list[Row]) -> list[Row]:
    """The first three cutouts of a target; none where there are fewer."""
    text = sky_text(sky)
    if len(rows) < 3:
        message = f"Color cutouts require 3 input images (RGB) for coordinate {text}. "
        message += "If you supplied 3 images one of the cutouts may have been empty."
        warnings.warn(message, InputWarning, stacklevel=6)
        return []
    if len(rows) > 3:
        message = f"More than 3 cutouts found for coordinate {text}. "
        message += "Only the first three will be used for the color cutout."
        warnings.warn(message, InputWarning, stacklevel=6)
    return rows[:3]


class AsdfPictures:
    """The part of `ASDFCutout` that makes pictures."""

    normalize_img = staticmethod(normalize_img)
    parse_size_input = staticmethod(parse_size_input)

    _size: tuple[Side, Side]

    def _rows(self, input_files: Any = None, coordinates: Any = None) -> Sequence[Row]:
        """File, target and cutout of what is named."""
        raise NotImplementedError

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
        """File, target and picture of the files and targets that are named, each made when its turn comes.

        Parameters
        ----------
        input_files, coordinates : optional
            Files and targets; by default all.
        stretch, minmax_percent, minmax_value, invert, colorize, flip_orientation
            See `tessera.FITSCutout.get_image_cutouts`. A target with fewer than three cutouts has no colour picture,
            and an `InputWarning` tells it.
        """
        options = PictureOptions(stretch, minmax_percent, minmax_value, invert, flip_orientation)
        rows = self._rows(input_files, coordinates)
        yield from colour_pictures(rows, options, _three_bands) if colorize else grey_pictures(rows, options)

    def get_image_cutouts(self, **arguments: Any) -> Table:
        """The same as a table; it takes the arguments of `iter_image_cutouts`."""
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
        **arguments: Any,
    ) -> list[str]:
        """Write pictures, each of which appears when it is whole.

        Parameters
        ----------
        colorize : bool, optional
            One picture of each target.
        output_format : str, optional
            A suffix that Pillow knows: '.jpg', '.png', '.tiff'.
        output_dir : str or Path, optional
            Folder; it is made where it does not exist.
        cutout_prefix : str, optional
            Begin of the name of a colour picture.
        **arguments
            Those of `iter_image_cutouts`.

        Returns
        -------
        list of str
            Paths of the pictures that could be written.
        """
        suffix = check_format(output_format)
        folder = Path(output_dir)
        made = self.iter_image_cutouts(colorize=colorize, **arguments)
        names: list[str] = []
        paths = []
        for file, sky, picture in made:
            stem = cutout_stem(cutout_prefix if colorize else file_stem(file), sky, self._size)
            names = different_names([*names, stem + suffix])
            folder.mkdir(parents=True, exist_ok=True)
            paths.append(write_picture(picture, folder / names[-1]))
        log.debug("Cutout filepaths: %s", paths)
        return [path for path in paths if path is not None]
