"""Frames of a preview as pictures. A PNG says in texts what it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.images.stretch import normalize_img
from tessera.lightcurves.previews.preview import PROVENANCE, frame_of
from tessera.provenance.png_files import digest_levels, write_png
from tessera.provenance.record import Record

MAX_SIDE = 2000
"""Largest side of a picture in pixels."""


@dataclass(frozen=True)
class PreviewPicture:
    """How a frame of a preview is drawn.

    Parameters
    ----------
    image : {'median', 'difference'}
        Frame to draw.
    stretch : str
        Stretch of the grey values, one of `tessera.images.stretch.STRETCHES`.
    scale : int
        Pixels of the picture per pixel of the frame. It is reduced if the picture would be larger than `MAX_SIDE`.
    """

    image: str
    stretch: str
    scale: int

    def draw(self, preview: Mapping[str, Any]) -> NDArray[np.uint8]:
        """Grey values of the picture of a preview, with the first row of the frame at the bottom."""
        frame, limits = frame_of(preview, self.image), preview["limits"][self.image]
        if limits is None:
            levels = np.zeros(frame.shape, np.uint8)
        else:
            low, high = limits
            levels = normalize_img(frame, self.stretch, minmax_value=(low, high if high > low else low + 1.0))
        scale = max(1, min(self.scale, MAX_SIDE // max(frame.shape)))
        return np.asarray(np.kron(levels[::-1], np.ones((scale, scale), np.uint8)), np.uint8)


def preview_png(preview: Mapping[str, Any], picture: PreviewPicture) -> bytes:
    """Draw a frame of a preview as a grey PNG. It has a record if the preview has one."""
    levels, named = picture.draw(preview), preview.get(PROVENANCE)
    if named is None:
        return write_png(levels)
    made_of = Record.read(named["record"], named["sha256"])
    request = {"preview": made_of.request, **asdict(picture)}
    return write_png(levels, Record("preview picture", __version__, made_of.source, request, digest_levels(levels)))
