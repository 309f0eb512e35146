"""Tessera: full-frame images in, time-series cubes and cutouts out.

The public classes are imported from here; they are loaded when they are first used, so that a function that needs
one small module of this package does not pay for all of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tessera.asdf_cutout import ASDFCutout
    from tessera.asdf_functions import asdf_cut
    from tessera.asdf_wcs import get_center_pixel
    from tessera.combine import build_default_combine_function
    from tessera.combine_cutouts import CutoutsCombiner
    from tessera.cube_factory import CubeFactory, TicaCubeFactory
    from tessera.cutout_factory import CutoutFactory, cube_cut
    from tessera.errors import InvalidInputError, InvalidQueryError
    from tessera.fits_cutout import FITSCutout
    from tessera.fits_cutout_functions import fits_cut, img_cut
    from tessera.footprint_search import ra_dec_crossmatch
    from tessera.normalize import normalize_img
    from tessera.path_center import center_on_path
    from tessera.path_footprints import path_to_footprints
    from tessera.spectral_subset import RomanSpectralSubset
    from tessera.tess_cube_cutout import TessCubeCutout
    from tessera.tess_footprint_cutout import (
        TessFootprintCutout,
        cube_cut_from_footprint,
        get_tess_sectors,
    )
    from tessera.user_warnings import DataWarning, InputWarning

__version__ = "0.1.0"
__all__ = [
    "ASDFCutout",
    "CubeFactory",
    "CutoutFactory",
    "CutoutsCombiner",
    "DataWarning",
    "FITSCutout",
    "InputWarning",
    "InvalidInputError",
    "InvalidQueryError",
    "RomanSpectralSubset",
    "TessCubeCutout",
    "TessFootprintCutout",
    "TicaCubeFactory",
    "__version__",
    "asdf_cut",
    "build_default_combine_function",
    "center_on_path",
    "cube_cut",
    "cube_cut_from_footprint",
    "fits_cut",
    "get_center_pixel",
    "get_tess_sectors",
    "img_cut",
    "normalize_img",
    "path_to_footprints",
    "ra_dec_crossmatch",
]

_HOMES = {
    "RomanSpectralSubset": "tessera.spectral_subset",
    "build_default_combine_function": "tessera.combine",
    "CutoutsCombiner": "tessera.combine_cutouts",
    "get_center_pixel": "tessera.asdf_wcs",
    "asdf_cut": "tessera.asdf_functions",
    "ASDFCutout": "tessera.asdf_cutout",
    "normalize_img": "tessera.normalize",
    "img_cut": "tessera.fits_cutout_functions",
    "fits_cut": "tessera.fits_cutout_functions",
    "FITSCutout": "tessera.fits_cutout",
    "CubeFactory": "tessera.cube_factory",
    "TicaCubeFactory": "tessera.cube_factory",
    "CutoutFactory": "tessera.cutout_factory",
    "cube_cut": "tessera.cutout_factory",
    "TessCubeCutout": "tessera.tess_cube_cutout",
    "TessFootprintCutout": "tessera.tess_footprint_cutout",
    "cube_cut_from_footprint": "tessera.tess_footprint_cutout",
    "get_tess_sectors": "tessera.tess_footprint_cutout",
    "ra_dec_crossmatch": "tessera.footprint_search",
    "center_on_path": "tessera.path_center",
    "path_to_footprints": "tessera.path_footprints",
    "InvalidInputError": "tessera.errors",
    "InvalidQueryError": "tessera.errors",
    "DataWarning": "tessera.user_warnings",
    "InputWarning": "tessera.user_warnings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tessera' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
