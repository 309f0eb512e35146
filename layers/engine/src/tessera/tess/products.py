"""The two kinds of TESS frames, and where each keeps what a cube needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of full-frame image.

    Parameters
    ----------
    name : str
        As users write it.
    factory : str
        Name of the public class that builds its cubes, for error messages.
    n_planes : int
        2: flux and error; 1: flux only.
    start, stop : str
        Keywords of the beginning and the end of an exposure.
    detector : tuple of str
        Keywords of camera and CCD.
    from_last : tuple of str
        Keywords that the cube's primary header takes from the last frame.
    template : tuple
        Keyword and value that make a frame fit to be the template of the info table.
    quality, cadence : str
        Keywords of the quality flags and of the cadence number; SPOC frames do not have the latter.
    flux_unit : str
        Unit of the pixels.
    """

    name: str
    factory: str
    n_planes: int
    start: str
    stop: str
    detector: tuple[str, str]
    from_last: tuple[str, ...]
    template: tuple[str, int]
    quality: str
    cadence: str
    flux_unit: str


SPOC = Product(
    name="SPOC",
    factory="CubeFactory",
    n_planes=2,
    start="TSTART",
    stop="TSTOP",
    detector=("CAMERA", "CCD"),
    from_last=("DATE-END", "TSTOP"),
    template=("WCSAXES", 2),
    quality="DQUALITY",
    cadence="CADENCENO",
    flux_unit="e-/s",
)
"""Frames of the mission's pipeline: image and uncertainty in extensions 1 and 2."""
TICA = Product(
    name="TICA",
    factory="TicaCubeFactory",
    n_planes=1,
    start="STARTTJD",
    stop="ENDTJD",
    detector=("CAMNUM", "CCDNUM"),
    from_last=("ENDTJD",),
    template=("NAXIS", 2),
    quality="QUAL_BIT",
    cadence="CADENCE",
    flux_unit="e-",
)
"""Frames of the TESS Image CAlibrator: one image in the primary HDU."""
PRODUCTS = {product.name: product for product in (SPOC, TICA)}
