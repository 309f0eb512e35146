"""Measures the price of a list over all cubes of the mission: what a client of POST /v1/bulk/plan waits for.

    python tests/bench/bulk/price.py [--rows 1000 10000]

Sidecars with the real WCS of 1,280 CCDs are in memory, so the time of S3 is missing: about 40 requests in a row.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3]))

from tessera.cubes.reader import Cube, read_cube
from tessera.fits.headers import parse_header
from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.testing.memory_store import MemoryStore
from tests.bench.support.report import record
from tests.support.api import Api
from tests.support.builds import SETTINGS
from tests.support.paths import DATA
from tests.support.sparse import sparse_cube
from tests.support.wcs import ffi_wcs_header

N_CADENCES = 1282
LAST_SECTOR = 80


def template() -> Cube:
    """A cube of the longest sectors, without pixels."""
    with tempfile.TemporaryDirectory() as folder:
        path = sparse_cube(Path(folder), N_CADENCES)
        with path.open("rb") as file:

            def read(start: int, length: int) -> bytes:
                file.seek(start)
                return file.read(length)

            return read_cube(path.name, path.stat().st_size, read)


def put_cubes(store: MemoryStore) -> int:
    """Put an index and sidecars of the CCDs whose footprint is known."""
    table = json.loads((DATA / "tess_ffi_footprints.json").read_text(encoding="utf-8"))
    cube, published = template(), list[PublishedCube]()
    for obs_id, region, first, last in zip(
        *(table[name] for name in ("obs_id", "s_region", "t_min", "t_max")), strict=True
    ):
        match = re.fullmatch(r"tess-s(\d{4})-([1-4])-([1-4])", obs_id)
        if match is None or int(match[1]) > LAST_SECTOR:
            continue
        sector, camera, ccd = map(int, match.groups())
        text = cube.primary.text.decode("ascii")
        for keyword, value in (("SECTOR", sector), ("CAMERA", camera), ("CCD", ccd)):
            text = re.sub(rf"{keyword:8}= +\d+", f"{keyword:8}= {value:20}", text)
        cards = dict(ffi_wcs_header(sector, camera, ccd).items())
        one = dataclasses.replace(
            cube, name=f"{obs_id}-cube.fits", wcs_cards=cards, primary=parse_header(text.encode("ascii"))
        )
        etag = f"{len(published):032x}"
        store.write(SETTINGS.cube_bucket, keys.sidecar(etag), one.to_sidecar())
        published.append(
            PublishedCube(
                obs_id=obs_id,
                sequence_number=sector,
                s_region=region,
                t_min=first,
                t_max=last,
                n_cadences=N_CADENCES,
                build_id="",
                bucket="public",
                key=f"cubes/{obs_id}-cube.fits",
                size=45_527_840_640,
                etag=etag,
            )
        )
    store.write(SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX, FootprintIndex.of(published).to_json())
    return len(published)


def list_of(n_rows: int) -> bytes:
    """A list of positions all over the sky."""
    rng = np.random.default_rng(n_rows)
    ra, dec = rng.uniform(0, 360, n_rows), np.degrees(np.arcsin(rng.uniform(-1, 1, n_rows)))
    return b"ra,dec\n" + b"".join(b"%.5f,%.5f\n" % place for place in zip(ra, dec, strict=True))


def main() -> None:
    """Measure, first with cubes that nobody has opened, then again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000])
    options = parser.parse_args()
    store = MemoryStore()
    n_cubes = put_cubes(store)
    for n_rows in options.rows:
        api, body = Api(store), list_of(n_rows)
        for state in ("new", "known"):
            began, used = time.perf_counter(), time.process_time()
            answer = api.request("POST", "/v1/bulk/plan", body=body, content_type="text/csv")
            spent, cpu = time.perf_counter() - began, time.process_time() - used
            plan = answer.json()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
            case = f"{n_rows:,} rows x {n_cubes:,} {state} cubes"
            record("bulk/price", case, "time", spent, "s")
            record("bulk/price", case, "processor time", cpu, "s")
            record("bulk/price", case, "memory", peak * 1e6, "B")
            print(f"  {plan['cutouts']:,} cutouts, {plan['duplicates']:,} seen better elsewhere, ${plan['usd']:.2f}")


if __name__ == "__main__":
    main()
