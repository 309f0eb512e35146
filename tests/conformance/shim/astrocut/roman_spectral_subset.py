"""See the package."""

from tessera import RomanSpectralSubset

__all__ = ["RomanSpectralSubset"]
