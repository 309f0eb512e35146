"""Run the peer's own tests, taken from its installed package, against Tessera.

The tests are copied beside the shim into a folder of their own for the run; nothing of the peer's code is kept. Tests
that read MAST's bucket get the one of bucket.py, from an S3 endpoint on this machine.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HELPERS = ["__init__.py", "utils_for_test.py", "data"]
FILES = [
    "test_cube_factory.py",
    "test_cube_cut.py",
    "test_tess_cube_cutout.py",
    "test_tess_footprint_cutout.py",
    "test_cutout_processing.py",
    "test_fits_cutout.py",
    "test_cutouts.py",
    "test_image_cutout.py",
    "test_asdf_cutout.py",
    "test_roman_spectral_subset.py",
]
_VALUES = "asserts values of real pixels in MAST's bucket"
_CALLS = "asserts the arguments with which the peer calls a function of astropy"
NEEDS_NETWORK = {
    "test_cube_cut.py::test_s3_cube_cut": _VALUES,
    "test_tess_cube_cutout.py::test_tess_cube_cutout_s3": _VALUES,
    "test_fits_cutout.py::test_fits_cutout_cloud": _CALLS,
    "test_fits_cutout.py::test_fits_cutout_cloud_fsspec_kwargs": _CALLS,
}
"""Tests that are left out, and why."""
EXPECTED_FAILURES = {
    **{
        f"test_asdf_cutout.py::{name}": (
            "stdatamodels",
            "pytest.warns(ModuleWarning",
            "the peer warns that a package is missing without which ours puts the tree into FITS files",
        )
        for name in (
            "test_asdf_cutout_stdatamodels[True-not available in the correct version]",
            "test_asdf_cutout_stdatamodels[False-package cannot be imported]",
            "test_asdf_cutout_python_version",
        )
    },
    "test_cube_cut.py::test_ffi_cube_header": (
        "stale DATASUM",
        "'CHECKSUM' not in",
        "the peer's cubes have no checksums but the frame's DATASUM, which is wrong; ours have valid ones",
    ),
    "test_tess_cube_cutout.py::test_tess_cube_cutout": (
        "B3",
        'wcs_fit["WCS_MSEP"][0] == 0',
        "the peer's distance of the cutout's WCS from the frame's is always 0; ours is true",
    ),
}
"""Tests that pin a fault of the peer: its name, the assertion that must be the one that fails, and the reason."""


def peer_tests() -> Path:
    """The folder of tests inside the installed peer."""
    distribution = importlib.metadata.distribution("astrocut")
    return Path(str(distribution.locate_file("astrocut/tests")))


def run_tests(files: list[str], folder: Path, endpoint: str) -> Path:
    """Run test files in a folder of their own and return pytest's report."""
    source, package = peer_tests(), folder / "astrocut"
    shutil.copytree(HERE / "shim" / "astrocut", package)
    (package / "tests").mkdir()
    for name in HELPERS + files:
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        copy(source / name, package / "tests" / name)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "layers/engine/src")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_ENDPOINT_URL_S3": endpoint,
    }
    environment.pop("AWS_ACCESS_KEY_ID", None)
    report = folder / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
    ]
    command += [f"--deselect=astrocut/tests/{name}" for name in NEEDS_NETWORK]
    command += [f"--junit-xml={report}", *(str(package / "tests" / name) for name in files)]
    done = subprocess.run(command, env=environment, cwd=folder, check=False, capture_output=True, text=True)
    if not report.exists():
        raise RuntimeError(done.stdout + done.stderr)
    return report


def judge(name: str, failure: str | None) -> str:
    """What became of a test: passed, failed, expected failure or unexpected pass."""
    if name not in EXPECTED_FAILURES:
        return "passed" if failure is None else "failed"
    if failure is None:
        return "unexpected pass"
    return "expected failure" if EXPECTED_FAILURES[name][1] in failure else "failed"


def read_report(report: Path) -> dict[str, tuple[str, str]]:
    """Test to what became of it, and the text of its failure."""
    outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.attrib['classname'].rpartition('.')[2]}.py::{case.attrib['name']}"
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        text = None if bad is None else bad.text or ""
        outcomes[name] = judge(name, text), text or ""
    return outcomes


def main() -> int:
    sys.path[:0] = [str(ROOT / folder) for folder in (".", "layers/engine/src", "shared/src", "local/src")]
    from tests.conformance.bucket import bucket_server  # noqa: PLC0415 - needs the path

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=FILES)
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory() as folder, bucket_server() as endpoint:
        outcomes = read_report(run_tests(files, Path(folder), endpoint))
    for name, (outcome, text) in outcomes.items():
        if outcome != "passed":
            print(f"{outcome}: {name} {' '.join(EXPECTED_FAILURES.get(name, ()))}")
        if outcome == "failed":
            print(text)
    for file in files:
        counts = Counter(outcome for name, (outcome, _) in outcomes.items() if name.startswith(f"{file}::"))
        left_out = sum(name.startswith(f"{file}::") for name in NEEDS_NETWORK)
        print(file, *(f"{n} {outcome}" for outcome, n in sorted(counts.items())), f"{left_out} left out", sep=", ")
    return int(any(outcome in ("failed", "unexpected pass") for outcome, _ in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
