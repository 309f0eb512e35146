"""See the package. The tests replace a function of asdf by way of this module."""

import asdf

from tessera import ASDFCutout, asdf_cut, get_center_pixel
from tessera.roman.wcs import fit_fits_wcs

ASDFCutout.embed_asdf = False  # the tests expect an extension for it where stdatamodels is installed, and else none
ASDFCutout._convert_gwcs_to_fits_wcs = staticmethod(lambda wcs: fit_fits_wcs(wcs)[0])

__all__ = ["ASDFCutout", "asdf", "asdf_cut", "get_center_pixel"]
