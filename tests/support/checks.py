"""Checks that more than one room's tests make."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits


def checksums_hold(content: bytes | bytearray) -> bool:
    """Whether the words of every HDU add up to all ones, as the FITS Standard asks of a CHECKSUM card.

    astropy's own check takes the CHECKSUM of an HDU without DATASUM, such as the SPOC writes, for the header's alone.
    """
    with fits.open(io.BytesIO(content)) as hdus:
        spans = [hdus.fileinfo(number) for number in range(len(hdus))]
    totals = [
        int(np.frombuffer(content[span["hdrLoc"] : span["datLoc"] + span["datSpan"]], ">u4").sum(dtype=np.uint64))
        for span in spans
    ]
    return all(total > 0 and total % 0xFFFFFFFF == 0 for total in totals)


def fitsverify_complaints(path: Path) -> list[str]:
    """Warnings and errors of Debian's fitsverify; skips the test where the program is not installed."""
    program = shutil.which("fitsverify")
    if program is None:
        pytest.skip("Debian's fitsverify is not installed; it is optional, and no Python package has it")
    answer = subprocess.run([program, "-l", str(path)], capture_output=True, text=True, check=False)
    return [line for line in (answer.stdout + answer.stderr).splitlines() if line.startswith("*** ")]
