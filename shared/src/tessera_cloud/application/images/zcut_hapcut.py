"""The protocols Zcut and Hapcut of MAST: parameters as their clients spell them, and archives as they know them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import get_args

from astropy import units as u
from astropy.io import fits

from tessera.images.hdus import cut_hdu, cutout_file, file_bytes
from tessera.images.names import different_names, file_stem, size_text
from tessera_cloud.application.images.cut import Made, picture
from tessera_cloud.application.images.order import Form, ImageLook, ImageOrder, ImageRequest, Pair, Stretch
from tessera_cloud.errors import UsageError
from tessera_cloud.http.tesscut.parameters import parse_cutout_request

Parameters = Mapping[str, Sequence[str]]

NO_SURVEY = "Missing survey files for input target. Cutout not performed."
NO_HAP = "Missing HAP files for input target. Cutout not performed."
_FORMS: dict[str, Form] = {"fits": "fits", "jpg": "jpg", "jpeg": "jpg", "png": "png"}
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")
_NUMBER = re.compile(r"[^\[\](),\s]+")


def _last(parameters: Parameters, name: str) -> str:
    values = parameters.get(name, ())
    return values[-1].strip() if values else ""


def _pair(parameters: Parameters, name: str) -> Pair | None:
    """Two numbers: ``[0.5, 99.5]``, ``0.5,99.5``, or given twice."""
    words = _NUMBER.findall(" ".join(parameters.get(name, ())))
    if not words:
        return None
    try:
        low, high = map(float, words)
    except ValueError:
        raise UsageError.about(name, " ".join(words), "two numbers, such as 0.5,99.5") from None
    if not low < high or abs(low) + abs(high) == float("inf"):
        raise UsageError.about(name, " ".join(words), "two numbers, the first less than the second")
    return low, high


def _look(parameters: Parameters) -> ImageLook:
    stretch = _last(parameters, "stretch").lower() or "asinh"
    found: dict[str, Stretch] = {name: name for name in get_args(Stretch)}
    if stretch not in found:
        raise UsageError.about("stretch", stretch, ", ".join(found))
    invert = _last(parameters, "invert").lower()
    if invert not in (*_TRUE, *_FALSE):
        raise UsageError.about("invert", invert, "true, false")
    percent = _pair(parameters, "minmax_percent")
    if percent and not (percent[0] >= 0 and percent[1] <= 100):
        raise UsageError.about("minmax_percent", f"{percent[0]},{percent[1]}", "from 0 to 100")
    values = _pair(parameters, "minmax_value")
    return ImageLook(stretch=found[stretch], percent=percent, values=values, invert=invert in _TRUE)


def parse_image_request(parameters: Parameters) -> ImageRequest:
    """Read the parameters of ``astrocut`` of either protocol.

    Raises
    ------
    UsageError
        Naming the parameter, its value and what is allowed.
    """
    place = parse_cutout_request(
        {name: parameters[name] for name in ("ra", "dec", "x", "y", "units") if name in parameters}
    )
    given = _last(parameters, "format").lower() or "fits"
    if given not in _FORMS:
        raise UsageError.about("format", given, ", ".join(_FORMS))
    return ImageRequest(
        ra=place.ra,
        dec=place.dec,
        rows=place.rows,
        columns=place.columns,
        unit=place.unit,
        form=_FORMS[given],
        look=_look(parameters),
    )


def parse_surveys(parameters: Parameters) -> frozenset[str]:
    """Surveys that are named; empty for all."""
    words = [word.strip() for text in parameters.get("survey", ()) for word in text.split(",")]
    return frozenset(word for word in words if word)


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
