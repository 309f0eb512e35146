"""Previews next to the cutouts that they are previews of: on the one-machine stack, one client.

    python tests/bench/service/preview.py [--rounds 40] [--folder DIR]

Cutouts and previews of 15x15 pixels of a cube of 1,282 cadences take turns, each at a place that nobody asked for
before; then the same previews are asked for again, whole and with their ETag.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import requests

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tests.bench.cutouts.cutout import make_cube, some_targets  # noqa: E402
from tests.bench.service.service import serving  # noqa: E402
from tests.bench.support.report import missed, record  # noqa: E402

SIZE = 15
WANTED = "limit <= 1.5"
"""In times of the cutout that it is a preview of."""
WARM_UP = 4


def ask(session: requests.Session, url: str, path: str, tag: str = "", **query: Any) -> tuple[float, requests.Response]:
    started = time.perf_counter()
    answer = session.get(f"{url}{path}", params=query, headers={"If-None-Match": tag} if tag else {}, timeout=60)
    seconds = time.perf_counter() - started
    answer.raise_for_status()
    return seconds, answer


def measure(url: str, cube: Path, rounds: int) -> None:
    (name,) = [item["name"] for item in requests.get(f"{url}/v1/cubes", timeout=60).json()["cubes"]]
    targets = some_targets(cube, 2 * rounds)
    cutouts, previews, found, current = [], [], [], []
    with requests.Session() as session:
        for index in range(rounds):
            (ra, dec), (other_ra, other_dec) = targets[2 * index : 2 * index + 2]
            cutouts.append(ask(session, url, "/v1/cutouts", ra=ra, dec=dec, size=SIZE)[0])
            query = {"cube": name, "ra": other_ra, "dec": other_dec, "size": SIZE}
            seconds, answer = ask(session, url, "/v1/preview", **query)
            previews.append(seconds)
            found.append(ask(session, url, "/v1/preview", **query)[0])
            current.append(ask(session, url, "/v1/preview", answer.headers["ETag"], **query)[0])
    cutout = float(np.median(cutouts[WARM_UP:]))
    kinds = {"cutout": cutouts, "preview": previews, "preview, made before": found, "preview, at the client": current}
    for kind, seconds in kinds.items():
        p50, p95 = (float(value) for value in np.percentile(seconds[WARM_UP:], [50, 95]))
        record("service/preview", kind, "p50", p50, "s", limit=cutout, wanted=WANTED if kind == "preview" else "")
        record("service/preview", kind, "p95", p95, "s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="keep the cube there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        cube = make_cube(options.folder or Path(temporary), 1282)
        print(f"\npreviews and cutouts of {SIZE}x{SIZE} pixels and 1,282 cadences, turn by turn")
        with serving(Path(temporary), cube, spoil=False) as (stack, _):
            measure(stack.url, cube, options.rounds)
    sys.exit(missed() > 0)


if __name__ == "__main__":
    main()
