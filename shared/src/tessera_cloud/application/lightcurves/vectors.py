"""Cotrending vectors of cubes, for previews and for light curves of all sectors."""

from __future__ import annotations

from dataclasses import replace

from tessera.errors import UnreadableFileError
from tessera.lightcurves.detrending.vector_files import VECTORS_END, read_vectors
from tessera.lightcurves.detrending.vectors import NO_VECTORS, AlignedVectors, CotrendingVectors
from tessera_cloud.application.backend import HasStore
from tessera_cloud.application.measures.places import measure_key, why_none
from tessera_cloud.application.results import exists
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError


def vectors_beside(published: PublishedCube, backend: HasStore) -> CotrendingVectors | None:
    """Read the cotrending vectors of a cube; None if there are none.

    Raises
    ------
    UnreadableFileError
        If they are damaged.
    """
    bucket, key = _place(published, backend)
    try:
        found = read_vectors(key, backend.store.read(bucket, key)[0])
    except ObjectMissingError:
        return None
    return replace(found, location=f"s3://{bucket}/{key}")


def _place(published: PublishedCube, backend: HasStore) -> tuple[str, str]:
    bucket = backend.settings.cube_bucket
    return bucket, measure_key(published, VECTORS_END, bucket)


def no_vectors(published: PublishedCube, backend: HasStore) -> str:
    """What is allowed instead of the cotrending vectors that a cube does not have, and why."""
    return f"{NO_VECTORS}; {why_none(published, backend)}"


def has_vectors(published: PublishedCube, backend: HasStore) -> bool:
    """Whether there are cotrending vectors of a cube."""
    return exists(backend.store, *_place(published, backend))


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
        raise UnreadableFileError(_place(published, backend)[1], "it has the cadences of another cube")
    return AlignedVectors(vectors.vectors, vectors.gap, vectors.origin)
