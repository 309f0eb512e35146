"""Where the measures of a cube are, and why a cube has none."""

from __future__ import annotations

from tessera.cubes.reference.frame import REFERENCE_END
from tessera_cloud import measure_keys, segment_keys
from tessera_cloud.application.backend import HasStore
from tessera_cloud.application.results import exists
from tessera_cloud.contracts import PublishedCube

_NO_CUBE = "it has no cube yet, and only cubes are measured"
_GROWS = (
    "it still grows; it is measured when all its frames are there, or when an operator builds those that are there as "
    "one cube (POST /v1/builds without grow)"
)
_MEASURED = "it was measured, and the light curves of too few of its stars have something in common"
_PUBLIC = "it was not built here; an operator may measure it with tessera-admin measure"
_SOON = "a cube is measured after its build, which takes some minutes"


def measure_key(cube: PublishedCube, end: str, own_bucket: str) -> str:
    """Key of a measure, in our bucket of cubes.

    Parameters
    ----------
    cube : PublishedCube
        The cube. A measure of our own one is beside it, and one of a public one is under its ETag.
    end : str
        End of the name of the file, such as ``-reference.fits``.
    own_bucket : str
        Our bucket of cubes.
    """
    if cube.bucket == own_bucket:
        return measure_keys.beside(cube.key, end)
    return measure_keys.of_public(cube.obs_id, cube.etag, end)


def why_none(cube: PublishedCube, backend: HasStore) -> str:
    """Why a cube that lacks a measure has none, and what to do. A cube that was measured may have no vectors."""
    own = backend.settings.cube_bucket
    if cube.from_frames:
        return _NO_CUBE
    if exists(backend.store, own, measure_key(cube, REFERENCE_END, own)):
        return _MEASURED
    if cube.bucket != own:
        return _PUBLIC
    return _GROWS if segment_keys.is_segment_table(cube.key) else _SOON
