"""lsdb, pyarrow and pandas, unmodified, read a catalogue of light curves; what they read is written for a comparison.

Usage: python lsdb_session.py RESULTS RA DEC ARCSECONDS OUTPUT
"""

import json
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", message=".*inplace.*")  # pandas warns of what nested-pandas does

import lsdb  # noqa: E402
import pandas as pd  # noqa: E402
import pyarrow.dataset  # noqa: E402

LISTS = ["time", "flux", "flux_err", "background", "centroid_row", "centroid_column", "quality", "cadence_number"]


def main(results: Path, ra: float, dec: float, arcseconds: float) -> dict[str, object]:
    """Read the catalogue in all ways that users have."""
    catalogue = lsdb.open_catalog(results / "lightcurves")
    whole = catalogue.compute()
    cone = catalogue.cone_search(ra=ra, dec=dec, radius_arcsec=arcseconds).compute()
    nested = catalogue.nest_lists(list_columns=LISTS, name="lightcurve").compute()
    good = nested.query("lightcurve.quality == 0")
    few = lsdb.open_catalog(results / "lightcurves", columns=["row", "flux"]).compute()
    files = sorted((results / "lightcurves/dataset").rglob("*.parquet"))
    by_arrow = pyarrow.dataset.dataset(list(map(str, files)), format="parquet").to_table()
    by_pandas = pd.concat(map(pd.read_parquet, files))
    by_index = pyarrow.dataset.dataset(results / "lightcurves/dataset/_common_metadata", format="parquet")
    keys = list(zip(whole["row"].tolist(), whole["cube"].tolist(), strict=True))
    return {
        "rows": len(catalogue),
        "columns": [*whole.columns],
        "curves": [
            [row, cube, *([float(value).hex() for value in whole[name].iloc[at]] for name in LISTS)]
            for at, (row, cube) in enumerate(keys)
        ],
        "cone": sorted(cone["row"].tolist()),
        "good": {str(row): len(curve) for row, curve in zip(good["row"], good["lightcurve"], strict=True)},
        "few": [*few.columns],
        "by_arrow": by_arrow.num_rows,
        "by_pandas": sorted(by_pandas["row"].tolist()),
        "same_schema": by_arrow.schema.equals(by_index.schema),
        "units": {name: (by_arrow.schema.field(name).metadata or {}).get(b"unit", b"").decode() for name in LISTS},
        "index_is_sorted": all(pd.read_parquet(file)["_healpix_29"].is_monotonic_increasing for file in files),
    }


if __name__ == "__main__":
    found = main(Path(sys.argv[1]), *map(float, sys.argv[2:5]))
    Path(sys.argv[5]).write_text(json.dumps(found), encoding="utf-8")
