"""What does not cut does not load what cutting needs: it would be most of a cold start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.handlers import ROOT

pytestmark = pytest.mark.slow

HEAVY = ("astropy.wcs", "astropy.io.fits", "astropy.units")


def loaded(name: str, modules: tuple[str, ...]) -> str:
    """Those of some modules that a function has loaded when it starts."""
    program = f"import sys, app; print([module for module in {modules} if module in sys.modules])"
    path = os.pathsep.join(str(ROOT / folder) for folder in ("layers/engine/src", "shared/src"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT / "functions" / name,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["service_api", "finish_job", "write_image_index"])
def test_a_function_that_does_not_cut_loads_no_wcs(name: str) -> None:
    assert loaded(name, HEAVY) == "[]"


@pytest.mark.parametrize("name", ["begin_upload", "abort_upload", "ingest", "wait_for_job", "tend_jobs"])
def test_a_function_without_arrays_loads_no_numpy(name: str) -> None:
    assert loaded(name, ("numpy", "astropy")) == "[]"
