"""Writes the coverage of the cubes that are served. Parts whose footprints are unchanged are not made again.

Files are named after the hash of what they show, and are written before the document that names them. So a writer may
die at any time, and two writers that run at once never disturb each other: the document changes in one step, and a
writer that comes second begins again with the index as it is then.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from tessera_cloud import keys
from tessera_cloud.application.caches import IndexCache
from tessera_cloud.application.coverage.parts import (
    Coverage,
    CoveragePart,
    Cubes,
    PartName,
    find_current,
    group_cubes,
    hash_of,
    is_there,
    parse_coverage,
)
from tessera_cloud.application.documents import update_document
from tessera_cloud.application.index.served import served_index
from tessera_cloud.application.indexing import SMALL_READS
from tessera_cloud.contracts import Wire
from tessera_cloud.ports import Documents, ObjectInfo
from tessera_cloud.settings import Settings

REST_SECONDS = 24 * 3600
"""Age of the superseded files that are deleted, in seconds: another run may be about to name younger ones. A request
that misses a file reads the document again."""


class CoverageSummary(Wire):
    """What a run did.

    Parameters
    ----------
    made, kept, dropped : int
        Numbers of parts that were made, that were kept, and that the document no longer has.
    bytes : int
        Size of the files that were written.
    deleted : int
        Number of superseded files that were deleted.
    """

    made: int = 0
    kept: int = 0
    dropped: int = 0
    bytes: int = 0
    deleted: int = 0


class _Maker:
    """Makes parts and writes their files, each once, also if the document has to be written again.

    Parameters
    ----------
    store : Documents
        Store of the files.
    bucket : str
        Bucket of the files.
    """

    def __init__(self, store: Documents, bucket: str) -> None:
        self._store, self._bucket = store, bucket
        self._made: dict[tuple[str, str, str], CoveragePart] = {}

    @property
    def n_bytes(self) -> int:
        """Size of the files that were written."""
        return sum(sum(part.files.values()) for part in self._made.values())

    def make(self, wanted: Mapping[PartName, Cubes]) -> dict[PartName, CoveragePart]:
        """Parts by product and name, from their cubes."""
        new = {of: cubes for of, cubes in wanted.items() if (*of, hash_of(cubes)) not in self._made}
        if new:
            self._write(new)
        return {of: self._made[*of, hash_of(cubes)] for of, cubes in wanted.items()}

    def _write(self, wanted: Mapping[PartName, Cubes]) -> None:
        from tessera_cloud.application.coverage.mocs import cube_mocs, make_files  # noqa: PLC0415 - only changes need it

        mocs = cube_mocs(tuple({cube.obs_id: cube for cubes in wanted.values() for cube in cubes}.values()))
        for (product, name), cubes in wanted.items():
            files, sky_fraction = make_files(name, cubes, mocs)
            part = CoveragePart(
                hash=hash_of(cubes),
                cubes=len(cubes),
                sky_fraction=sky_fraction,
                t_min=min(cube.t_min for cube in cubes),
                t_max=max(cube.t_max for cube in cubes),
                files={file: len(data) for file, data in files.items()},
            )
            self._put(product, part.hash, files)
            self._made[product, name, part.hash] = part

    def _put(self, product: str, part_hash: str, files: Mapping[str, bytes]) -> None:
        """Write files, also over equal ones: their time tells whoever cleans that they are in use."""
        with ThreadPoolExecutor(len(files)) as pool:
            found = {keys.coverage_file(product, name, part_hash): data for name, data in files.items()}
            list(pool.map(lambda item: self._store.write(self._bucket, *item), found.items()))


def _delete_superseded(
    stored: Mapping[str, ObjectInfo], used: set[str], *, store: Documents, bucket: str, now: float
) -> int:
    old = [
        key
        for key, info in stored.items()
        if key not in used and key != keys.COVERAGE_DOCUMENT and now - info.modified >= REST_SECONDS
    ]
    with ThreadPoolExecutor(SMALL_READS) as pool:
        list(pool.map(lambda key: store.delete(bucket, key), old))
    return len(old)


def write_coverage(*, store: Documents, settings: Settings, now: float) -> CoverageSummary:
    """Bring the coverage up to date with the cubes that are served, and delete superseded files that are a day old.

    The document is read before the index. If another writer changes it meanwhile, the index is read again. So the
    coverage never goes back to an index of before.

    Parameters
    ----------
    store : Documents
        Store of index and coverage.
    settings : Settings
        Bucket of the index and of the coverage, and sources of cubes.
    now : float
        Current time, in seconds since 1970.

    Raises
    ------
    TransientError
        If other writers were faster ten times.
    """
    bucket, maker = settings.cube_bucket, _Maker(store, settings.cube_bucket)

    def update(data: bytes | None) -> tuple[bytes | None, tuple[Coverage, CoverageSummary]]:
        known = parse_coverage(data)
        index = served_index(IndexCache(), store=store, settings=settings, now=now)
        wanted = group_cubes(index.cubes)
        sizes = {info.key: info.size for info in store.list_objects(bucket, keys.COVERAGE)}
        kept = {of: part for of, part in find_current(known, wanted).items() if is_there(of[0], part, sizes)}
        made = maker.make({of: cubes for of, cubes in wanted.items() if of not in kept})
        coverage = Coverage.of({of: (kept | made)[of] for of in wanted})
        dropped = known.by_name().keys() - wanted.keys() if known else set()
        summary = CoverageSummary(made=len(made), kept=len(kept), dropped=len(dropped))
        return (None if coverage == known else coverage.model_dump_json().encode()), (coverage, summary)

    coverage, summary = update_document(store, bucket, keys.COVERAGE_DOCUMENT, update)
    stored = {info.key: info for info in store.list_objects(bucket, keys.COVERAGE)}
    deleted = _delete_superseded(stored, coverage.file_keys(), store=store, bucket=bucket, now=now)
    return summary.model_copy(update={"bytes": maker.n_bytes, "deleted": deleted})
