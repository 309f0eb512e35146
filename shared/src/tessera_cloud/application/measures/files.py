"""What was measured of a cube, as requests read it."""

from __future__ import annotations

from dataclasses import dataclass

from tessera_cloud import measure_keys
from tessera_cloud.application.backend import HasIndex
from tessera_cloud.application.index.catalogue import served_cube
from tessera_cloud.application.measures.places import measure_key, why_none
from tessera_cloud.application.results import exists
from tessera_cloud.errors import NotFoundError, ObjectMissingError

FILES = {
    "reference.fits": "-reference.fits",
    "vectors.fits": "-vectors.fits",
    "changes.csv": "-changes.ecsv",
    "changes.ecsv": "-changes.ecsv",
    "changes.json": "-changes.ecsv",
}
"""Names of measures, and the end of the name of the file that has each."""


@dataclass(frozen=True, slots=True)
class MeasureFile:
    """A file that was measured of a cube.

    Parameters
    ----------
    obs_id : str
        Name of the cube.
    name : str
        Name of the measure, one of `FILES`.
    key : str
        Key of the file, in the bucket of cubes.
    size : int
        Its size in bytes.
    etag : str
        Its ETag.
    """

    obs_id: str
    name: str
    key: str
    size: int
    etag: str

    @property
    def saved_as(self) -> str:
        """Name under which clients save it."""
        return f"{self.obs_id}-{self.name}"


def find_measure(cube_name: str, name: str, backend: HasIndex) -> MeasureFile:
    """Find a measure of a cube that is served.

    Raises
    ------
    NotFoundError
        If the cube is not served, was not measured, or there is no measure of that name.
    """
    cube = served_cube(cube_name, backend)
    if name not in FILES:
        raise NotFoundError.about("measure", name, ", ".join(FILES))
    own = backend.settings.cube_bucket
    key = measure_key(cube, FILES[name], own)
    try:
        info = backend.store.head(own, key)
    except ObjectMissingError as error:
        raise NotFoundError(f"{cube.obs_id} has no {name}: {why_none(cube, backend)}") from error
    return MeasureFile(cube.obs_id, name, key, info.size, info.etag)


def read_measure(file: MeasureFile, backend: HasIndex) -> bytes:
    """Read the file that has a measure."""
    return backend.store.read(backend.settings.cube_bucket, file.key)[0]


def copy_to_results(file: MeasureFile, backend: HasIndex) -> str:
    """Copy a file to the results, unless it is there, and return its key. Results can be linked to, and expire."""
    key, bucket = measure_keys.measure_result(file.etag, file.saved_as), backend.settings.result_bucket
    if not exists(backend.store, bucket, key):
        backend.store.write(bucket, key, read_measure(file, backend))
    return key
