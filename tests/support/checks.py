"""Checks that tests of several folders make."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits


def checksums_hold(content: bytes | bytearray) -> bool:
    """Whether the words of every HDU add up to all ones, as the FITS Standard requires for a CHECKSUM card.

    astropy's own check is not enough. In an HDU without DATASUM, as SPOC writes it, it checks only the header.
    """
    with fits.open(io.BytesIO(content)) as hdus:
        spans = [hdus.fileinfo(number) for number in range(len(hdus))]
    totals = [
        int(np.frombuffer(content[span["hdrLoc"] : span["datLoc"] + span["datSpan"]], ">u4").sum(dtype=np.uint64))
        for span in spans
    ]
    return all(total > 0 and total % 0xFFFFFFFF == 0 for total in totals)


def fitsverify_complaints(path: Path) -> list[str]:
    """Warnings and errors of Debian's fitsverify. The test is skipped if the program is not installed."""
    program = shutil.which("fitsverify")
    if program is None:
        pytest.skip("Debian's fitsverify is not installed; it is optional, and no Python package has it")
    answer = subprocess.run([program, "-l", str(path)], capture_output=True, text=True, check=False)
    return [line for line in (answer.stdout + answer.stderr).splitlines() if line.startswith("*** ")]
