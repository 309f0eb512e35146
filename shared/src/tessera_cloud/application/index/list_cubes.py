"""Lists the cubes of the public sources and our own cubes, and finds those that must be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import FootprintIndex, read_index, read_pointer
from tessera_cloud.application.index.messages import CubeListing, CubeTask, Failure, FoundCube
from tessera_cloud.application.indexing import SMALL_READS, RunRef, RunRequest, write_run
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import EmptySourceError
from tessera_cloud.names import find_cube_id
from tessera_cloud.ports import Documents, ObjectInfo, ObjectLister, ObjectReader
from tessera_cloud.settings import Settings


def is_in(source: str, cube: PublishedCube | FoundCube) -> bool:
    """Whether a cube is below the ``bucket/prefix`` of a source."""
    return f"{cube.bucket}/{cube.key}".startswith(source)


def _list_source(store: ObjectLister, source: str) -> list[FoundCube]:
    """Cubes below a source. Cubes with fewer folders in their keys come first."""
    bucket, _, prefix = source.partition("/")
    found = []
    for info in store.list_objects(bucket, prefix):
        cube_id = find_cube_id(info.key.rsplit("/", 1)[-1])
        if cube_id:
            found.append(FoundCube(obs_id=cube_id.obs_id, bucket=bucket, key=info.key, size=info.size, etag=info.etag))
    return sorted(found, key=lambda cube: (cube.key.count("/"), cube.key))


def find_cubes(store: ObjectLister, sources: Sequence[str]) -> CubeListing:
    """List the sources. If several have a cube of the same CCD, the first source wins."""
    by_name: dict[str, FoundCube] = {}
    ignored = []
    for source in sources:
        for cube in _list_source(store, source):
            if cube.obs_id in by_name:
                ignored.append(f"{cube.bucket}/{cube.key}")
            else:
                by_name[cube.obs_id] = cube
    return CubeListing(sources=tuple(sources), cubes=tuple(by_name.values()), ignored=tuple(ignored))


def _check_sources(index: FootprintIndex, listing: CubeListing) -> None:
    for source in listing.sources:
        known = sum(is_in(source, cube) for cube in index.cubes)
        if known and not any(is_in(source, cube) for cube in listing.cubes):
            raise EmptySourceError(
                f"the source {source} lists no cubes, but the index has {known} of it; "
                "if that is right, remove the source from CubeSources"
            )


def _pointed(
    store: ObjectReader, bucket: str, key: str, found: Mapping[str, ObjectInfo]
) -> PublishedCube | Failure | None:
    name = key.split("/")[1]
    try:
        cube, _ = read_pointer(store, bucket, key)
    except ValueError as error:
        return Failure(obs_id=name, reason=f"s3://{bucket}/{key} is not a pointer: {str(error)[:200]}")
    if cube is None:
        return None  # the pointer has just been deleted
    info = found.get(cube.key)
    if info is None or info.etag != cube.etag:
        reason = f"s3://{bucket}/{key} points to {cube.key}, which is {'gone' if info is None else 'another object'}"
        return Failure(obs_id=cube.obs_id, reason=reason)
    for build in cube.segments:
        if (segment := keys.cube(cube.cube_id, build)) not in found:
            return Failure(obs_id=cube.obs_id, reason=f"the segment {segment} of {cube.key} is gone")
    return cube.model_copy(update={"left_out": ()})


def read_own_cubes(store: ObjectLister, bucket: str) -> tuple[list[PublishedCube], list[Failure]]:
    """Read the current cubes of our own, and the pointers that do not lead to a cube."""
    found = {info.key: info for info in store.list_objects(bucket, keys.CUBES)}
    pointers = [key for key in found if keys.is_pointer(key)]
    with ThreadPoolExecutor(SMALL_READS) as pool:
        outcomes = list(pool.map(lambda key: _pointed(store, bucket, key, found), pointers))
    return (
        [outcome for outcome in outcomes if isinstance(outcome, PublishedCube)],
        [outcome for outcome in outcomes if isinstance(outcome, Failure)],
    )


def as_found(cube: PublishedCube) -> FoundCube:
    """Place of a published cube, in the form of a listing."""
    return FoundCube(obs_id=cube.obs_id, bucket=cube.bucket, key=cube.key, size=cube.size, etag=cube.etag)


def plan_cube_reads(
    found: Iterable[FoundCube], own: Iterable[PublishedCube], index: FootprintIndex, etags_with_sidecar: frozenset[str]
) -> list[FoundCube]:
    """Cubes that must be read: those that are new, have another ETag than in the index, or have no sidecar.

    A cube of a source is neither read nor served if we have built a cube of the same CCD.

    Parameters
    ----------
    found : iterable of FoundCube
        Cubes of the sources.
    own : iterable of PublishedCube
        Cubes that we have built.
    index : FootprintIndex
        Current index.
    etags_with_sidecar : frozenset of str
        ETags of cubes that have a sidecar.
    """
    ours = {cube.obs_id: as_found(cube) for cube in own}
    known = {cube.obs_id: as_found(cube) for cube in index.cubes}
    served = [*ours.values(), *(cube for cube in found if cube.obs_id not in ours)]
    return [
        cube
        for cube in served
        if cube.etag not in etags_with_sidecar or (cube.obs_id not in ours and known.get(cube.obs_id) != cube)
    ]


def _etags_with_sidecar(store: ObjectLister, bucket: str) -> frozenset[str]:
    names = (info.key.removeprefix(keys.SIDECARS) for info in store.list_objects(bucket, keys.SIDECARS))
    return frozenset(name.removesuffix(".npz") for name in names)


def list_cubes(request: RunRequest, *, store: Documents, settings: Settings) -> RunRef:
    """List all cubes, and write the listing and the list of cubes that must be read.

    Raises
    ------
    EmptySourceError
        If a source lists no cubes, although the index has cubes of it.
    """
    bucket = settings.cube_bucket
    index, _ = read_index(store, bucket)
    listing = find_cubes(store, settings.cube_sources)
    _check_sources(index, listing)
    own, _ = read_own_cubes(store, bucket)
    to_read = plan_cube_reads(listing.cubes, own, index, _etags_with_sidecar(store, bucket))
    tasks = [CubeTask(run=request.run, cube=cube) for cube in to_read]
    ref = RunRef(
        run=request.run,
        bucket=bucket,
        listing=keys.cube_listing(request.run),
        to_read=keys.cubes_to_read(request.run),
        results=keys.cube_results(request.run),
        n_found=len(listing.cubes) + len(own),
        n_to_read=len(tasks),
        max_concurrency=settings.index_concurrency,
    )
    write_run(ref, listing, tasks, store)
    return ref
