"""Tessera under the peer's names, so that the peer's own tests can be run against it."""

from tessera import CubeFactory, TessCubeCutout, __version__

TessCubeCutout.creator = "astrocut"  # what the tests look for in CREATOR

__all__ = ["CubeFactory", "__version__"]
