"""Datasets of cubes: opening and slicing the largest cube, against astropy's .section and a plain copy of the bytes.

    python tests/bench/cubes/arrays.py [--repeats 3] [--folder DIR]

Needs 20 MB of disk for a sparse cube of 418 GB (2078 x 2136 pixels, 11,775 cadences), and 500 MB for one of 500 x 500
pixels and 250 cadences with real bytes. Each timed call runs in a process of its own, in turn with the others; seconds
are those of the call. `reads` are the reads of the file and the bytes that they returned. Memory is the largest
anonymous resident set of the process above that before the call.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tests.bench.cubes.timed import PeakMemory, anonymous_mb  # noqa: E402
from tests.bench.support.report import missed, record  # noqa: E402

SMALL, SMALL_CADENCES = (500, 500), 250
SLICES = {"11x11": (1000, 1000, 11), "31x31": (1000, 1000, 31), "small 11x11": (200, 200, 11), "small all": (0, 0, 500)}
BENCH = "cubes/arrays"
PROGRAMS = ("open_cube", "zarr", "section", "copy")
WANTED = {"11x11": "value <= 0.1"}


class Counted:
    """A source that counts what it reads."""

    def __init__(self, source: Any) -> None:
        self._source, self.reads, self.n_bytes = source, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def read(self, start: int, length: int) -> bytes:
        self._count(length)
        return self._source.read(start, length)

    def read_buffer(self, start: int, length: int) -> Any:
        self._count(length)
        return self._source.read_buffer(start, length)

    def _count(self, length: int) -> None:
        self.reads += 1
        self.n_bytes += length


def program(name: str, path: str, row: int, column: int, size: int) -> Callable[[], dict[str, Any]]:
    """What is timed: returns a function that reads both planes of a window."""
    place = slice(row, row + size), slice(column, column + size)
    if name == "section":
        from astropy.io import fits

        hdus = fits.open(path)
        return lambda: {"sum": float(np.nansum(hdus[1].section[(*place, slice(None), slice(None))]))}
    import tessera

    if name == "zarr":
        import zarr

        store = tessera.open_zarr_store(path)
        counted = store.pixels._file.source = Counted(store.pixels._file.source)
        pixels = zarr.open_group(store, mode="r")["pixels"]
        return lambda: {"sum": float(np.nansum(pixels[place])), "reads": counted.reads, "bytes": counted.n_bytes}
    cube = tessera.open_cube(path)
    file = cube.flux.variable._data.array.array.array.pixels._file
    if name == "copy":
        layout, offset = file.cube.layout, file.cube.data_offset

        def copy() -> dict[str, Any]:
            out = bytearray(size * size * layout.pixel_bytes)
            length = size * layout.pixel_bytes
            for number in range(size):
                at = layout.row_range(row + number, column, size)
                file.source.read_into(offset + at.start, memoryview(out)[number * length :][:length])
            return {"sum": 0.0}

        return copy
    counted = file.source = Counted(file.source)

    def slice_it() -> dict[str, Any]:
        window = cube.isel(row=place[0], column=place[1]).load()
        total = float(np.nansum(window.flux)) + float(np.nansum(window.error))
        return {"sum": total, "reads": counted.reads, "bytes": counted.n_bytes}

    return slice_it


def child(name: str, path: str, row: str, column: str, size: str) -> None:
    import xarray

    import tessera

    assert tessera.open_cube  # what is timed is not the import
    assert xarray.Dataset
    started = time.perf_counter()
    work = program(name, path, int(row), int(column), int(size))
    opened = time.perf_counter() - started
    before = anonymous_mb()
    with PeakMemory() as memory:
        started = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - started
    print(json.dumps({"opened": opened, "seconds": seconds, "memory": memory.peak - before, **result}))


def run(name: str, path: Path, place: tuple[int, int, int]) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", name, str(path), *map(str, place)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def small_cube(folder: Path) -> Path:
    """A cube with real bytes: noise around the headers of the sparse one."""
    from tests.support.sparse import sparse_cube

    folder.mkdir()
    path = sparse_cube(folder, SMALL_CADENCES, SMALL)
    import tessera

    with tessera.open_cube(path, check=False) as cube:
        inner = cube.flux.variable._data.array.array.array.pixels.cube
    generator = np.random.default_rng(0)
    with path.open("r+b") as file:
        file.seek(inner.data_offset)
        for _ in range(SMALL[0]):
            file.write(generator.standard_normal(inner.layout.row_bytes // 4, np.float32).astype(">f4").tobytes())
    return path


def bench(path: Path, what: str, repeats: int) -> None:
    row, column, size = SLICES[what]
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in PROGRAMS}
    for name in PROGRAMS:
        run(name, path, (row, column, size))
    for turn in range(repeats):
        shift = 0 if size == SMALL[0] else 40 * turn
        for name in PROGRAMS:
            results[name].append(run(name, path, (row + shift, column + shift, size)))
    with_cadences = 11_775 if "small" not in what else SMALL_CADENCES
    needed = size * size * with_cadences * 8
    sums = [{round(item["sum"], 2) for item in results[name]} for name in ("open_cube", "section")]
    assert sums[0] == sums[1], "the pixels differ"
    times = {name: statistics.median(item["seconds"] for item in rows) for name, rows in results.items()}
    peers = {"astropy's section": times["section"]}
    most = {key: max(item[key] for item in results["open_cube"]) for key in ("reads", "bytes", "memory")}
    case = f"{what} x {with_cadences:,}"
    for name in ("open_cube", "zarr"):
        goal = WANTED.get(what, "") if name == "open_cube" else ""
        record(BENCH, f"{case}, {name}", "time", times[name], "s", peer=peers, limit=times["copy"], wanted=goal)
    opened = statistics.median(item["opened"] for item in results["open_cube"])
    record(BENCH, f"{case}, open_cube", "opening", opened, "s")
    record(BENCH, f"{case}, open_cube", "bytes", most["bytes"], "B", limit=needed, wanted="limit <= 1.7")
    record(BENCH, f"{case}, open_cube", "reads", most["reads"], "reads", limit=size, wanted="limit <= 3")
    record(BENCH, f"{case}, open_cube", "memory", most["memory"] * 1e6, "B")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    from tests.support.sparse import sparse_cube

    with tempfile.TemporaryDirectory(dir=options.folder, prefix="tessera-bench-") as temporary:
        large, small = sparse_cube(Path(temporary)), small_cube(Path(temporary) / "small")
        for what in SLICES:
            bench(small if "small" in what else large, what, options.repeats)
    sys.exit(missed() > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
