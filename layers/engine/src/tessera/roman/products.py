"""Make ASDF and FITS files of cutouts of ASDF images."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera import __version__
from tessera.errors import ImageFormatError
from tessera.extras import import_extra
from tessera.images.hdus import primary_hdu
from tessera.inputs import sky_text
from tessera.io.locations import shown
from tessera.roman.cut import AsdfPart

_IN_FITS: dict[Any, Any] = {np.dtype(np.bool_): np.dtype(np.uint8), np.dtype(np.float16): np.dtype(np.float32)}
"""Types of pixels that FITS images do not have, and those that hold the same values there."""
SOFTWARE = {"name": "tessera", "author": "Tessera contributors", "version": __version__}


def history_text(part: AsdfPart) -> str:
    """Text of the history entry of a cutout."""
    assert part.cutout is not None
    ra, dec = sky_text(part.sky).split()
    text = f"Cutout of size {part.cutout.shape} at sky coordinates ({ra}, {dec})"
    return f"{text}; values are in {part.units}" if part.units else text


def asdf_object(part: AsdfPart, tree: dict[str, Any] | None = None) -> Any:
    """Make an ``asdf.AsdfFile`` of a cutout. `tree` replaces the cutout's own tree."""
    asdf = import_extra("asdf", "ASDF files")
    file = asdf.AsdfFile(part.tree() if tree is None else tree)
    file.add_history_entry(history_text(part), software=dict(SOFTWARE))
    return file


def asdf_bytes(file: Any) -> bytes:
    """Convert an ``asdf.AsdfFile`` to the bytes of a file."""
    content = io.BytesIO()
    file.write_to(content)
    return content.getvalue()


def fits_pixels(part: AsdfPart) -> NDArray[Any]:
    """Pixels of a cutout in a type that FITS images have: the same values.

    Raises
    ------
    ImageFormatError
        When FITS images have no such type, as for complex numbers.
    """
    assert part.cutout is not None
    data: NDArray[Any] = part.cutout.data
    kept: NDArray[Any] = data.astype(_IN_FITS.get(data.dtype, data.dtype), copy=False)
    if kept.dtype.kind not in "iuf" or kept.dtype.itemsize > 8:
        allowed = "allowed in a FITS file: booleans, integers and real numbers; an ASDF file keeps all types"
        raise ImageFormatError(f"{shown(part.file)}: its pixels have the type {data.dtype.name}; {allowed}")
    return kept


def fits_object(part: AsdfPart, day: date, tree: bytes | None = None) -> fits.HDUList:
    """Make a FITS file of a cutout.

    Its WCS approximates the generalized WCS; see `tessera.roman.cut.AsdfCutout2D.fits_wcs`.

    Parameters
    ----------
    part : AsdfPart
        The cutout.
    day : date
        Date of creation.
    tree : bytes, optional
        ASDF file with the tree without pixels. It contains the generalized WCS, and is stored in an extension ASDF in
        the form of stdatamodels.

    Raises
    ------
    ImageFormatError
        See `fits_pixels`.
    """
    assert part.cutout is not None
    pixels, kind = fits_pixels(part), part.cutout.data.dtype
    image = fits.ImageHDU(pixels, part.cutout.fits_wcs().to_header(relax=True), "CUTOUT")
    image.header["ORIG_FLE"] = (str(part.file), "original file")
    if pixels.dtype != kind:
        image.header.add_history(f"Pixels converted from {kind.name} to {pixels.dtype.name}; FITS has no {kind.name}.")
    hdus = fits.HDUList([primary_hdu(part.sky, day), image])
    if tree is not None:
        data = np.frombuffer(tree, np.uint8)[None, :]
        column = fits.Column(name="ASDF_METADATA", format=f"{data.shape[1]}B", array=data)
        hdus.append(fits.BinTableHDU.from_columns([column], name="ASDF"))
    return hdus
