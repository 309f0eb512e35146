"""What a user does with unmodified astroquery and lightkurve whose configuration names our server; prints JSON."""

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import lightkurve  # noqa: E402
import matplotlib as mpl  # noqa: E402
from astropy import units as u  # noqa: E402
from astropy.coordinates import SkyCoord  # noqa: E402
from astroquery.mast import Tesscut  # noqa: E402

mpl.use("Agg")
small = SkyCoord(float(sys.argv[1]), float(sys.argv[2]), unit="deg")
noise = SkyCoord(float(sys.argv[3]), float(sys.argv[4]), unit="deg")
real = SkyCoord(84.29119, -80.46917, unit="deg")
nowhere = SkyCoord(10, 60, unit="deg")
tpf = lightkurve.read(Tesscut.download_cutouts(coordinates=real, size=6)["Local Path"][0])


def found(target: object) -> list[object]:
    """Sectors of a search, and shape of the file that is downloaded."""
    search = lightkurve.search_tesscut(target)
    (pixels,) = search.download_all(cutout_size=(5, 7), download_dir=".")
    return [search.table["sequence_number"].tolist(), pixels.shape]


search = lightkurve.search_tesscut("TIC 261136679", sector=1)
twice = [search.download(cutout_size=(5, 7), download_dir=".", quality_bitmask=mask) for mask in ("none", "hard")]
print(
    json.dumps(
        {
            "found": {
                name: found(target)
                for name, target in [
                    *((name, name) for name in ("pi Men", "TIC 261136679", "84.29119 -80.46917")),
                    ("position", real),
                ]
            },
            "another sector": len(lightkurve.search_tesscut("pi Men", sector=2)),
            "another place": len(lightkurve.search_tesscut("10 60")),
            "unknown": len(lightkurve.search_tesscut("nobody")),
            "TIC": twice[0].targetid,
            "downloaded twice": [str(Path(pixels.path).resolve()) for pixels in twice],
            "sectors": [
                dict(zip(row.colnames, map(str, row), strict=True)) for row in Tesscut.get_sectors(coordinates=small)
            ],
            "no sectors": len(Tesscut.get_sectors(coordinates=nowhere)),
            "shape": Tesscut.get_cutouts(coordinates=small, size=[3, 7], sector=2)[0][1].data["FLUX"].shape,
            "angle": Tesscut.get_cutouts(coordinates=small, size=[2, 3] * u.arcmin)[0][1].data["FLUX"].shape,
            "float": Tesscut.get_cutouts(coordinates=small, size=[1, 1] * u.pix)[0][1].data["FLUX"].shape,
            "no data": len(Tesscut.get_cutouts(coordinates=nowhere, size=5)),
            "large": Tesscut.get_cutouts(coordinates=noise, size=100)[0][1].data["FLUX"].shape,
            "lightkurve": [tpf.column, tpf.row, tpf.sector, tpf.camera, tpf.ccd],
            "lightkurve offset": tpf.wcs.pixel_to_world(2.5, 2.5).separation(real).arcsec,
            "quality": int((tpf.quality_mask).sum()),
            "smaller": tpf.cutout((2, 2), 3).flux.shape,
            "plotted": tpf.plot() is not None,
            "light curve": len(tpf.to_lightcurve(aperture_mask="all")),
            "files": [
                str(path) for path in Tesscut.download_cutouts(coordinates=small, size=5, sector=[2, 3])["Local Path"]
            ],
        }
    )
)
