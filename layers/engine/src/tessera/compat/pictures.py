"""Base of the classes of image cutouts: it makes pictures and writes them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from astropy.coordinates import SkyCoord

from tessera.errors import InputWarning
from tessera.images.pictures import Image, PictureOptions, Row, colour_pictures, grey_pictures, write_picture
from tessera.images.stretch import normalize_img
from tessera.inputs import parse_size_input
from tessera.io.outputs import create_folder
from tessera.narrator import Narrator
from tessera.windows import Side

if TYPE_CHECKING:
    from tessera.io.sources import Location


class Pictures:
    """Makes the pictures of a class of cutouts. The class decides what happens with too few or too many bands."""

    normalize_img = staticmethod(normalize_img)
    parse_size_input = staticmethod(parse_size_input)

    _size: tuple[Side, Side]
    _narrator = Narrator(__name__, verbose=False)

    def _too_few(self, sky: SkyCoord, rows: list[Row]) -> list[Row]:
        """Return the bands of a target that has fewer than three cutouts, or raise an error."""
        raise NotImplementedError

    def _too_many(self, sky: SkyCoord) -> str:
        """Text of the warning about a target that has more than three cutouts."""
        raise NotImplementedError

    def _three_bands(self, sky: SkyCoord, rows: list[Row]) -> list[Row]:
        """The first three cutouts of a target."""
        if len(rows) < 3:
            return self._too_few(sky, rows)
        if len(rows) > 3:
            warnings.warn(self._too_many(sky), InputWarning, stacklevel=6)
        return rows[:3]

    def _iter_pictures(
        self, rows: Iterable[Row], options: PictureOptions, *, colorize: bool
    ) -> Iterator[tuple[str, SkyCoord, Image]]:
        """File, target and picture of each cutout. Each picture is made when the iteration reaches it."""
        return colour_pictures(rows, options, self._three_bands) if colorize else grey_pictures(rows, options)

    def _write_pictures(self, named: Iterable[tuple[str, Image]], output_dir: Location) -> list[str | None]:
        """Write pictures and return their paths, with None for a picture that cannot be written.

        A picture appears at its path only when it is complete.
        """
        folder = create_folder(output_dir)
        paths = []
        for name, picture in named:
            paths.append(write_picture(picture, folder / name))
        self._narrator.say("Cutout filepaths: %s", paths)
        return paths
