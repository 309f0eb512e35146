"""Relative brightness of the demonstration's three variable stars, averaged over an exposure.

Times are in days from the reference time of the model. A brightness of 1 is the star's mean or undisturbed brightness.
"""

from __future__ import annotations

import math
from collections.abc import Callable

LightCurve = Callable[[float], float]
_SAMPLES = 9


def pulsation(days: float, *, period: float, amplitude: float) -> float:
    """Brightness of a star that rises fast and fades slowly, like RR Lyrae. `amplitude` is that of the fundamental."""
    phase = 2 * math.pi * days / period
    return 1 + amplitude * (math.sin(phase) + 0.25 * math.sin(2 * phase))


def _dip(days: float, *, full_width: float, flat_width: float) -> float:
    """Depth, from 0 to 1, of a trapezoid centred on zero."""
    outer, inner = full_width / 2, flat_width / 2
    return min(1.0, max(0.0, (outer - abs(days)) / (outer - inner)))


def _to_nearest_cycle(days: float, period: float) -> float:
    return days - period * round(days / period)


def eclipses(days: float, *, period: float, primary: float, secondary: float) -> float:
    """Brightness with two eclipses per period, the primary at zero. Each lasts period / 4, with period / 12 flat."""
    shape = {"full_width": 0.25 * period, "flat_width": 0.25 * period / 3}
    first = _dip(_to_nearest_cycle(days, period), **shape)
    second = _dip(_to_nearest_cycle(days - period / 2, period), **shape)
    return 1 - primary * first - secondary * second


def transit(days: float, *, period: float, depth: float, duration: float) -> float:
    """Brightness of a star during a transit centred on zero. Ingress and egress each last a tenth of `duration`."""
    return 1 - depth * _dip(_to_nearest_cycle(days, period), full_width=duration, flat_width=0.8 * duration)


def exposed(curve: LightCurve, mid: float, exposure: float) -> float:
    """Mean of a light curve over an exposure centred on `mid`."""
    steps = ((sample + 0.5) / _SAMPLES - 0.5 for sample in range(_SAMPLES))
    return math.fsum(curve(mid + step * exposure) for step in steps) / _SAMPLES
