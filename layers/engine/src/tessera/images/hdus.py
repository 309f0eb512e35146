"""Make FITS files of image cutouts."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Sequence
from datetime import date

from astropy.coordinates import SkyCoord
from astropy.io import fits

from tessera import __version__
from tessera.images.cut import ImageCut
from tessera.images.headers.moving import axis_records, table_records


def primary_hdu(sky: SkyCoord | None, day: date) -> fits.PrimaryHDU:
    """Primary HDU of a file of cutouts."""
    hdu = fits.PrimaryHDU()
    hdu.header["ORIGIN"] = ("STScI/MAST", "institution responsible for creating this file")
    hdu.header["DATE"] = (day.isoformat(), "file creation date")
    hdu.header["PROCVER"] = (__version__, "software version")
    if sky is not None:
        hdu.header["RA_OBJ"] = (float(sky.icrs.ra.deg), "[deg] right ascension")
        hdu.header["DEC_OBJ"] = (float(sky.icrs.dec.deg), "[deg] declination")
    return hdu


def cut_hdu(cut: ImageCut) -> fits.ImageHDU:
    """Image HDU of a cutout, without the lookup tables that it may need."""
    return fits.ImageHDU(cut.data, cut.header.copy())


def cutout_file(cuts: Sequence[tuple[ImageCut, fits.ImageHDU]], sky: SkyCoord | None, day: date) -> fits.HDUList:
    """Make a file of cutouts: each image is followed by its lookup tables, which get unique numbers (EXTVER).

    Parameters
    ----------
    cuts : sequence of (ImageCut, ImageHDU)
        Cutouts and their HDUs from `cut_hdu`. The HDUs become part of the file.
    sky : SkyCoord or None
        Position of the target.
    day : date
        Date of creation.
    """
    hdus = fits.HDUList([primary_hdu(sky, day)])
    n_tables: Counter[str] = Counter()
    for number, (cut, hdu) in enumerate(cuts):
        hdu.ver = number + 1
        hdus.append(hdu)
        for (name, record, _), table in zip(table_records(cut.header), cut.tables, strict=True):
            n_tables[name] += 1
            hdu.header[f"{record}.EXTVER"] = n_tables[name]
            copy = table.copy()
            copy.ver = n_tables[name]
            hdus.append(copy)
        for (axis, name, _), axis_table in zip(axis_records(cut.header), cut.axis_tables, strict=True):
            n_tables[name] += 1
            hdu.header[f"PV{axis}_1"] = n_tables[name]
            copy = axis_table.copy()
            copy.ver = n_tables[name]
            hdus.append(copy)
    return hdus


def file_bytes(hdus: fits.HDUList) -> bytes:
    """Convert a FITS file to bytes with checksums. Non-standard cards of the source are kept as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        return write_bytes(hdus)


def write_bytes(hdus: fits.HDUList) -> bytes:
    """Convert a FITS file to bytes like `file_bytes`, but let astropy warn about non-standard cards."""
    content = io.BytesIO()
    hdus.writeto(content, checksum=True, output_verify="silentfix+ignore")
    return content.getvalue()
