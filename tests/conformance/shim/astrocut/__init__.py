"""Tessera under the peer's names, so that the peer's own tests can be run against it."""

from tessera import CubeFactory, CutoutFactory, TessCubeCutout, __version__, fits_cut, img_cut, normalize_img

TessCubeCutout.creator = "astrocut"  # what the tests look for in CREATOR

__all__ = ["CubeFactory", "CutoutFactory", "__version__", "fits_cut", "img_cut", "normalize_img"]
