"""Tessera's own quality flags: bits of QUALITY that the mission does not use, set on request (the option `flags`)."""

from __future__ import annotations

BLANK = 1 << 24
"""Every science pixel of the window is 0, or not a number."""
REPEATED = 1 << 25
"""The science pixels of the window have the same values as in the cadence before it in the file."""
SATURATED = 1 << 26
"""At least half of the science pixels of the window are near the full well."""
COLLATERAL = 1 << 27
"""The box of a moving target has pixels that are not science pixels."""
SCATTERED_LIGHT = 1 << 28
"""In detrended light curves: the background of the target is unusual, and matters."""
OWN_BITS = BLANK | REPEATED | SATURATED | COLLATERAL | SCATTERED_LIGHT
