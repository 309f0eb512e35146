"""Cotrending vectors of cubes, for previews and for light curves of all sectors."""

from __future__ import annotations

from tessera.lightcurves.detrending.vector_files import read_vectors
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera_cloud import keys
from tessera_cloud.application.backend import HasStore
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError

NO_VECTORS = "none or pld for this cube, because there are no cotrending vectors of it"


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
