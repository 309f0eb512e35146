"""Measures write_coverage: the first run, a run without a change, and a run after one cube was published.

Usage: python tests/bench/service/coverage.py [SECTORS]
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tessera_cloud import keys
from tessera_cloud.application.index.served import parse_published
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.ports import ObjectInfo
from tessera_cloud.testing.memory_store import MemoryStore
from tests.bench.support.report import record
from tests.support.covers import put_index, written
from tests.support.paths import DATA


class Sink(MemoryStore):
    """A store that keeps the sizes of files, and not the files, as the memory of S3 is not that of the function."""

    def _put(self, bucket: str, key: str, data: bytes) -> str:
        size = len(data)
        self.sizes[key] = size
        return super()._put(bucket, key, data if key.endswith("coverage.json") or "index/" in key else b"")

    sizes: dict[str, int] = {}  # noqa: RUF012 - there is one store

    def list_objects(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """Objects with the sizes that they had."""
        for info in super().list_objects(bucket, prefix):
            yield ObjectInfo(info.key, self.sizes[info.key], info.etag, info.modified)


def all_cubes(sectors: int) -> list[PublishedCube]:
    """Cubes of sectors with 16 CCDs, with the footprints that MAST publishes for sectors 1 to 80."""
    known = parse_published((DATA / "tess_ffi_footprints.json").read_bytes(), "stpubdata/").cubes
    by_sector: dict[int, list[PublishedCube]] = {}
    for cube in known:
        by_sector.setdefault(cube.sequence_number, []).append(cube)
    made = []
    for sector in range(1, sectors + 1):
        for cube in by_sector[(sector - 1) % len(by_sector) + 1]:
            start = cube.t_min + 27.4 * (sector - cube.sequence_number)
            name = cube.obs_id.replace(f"s{cube.sequence_number:04d}", f"s{sector:04d}")
            times = {"t_min": start, "t_max": start + 27}
            made.append(cube.model_copy(update={"obs_id": name, "sequence_number": sector, **times}))
    return made


def report(what: str, store: Sink) -> None:
    """Run once, and print time, memory and requests."""
    store.requests.clear()
    began = time.process_time()
    summary = written(store)
    seconds, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    n_puts = sum(operation == "write" for operation, _, _ in store.requests)
    record("service/coverage", what, "processor time", seconds, "s")
    record("service/coverage", what, "memory", peak * 1e6, "B")
    record("service/coverage", what, "requests", n_puts, "PUT requests")
    record("service/coverage", what, "written", summary.bytes, "B")


def main(sectors: int) -> None:
    """Measure all runs."""
    cubes, store = all_cubes(sectors), Sink()
    print(f"{len(cubes)} cubes of {sectors} sectors")
    put_index(store, *cubes[:-1])
    report("first run", store)
    report("no change", store)
    put_index(store, *cubes)
    report("one more cube", store)
    largest = max(store.sizes, key=lambda key: store.sizes[key] if key.startswith(keys.COVERAGE) else 0)
    print(f"largest file: {largest}, {store.sizes[largest] / 1e6:.1f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
