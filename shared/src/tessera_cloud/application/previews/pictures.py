"""Frames of a preview as pictures."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tessera_cloud.application.previews.preview import frame_of

STRETCHES = ("asinh", "linear", "log", "sqrt")
MAX_SIDE = 2000
"""Largest side of a picture in pixels."""


def draw_png(preview: dict[str, Any], image: str, stretch: str, scale: int) -> bytes:
    """Draw a frame of a preview as a grey PNG, with the first row at the bottom.

    Parameters
    ----------
    preview : dict
        Preview of `tessera_cloud.application.previews.preview.find_preview`.
    image : {'median', 'difference'}
        Frame to draw.
    stretch : str
        Stretch of the grey values, one of `STRETCHES`.
    scale : int
        Pixels of the picture per pixel of the frame. It is reduced if the picture would be larger than `MAX_SIDE`.
    """
    from PIL.Image import fromarray  # noqa: PLC0415 - only pictures need this import and the next

    from tessera.images.stretch import normalize_img  # noqa: PLC0415

    frame, limits = frame_of(preview, image), preview["limits"][image]
    if limits is None:
        levels = np.zeros(frame.shape, np.uint8)
    else:
        low, high = limits
        levels = normalize_img(frame, stretch, minmax_value=(low, high if high > low else low + 1.0))
    scale = max(1, min(scale, MAX_SIDE // max(frame.shape)))
    content = io.BytesIO()
    fromarray(np.kron(levels[::-1], np.ones((scale, scale), np.uint8))).save(content, format="PNG")
    return content.getvalue()
