"""Check the arguments of the image cutout classes that `tessera.inputs` does not cover."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits

from tessera.checks import check_number
from tessera.errors import InvalidInputError
from tessera.images.sizes import FARTHEST
from tessera.io.file_objects import ImageInput, label_of
from tessera.sky.coordinates import Coordinates, iter_positions, why_unusable

if TYPE_CHECKING:
    from tessera.io.sources import Location
    from tessera.sky.shapes.shape import Shape

_PIXELS = f"a number up to {FARTHEST:g}; 0 is the centre of the first pixel"
_FILES = "a path, URL, binary file object or HDUList, or a list of them"


@dataclass(frozen=True)
class ImagePixel:
    """A pixel as the target of a cutout, in place of a position on the sky.

    Parameters
    ----------
    row, column : float
        Place on the image; the centre of the first pixel is 0.

    Raises
    ------
    InvalidInputError
        When a value is not a finite number.
    """

    row: float
    column: float

    def __post_init__(self) -> None:
        for name in ("row", "column"):
            value = check_number(name, getattr(self, name), _PIXELS)
            if not abs(value) <= FARTHEST:
                raise InvalidInputError(name, value, _PIXELS)
            object.__setattr__(self, name, value)


Target: TypeAlias = "SkyCoord | ImagePixel | Shape"
"""Position of a target, ICRS, a pixel, or a shape whose box is cut whatever the size."""
Targets: TypeAlias = "Coordinates | ImagePixel | Sequence[SkyCoord | str | ImagePixel]"
"""What a user may give as targets."""


def label_inputs(input_files: ImageInput | Sequence[ImageInput]) -> dict[Location, ImageInput]:
    """Give every input the name that it has in results. A path that is given twice is used once.

    Returns
    -------
    dict
        Name to input, in the order of the inputs.

    Raises
    ------
    InvalidInputError
        When the list is empty or an item is not an input.
    """
    single = isinstance(input_files, (str, os.PathLike, fits.HDUList)) or hasattr(input_files, "read")
    items = [input_files] if single else input_files
    if isinstance(items, (bytes, bytearray, memoryview)):
        raise InvalidInputError("input_files", input_files, f"{_FILES}; io.BytesIO makes a file object of bytes")
    try:
        listed: list[Any] = list(items)  # type: ignore[arg-type] # not iterable: reported below
    except TypeError as error:
        raise InvalidInputError("input_files", input_files, _FILES) from error
    if not listed:
        raise InvalidInputError("input_files", listed, _FILES)
    labelled: dict[Location, ImageInput] = {}
    for number, item in enumerate(listed):
        path = isinstance(item, (str, os.PathLike))
        if not path and not isinstance(item, fits.HDUList) and not (hasattr(item, "read") and hasattr(item, "seek")):
            raise InvalidInputError("input_files", item, _FILES)
        label = label_of(item, number)
        if not path and label in labelled and labelled[label] is not item:
            label = f"{label}-{number + 1}"
        labelled[label] = item
    return labelled


def read_image_targets(coordinates: Targets) -> tuple[list[Target], dict[int, InvalidInputError]]:
    """Convert a user's positions, and find those that are masked or not finite.

    Returns
    -------
    (list of SkyCoord or ImagePixel, dict)
        Scalar ICRS positions (NaN where a position is not known) and pixels; and number of such a position to its
        error.

    Raises
    ------
    InvalidInputError
        When there is no position, or an item is not a position.
    """
    targets: list[Target] = []
    unknown: dict[int, InvalidInputError] = {}
    mixed = isinstance(coordinates, (list, tuple)) and any(isinstance(item, ImagePixel) for item in coordinates)
    groups: Sequence[Any] = coordinates if mixed else [coordinates]  # type: ignore[assignment] # a list or tuple
    for group in groups:
        if isinstance(group, ImagePixel):
            targets.append(group)
            continue
        for sky in iter_positions(group):
            several = [sky] if sky.isscalar else list(sky.ravel())
            for number, value in why_unusable(sky).items():
                several[number] = SkyCoord(np.nan, np.nan, unit="deg")
                place = len(targets) + number
                unknown[place] = InvalidInputError(f"coordinates[{place}]", value, "a position that is known")
            targets += several
    return targets, unknown


def check_fsspec_kwargs(options: object, argument: str = "fsspec_kwargs") -> Mapping[str, Any] | None:
    """Return the arguments for fsspec, or raise `InvalidInputError` if they are not a mapping or None."""
    if options is None:
        return None
    if not isinstance(options, Mapping):
        raise InvalidInputError(argument, options, "a dict of arguments of the file system, or None")
    return options
