"""TESSreduce makes a difference light curve of one of our files, and prints it as JSON.

It works offline, with a catalogue of its own form. Nothing of it is replaced.
"""

from __future__ import annotations

import contextlib
import csv
import json
import sys
import warnings
from pathlib import Path

import numpy as np

warnings.simplefilter("ignore")
import lightkurve  # noqa: E402
import matplotlib as mpl  # noqa: E402

mpl.use("agg")
folder, name, work = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
stars = json.loads((folder / "truth.json").read_text())["stars"]
with (work / "stars.csv").open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["ra", "dec", "Gmag", "RPmag"])
    rows.writerows([star["ra"], star["dec"], star["tmag"] + 0.4, star["tmag"]] for star in stars)
with contextlib.redirect_stdout(sys.stderr):
    import tessreduce

    pixels = lightkurve.TessTargetPixelFile(str(folder / f"{name}.fits"), quality_bitmask=17087 | 7 << 24)
    options = {"reduce": True, "align": False, "calibrate": False, "sourcehunt": False, "corr_correction": False}
    reduced = tessreduce.tessreduce(
        tpf=pixels, plot=False, parallel=False, num_cores=1, catalogue_path=str(work / "stars.csv"), **options
    )
print(
    json.dumps(
        {
            "lc": np.asarray(reduced.lc, float).tolist(),
            "shape": list(reduced.flux.shape),
            "sector": int(reduced.sector),
            "camera": int(reduced.camera),
            "background": float(np.nanmedian(reduced.bkg)),
        }
    )
)
