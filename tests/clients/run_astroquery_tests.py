"""astroquery's own remote tests of TESSCut, then lightkurve and curl, against the one-machine stack.

Run by `make test-astroquery`. The tests come with astroquery's wheel. A configuration file points astroquery here, a
proxy answers for MAST's name resolver, and a server for JPL Horizons. The cubes of the CCDs that the tests ask for
stand in a bucket with the name of MAST's; the FootprintIndex state machine finds them there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tessera.tess.ids import CcdId  # noqa: E402
from tessera_local.stack import Stack  # noqa: E402
from tests.clients.outside_world import name_resolver  # noqa: E402
from tests.clients.sector_cubes import PARAMETERS, publish_cubes  # noqa: E402
from tests.support.horizons import Query, horizons, observer_table, recorded  # noqa: E402
from tests.support.paths import DATA  # noqa: E402

PYTHON = Path(os.environ.get("TESSERA_ASTROQUERY_PYTHON", ROOT / ".venv-astroquery/bin/python"))
CUBES = [
    (CcdId(6, 1, 1), 1468.90),
    (CcdId(27, 4, 2), 2036.3),
    (CcdId(28, 2, 3), 2061.9),
    (CcdId(33, 4, 4), 2201.7),
    (CcdId(37, 1, 4), 2308.0),
    (CcdId(68, 2, 3), 3155.0),
]
"""With the first day of each, BTJD."""
# The position of TIC 32449963 is made up: any will do that sector 37 sees.
POSITIONS = {
    "m104": (189.997633, -11.623054),
    "tic 32449963": (191.0, -16.0),
    "107.18696 -70.50919": (107.18696, -70.50919),
}


def main() -> int:
    if not PYTHON.exists():
        raise SystemExit(f"{PYTHON} is missing: run `make test-astroquery`")
    with (
        tempfile.TemporaryDirectory() as folder,
        horizons(where_eleonora_is) as (ephemerides, _),
        Stack(Path(folder) / "home", parameters=PARAMETERS, environment={"TESSERA_HORIZONS_URL": ephemerides}) as stack,
    ):
        publish_cubes(stack, CUBES)
        config = Path(folder) / "config"
        config.mkdir()
        (config / "astroquery.cfg").write_text(f"[mast]\nserver = {stack.url}\n", encoding="utf-8")
        with name_resolver(POSITIONS) as proxy:
            places = {"HTTP_PROXY": proxy, "NO_PROXY": "127.0.0.1", "ASTROPY_CONFIG_DIR": str(config), "HOME": folder}
            return max(run(command, places, folder) for command in commands(stack.url, folder))


def where_eleonora_is(query: Query) -> tuple[int, str]:
    """The places of the asteroid that astrocut's documentation prints, as JPL Horizons tells them."""
    if query["COMMAND"] != "Eleonora":
        return 200, recorded("unknown")
    path = json.loads((DATA / "moving_targets/eleonora_s0006_example.json").read_text(encoding="utf-8"))["path"]
    places = list(zip(path["time_jd"], path["ra"], path["dec"], strict=True))
    return 200, observer_table("354 Eleonora (A893 BA)", places)


def commands(url: str, folder: str) -> list[list[str]]:
    """What users run, one after the other."""
    tests = ["--pyargs", "astroquery.mast.tests.test_mast_remote", "-k", "tesscut", "--remote-data", "-q"]
    ra, dec, sector = 107.18696, -70.50919, 33
    session = str(Path(__file__).parent / "lightkurve_session.py")
    found = f"{url}/tesscut/api/v0.1/astrocut?ra={ra}&dec={dec}&y=5&x=7&sector={sector}"
    return [
        [str(PYTHON), "-m", "pytest", *tests, "-p", "no:cacheprovider", *sys.argv[1:]],
        [sys.executable, session, f"{ra} {dec}", str(sector), folder],
        ["curl", "--silent", "--show-error", "--fail", "-L", "-O", "-J", found],
        [sys.executable, "-m", "zipfile", "--test", "tesscut.zip"],
    ]


def run(command: list[str], places: dict[str, str], folder: str) -> int:
    """Run a program where it finds us and nothing else; its exit code."""
    print("==", " ".join(Path(word).name if word.startswith("/") else word for word in command), flush=True)
    return subprocess.run(command, env=os.environ | places, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
