"""The files that our pages speak of, small: frames of a star, images, and the path of a comet."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
from astropy.io import fits

from tests.docs.pages import ROOT, Block
from tests.support.frames import NamedFrame, centred_wcs, spoc_frame, tiny_times
from tests.support.images import coded, tan_header

BINARY = (98.2164, -75.9018)
"""The star of README.md."""
PLACE = (88.95, -75.39)
"""The place of docs/reference/http.md."""
TARGET = (150.0945, 2.38681)
"""The place of docs/guide/images.md."""
NAMES = f"""
from pathlib import Path
from astropy.coordinates import SkyCoord
frames = sorted(Path("frames").iterdir())
files = ["a_drz.fits", "b_drz.fits"]
targets = SkyCoord([{TARGET[0]}], [{TARGET[1]}], unit="deg")
"""
"""Python that gives the names which the pages take for granted."""
SHAPE = (60, 50)
N_FRAMES = 6


def frames_of_a_star(place: tuple[float, float], ccd: int = 2) -> list[NamedFrame]:
    """Frames of sector 1, camera 4 with a star in the middle that varies."""
    wcs = centred_wcs(SHAPE, 1, 4, ccd)
    wcs["CRVAL1"], wcs["CRVAL2"] = place
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    star = np.exp(-((rows - SHAPE[0] / 2 + 0.5) ** 2 + (columns - SHAPE[1] / 2 + 0.5) ** 2) / 4)
    sky = 100 + (7 * rows + 3 * columns) % 5
    return [
        spoc_frame(
            ccd=ccd,
            cadence_index=cadence,
            flux=(sky + (5000 + 100 * cadence) * star).astype(np.float32),
            error=np.ones(SHAPE, np.float32),
            wcs_cards=wcs,
            tstart=tiny_times(cadence)[0],
            tstop=tiny_times(cadence)[1],
        )
        for cadence in range(N_FRAMES)
    ]


def put_files(folder: Path) -> None:
    """What the programs without a service read."""
    (folder / "frames").mkdir()
    for name, data in frames_of_a_star(BINARY):
        (folder / "frames" / name).write_bytes(data)
    times = [sum(tiny_times(cadence)) / 2 for cadence in (0, N_FRAMES - 1)]
    lines = [f"{time + 2_457_000},{BINARY[0] + 0.01 * n},{BINARY[1]}\n" for n, time in enumerate(times)]
    (folder / "comet.csv").write_text("jd,ra,dec\n" + "".join(lines), encoding="utf-8")
    for name in ("a_drz.fits", "b_drz.fits"):
        image = fits.ImageHDU(coded((400, 400)), tan_header(400, 400, ra=TARGET[0], dec=TARGET[1]), name="SCI")
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(folder / name)
    (folder / "datasets.json").write_text(documented_datasets(), encoding="utf-8")


def documented_datasets() -> str:
    """The document of datasets that docs/guide/images.md shows."""
    found = re.search(
        r"```json\n(\{\"datasets\".*?)```", (ROOT / "docs/guide/images.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None
    return json.dumps(json.loads(found[1]))


def put_command(folder: Path) -> Path:
    """A folder for PATH that has `tessera` in it."""
    project = tomllib.loads((ROOT / "layers/engine/pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, function = project["scripts"]["tessera"].split(":")
    program = f"from {module} import {function}; raise SystemExit({function}())"
    command = folder / "bin/tessera"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{program}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return command.parent


def readers_environment(installed: Path | None) -> dict[str, str]:
    """The variables of a reader, who has an environment with the wheel, or the sources on the path."""
    if installed is None:
        sources = os.pathsep.join(str(ROOT / source) for source in ("layers/engine/src", "shared/src"))
        return os.environ | {"PYTHONPATH": sources}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PATH": os.pathsep.join([str(installed / "bin"), os.environ["PATH"]])}


def run_block(block: Block, code: str, folder: Path, *, installed: Path | None = None, **environment: str) -> str:
    """Run a block as its reader would; what it printed."""
    python = sys.executable if installed is None else str(installed / "bin/python")
    command = [python, "-c", code] if block.language == "python" else ["bash", "-euo", "pipefail", "-c", code]
    done = subprocess.run(
        command,
        cwd=folder,
        env=readers_environment(installed) | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{block.place} fails:\n{block.code}\n{done.stdout}"
    return done.stdout
