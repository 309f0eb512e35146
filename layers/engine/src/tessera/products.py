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
    """

    name: str
    factory: str
    n_planes: int
    start: str
    stop: str
    detector: tuple[str, str]
    from_last: tuple[str, ...]
    template: tuple[str, int]


SPOC = Product("SPOC", "CubeFactory", 2, "TSTART", "TSTOP", ("CAMERA", "CCD"), ("DATE-END", "TSTOP"), ("WCSAXES", 2))
"""Frames of the mission's pipeline: image and uncertainty in extensions 1 and 2."""
TICA = Product("TICA", "TicaCubeFactory", 1, "STARTTJD", "ENDTJD", ("CAMNUM", "CCDNUM"), ("ENDTJD",), ("NAXIS", 2))
"""Frames of the TESS Image CAlibrator: one image in the primary HDU."""
PRODUCTS = {product.name: product for product in (SPOC, TICA)}
