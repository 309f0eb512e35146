"""lightkurve, TGLC, TRICERATOPS and TESSreduce open our target pixel files, work with them, and find what is in them.

Each program has an environment of its own, with the versions of its lock file in requirements. Only its downloads are
replaced (tests/programs/sessions).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.programs import field
from tests.support.paths import ROOT

Found = dict[str, Any]
SKY_ERROR = 1.0
"""Largest error of a background of 120 e-/s."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("field")
    field.write_field(path)
    return path


@pytest.fixture(scope="module")
def truth(folder: Path) -> Found:
    found: Found = json.loads((folder / "truth.json").read_text())
    return found


def run(program: str, *arguments: object) -> Found:
    """Run the session of a program in its environment, and return what it prints."""
    python = Path(sys.executable) if program == "lightkurve" else ROOT / f".venv-{program}/bin/python"
    if not python.exists():
        log = ROOT / f"build/{program}.log"
        why = log.read_text(errors="replace").strip()[-300:] if log.exists() else "make test-programs installs it"
        pytest.skip(f"{program} is not installed: {why}")
    script = ROOT / f"tests/programs/sessions/{program}_session.py"
    done = subprocess.run(
        [python, script, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: Found = json.loads(done.stdout)
    return found


def dip(flux: np.ndarray, transit: list[int]) -> float:
    """Share of the light that is lost in the transit."""
    inside = np.isin(np.arange(len(flux)), transit)
    return float(1 - np.median(flux[inside]) / np.median(flux[~inside]))


def test_lightkurve_finds_the_sky_and_the_transit(folder: Path, truth: Found) -> None:
    found = run("lightkurve", folder)
    assert {name: (one["row"], one["column"]) for name, one in found.items()} == {
        **dict.fromkeys(("inner", "inner-flags"), (1, 46)),
        **dict.fromkeys(("edge", "edge-flags"), (1, 28)),
        "inner-small": (11, 56),
        "edge-small": (11, 38),
    }
    collateral = 51 * (field.FIRST_SCIENCE - 27)
    assert [found[name]["collateral"] for name in ("edge", "edge-flags", "inner-flags")] == [0, collateral, 0]
    assert found["inner"]["background"] == pytest.approx(truth["sky"], abs=SKY_ERROR)
    assert found["edge"]["background"] < 0.5 * truth["sky"]  # what the collateral pixels do without flags
    assert found["edge-flags"]["background"] == pytest.approx(truth["sky"], abs=SKY_ERROR)
    kept = np.delete(np.arange(field.N), [field.BLANK, field.REPEATED])
    for name in ("inner-flags", "edge-flags"):
        flux = np.array(found[name]["flux"])
        assert len(flux) == len(kept)
        assert dip(flux, np.flatnonzero(np.isin(kept, truth["transit"])).tolist()) == pytest.approx(0.02, abs=0.002)


@pytest.mark.parametrize(("name", "number"), [("inner-small", 0), ("edge-small", 1)])
def test_tglc_fits_the_stars(folder: Path, truth: Found, name: str, number: int, tmp_path: Path) -> None:
    found = run("tglc", folder, name, tmp_path)
    assert found["ignored"] == (0 if number == 0 else 31 * (field.FIRST_SCIENCE - 37))
    assert found["target"] == pytest.approx([15, 15], abs=0.05)
    assert found["background"] == pytest.approx(truth["sky"], abs=SKY_ERROR)
    cadences = np.arange(field.FEW[0], field.FEW[1] + 1)
    flagged = np.array(found["quality"]) > 0
    assert cadences[flagged].tolist() == [field.BLANK, field.REPEATED]
    flux = np.array([np.nan if value is None else value for value in found["flux"]])[~flagged]
    transit = np.flatnonzero(np.isin(cadences[~flagged], truth["transit"])).tolist()
    assert dip(flux, transit) == pytest.approx(truth["depth"], abs=0.005)


@pytest.mark.parametrize("name", ["inner", "edge-flags"])
def test_triceratops_knows_which_pixels_the_stars_have(folder: Path, truth: Found, name: str, tmp_path: Path) -> None:
    found, first = run("triceratops", folder, name, tmp_path), 0 if name == "inner" else 1
    stars = [truth["stars"][first], *truth["stars"][:first], *truth["stars"][first + 1 :]]
    assert found["corner"] == [1, truth["stars"][first]["column"] - 25 + 1]
    for axis in ("row", "column"):  # counted from 1
        np.testing.assert_allclose(found[f"{axis}s"], [star[axis] + 1 for star in stars], atol=0.05)
    image = np.array(found["image"])
    brightest = divmod(int(image.argmax()), image.shape[1])
    assert brightest == (25, field.INNER[1] - found["corner"][1] + 1)
    assert (image < 0).sum() == (0 if first == 0 else 51 * (field.FIRST_SCIENCE - 27))
    assert found["ratios"][0] == pytest.approx(1, abs=0.01)
    assert found["depths"][0] == pytest.approx(truth["depth"])


def test_tessreduce_makes_the_difference_light_curve(folder: Path, truth: Found, tmp_path: Path) -> None:
    found = run("tessreduce", folder, "inner-flags", tmp_path)
    assert (found["sector"], found["camera"], found["shape"]) == (1, 4, [field.N - 2, 51, 51])
    assert found["background"] == pytest.approx(truth["sky"], abs=SKY_ERROR)
    flux = np.array(found["lc"][1])
    kept = np.delete(np.arange(field.N), [field.BLANK, field.REPEATED])
    inside = np.isin(kept, truth["transit"])
    light = 10 ** ((field.ZERO_POINT - truth["stars"][0]["tmag"]) / 2.5)
    lost = np.median(flux[~inside]) - np.median(flux[inside])
    assert lost == pytest.approx(truth["depth"] * light, rel=0.1)  # its aperture of 3 x 3 pixels has 94 % of the light
