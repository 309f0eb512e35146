"""Tessera under the peer's names, so that the peer's own tests can be run against it."""

from tessera import CubeFactory, __version__

__all__ = ["CubeFactory", "__version__"]
