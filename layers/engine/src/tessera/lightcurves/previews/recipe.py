"""The recipe of a preview: with its cube, it decides every number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from tessera.windows import Window


@dataclass(frozen=True)
class PreviewRecipe:
    """What decides a preview.

    Parameters
    ----------
    cube : str
        Name of the cube, which the preview tells.
    window : Window
        Its pixels.
    row, column : float
        Pixel of the target on the frame; the centre of the first pixel is 0.
    background : str
        Model of the background; see `tessera.lightcurves.background.find_background`. ``none`` for no background.
    points : int
        Largest number of points of the light curve.
    aperture : str
        Aperture as `tessera.lightcurves.photometry.parse_aperture` reads it; empty for the pixels above a threshold.
    detrend : str
        What takes the trend from the light curve; see `tessera.lightcurves.detrending.detrend`. ``none`` for nothing.
    vectors : mapping, optional
        Cotrending vectors, for ``detrend`` ``cbv``; see `CotrendingVectors.origin`.
    """

    cube: str
    window: Window
    row: float
    column: float
    background: str = "median"
    points: int = 2000
    aperture: str = ""
    detrend: str = "none"
    vectors: Mapping[str, str] | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The recipe as a document of JSON."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` wrote."""
        given = dict(document)
        return cls(window=Window(**given.pop("window")), **given)
