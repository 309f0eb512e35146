"""What does not cut does not load what cutting needs: it would be most of a cold start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.handlers import ROOT

pytestmark = pytest.mark.slow

HEAVY = ("astropy.wcs", "astropy.io.fits", "astropy.units")


@pytest.mark.parametrize("name", ["service_api", "finish_job"])
def test_a_function_that_does_not_cut_loads_no_wcs(name: str) -> None:
    program = f"import sys, app; print([module for module in {HEAVY} if module in sys.modules])"
    path = os.pathsep.join(str(ROOT / folder) for folder in ("layers/engine/src", "shared/src"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT / "functions" / name,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
