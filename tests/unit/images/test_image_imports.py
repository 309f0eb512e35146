"""What is not needed need not be there."""

import subprocess
import sys

import pytest

import tessera

pytestmark = pytest.mark.slow

OPTIONAL = ["PIL", "asdf", "asdf_astropy", "gwcs", "reproject", "fsspec", "s3fs", "obstore", "lz4"]


@pytest.mark.parametrize("module", sorted(set(tessera._HOMES.values())))
def test_modules_are_imported_without_packages_that_only_some_uses_need(module: str) -> None:
    hide = f"import sys; sys.modules.update(dict.fromkeys({OPTIONAL}))"
    command = [sys.executable, "-W", "error", "-c", f"{hide}; import {module}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": ":".join(sys.path)})

    assert done.stderr == ""
