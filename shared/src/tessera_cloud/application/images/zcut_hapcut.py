"""Archives in the form of MAST's services Zcut and Hapcut."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date

from astropy import units as u
from astropy.io import fits

from tessera.images.hdus import cut_hdu, cutout_file, file_bytes
from tessera.images.names import different_names, file_stem, size_text
from tessera_cloud.application.images.cut import Made, picture
from tessera_cloud.application.images.order import ImageOrder

NO_SURVEY = "Missing survey files for input target. Cutout not performed."
NO_HAP = "Missing HAP files for input target. Cutout not performed."


def _size(order: ImageOrder) -> str:
    """As Zcut writes it: ``300.0pix-x-200.0pix``."""
    unit = u.pixel if order.request.unit == "px" else u.deg
    return size_text((order.request.columns * unit, order.request.rows * unit))


def zcut_files(
    several: Sequence[Made], surveys: Mapping[str, str], order: ImageOrder, day: date
) -> list[tuple[str, bytes]]:
    """One FITS file for each survey, or a picture of each cutout.

    Parameters
    ----------
    several : sequence of Made
        Those with pixels.
    surveys : mapping
        Survey by name of the dataset.
    order : ImageOrder
        What was asked for.
    day : date
        Of creation.
    """
    request = order.request
    tail = f"{request.ra:.6f}_{request.dec:.6f}_{_size(order)}_astrocut"
    if request.form != "fits":
        pictures = [
            (f"{file_stem(made.image.found.name)}_{tail}_{extension}.{request.form}", made, cutout)
            for made in several
            for extension, cutout in made.pictured
        ]
        names = different_names([name for name, _, _ in pictures])
        shown = [picture([cutout], [made.image.found.name], made.sky, order) for _, made, cutout in pictures]
        return list(zip(names, shown, strict=True))
    by_survey: dict[str, list[Made]] = {}
    for made in several:
        by_survey.setdefault(surveys[made.image.dataset], []).append(made)
    return [(f"{survey}_{tail}.fits", file_bytes(_survey_file(found, day))) for survey, found in by_survey.items()]


def _survey_file(several: Sequence[Made], day: date) -> fits.HDUList:
    """All cutouts of a survey in one file."""
    cuts = [(cut, cut_hdu(cut)) for made in several for cut in made.cuts]
    hdus = cutout_file(cuts, several[0].sky, day)
    for made in several:
        if made.part is not None:
            hdus.extend(made.hdus(day, with_tree=False)[1:])
    return hdus


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{positive if value >= 0 else negative}{abs(value):.4f}".replace(".", "d")


def hap_name(file: str, ra: float, dec: float) -> str:
    """Name of a cutout, such as ``hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_ir_f160w.fits``.

    >>> hap_name("hst_skycell-p2007x09y05_wfc3_ir_f160w_coarse_drz.fits", 351.347812, 28.497808)
    'hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_ir_f160w_coarse.fits'
    """
    stem = re.sub(r"_dr[zc]$", "", file_stem(file)).removeprefix("hst_")
    head, _, rest = stem.partition("_")
    place = f"-{_degrees(ra, 'ra', 'ra')}-{_degrees(dec, 'decn', 'decs')}"
    return f"hst_cutout_{head}{place}{'_' if rest else ''}{rest}.fits"


def hapcut_files(several: Sequence[Made], order: ImageOrder, day: date) -> list[tuple[str, bytes]]:
    """A FITS file for each file, whose extensions have the names that they have there."""
    request, files = order.request, []
    for made in several:
        hdus = made.hdus(day)
        for hdu in hdus[1:]:
            if hdu.header.get("O_EXT_NM"):
                hdu.header["EXTNAME"] = hdu.header["O_EXT_NM"]
        files.append((hap_name(made.image.found.name, request.ra, request.dec), file_bytes(hdus)))
    names = different_names([name for name, _ in files])
    return [(name, data) for name, (_, data) in zip(names, files, strict=True)]


def nothing_found(protocol: str) -> str:
    """What a client shows where there is nothing to cut, as a document."""
    if protocol == "hapcut":
        return json.dumps({"msg": NO_HAP, "results": []})
    return json.dumps({"msg": NO_SURVEY})
