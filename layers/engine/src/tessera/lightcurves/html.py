"""What notebooks show for target pixels and light curves: a few facts, and a picture where matplotlib is installed."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tessera.extras import MissingPackageError
from tessera.lightcurves.facts import place_texts, target_text

if TYPE_CHECKING:
    from tessera.lightcurves.light_curve import LightCurve
    from tessera.lightcurves.target_pixels import TargetPixels

_CELL = "text-align: left; padding: 1px 12px 1px 0"


def curve_html(curve: LightCurve, more: Mapping[str, str] | None = None) -> str:
    """Describe a light curve in HTML; `more` are further facts."""
    from tessera.lightcurves.plots import curve_picture  # noqa: PLC0415 - imports what only pictures need

    facts, unit = curve.facts, curve.flux_unit
    rows = {
        "Target": target_text(facts),
        "Observed": ", ".join(place_texts(facts)),
        "Points": f"{len(curve):,}, {np.count_nonzero(curve.quality):,} of them with quality bits",
        "Time": _span(curve.time_system, curve.time),
    }
    if np.isfinite(curve.flux).any():
        rows["Flux"] = f"median {np.nanmedian(curve.flux):.7g} {unit}"
        rows["Background"] = "subtracted" if curve.background_subtracted else "not subtracted"
    if curve.mask is not None:
        rows["Aperture"] = f"{np.count_nonzero(curve.mask)} of {curve.mask.shape[0]} x {curve.mask.shape[1]} pixels"
    rows |= more or {}
    return _document(type(curve).__name__, rows, lambda: curve_picture(curve, 7.5, 3.0, 100), "Light curve")


def pixels_html(pixels: TargetPixels) -> str:
    """Describe target pixels in HTML."""
    from tessera.lightcurves.plots import pixels_picture  # noqa: PLC0415 - imports what only pictures need

    n_cadences, n_rows, n_columns = pixels.shape
    rows = {
        "Target": target_text(pixels.facts),
        "Observed": ", ".join(place_texts(pixels.facts)),
        "Pixels": f"{n_rows} rows x {n_columns} columns, {n_cadences:,} cadences",
        "Time": _span(pixels.time_system, pixels.time),
        "Aperture": f"{np.count_nonzero(pixels.mask())} pixels (outlined)",
    }
    return _document("TargetPixels", rows, lambda: pixels_picture(pixels), "Median frame with the aperture")


def _span(system: str, time: NDArray[np.float64]) -> str:
    """First and last time; empty if no time is known."""
    known = time[np.isfinite(time)]
    return f"{system} {known.min():.4f} to {known.max():.4f} ({np.ptp(known):.2f} days)" if known.size else ""


def _document(kind: str, rows: dict[str, str], draw: Callable[[], bytes], about: str) -> str:
    cells = "".join(
        f'<tr><th style="{_CELL}">{escape(name)}</th><td style="{_CELL}">{escape(text)}</td></tr>'
        for name, text in rows.items()
        if text
    )
    try:
        picture = base64.b64encode(draw()).decode()
    except MissingPackageError:
        image = ""
    else:
        image = f'<img alt="{escape(about)}" style="max-width: 100%" src="data:image/png;base64,{picture}">'
    return f"<div><strong>{kind}</strong><table>{cells}</table>{image}</div>"
