"""Observations of cubes, from the footprint index, and of images, from the indexes of their datasets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np

from tessera.cubes.layout import CubeLayout
from tessera.sky.footprint import footprint_vectors
from tessera.tess.times import frame_exposure, sector_cadence, to_utc_mjd
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.images.index import ServedDataset
from tessera_cloud.application.images.messages import ImageRow
from tessera_cloud.application.images.served import current_datasets
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.vo.identifiers import PublishedImage
from tessera_cloud.application.vo.links.ranges import TESS_BAND
from tessera_cloud.application.vo.obscore.regions import Places
from tessera_cloud.application.vo.obscore.rows import DATALINK, File, Floats, Observations, Value
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.settings import Settings

_Index = TypeVar("_Index")
_FRAME = (2078, 2136)
"""Rows and columns of a whole frame."""
_REST = 0.05
"""Largest part of a cube's file that is not pixels."""
_UNKNOWN: Final[dict[str, Value]] = {"access_format": DATALINK, "target_name": None, "s_resolution": None,
                                     "pol_states": None, "pol_xel": 0}  # fmt: skip
CUBES: Final[dict[str, Value]] = _UNKNOWN | {
    "dataproduct_type": "cube",
    "calib_level": 2,
    "obs_collection": "TESS",
    "s_resolution": 42.0,
    "em_min": TESS_BAND[0],
    "em_max": TESS_BAND[1],
    "em_res_power": 2.0,
    "em_xel": 1,
    "o_ucd": "phot.count",
    "facility_name": "TESS",
    "instrument_name": "Photometer",
}
"""What all cubes have in common. Stars are two pixels of 21 arcsec wide (FWHM)."""
IMAGES: Final[dict[str, Value]] = _UNKNOWN | {
    "dataproduct_type": "image",
    "calib_level": 2,
    "t_min": None,
    "t_max": None,
    "t_exptime": None,
    "t_resolution": None,
    "t_xel": 1,
    "em_min": None,
    "em_max": None,
    "em_res_power": None,
    "em_xel": 1,
    "o_ucd": "phot",
    "instrument_name": None,
}
"""What all images have in common. Images with a WCS are taken for calibrated."""


def cube_observations(backend: Backend) -> Observations:
    """Observations of all cubes of the index."""
    return _kept("", current_index(backend), backend, _of_cubes)


def image_observations(backend: Backend) -> list[Observations]:
    """Observations of the files of all datasets of images, in the order of the document that lists the datasets."""
    return [_kept(served.dataset.name, served, backend, _of_images) for served in current_datasets(backend)]


def _kept(name: str, index: _Index, backend: Backend, make: Callable[[_Index, Settings], Observations]) -> Observations:
    """Observations of an index; those that were made before, if the index is the same."""
    known = backend.index.observed.get(name)
    if known is not None and known[0] is index:
        return known[1]
    made = make(index, backend.settings)
    backend.index.observed[name] = (index, made)
    return made


def _of_cubes(index: FootprintIndex, settings: Settings) -> Observations:
    cubes = index.cubes
    frames = [_frame_shape(cube) for cube in cubes]
    numbers = {
        "s_xel1": [shape[1] for shape in frames],
        "s_xel2": [shape[0] for shape in frames],
        "t_min": [to_utc_mjd(cube.cube_id.kind, cube.t_min) for cube in cubes],
        "t_max": [to_utc_mjd(cube.cube_id.kind, cube.t_max) for cube in cubes],
        "t_exptime": [frame_exposure(cube.ccd_id.sector) * (cube.n_cadences or np.nan) for cube in cubes],
        "t_resolution": [float(sector_cadence(cube.ccd_id.sector)) for cube in cubes],
        "t_xel": [float(cube.n_cadences or np.nan) for cube in cubes],
    }
    return Observations(
        files=[_cube_file(cube) for cube in cubes],
        common=CUBES,
        numbers={name: _column(values) for name, values in numbers.items()},
        places=Places(index.vectors, np.arange(len(cubes))),
        authority=settings.ivo_authority,
        public=settings.public_buckets,
    )


def _cube_file(cube: PublishedCube) -> File:
    return File(cube, cube.obs_id, cube.bucket, cube.key, cube.size, (cube.s_region,), other_ids=(cube.obs_id,))


def _frame_shape(cube: PublishedCube) -> tuple[float, float]:
    """Rows and columns of the frames of a cube, if its size is that of a cube of whole frames; else NaN."""
    n_bytes = CubeLayout(*_FRAME, cube.n_cadences, cube.cube_id.kind.n_planes).data_bytes
    is_whole = 0 < n_bytes < cube.size < n_bytes * (1 + _REST)
    return _FRAME if is_whole else (np.nan, np.nan)


def _of_images(served: ServedDataset, settings: Settings) -> Observations:
    dataset, rows = served.dataset, [row for row in served.rows if row.images]
    owners = np.repeat(np.arange(len(rows)), [len(row.images) for row in rows])
    named = {"obs_collection": dataset.name, "facility_name": dataset.mission or None}
    shapes = [_image_shape(row) for row in rows]
    return Observations(
        files=[_image_file(dataset.name, row) for row in rows],
        common=IMAGES | named,
        numbers={name: _column([shape[axis] for shape in shapes]) for name, axis in (("s_xel1", 1), ("s_xel2", 0))},
        places=Places(footprint_vectors([image.s_region for row in rows for image in row.images]), owners),
        authority=settings.ivo_authority,
        public=frozenset(row.found.bucket for row in rows) if dataset.public else settings.public_buckets,
    )


def _column(values: Sequence[float]) -> Floats:
    return np.array(values, np.float64)


def _image_file(dataset: str, row: ImageRow) -> File:
    found = row.found
    regions = tuple(image.s_region for image in row.images)
    return File(PublishedImage(dataset, row), found.name, found.bucket, found.key, found.size, regions)


def _image_shape(row: ImageRow) -> tuple[float, float]:
    """Rows and columns of the images of a file; NaN if they differ."""
    shapes = {(image.rows, image.columns) for image in row.images}
    return shapes.pop() if len(shapes) == 1 else (np.nan, np.nan)
