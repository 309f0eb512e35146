"""The pixels of a shape: the box that holds it on a frame, and those whose centres are inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.sky.shapes.shape import Shape
from tessera.sky.sphere import unit_vectors
from tessera.windows import Window

Floats: TypeAlias = NDArray[np.float64]

_BULGE = 1.02
"""Largest distance of a frame's edge from its middle, in units of the distance of its farthest corner."""
_WIDE = 60.0
"""Degrees from the middle of a frame to a corner, from which other points of it may be farther than its corners."""
_STEP = 4.0
"""Longest segment of an outline in pixels: the distortion of a frame bends it by less than a hundredth of a pixel."""


@dataclass(frozen=True)
class PixelFrame:
    """The pixels of a frame or image, and where they are on the sky.

    Parameters
    ----------
    to_pixels : callable
        Converts unit vectors, shape (n, 3), to rows and columns, shape (n, 2). The centre of the first pixel is 0. NaN
        where a direction has no pixel. Pixels near the frame are needed too.
    to_directions : callable
        Converts rows and columns, shape (n, 2), to unit vectors, shape (n, 3). NaN where a pixel has no direction.
    n_rows, n_columns : int
        Shape of the frame.
    """

    to_pixels: Callable[[Floats], Floats]
    to_directions: Callable[[Floats], Floats]
    n_rows: int
    n_columns: int

    @property
    def last(self) -> Floats:
        """Row and column of the last corner of the frame, shape (2,); the first is (-0.5, -0.5)."""
        return np.array([self.n_rows, self.n_columns]) - 0.5


def find_box(shape: Shape, frame: PixelFrame) -> Window | None:
    """Find the box of pixels that holds the part of a shape that is on a frame.

    Parameters
    ----------
    shape : Shape
        The shape.
    frame : PixelFrame
        The frame.

    Returns
    -------
    Window or None
        The box, which is on the frame; None where no pixel of the frame has a point of the shape. The outline is
        right to a hundredth of a pixel.
    """
    last = frame.last
    corners = np.array([[-0.5, -0.5], [-0.5, last[1]], last, [last[0], -0.5]])
    middle = (last - 0.5) / 2
    beside = middle + np.eye(2)
    sky = frame.to_directions(np.vstack([corners, middle, beside]))
    known = _known(sky)
    reach = _angle(sky[:5], sky[4]).max() * _BULGE
    cap = (sky[4], reach) if known.all() and reach < _WIDE else None
    steps = [_angle(sky[other : other + 1], sky[4])[0] for other in (5, 6) if known[4] and known[other]]
    outline = shape.outline(min(steps, default=1.0) * _STEP, cap)
    place = frame.to_pixels(unit_vectors(*np.array([shape.middle]).T))
    lines = np.concatenate([frame.to_pixels(outline.reshape(-1, 3)).reshape(-1, 2, 2), place[None].repeat(2, axis=1)])
    lines = lines[np.isfinite(lines).all(axis=(1, 2))]
    inside = known[:4].copy()
    inside[inside] = shape.holds(sky[:4][inside])
    return _box_of(np.concatenate([clip_segments(lines, last), corners[inside]]), frame)


def _known(rows: Floats) -> NDArray[np.bool_]:
    """Which rows of an array have no NaN."""
    return np.asarray(np.isfinite(rows).all(axis=-1))


def _angle(directions: Floats, middle: Floats) -> Floats:
    """Angles in degrees between unit vectors, shape (n, 3), and one of them."""
    chords = np.linalg.norm(directions - middle, axis=1)
    return np.asarray(np.degrees(2 * np.arcsin(np.minimum(chords / 2, 1.0))))


def clip_segments(segments: Floats, last: Floats) -> Floats:
    """Find the ends of the parts of segments that are on a frame (Liang and Barsky).

    Parameters
    ----------
    segments : ndarray of float64, shape (n, 2, 2)
        Rows and columns of the first and last point of each.
    last : ndarray of float64, shape (2,)
        Row and column of the last corner of the frame; the first is (-0.5, -0.5).

    Returns
    -------
    ndarray of float64, shape (m, 2)
        Rows and columns.
    """
    begins, steps = segments[:, 0], segments[:, 1] - segments[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        edges = np.stack([(-0.5 - begins) / steps, (last - begins) / steps])
    beside = (begins < -0.5) | (begins > last)
    still = steps == 0
    enter = np.where(still, np.where(beside, np.inf, -np.inf), edges.min(axis=0)).max(axis=1, initial=0.0)
    leave = np.where(still, np.inf, edges.max(axis=0)).min(axis=1, initial=1.0)
    on = enter <= leave
    ends = [begins[on] + at[on, None] * steps[on] for at in (enter, leave)]
    return np.asarray(np.clip(np.concatenate(ends), -0.5, last))


def _box_of(points: Floats, frame: PixelFrame) -> Window | None:
    """Box of the pixels that hold some points on the frame, rows and columns of shape (n, 2); None without any."""
    if not len(points):
        return None
    most = (frame.last - 0.5).astype(int)
    first, last = (np.clip(np.floor(side + 0.5).astype(int), 0, most) for side in (points.min(0), points.max(0)))
    return Window(int(first[0]), int(first[1]), *(last - first + 1).tolist())


def mark_pixels(shape: Shape, frame: PixelFrame, window: Window) -> NDArray[np.bool_]:
    """Mark the pixels of a window that are inside a shape.

    Parameters
    ----------
    shape : Shape
        The shape.
    frame : PixelFrame
        The frame.
    window : Window
        The window.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_columns)
        True where the centre of a pixel is inside. If there is no such pixel, the one that holds the middle of the
        shape, if it is in the window.
    """
    origin = np.array([window.first_row, window.first_column])
    pixels = np.indices(window.shape).reshape(2, -1).T + origin
    directions = frame.to_directions(pixels.astype(np.float64))
    marked = _known(directions)
    marked[marked] = shape.holds(directions[marked])
    marked = marked.reshape(window.shape)
    if not marked.any():
        place = np.floor(frame.to_pixels(unit_vectors(*np.array([shape.middle]).T))[0] + 0.5) - origin
        if (place >= 0).all() and (place < window.shape).all():
            marked[tuple(place.astype(int))] = True
    return marked
