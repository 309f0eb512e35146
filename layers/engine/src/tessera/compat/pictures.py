"""Base of the classes of image cutouts: it makes pictures and writes them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from astropy.coordinates import SkyCoord

from tessera.checks import check_switch
from tessera.errors import InputWarning, InvalidInputError
from tessera.images.origin.picture_record import RECORDED, recorded_picture
from tessera.images.pictures import (
    Drawn,
    Image,
    PictureOptions,
    Row,
    check_format,
    colour_pictures,
    grey_pictures,
    picture_bytes,
    write_picture,
)
from tessera.images.stretch import normalize_img
from tessera.inputs import parse_size_input
from tessera.io.outputs import create_folder
from tessera.narrator import Narrator
from tessera.provenance.record import Record
from tessera.windows import Side

if TYPE_CHECKING:
    from tessera.io.sources import Location


def check_recorded(output_format: str, *, provenance: bool) -> str:
    """Return the file suffix of a format, or raise `InvalidInputError` if it is none, or cannot have a record."""
    suffix = check_format(output_format)
    if check_switch("provenance", provenance) and suffix not in RECORDED:
        raise InvalidInputError("output_format", output_format, "'.jpg' or '.png' together with provenance=True")
    return suffix


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

    def _record(self, row: Row) -> Record:
        """The record of a cutout of a picture."""
        raise NotImplementedError

    def _iter_pictures(self, rows: Iterable[Row], options: PictureOptions, *, colorize: bool) -> Iterator[Drawn]:
        """Draw each cutout. Each picture is made when the iteration reaches it."""
        return colour_pictures(rows, options, self._three_bands) if colorize else grey_pictures(rows, options)

    def _write_pictures(
        self, named: Iterable[tuple[str, Drawn]], output_dir: Location, recorded: PictureOptions | None
    ) -> list[str | None]:
        """Write pictures and return their paths, with None for a picture that cannot be written.

        A picture appears at its path only when it is complete. With the options by which it was drawn, it has a record.
        """
        folder = create_folder(output_dir)
        paths = []
        for name, (_, _, picture, rows) in named:
            convert: Callable[[Image, str], bytes] = picture_bytes
            if recorded is not None:
                convert = partial(recorded_picture, cutouts=list(map(self._record, rows)), options=recorded)
            paths.append(write_picture(picture, folder / name, convert))
        self._narrator.say("Cutout filepaths: %s", paths)
        return paths
