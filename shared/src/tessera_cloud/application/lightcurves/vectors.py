"""Cotrending vectors of cubes, for previews and for light curves of all sectors."""

from __future__ import annotations

from tessera.errors import UnreadableFileError
from tessera.lightcurves.detrending.vector_files import read_vectors
from tessera.lightcurves.detrending.vectors import AlignedVectors, CotrendingVectors
from tessera_cloud import keys
from tessera_cloud.application.backend import HasStore
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError


def vectors_beside(published: PublishedCube, backend: HasStore) -> CotrendingVectors | None:
    """Read the cotrending vectors of a cube, which are beside it if this service has built it; None if there are none.

    Raises
    ------
    UnreadableFileError
        If they are damaged.
    """
    if published.bucket != backend.settings.cube_bucket:
        return None
    key = keys.vectors_of(published.key)
    try:
        return read_vectors(key, backend.store.read(published.bucket, key)[0])
    except ObjectMissingError:
        return None


def has_vectors(published: PublishedCube, backend: HasStore) -> bool:
    """Whether there are cotrending vectors of a cube."""
    if published.bucket != backend.settings.cube_bucket:
        return False
    try:
        backend.store.head(published.bucket, keys.vectors_of(published.key))
    except ObjectMissingError:
        return False
    return True


def find_vectors(published: PublishedCube, backend: HasStore) -> AlignedVectors | None:
    """Read the cotrending vectors of a cube, for light curves with all its cadences; None if there are none.

    Raises
    ------
    UnreadableFileError
        If they are damaged, or have the cadences of another cube.
    """
    vectors = vectors_beside(published, backend)
    if vectors is None:
        return None
    if len(vectors.time) != published.n_cadences:
        raise UnreadableFileError(keys.vectors_of(published.key), "it has the cadences of another cube")
    return AlignedVectors(vectors.vectors, vectors.gap)
