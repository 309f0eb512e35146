"""See the package."""

from tessera import FITSCutout, fits_cut

__all__ = ["FITSCutout", "fits_cut"]
