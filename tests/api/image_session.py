"""What astroquery's users do with Zcut and Hapcut; run by `test_image_clients` with astroquery's configuration file.

Prints what came back, as JSON.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astroquery.exceptions import NoResultsWarning
from astroquery.mast import Hapcut, Zcut

TRIPLE, CENTRE, NOWHERE = (SkyCoord(*place, unit="deg") for place in ((313.17, -5.7), (266.4, -28.93), (102.7, 70.5)))


def warned(call: Any, *args: Any, **options: Any) -> list[Any]:
    """How many results there are, and what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = call(*args, **options)
    return [len(found), *(str(each.message) for each in caught if each.category is NoResultsWarning)]


def names(table: Any) -> list[str]:
    assert all(Path(path).is_file() for path in table["Local Path"])
    return sorted(Path(path).name for path in table["Local Path"])


def main() -> dict[str, Any]:
    pictures = Zcut.download_cutouts(TRIPLE, size=[10, 20], cutout_format="jpg", stretch="sqrt", invert=True)
    limited = Zcut.download_cutouts(TRIPLE, size=9, cutout_format="png", minmax_percent=[1, 99])
    hap = Hapcut.download_cutouts(CENTRE, size=[2, 3])
    return {
        "surveys": Zcut.get_surveys(TRIPLE),
        "no surveys": warned(Zcut.get_surveys, NOWHERE),
        "zcut": [[hdu.data.shape for hdu in hdus[1:]] for hdus in Zcut.get_cutouts(TRIPLE, size=[4, 6])],
        "zcut angle": [hdus[1].data.shape for hdus in Zcut.get_cutouts(TRIPLE, size=1 * u.arcmin)],
        "zcut survey": [hdus.filename for hdus in Zcut.get_cutouts(CENTRE, survey="galactic_centre")],
        "zcut none": warned(Zcut.get_cutouts, CENTRE, survey="sdss_three"),
        "zcut download": names(Zcut.download_cutouts(CENTRE, size=1)),
        "zcut download none": warned(Zcut.download_cutouts, NOWHERE),
        "zcut large": [hdus[1].data.shape for hdus in Zcut.get_cutouts(TRIPLE, size=450)],
        "pictures": names(pictures),
        "limited": len(limited),
        "hapcut": [[hdus[1].data.shape, hdus[1].name] for hdus in Hapcut.get_cutouts(CENTRE)],
        "hapcut angle": [hdus[1].data.shape for hdus in Hapcut.get_cutouts(CENTRE, size=50 * u.arcsec)],
        "hapcut download": names(hap),
        "hapcut shape": fits.getdata(hap["Local Path"][0]).shape,
        "hapcut none": warned(Hapcut.get_cutouts, NOWHERE),
        "hapcut download none": warned(Hapcut.download_cutouts, NOWHERE),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main()) + "\n")
