"""See the package."""

from tessera import CutoutFactory, cube_cut

__all__ = ["CutoutFactory", "cube_cut"]
