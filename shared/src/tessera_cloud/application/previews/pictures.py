"""Frames of a preview as pictures."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tessera_cloud.application.previews.preview import frame_of

STRETCHES = ("asinh", "linear", "log", "sqrt")
MAX_SIDE = 2000
"""Pixels of a picture."""


def draw_png(preview: dict[str, Any], image: str, stretch: str, scale: int) -> bytes:
    """One of the frames as a grey PNG, the first row at the bottom.

    Parameters
    ----------
    preview : dict
        Of `tessera_cloud.application.previews.preview.find_preview`.
    image : {'median', 'difference'}
        Which.
    stretch : str
        One of `STRETCHES`.
    scale : int
        Side of a pixel of the frame in the picture; less where the picture would be larger than `MAX_SIDE`.
    """
    from PIL.Image import fromarray  # noqa: PLC0415 - with what follows, for pictures only

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
