"""See the package."""

from tessera import CubeFactory

__all__ = ["CubeFactory"]
