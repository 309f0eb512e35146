"""See the package."""

from tessera import TessCubeCutout as CubeCutout

__all__ = ["CubeCutout"]
