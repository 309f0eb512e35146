"""Pictures of target pixels and light curves, with matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from tessera.extras import import_extra
from tessera.lightcurves.curve_files import CREATOR
from tessera.lightcurves.facts import place_texts, target_text
from tessera.lightcurves.preview import picture_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tessera.lightcurves.light_curve import LightCurve
    from tessera.lightcurves.masks import MaskChoice
    from tessera.lightcurves.photometry import Mask
    from tessera.lightcurves.target_pixels import TargetPixels

_PURPOSE = "plots"
_COMPASS = 0.13
"""Length of the arrows of the compass, as a part of the shorter side."""
_BLUE, _GREY, _RED = "#2a6fb0", "#9aa0a6", "#e4572e"


def new_axes(width: float, height: float) -> Axes:
    """Make a figure of pyplot, which notebooks show and ``plt.show()`` opens. The size is in inches."""
    pyplot = import_extra("matplotlib.pyplot", _PURPOSE)
    axes: Axes = pyplot.subplots(figsize=(width, height), layout="constrained")[1]
    return axes


def _own_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Make a figure that no other code knows, so that it disappears when it is no longer used."""
    figure: Figure = import_extra("matplotlib.figure", _PURPOSE).Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _png(figure: Figure, dpi: int) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi, metadata={"Software": CREATOR})
    return content.getvalue()


def curve_picture(curve: LightCurve, width: float = 9.0, height: float = 4.0, dpi: int = 150) -> bytes:
    """Draw a light curve as PNG."""
    figure, axes = _own_figure(width, height)
    draw_curve(curve, axes)
    return _png(figure, dpi)


def pixels_picture(pixels: TargetPixels, width: float = 4.2, height: float = 3.6, dpi: int = 100) -> bytes:
    """Draw the median frame of target pixels as PNG."""
    figure, axes = _own_figure(width, height)
    draw_pixels(pixels, axes)
    return _png(figure, dpi)


# ---------------------------------------------------------------- light curves


def draw_curve(curve: LightCurve, ax: Axes | None = None, period: float | None = None) -> Axes:
    """Draw a light curve; see `tessera.LightCurve.plot`."""
    axes = new_axes(9.0, 4.0) if ax is None else ax
    x = curve.time if period is None else curve.phase(period)
    for some, colour, label in ((curve.quality == 0, _BLUE, None), (curve.quality != 0, _GREY, "with quality bits")):
        if some.any():
            error = curve.flux_err[some] if np.isfinite(curve.flux_err[some]).any() else None
            look: dict[str, Any] = {"fmt": ".", "ms": 3, "lw": 0, "elinewidth": 0.6, "color": colour, "label": label}
            axes.errorbar(x[some], curve.flux[some], error, **look)
    if (curve.quality != 0).any():
        axes.legend(fontsize="small")  # with a frame, because a mark of the legend looks like a point
    axes.set_xlabel(
        f"Time ({curve.time_system}: days since JD 2457000, TDB)" if period is None else f"Phase (period {period:g} d)"
    )
    axes.set_ylabel(f"Flux ({unit_label(curve.flux_unit)})")
    words = [*_title(curve.facts), f"background {'' if curve.background_subtracted else 'not '}subtracted"]
    axes.set_title(", ".join(words), fontsize="medium", parse_math=False)
    axes.ticklabel_format(useOffset=False)
    return axes


def unit_label(unit: str) -> str:
    """Unit of the flux for people: e⁻/s. Flux without a unit was divided by its level."""
    return unit.replace("e-", "e⁻") or "divided by the level of each sector"


def _title(facts: dict[str, Any]) -> list[str]:
    return [text for text in (target_text(facts), ", ".join(place_texts(facts))) if text]


# ---------------------------------------------------------------- pixels


def draw_pixels(pixels: TargetPixels, ax: Axes | None = None, mask: MaskChoice | None = "default") -> Axes:
    """Draw target pixels; see `tessera.TargetPixels.plot`."""
    axes = new_axes(5.2, 4.4) if ax is None else ax
    frame = np.asarray(pixels.median, np.float64)
    row, column = pixels.first_pixel or (0, 0)
    n_rows, n_columns = frame.shape
    extent = (column - 0.5, column + n_columns - 0.5, row - 0.5, row + n_rows - 0.5)
    from astropy.visualization import AsinhStretch, ImageNormalize  # noqa: PLC0415 - slow to import

    low, high = picture_limits(frame) or (0.0, 1.0)
    norm = ImageNormalize(vmin=low, vmax=max(high, np.nextafter(low, np.inf)), stretch=AsinhStretch(0.1))
    image = axes.imshow(frame, origin="lower", extent=extent, norm=norm, cmap="viridis", interpolation="nearest")
    if axes.figure is not None:
        axes.figure.colorbar(image, ax=axes, label=f"Median flux ({unit_label(pixels.flux_unit)})")
    if mask is not None:
        _outline(axes, pixels.mask(mask), row, column)
    if pixels.target_pixel is not None:
        axes.plot(column + pixels.target_pixel[1], row + pixels.target_pixel[0], "+", color=_RED, ms=9, mew=1.5)
    _compass(axes, pixels, (row, column))
    where = "on the frame" if pixels.first_pixel else "in the cutout"
    axes.set_xlabel(f"Column {where}, from 0")
    axes.set_ylabel(f"Row {where}, from 0")
    axes.set_title("\n".join(_title(pixels.facts)), fontsize="medium", parse_math=False)
    axes.locator_params(integer=True, min_n_ticks=1)
    axes.ticklabel_format(useOffset=False)
    axes.set_xlim(*extent[:2])
    axes.set_ylim(*extent[2:])
    return axes


def _outline(axes: Axes, mask: Mask, row: int, column: int) -> None:
    """Draw the border of an aperture."""
    padded = np.pad(mask, 1)
    lines = []
    for r, c in np.argwhere(mask):
        left, bottom = column + c - 0.5, row + r - 0.5
        for (dr, dc), line in (
            ((-1, 0), [(left, bottom), (left + 1, bottom)]),
            ((1, 0), [(left, bottom + 1), (left + 1, bottom + 1)]),
            ((0, -1), [(left, bottom), (left, bottom + 1)]),
            ((0, 1), [(left + 1, bottom), (left + 1, bottom + 1)]),
        ):
            if not padded[r + 1 + dr, c + 1 + dc]:
                lines.append(line)
    collections = import_extra("matplotlib.collections", _PURPOSE)
    axes.add_collection(collections.LineCollection(lines, colors=_RED, linewidths=1.8, capstyle="round"))


def compass(pixels: TargetPixels) -> dict[str, tuple[float, float]] | None:
    """Directions north and east as unit vectors (rows, columns); None without a WCS."""
    if pixels.wcs is None:
        return None
    n_rows, n_columns = pixels.shape[1:]
    middle = np.array([[(n_columns - 1) / 2, (n_rows - 1) / 2]])
    ra, dec = pixels.wcs.all_pix2world(middle, 0)[0]
    found = {}
    for name, offset in (("N", (0.0, 1e-3)), ("E", (1e-3 / max(np.cos(np.radians(dec)), 1e-3), 0.0))):
        place = pixels.wcs.all_world2pix([[ra + offset[0], dec + offset[1]]], 0)[0]
        step = place - middle[0]
        length = float(np.hypot(*step))
        if not np.isfinite(length) or length == 0:
            return None
        found[name] = (float(step[1] / length), float(step[0] / length))
    return found


def _compass(axes: Axes, pixels: TargetPixels, first: tuple[int, int]) -> None:
    directions = compass(pixels)
    if directions is None:
        return
    n_rows, n_columns = pixels.shape[1:]
    length = _COMPASS * min(n_rows, n_columns)
    ends = np.array([*directions.values(), (0.0, 0.0)])
    row = first[0] + n_rows - 0.5 - 2 * length - max(0.0, ends[:, 0].max() - 1) * length
    column = first[1] - 0.5 + 2 * length
    effects = import_extra("matplotlib.patheffects", _PURPOSE)
    border = [effects.withStroke(linewidth=1.6, foreground="#222222")]
    for name, (d_row, d_column) in directions.items():
        end = (column + length * d_column, row + length * d_row)
        arrow = {"arrowstyle": "->", "color": "white", "lw": 1.3, "path_effects": border}
        axes.annotate("", end, (column, row), arrowprops=arrow)
        at = (column + 1.45 * length * d_column, row + 1.45 * length * d_row)
        axes.annotate(name, at, color="white", ha="center", va="center", fontsize="small", path_effects=border)
