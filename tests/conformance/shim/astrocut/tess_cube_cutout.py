"""See the package."""

from tessera import TessCubeCutout

__all__ = ["TessCubeCutout"]
