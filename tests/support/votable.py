"""Reads VOTables with astropy, which refuses what is not in the standard."""

from __future__ import annotations

import io
from typing import Any

from astropy.io.votable import parse


def read_votable(content: bytes) -> Any:
    """Document of a VOTable; a warning of astropy is an error."""
    return parse(io.BytesIO(content), verify="exception")
