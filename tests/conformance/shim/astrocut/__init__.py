"""Tessera under the peer's names, so that the peer's own tests can be run against it."""

import logging

from tessera import CubeFactory, CutoutFactory, TessCubeCutout, __version__, fits_cut, img_cut, normalize_img
from tessera.narrator import Narrator

TessCubeCutout.creator = "astrocut"  # what the tests look for in CREATOR


def _set_level(narrator: Narrator, module: str, *, verbose: bool) -> None:
    """What the peer does with the level of its logger; the tests count messages in the log."""
    _narrate(narrator, module, verbose=verbose)
    logging.getLogger("tessera").setLevel(logging.DEBUG if verbose else logging.INFO)


_narrate = Narrator.__init__
Narrator.__init__ = _set_level  # type: ignore[method-assign]

__all__ = ["CubeFactory", "CutoutFactory", "__version__", "fits_cut", "img_cut", "normalize_img"]
