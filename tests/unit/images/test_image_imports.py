"""What is not needed need not be there."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

OPTIONAL = ["PIL", "asdf", "asdf_astropy", "gwcs", "reproject", "fsspec", "s3fs", "obstore", "lz4"]
MODULES = ["tess_cube_cutout", "cube_factory", "fits_cutout", "fits_cutout_functions", "asdf_cutout", "spectral_subset"]


@pytest.mark.parametrize("module", [*MODULES, "combine_cutouts", "image_cutouts"])
def test_modules_are_imported_without_packages_that_only_some_uses_need(module: str) -> None:
    hide = f"import sys; sys.modules.update(dict.fromkeys({OPTIONAL}))"
    command = [sys.executable, "-W", "error", "-c", f"{hide}; import tessera.{module}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": ":".join(sys.path)})

    assert done.stderr == ""
