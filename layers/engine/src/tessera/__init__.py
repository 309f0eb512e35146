"""Tessera makes time-series cubes from full-frame images, and cutouts from cubes and images.

Import the public names from this module. Each name is loaded at its first use, so a program that needs one small module
does not load the whole package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tessera.arrays.accessor import CubeAccessor
    from tessera.arrays.open import open_cube, open_zarr_store
    from tessera.arrays.references import export_references
    from tessera.bulk.catalogue.open import Catalogue, open_catalogue
    from tessera.bulk.plan.price import BulkPlan
    from tessera.bulk.run import ListResult, cut_list, plan_list
    from tessera.client.async_client import AsyncClient
    from tessera.client.bulk.jobs import AsyncBulkJob, BulkJob
    from tessera.client.client import Client
    from tessera.client.cuts.jobs import AsyncJob, Job
    from tessera.client.cuts.results import ServiceCutout
    from tessera.client.places import MovingTarget, Region
    from tessera.client.wire.failures import (
        BusyServiceError,
        DamagedAnswerError,
        FailedJobError,
        ForeignServerError,
        NothingFoundError,
        RefusedRequestError,
        ServiceError,
        UnreachableServiceError,
    )
    from tessera.compat.images.cutouts_combiner import CutoutsCombiner
    from tessera.compat.images.fits_cut import fits_cut, img_cut
    from tessera.compat.images.fits_cutout import FITSCutout
    from tessera.compat.moving.center_on_path import center_on_path
    from tessera.compat.moving.path_to_footprints import path_to_footprints
    from tessera.compat.roman.asdf_cut import asdf_cut
    from tessera.compat.roman.asdf_cutout import ASDFCutout
    from tessera.compat.roman.roman_spectral_subset import RomanSpectralSubset
    from tessera.compat.tess.cube_factory import CubeFactory, TicaCubeFactory
    from tessera.compat.tess.cutout_factory import CutoutFactory, cube_cut
    from tessera.compat.tess.footprint_search import ra_dec_crossmatch
    from tessera.compat.tess.tess_cube_cutout import TessCubeCutout
    from tessera.compat.tess.tess_footprint_cutout import TessFootprintCutout, cube_cut_from_footprint, get_tess_sectors
    from tessera.coverage.cutouts import Cutouts
    from tessera.coverage.result import SearchResult
    from tessera.coverage.search import search
    from tessera.cutouts.batch import make_cutouts
    from tessera.cutouts.results import CutoutOptions
    from tessera.errors import DataWarning, InputWarning, InvalidInputError, InvalidQueryError
    from tessera.framesets.find import read_frames
    from tessera.framesets.source import FrameSet
    from tessera.images.batch import make_image_cutouts
    from tessera.images.combine import build_default_combine_function
    from tessera.images.cut import ImageCutoutOptions
    from tessera.images.inputs import ImagePixel
    from tessera.images.stretch import normalize_img
    from tessera.lightcurves.light_curve import LightCurve
    from tessera.lightcurves.target_pixels import TargetPixels
    from tessera.measures.run import CubeMeasures, measure_cube
    from tessera.moving.batch import make_moving_cutouts
    from tessera.moving.ephemeris_table import read_ephemeris
    from tessera.moving.track import MovingOptions
    from tessera.provenance.signing import sign_records
    from tessera.roman.wcs import get_center_pixel
    from tessera.stitching.curve import StitchedCurve
    from tessera.stitching.join import stitch
    from tessera.verify.verify import verify_product

__version__ = "0.1.0"
__all__ = [
    "ASDFCutout",
    "AsyncBulkJob",
    "AsyncClient",
    "AsyncJob",
    "BulkJob",
    "BulkPlan",
    "BusyServiceError",
    "Catalogue",
    "Client",
    "CubeAccessor",
    "CubeFactory",
    "CubeMeasures",
    "CutoutFactory",
    "CutoutOptions",
    "Cutouts",
    "CutoutsCombiner",
    "DamagedAnswerError",
    "DataWarning",
    "FITSCutout",
    "FailedJobError",
    "ForeignServerError",
    "FrameSet",
    "ImageCutoutOptions",
    "ImagePixel",
    "InputWarning",
    "InvalidInputError",
    "InvalidQueryError",
    "Job",
    "LightCurve",
    "ListResult",
    "MovingOptions",
    "MovingTarget",
    "NothingFoundError",
    "RefusedRequestError",
    "Region",
    "RomanSpectralSubset",
    "SearchResult",
    "ServiceCutout",
    "ServiceError",
    "StitchedCurve",
    "TargetPixels",
    "TessCubeCutout",
    "TessFootprintCutout",
    "TicaCubeFactory",
    "UnreachableServiceError",
    "__version__",
    "asdf_cut",
    "build_default_combine_function",
    "center_on_path",
    "cube_cut",
    "cube_cut_from_footprint",
    "cut_list",
    "export_references",
    "fits_cut",
    "get_center_pixel",
    "get_tess_sectors",
    "img_cut",
    "make_cutouts",
    "make_image_cutouts",
    "make_moving_cutouts",
    "measure_cube",
    "normalize_img",
    "open_catalogue",
    "open_cube",
    "open_zarr_store",
    "path_to_footprints",
    "plan_list",
    "ra_dec_crossmatch",
    "read_ephemeris",
    "read_frames",
    "search",
    "sign_records",
    "stitch",
    "verify_product",
]

_HOMES = {
    "FailedJobError": "tessera.client.wire.failures",
    "DamagedAnswerError": "tessera.client.wire.failures",
    "ForeignServerError": "tessera.client.wire.failures",
    "UnreachableServiceError": "tessera.client.wire.failures",
    "BusyServiceError": "tessera.client.wire.failures",
    "NothingFoundError": "tessera.client.wire.failures",
    "RefusedRequestError": "tessera.client.wire.failures",
    "ServiceError": "tessera.client.wire.failures",
    "ServiceCutout": "tessera.client.cuts.results",
    "AsyncJob": "tessera.client.cuts.jobs",
    "Job": "tessera.client.cuts.jobs",
    "Region": "tessera.client.places",
    "MovingTarget": "tessera.client.places",
    "Client": "tessera.client.client",
    "AsyncClient": "tessera.client.async_client",
    "ASDFCutout": "tessera.compat.roman.asdf_cutout",
    "CubeAccessor": "tessera.arrays.accessor",
    "CubeMeasures": "tessera.measures.run",
    "CubeFactory": "tessera.compat.tess.cube_factory",
    "ImageCutoutOptions": "tessera.images.cut",
    "ImagePixel": "tessera.images.inputs",
    "CutoutFactory": "tessera.compat.tess.cutout_factory",
    "CutoutOptions": "tessera.cutouts.results",
    "Cutouts": "tessera.coverage.cutouts",
    "SearchResult": "tessera.coverage.result",
    "search": "tessera.coverage.search",
    "CutoutsCombiner": "tessera.compat.images.cutouts_combiner",
    "DataWarning": "tessera.errors",
    "FITSCutout": "tessera.compat.images.fits_cutout",
    "FrameSet": "tessera.framesets.source",
    "InputWarning": "tessera.errors",
    "InvalidInputError": "tessera.errors",
    "InvalidQueryError": "tessera.errors",
    "LightCurve": "tessera.lightcurves.light_curve",
    "MovingOptions": "tessera.moving.track",
    "RomanSpectralSubset": "tessera.compat.roman.roman_spectral_subset",
    "StitchedCurve": "tessera.stitching.curve",
    "TargetPixels": "tessera.lightcurves.target_pixels",
    "TessCubeCutout": "tessera.compat.tess.tess_cube_cutout",
    "TessFootprintCutout": "tessera.compat.tess.tess_footprint_cutout",
    "TicaCubeFactory": "tessera.compat.tess.cube_factory",
    "asdf_cut": "tessera.compat.roman.asdf_cut",
    "build_default_combine_function": "tessera.images.combine",
    "center_on_path": "tessera.compat.moving.center_on_path",
    "cube_cut": "tessera.compat.tess.cutout_factory",
    "cube_cut_from_footprint": "tessera.compat.tess.tess_footprint_cutout",
    "export_references": "tessera.arrays.references",
    "fits_cut": "tessera.compat.images.fits_cut",
    "get_center_pixel": "tessera.roman.wcs",
    "get_tess_sectors": "tessera.compat.tess.tess_footprint_cutout",
    "img_cut": "tessera.compat.images.fits_cut",
    "make_cutouts": "tessera.cutouts.batch",
    "make_image_cutouts": "tessera.images.batch",
    "make_moving_cutouts": "tessera.moving.batch",
    "measure_cube": "tessera.measures.run",
    "normalize_img": "tessera.images.stretch",
    "open_cube": "tessera.arrays.open",
    "open_zarr_store": "tessera.arrays.open",
    "path_to_footprints": "tessera.compat.moving.path_to_footprints",
    "ra_dec_crossmatch": "tessera.compat.tess.footprint_search",
    "read_ephemeris": "tessera.moving.ephemeris_table",
    "sign_records": "tessera.provenance.signing",
    "stitch": "tessera.stitching.join",
    "read_frames": "tessera.framesets.find",
    "verify_product": "tessera.verify.verify",
    "AsyncBulkJob": "tessera.client.bulk.jobs",
    "BulkJob": "tessera.client.bulk.jobs",
    "BulkPlan": "tessera.bulk.plan.price",
    "Catalogue": "tessera.bulk.catalogue.open",
    "ListResult": "tessera.bulk.run",
    "cut_list": "tessera.bulk.run",
    "open_catalogue": "tessera.bulk.catalogue.open",
    "plan_list": "tessera.bulk.run",
}
"""Module of each public name."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tessera' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
