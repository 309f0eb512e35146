"""The index that answers requests: our own, completed from MAST's footprint file until it covers all sources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tessera.sky.footprint import Footprint
from tessera_cloud import keys
from tessera_cloud.application.backend import HasIndex
from tessera_cloud.application.caches import IndexCache
from tessera_cloud.application.index.footprint_index import FootprintIndex, read_index
from tessera_cloud.application.index.withdrawn import hidden_cubes, without
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import BusyError, FatalError, ForbiddenError, ObjectMissingError, TransientError
from tessera_cloud.names import find_observed
from tessera_cloud.ports import ObjectInfo, ObjectReader
from tessera_cloud.settings import Settings

PUBLISHED_SECONDS = 900
"""Largest age of MAST's footprint file, in seconds. The file changes once a month."""
SIGHT_SECONDS = 600.0
"""Time for which a cube of a public source is assumed to be unchanged, in seconds."""
_MAST_COLUMNS = ("obs_id", "s_region", "t_min", "t_max")


def _has_corners(s_region: Any) -> bool:
    try:
        return len(Footprint.parse_s_region(str(s_region)).vertices) >= 4
    except ValueError:
        return False


def _published_rows(table: dict[str, list[Any]], source: str) -> Iterator[PublishedCube]:
    bucket, _, prefix = source.partition("/")
    for obs_id, s_region, t_min, t_max in zip(*(table[name] for name in _MAST_COLUMNS), strict=True):
        cube_id = find_observed(str(obs_id))
        if cube_id is None or not _has_corners(s_region):
            continue
        yield PublishedCube(
            obs_id=cube_id.obs_id,
            sequence_number=cube_id.ccd_id.sector,
            s_region=s_region,
            t_min=t_min,
            t_max=t_max,
            n_cadences=0,
            build_id="",
            bucket=bucket,
            key=f"{prefix}{cube_id.names.cube_folder}{cube_id.cube_name}",
            size=0,
            etag="",
        )


def parse_published(data: bytes, source: str) -> FootprintIndex:
    """Parse MAST's footprint file.

    Parameters
    ----------
    data : bytes
        JSON object of parallel columns.
    source : str
        ``bucket/prefix`` where the cubes are expected.

    Returns
    -------
    FootprintIndex
        Cubes whose size, ETag and number of cadences are not known yet. Call `settle` before you read one. Rows that
        are not about a CCD, or whose region has fewer than four corners, are left out.

    Raises
    ------
    FatalError
        If the file has another form.
    """
    try:
        return FootprintIndex.of(_published_rows(json.loads(data), source))
    except (ValueError, KeyError, TypeError) as error:
        allowed = ", ".join(_MAST_COLUMNS)
        raise FatalError(f"the published footprints are not parallel columns {allowed}: {error!r}") from error


def _covers(index: FootprintIndex, sources: tuple[str, ...]) -> bool:
    """Whether the index has cubes of every source."""
    places = [f"{cube.bucket}/{cube.key}" for cube in index.cubes]
    return all(any(place.startswith(source) for place in places) for source in sources)


def _read_own(cache: IndexCache, store: ObjectReader, bucket: str) -> FootprintIndex:
    """Index from our own index object, which is read again only if its ETag has changed."""
    if cache.own is not None:
        try:
            etag: str | None = store.head(bucket, keys.FOOTPRINT_INDEX).etag
        except ObjectMissingError:
            etag = None
        if etag == cache.etag:
            return cache.own
    cache.own, cache.etag = read_index(store, bucket)
    return cache.own


def _read_published(cache: IndexCache, store: ObjectReader, settings: Settings, now: float) -> FootprintIndex:
    if cache.published is None or not 0 <= now - cache.published_read < PUBLISHED_SECONDS:
        bucket, _, key = settings.published_footprints.partition("/")
        try:
            cache.published = parse_published(store.read(bucket, key)[0], settings.cube_sources[0])
        except ObjectMissingError:
            cache.published = FootprintIndex.of(())
        except FatalError as error:
            raise BusyError("MAST's list of footprints cannot be read; try again later") from error
        cache.published_read = now
    return cache.published


def _refresh(cache: IndexCache, store: ObjectReader, settings: Settings, now: float) -> FootprintIndex:
    own = _read_own(cache, store, settings.cube_bucket)
    hidden = hidden_cubes(cache, store, settings.cube_bucket, now=now, seconds=0)
    if not settings.published_footprints or _covers(own, settings.cube_sources):
        return without(own, hidden)
    published = _read_published(cache, store, settings, now)
    have = {cube.obs_id for cube in own.cubes}
    others = (cube for cube in published.cubes if cube.obs_id not in have)
    return without(FootprintIndex.of([*own.cubes, *others]), hidden)


def served_index(cache: IndexCache, *, store: ObjectReader, settings: Settings, now: float) -> FootprintIndex:
    """Index that answers a request, at most `Settings.index_seconds` old.

    Rows of MAST's footprint file are added until our own index has cubes of every source. Withdrawn cubes are left out.

    Parameters
    ----------
    cache : IndexCache
        Cache of this execution environment, which is brought up to date.
    store : ObjectReader
        Store of the index and of MAST's footprint file.
    settings : Settings
        Bucket of the index, sources of cubes, and largest age of the index.
    now : float
        Current time, in seconds since 1970.

    Raises
    ------
    TransientError
        If the store does not answer and no index is cached. A cached index is used even if it is old.
    """
    if cache.served is not None and 0 <= now - cache.checked < settings.index_seconds:
        return cache.served
    try:
        cache.served = _refresh(cache, store, settings, now)
    except TransientError:
        if cache.served is None:
            raise
    cache.checked = now
    return cache.served


def _sight(published: PublishedCube, store: ObjectReader) -> ObjectInfo | None:
    try:
        return store.head(published.bucket, published.key)
    except ObjectMissingError:
        return None


def settle(published: PublishedCube, store: ObjectReader, cache: IndexCache, now: float) -> PublishedCube | None:
    """Bring a cube's size and ETag up to date; None if the cube is gone.

    A cube that was built here never changes. It is looked for only if a cube was found missing in the last ten minutes.
    A cube of a public source may be replaced or removed at any time, so a HEAD request checks it, at most every ten
    minutes.

    Parameters
    ----------
    published : PublishedCube
        Cube of the index.
    store : ObjectReader
        Store of the cube.
    cache : IndexCache
        Cache of this execution environment, which is brought up to date.
    now : float
        Current time, in seconds since 1970.
    """
    if published.build_id and not 0 <= now - cache.doubted < SIGHT_SECONDS:
        return published
    place = (published.bucket, published.key)
    info, seen = cache.sightings.get(place, (None, -SIGHT_SECONDS))
    if not 0 <= now - seen < SIGHT_SECONDS or (published.build_id and info is None):
        try:
            info = _sight(published, store)
        except (TransientError, ForbiddenError):
            if not published.etag:
                raise
            return published
        cache.sightings[place] = (info, now)
    if info is None:
        return None
    if published.build_id:
        return published  # if it has another ETag, it was damaged, and is not cut
    return published.model_copy(update={"size": info.size, "etag": info.etag})


def current_index(backend: HasIndex) -> FootprintIndex:
    """Index that answers a request; see `served_index`."""
    now = backend.now().timestamp()
    return served_index(backend.index, store=backend.store, settings=backend.settings, now=now)


def index_changed(backend: HasIndex) -> float | None:
    """Time at which our own index was written last, in seconds since 1970; None if there is none."""
    try:
        return backend.store.head(backend.settings.cube_bucket, keys.FOOTPRINT_INDEX).modified
    except ObjectMissingError:
        return None


def settled(published: PublishedCube, backend: HasIndex) -> PublishedCube | None:
    """Cube of the index with its current size and ETag; None if it is gone. See `settle`."""
    return settle(published, backend.store, backend.index, backend.now().timestamp())
