"""Relative brightness of the demonstration's three varying stars, averaged over an exposure.

Days, counted from the reference time of the model; a brightness of 1 is the star's mean or undisturbed one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

LightCurve = Callable[[float], float]
_SAMPLES = 9


def pulsation(days: float, *, period: float, amplitude: float) -> float:
    """Rise fast and fade slowly, as an RR Lyrae star does; `amplitude` is that of the fundamental."""
    phase = 2 * math.pi * days / period
    return 1 + amplitude * (math.sin(phase) + 0.25 * math.sin(2 * phase))


def _dip(days: float, *, full_width: float, flat_width: float) -> float:
    """Depth between 0 and 1 of a trapezoid centred on zero."""
    outer, inner = full_width / 2, flat_width / 2
    return min(1.0, max(0.0, (outer - abs(days)) / (outer - inner)))


def _to_nearest_cycle(days: float, period: float) -> float:
    return days - period * round(days / period)


def eclipses(days: float, *, period: float, primary: float, secondary: float) -> float:
    """Two eclipses per period, the primary one at zero; each lasts a quarter of the period, a third of it in full."""
    shape = {"full_width": 0.25 * period, "flat_width": 0.25 * period / 3}
    first = _dip(_to_nearest_cycle(days, period), **shape)
    second = _dip(_to_nearest_cycle(days - period / 2, period), **shape)
    return 1 - primary * first - secondary * second


def transit(days: float, *, period: float, depth: float, duration: float) -> float:
    """Dim the star while its planet crosses it: centred on zero, with limbs of a tenth of its duration."""
    return 1 - depth * _dip(_to_nearest_cycle(days, period), full_width=duration, flat_width=0.8 * duration)


def exposed(curve: LightCurve, mid: float, exposure: float) -> float:
    """Mean of a light curve over an exposure centred on `mid`."""
    steps = ((sample + 0.5) / _SAMPLES - 0.5 for sample in range(_SAMPLES))
    return math.fsum(curve(mid + step * exposure) for step in steps) / _SAMPLES
