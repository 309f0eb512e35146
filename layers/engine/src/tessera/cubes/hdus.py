"""The bytes of a cube around its pixels: headers before them, padding and info table after them.

Layout: primary HDU without data; image HDU with axes NAXIS1 = planes, NAXIS2 = cadences, NAXIS3 = columns,
NAXIS4 = rows; info table. Source: the public cubes of MAST and astrocut 1.4 (docs/explanation/formats.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from tessera.cubes.frames import Frame
from tessera.cubes.info_table import InfoTable
from tessera.cubes.layout import CubeLayout
from tessera.fits.hdus import format_hdu, format_header, image_cards


def build_primary_header(frames: Sequence[Frame], sector: int | None, date: str) -> bytes:
    """Build the primary header of a cube.

    Parameters
    ----------
    frames : sequence of Frame
        In time order. The header is that of the first frame, with the end of exposure of the last one.
    sector : int or None
        Observing sector; None leaves the card undefined.
    date : str
        Day of creation, ``YYYY-MM-DD``.

    Returns
    -------
    bytes
        Whole FITS blocks, with CHECKSUM and DATASUM.
    """
    from astropy.io import fits  # noqa: PLC0415 - slow to import, and most functions do not need it

    first, last = frames[0], frames[-1]
    header = fits.Header.fromstring(first.primary.text)
    for keyword in ("CHECKSUM", "DATASUM"):
        header.remove(keyword, ignore_missing=True)
    header["ORIGIN"] = "STScI/MAST"
    header["DATE"] = date
    for keyword in first.product.detector:
        header[keyword] = (first.science.get(keyword), first.science.comment(keyword))
    header["SECTOR"] = (sector, "Observing sector")
    for keyword in first.product.from_last:
        header[keyword] = (last.science.get(keyword), last.science.comment(keyword))
    header["EXTNAME"] = "PRIMARY"
    return format_hdu(fits.PrimaryHDU(header=header).header)


def build_image_header(layout: CubeLayout, data_sum: int) -> bytes:
    """Build the header of the cube's image HDU.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data_sum : int
        Ones-complement sum of all its pixels.

    Returns
    -------
    bytes
        One FITS block.
    """
    shape = layout.n_rows, layout.n_columns, layout.n_cadences, layout.n_planes
    return format_header(image_cards(-32, shape), data_sum)


def build_info_hdu(frames: Sequence[Frame], input_order: Sequence[Frame]) -> bytes:
    """Build the info table's HDU.

    Parameters
    ----------
    frames : sequence of Frame
        Frames in time order.
    input_order : sequence of Frame
        The same frames in the order in which they were given. The first one with a WCS is the template.

    Returns
    -------
    bytes
        Header and data, whole FITS blocks.
    """
    order = {frame.name: row for row, frame in enumerate(input_order)}
    return InfoTable.of_frames(input_order).take([order[frame.name] for frame in frames]).to_bytes()
