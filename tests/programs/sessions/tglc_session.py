"""TGLC fits its effective PSF to one of our files, and prints the light curve of the target as JSON.

Only its downloads are replaced: the names of MAST, the TIC, Gaia and TESSCut.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import types
import warnings
from pathlib import Path

import numpy as np

warnings.simplefilter("ignore")
from astropy.io import fits  # noqa: E402
from astropy.table import Table  # noqa: E402

with contextlib.redirect_stdout(sys.stderr):
    from tglc import ffi_cut
    from tglc.target_lightcurve import epsf

folder, name, work = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
truth = json.loads((folder / "truth.json").read_text())
target = truth["stars"][{"inner": 0, "edge": 1}[name.partition("-")[0]]]


def gaia() -> Table:
    stars = truth["stars"]
    # TGLC makes TESS magnitudes of these: G - 0.43 without a colour.
    table = Table({"DESIGNATION": [f"Gaia DR3 {star['id']}" for star in stars]})
    for column in ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"):
        table[column] = [star["tmag"] + 0.43 if "_g_" in column else np.nan for star in stars]
    table["ra"], table["dec"] = ([star[axis] for star in stars] for axis in ("ra", "dec"))
    table["pmra"], table["pmdec"], table["ref_epoch"] = (np.full(len(stars), value) for value in (0.0, 0.0, 2016.0))
    return table


def cutouts(**asked: object) -> list[fits.HDUList]:
    assert (asked["sector"], asked["product"]) == (1, "SPOC"), asked
    return [fits.open(io.BytesIO((folder / f"{name}.fits").read_bytes()))]  # as astroquery does


answer = types.SimpleNamespace(get_results=gaia)
ffi_cut.Catalogs.query_object = lambda *_, **__: Table({"ra": [target["ra"]], "dec": [target["dec"]]})
ffi_cut.Gaia.cone_search_async = lambda *_, **__: answer
ffi_cut.tic_advanced_search_position_rows = lambda **_: Table({"ID": [1], "GAIA": ["1"]})
ffi_cut.convert_gaia_id = lambda *_, **__: Table({"TIC": [1], "dr3_source_id": [target["id"]]})
ffi_cut.Tesscut.get_sectors = lambda **_: Table({"sector": [1], "camera": [4], "ccd": [2]})
ffi_cut.Tesscut.get_cutouts = cutouts
with contextlib.redirect_stdout(sys.stderr):
    size = fits.getdata(folder / f"{name}.fits", 1)["FLUX"].shape[1]
    source = ffi_cut.ffi_cut(f"TIC {target['id']}", str(work), size=size, sector=1, limit_mag=15, ffi="SPOC")
    (path,) = epsf(
        source,
        sector=1,
        target="target",
        local_directory=str(work),
        name=f"Gaia DR3 {target['id']}",
        limit_mag=16,
        no_progress_bar=True,
    )
curve = fits.getdata(path, 1)
place = list(source.gaia["DESIGNATION"]).index(f"Gaia DR3 {target['id']}")
print(
    json.dumps(
        {
            "time": curve["time"].tolist(),
            "flux": [value if np.isfinite(value) else None for value in curve["aperture_flux"].tolist()],
            "background": float(np.nanmedian(curve["background"])),
            "quality": curve["TESS_flags"].tolist(),
            "ignored": int(np.ma.getmaskarray(source.mask).sum()),
            "target": [float(source.gaia[f"sector_1_{axis}"][place]) for axis in "yx"],
        }
    )
)
