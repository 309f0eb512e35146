"""TRICERATOPS looks at the stars around a target in one of our files, and prints what it found as JSON.

Only its downloads are replaced: the TIC, TESSCut and the population of field stars.
"""

from __future__ import annotations

import contextlib
import json
import sys
import types
import warnings
from pathlib import Path

import numpy as np

warnings.simplefilter("ignore")
import lightkurve  # noqa: E402
import matplotlib as mpl  # noqa: E402
from astropy.table import Table  # noqa: E402

mpl.use("agg")
with contextlib.redirect_stdout(sys.stderr):
    from triceratops import triceratops

folder, name = Path(sys.argv[1]), sys.argv[2]
truth = json.loads((folder / "truth.json").read_text())
first = {"inner": 0, "edge": 1}[name.partition("-")[0]]
stars = [truth["stars"][first], *truth["stars"][:first], *truth["stars"][first + 1 :]]


def query_object(target: str, radius: object, catalog: str) -> Table:
    assert (target, catalog) == (f"TIC{stars[0]['id']}", "TIC"), (target, radius, catalog)
    n, magnitudes = len(stars), [star["tmag"] for star in stars]
    table = Table({"ID": [str(star["id"]) for star in stars]})
    for band in ("Tmag", "Vmag", "GAIAmag", "gaiabp", "gaiarp", "Jmag", "Hmag", "Kmag"):
        table[band] = magnitudes
    for column, value in (("ebv", 0.0), ("mass", 1.0), ("rad", 1.0), ("Teff", 5800.0), ("logg", 4.4), ("plx", 5.0)):
        table[column] = np.full(n, value)
    table["ra"], table["dec"] = ([star[axis] for star in stars] for axis in ("ra", "dec"))
    table["disposition"], table["duplicate_id"] = [""] * n, [""] * n
    return table


def search_tesscut(target: object, sector: int) -> types.SimpleNamespace:
    def download_all(cutout_size: object) -> list[object]:
        return [lightkurve.TessTargetPixelFile(str(folder / f"{name}.fits"))]

    return types.SimpleNamespace(download_all=download_all)


triceratops.Catalogs.query_object = query_object
triceratops.lightkurve.search_tesscut = search_tesscut
with contextlib.redirect_stdout(sys.stderr):
    target = triceratops.target(ID=stars[0]["id"], sectors=np.array([1]), trilegal_fname="none")
    target.calc_depths(truth["depth"])
    target.plot_field(save=True, fname=str(Path(sys.argv[3]) / "field"), sector=1)
print(
    json.dumps(
        {
            "columns": target.pix_coords[0][:, 0].tolist(),
            "rows": target.pix_coords[0][:, 1].tolist(),
            "corner": [int(target.row0s[0]), int(target.col0s[0])],
            "image": np.nan_to_num(target.TESS_images[0], nan=-1.0).tolist(),
            "ratios": target.stars["fluxratio"].tolist(),
            "depths": target.stars["tdepth"].tolist(),
        }
    )
)
