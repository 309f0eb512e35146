"""Make grey or three-band pictures of cutouts, and write a description into them. This module needs Pillow."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs.utils import proj_plane_pixel_scales
from numpy.typing import NDArray

from tessera import __version__
from tessera.checks import check_switch
from tessera.errors import DataWarning, InvalidInputError, KeptFileError
from tessera.extras import import_extra
from tessera.images.names import replaceable
from tessera.images.stretch import check_limits, check_stretch, normalize_img
from tessera.images.wcs import grids_apart
from tessera.inputs import sky_text
from tessera.io.files import write_pieces

Image: TypeAlias = Any
"""``PIL.Image.Image``. Pillow is imported only when a picture is made."""
PERCENTILES = (0.5, 99.5)
"""Default percentiles of the values that become black and white."""
BAND_TOLERANCE = 1.5
"""Largest distance in pixels between bands of a colour picture. Windows differ by up to a pixel in rows and columns."""
_IMAGE_DESCRIPTION = 270
"""Number of the Exif tag ImageDescription."""


class Pictured(Protocol):
    """A cutout that a picture can be made of."""

    @property
    def data(self) -> NDArray[Any]:
        """Pixels, shape (n_rows, n_columns)."""

    @property
    def wcs(self) -> Any:
        """WCS of the pixels."""


@dataclass(frozen=True)
class PictureOptions:
    """Options of pictures.

    Parameters
    ----------
    stretch, minmax_percent, minmax_value, invert
        See `tessera.images.stretch.normalize_img`. Without limits, the percentiles 0.5 and 99.5 are used.
    flip_orientation : bool, optional
        Whether the first row of pixels is at the bottom, as is usual in astronomy.

    Raises
    ------
    InvalidInputError
        When an option has a value that is not allowed.
    """

    stretch: str = "asinh"
    minmax_percent: Sequence[float] | None = None
    minmax_value: Sequence[float] | None = None
    invert: bool = False
    flip_orientation: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "stretch", check_stretch(self.stretch))
        for name in ("invert", "flip_orientation"):
            object.__setattr__(self, name, check_switch(name, getattr(self, name)))
        if self.minmax_percent is not None:
            check_limits("minmax_percent", self.minmax_percent, 0, 100)
        elif self.minmax_value is not None:
            check_limits("minmax_value", self.minmax_value)
        else:
            object.__setattr__(self, "minmax_percent", PERCENTILES)

    def levels(self, data: NDArray[Any]) -> NDArray[np.uint8]:
        """Grey levels of pixels, 0 to 255."""
        return normalize_img(data, self.stretch, self.minmax_percent, self.minmax_value, self.invert)


def describe(files: Sequence[Any], cutout: Pictured, sky: SkyCoord) -> dict[str, str | float | int]:
    """Describe a picture: its files, size, pixel scale and target. The description is written into its file."""
    names = [Path(str(file)).name for file in files]
    shape = cutout.data.shape
    return {
        **({"input_file": names[0]} if len(names) == 1 else {"input_files": ", ".join(names)}),
        "cutout_size_x_pix": int(shape[1]),
        "cutout_size_y_pix": int(shape[0]),
        "pixel_scale_arcsec_per_pix": float(proj_plane_pixel_scales(cutout.wcs)[0] * 3600),
        "center_ra_deg": float(sky.icrs.ra.deg),
        "center_dec_deg": float(sky.icrs.dec.deg),
        "origin": "STScI/MAST",
        "version": __version__,
    }


def build_picture(cutouts: Sequence[Pictured], files: Sequence[Any], sky: SkyCoord, options: PictureOptions) -> Image:
    """Make a picture.

    Parameters
    ----------
    cutouts : sequence
        One cutout for a grey picture, or three for red, green and blue. Each has its own limits.
    files : sequence
        File of each cutout.
    sky : SkyCoord
        Position of the target.
    options : PictureOptions
        Options of the picture.

    Raises
    ------
    InvalidInputError
        When a cutout has more than two axes, or three bands have different shapes or different pixel grids.
    """
    pil = import_extra("PIL.Image", "pictures")
    _check_bands(cutouts, files)
    bands = [options.levels(cutout.data) for cutout in cutouts]
    image = pil.fromarray(bands[0] if len(bands) == 1 else np.dstack(bands))
    if options.flip_orientation:
        image = image.transpose(pil.Transpose.FLIP_TOP_BOTTOM)
    image.info.update(describe(files, cutouts[0], sky))
    return image


def _check_bands(cutouts: Sequence[Pictured], files: Sequence[Any]) -> None:
    """Check that cutouts are two-dimensional and show the same sky in each pixel."""
    shapes = [tuple(cutout.data.shape) for cutout in cutouts]
    if any(len(shape) != 2 for shape in shapes):
        raise InvalidInputError("cutouts", shapes, "images of two axes; choose a plane of a cube first")
    if len(set(shapes)) > 1:
        raise InvalidInputError("cutouts", shapes, "bands of one shape, in pixels of one size")
    for cutout, file in zip(cutouts[1:], files[1:], strict=True):
        apart = grids_apart(cutouts[0].wcs, cutout.wcs, (shapes[0][0], shapes[0][1]))
        if apart > BAND_TOLERANCE:
            allowed = f"bands that are at most {BAND_TOLERANCE:g} pixels apart; reproject the images first"
            message = f"Pixels of {file} are up to {apart:.1f} pixels from those of {files[0]}."
            raise InvalidInputError("cutouts", [str(each) for each in files], allowed, message)


def check_format(output_format: str) -> str:
    """Return the file suffix of a format, or raise `InvalidInputError` if Pillow does not support it."""
    registered_extensions = import_extra("PIL.Image", "pictures").registered_extensions
    suffix = output_format.lower() if isinstance(output_format, str) else repr(output_format)
    suffix = suffix if suffix.startswith(".") else f".{suffix}"
    if suffix not in registered_extensions():
        message = f"Output format {suffix} is not supported."
        raise InvalidInputError("output_format", output_format, "'.jpg', '.png', '.tiff' or another of Pillow", message)
    return suffix


def save_arguments(image: Image, suffix: str) -> dict[str, Any]:
    """Arguments of Pillow that write the description into the file: as text in PNG, as Exif in JPEG and TIFF."""
    if not image.info:
        return {}
    if suffix == ".png":
        info = import_extra("PIL.PngImagePlugin", "pictures").PngInfo()
        for key, value in image.info.items():
            info.add_text(str(key), str(value))
        return {"pnginfo": info}
    if suffix in (".jpg", ".jpeg", ".tif", ".tiff"):
        exif = image.getexif()
        exif[_IMAGE_DESCRIPTION] = json.dumps(image.info)
        return {"exif": exif.tobytes()}
    return {}


def picture_bytes(image: Image, suffix: str) -> bytes:
    """Convert a picture to the bytes of a file.

    Raises
    ------
    ValueError, KeyError, OSError
        When Pillow cannot write the picture in this format.
    """
    content = io.BytesIO()
    kind = import_extra("PIL.Image", "pictures").registered_extensions()[suffix]
    image.save(content, format=kind, **save_arguments(image, suffix))
    return content.getvalue()


def _write(path: Path, content: bytes) -> Path:
    return write_pieces(replaceable(path, content), [content])


def write_picture(image: Image, path: Path, convert: Callable[[Image, str], bytes] = picture_bytes) -> str | None:
    """Write a picture and return its path. The file appears only when it is complete.

    A picture that cannot be written causes a `DataWarning`, and None is returned.

    Parameters
    ----------
    image : PIL.Image.Image
        The picture.
    path : Path
        Path of the file.
    convert : callable, optional
        Makes the bytes of the file, given the picture and the end of the name.
    """
    suffix = path.suffix.lower()
    try:
        return _write(path, convert(image, suffix)).as_posix()
    except (ValueError, KeyError) as error:
        reason = f"in {suffix} format: {error}. Please try a different output format."
    except (KeptFileError, OSError) as error:
        reason = f": {error}"
    warnings.warn(f"Cutout could not be saved {reason}".replace(" :", ":"), DataWarning, stacklevel=3)
    return None


Row: TypeAlias = tuple[Any, SkyCoord, Pictured]
"""File, target and cutout."""


Drawn: TypeAlias = tuple[Any, SkyCoord, Image, list[Row]]
"""File or files, target, picture, and what it was made of."""


def grey_pictures(rows: Iterable[Row], options: PictureOptions) -> Iterator[Drawn]:
    """Make a grey picture of each cutout."""
    for file, sky, cutout in rows:
        yield file, sky, build_picture([cutout], [file], sky, options), [(file, sky, cutout)]


def colour_pictures(
    rows: Iterable[Row], options: PictureOptions, choose: Callable[[SkyCoord, list[Row]], list[Row]]
) -> Iterator[Drawn]:
    """Make a three-band picture of each target.

    Parameters
    ----------
    rows : iterable of (file, SkyCoord, cutout)
        Cutouts; those of one target are in the order red, green, blue.
    options : PictureOptions
        Options of the pictures.
    choose : callable
        Function that chooses bands: ``choose(sky, rows)`` returns the three rows of a target to use, or an empty list
        for no picture.
    """
    targets: dict[str, list[Row]] = {}
    for row in rows:
        targets.setdefault(sky_text(row[1].icrs), []).append(row)
    for found in targets.values():
        sky = found[0][1]
        bands = choose(sky, found)
        if bands:
            files = [file for file, _, _ in bands]
            cutouts = [cutout for _, _, cutout in bands]
            yield ", ".join(str(file) for file in files), sky, build_picture(cutouts, files, sky, options), bands
