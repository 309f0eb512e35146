"""What the quick bench times: the same piece of work by us, by a peer, and as the machine's limit.

    python tests/bench/support/quick_work.py SIDE FOLDER [CASE]

Without a case it reads cases from stdin, each with a number so that no place is cut twice, and answers the seconds.
With a case it does it once, and answers the seconds and the memory that the case added.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tests.bench.support.memory import peak_bytes  # noqa: E402

BUCKET, CUBE, LONG = "stpubdata", "tess-s0001-4-2-cube.fits", "long"
N_CADENCES = 1282
LONG_FILE = 20 * 20 * 11_775 * 20
"""Bytes of the pixels of the file of 20 x 20 pixels of the long cube: five columns of four bytes."""
N_FRAMES, N_ADDED, FRAME = 24, 2, (640, 640)
IMAGE_SIDE, N_IMAGES, IMAGE_SIZE = 2048, 20, 100
TRACK, MOVING_SIZE = 40, 15
N_FILES, FILE_BYTES = 20, 4_000_000

Work = Callable[[int], object]
Timed = Callable[[int], float]


# ---------------------------------------------------------------- what is there before


def make_data(folder: Path) -> dict[str, Path]:
    """Write frames, two sparse cubes and an image; the objects of the endpoint."""
    import asdf

    from tests.support.frames import spoc_frame
    from tests.support.sparse import LONGEST, sparse_cube
    from tests.support.wcs import ffi_wcs_header

    (folder / "frames").mkdir()
    (folder / LONG).mkdir()
    for cadence in range(N_FRAMES):
        flux = np.random.default_rng(cadence).standard_normal(FRAME, dtype=np.float32)
        wcs, start = ffi_wcs_header(1, 4, 2), 1325.0 + cadence / 48
        name, data = spoc_frame(
            cadence_index=cadence, flux=flux, error=flux + 1, wcs_cards=wcs, tstart=start, tstop=start + 1 / 48
        )
        (folder / "frames" / name).write_bytes(data)
    with asdf.open(ROOT / "tests/data/roman_asdf/roman_like_wfi07_l2_window.asdf") as opened:
        meta = {key: opened["roman"]["meta"][key] for key in ("wcs", "wcsinfo", "filename", "instrument")}
        meta["wcs"].bounding_box = ((-0.5, IMAGE_SIDE - 0.5), (-0.5, IMAGE_SIDE - 0.5))
        pixels = np.arange(IMAGE_SIDE**2, dtype=np.float32).reshape(IMAGE_SIDE, IMAGE_SIDE)
        asdf.AsdfFile({"roman": {"meta": meta, "data": pixels}}).write_to(folder / "image.asdf")
        sky = meta["wcs"](*np.random.default_rng(0).uniform(200, IMAGE_SIDE - 200, (2, N_IMAGES)))
    (folder / "image_targets.json").write_text(json.dumps(np.transpose(sky).tolist()), encoding="utf-8")
    cubes = {f"/{BUCKET}/{CUBE}": sparse_cube(folder, N_CADENCES)}
    return cubes | {f"/{BUCKET}/{LONG}/{CUBE}": sparse_cube(folder / LONG, LONGEST)}


def frames_of(folder: Path) -> list[str]:
    return sorted(map(str, (folder / "frames").iterdir()))


def place(number: int, cube: Path) -> Any:
    """A position of its own for each number, in the middle of the CCD."""
    from astropy.coordinates import SkyCoord

    from tessera.cutouts.open_cube import open_cube

    with open_cube(str(cube)) as file:
        spot = [[700.2 + 40 * (number % 16), 700.3 + 40 * (number // 16)]]
        return SkyCoord(*file.cube.wcs.all_pix2world(spot, 0)[0], unit="deg")


def path_table(number: int, cube: Path) -> Any:
    """A path of 20 places at 30 degrees to the columns."""
    from astropy.coordinates import SkyCoord
    from astropy.table import Table
    from astropy.time import Time

    from tessera.cutouts.open_cube import open_cube
    from tessera.moving.ephemeris import cadence_days

    with open_cube(str(cube)) as file:
        days = cadence_days(file.cube, "observer")
        part = np.linspace(-0.5, 0.5, 20)[:, None] * TRACK
        spots = np.array([[900.2 + 40 * (number % 16), 900.3 + 40 * (number // 16)]]) + part * [[0.866, 0.5]]
        sky = SkyCoord(file.cube.wcs.all_pix2world(spots, 0), unit="deg")
    return Table({"time": Time(2457000, np.linspace(days[0], days[-1], 20), format="jd", scale="tdb"), "position": sky})


def timed(work: Work, clean: Callable[[], object] = lambda: None) -> Timed:
    """Seconds of a piece of work, after which its files are removed."""

    def run(number: int) -> float:
        started = time.perf_counter()
        work(number)
        seconds = time.perf_counter() - started
        clean()
        return seconds

    return run


# ---------------------------------------------------------------- ours, and astrocut's under the same names


def building(factory: Any, folder: Path, out: Path) -> dict[str, Timed]:
    """Cubes of frames; `copy` does the same with bytes only, and also flushes them."""
    frames, old = frames_of(folder), out / "old.fits"
    new = out / "new.fits"

    def update(number: int) -> float:
        if not old.exists():
            factory.make_cube(frames[:-N_ADDED], str(old), verbose=False)
        shutil.copyfile(old, new)
        started = time.perf_counter()
        factory.update_cube(frames[-N_ADDED:], str(new), verbose=False)
        seconds = time.perf_counter() - started
        new.unlink()
        return seconds

    make = timed(lambda number: factory.make_cube(frames, str(new), verbose=False), new.unlink)
    return {"make_cube": make, "update_cube": update}


def our_cases(folder: Path, out: Path) -> dict[str, Timed]:
    import tessera

    cube = folder / CUBE

    def cutting(location: str, size: int) -> Timed:
        def work(number: int) -> float:
            sky = place(number, cube)
            started = time.perf_counter()
            (made,) = tessera.make_cutouts(location, sky, size)
            seconds = time.perf_counter() - started
            assert made.status == "ok", made.reason
            return seconds

        return work

    def moving(number: int) -> float:
        from tessera.moving.ephemeris import Ephemeris

        path = Ephemeris.from_table(path_table(number, cube))
        started = time.perf_counter()
        (made,) = tessera.make_moving_cutouts([str(cube)], path, MOVING_SIZE, output_dir=str(out))
        seconds = time.perf_counter() - started
        assert made.status == "ok", made.reason
        return seconds

    return building(tessera.CubeFactory(), folder, out) | {
        "cutout 10x10": cutting(f"s3://{BUCKET}/{CUBE}", 10),
        "cutout 30x30": cutting(f"s3://{BUCKET}/{CUBE}", 30),
        "cutout 20x20, long": cutting(f"s3://{BUCKET}/{LONG}/{CUBE}", 20),
        "moving": moving,
        "asdf": asdf_case(tessera.ASDFCutout, folder, out),
        "archive": timed(partial(our_archive, files_of(), out)),
    }


def asdf_case(kind: Any, folder: Path, out: Path) -> Timed:
    """An ASDF image to FITS files."""
    from astropy.coordinates import SkyCoord

    sky = SkyCoord(json.loads((folder / "image_targets.json").read_text(encoding="utf-8")), unit="deg")
    made = out / "images"

    def work(number: int) -> None:
        kind(str(folder / "image.asdf"), sky, IMAGE_SIZE).write_as_fits(str(made))

    return timed(work, lambda: shutil.rmtree(made))


def files_of() -> list[bytes]:
    """Noise with constant columns in between, as a target pixel file has."""
    rng = np.random.default_rng(3)
    columns = rng.standard_normal((N_FILES, FILE_BYTES // 8, 2), dtype=np.float32)
    columns[:, :, 1] = 0
    return [np.round(file, 2).astype(">f4").tobytes() for file in columns]


def our_archive(files: list[bytes], out: Path, number: int) -> None:
    from tessera.io.deflate import zip_pieces

    with (out / "archive.zip").open("wb") as made:
        for piece in zip_pieces([(f"{index}.fits", [data], len(data)) for index, data in enumerate(files)]):
            made.write(piece)


def peer_cases(folder: Path, out: Path) -> dict[str, Timed]:
    import astrocut
    from astrocut.cutout_processing import center_on_path, path_to_footprints

    from tessera.cutouts.open_cube import open_cube

    cube = folder / CUBE
    with open_cube(str(cube)) as file:
        wcs = file.cube.wcs
        wcs.pixel_shape = (file.cube.layout.n_columns, file.cube.layout.n_rows)

    def cutting(location: str, size: int) -> Timed:
        def work(number: int) -> float:
            sky = place(number, cube)
            started = time.perf_counter()
            assert astrocut.TessCubeCutout(location, sky, size, threads="auto").tpf_cutouts
            return time.perf_counter() - started

        return work

    def moving(number: int) -> float:
        path, files = path_table(number, cube), []
        started = time.perf_counter()
        for index, at in enumerate(path_to_footprints(path["position"], [MOVING_SIZE + 2] * 2, wcs)):
            size = tuple(int(side) for side in at["size"])[::-1]
            made = astrocut.TessCubeCutout(str(cube), at["coordinates"], size, threads="auto")
            files += made.write_as_tpf(str(out / f"{number}-{index}"))
        center_on_path(path, [MOVING_SIZE] * 2, files, img_wcs=wcs, output_path=str(out), verbose=False)
        return time.perf_counter() - started

    return building(astrocut.CubeFactory(), folder, out) | {
        "cutout 10x10": cutting(f"s3://{BUCKET}/{CUBE}", 10),
        "cutout 30x30": cutting(f"s3://{BUCKET}/{CUBE}", 30),
        "moving": moving,
        "asdf": asdf_case(astrocut.ASDFCutout, folder, out),
    }


# ---------------------------------------------------------------- what the machine allows


def limit_cases(folder: Path, out: Path) -> dict[str, Timed]:
    import obstore
    from astropy.io import fits
    from isal import isal_zlib

    frames, new = frames_of(folder), out / "new.fits"
    with fits.open(folder / CUBE, memmap=True) as opened:
        first, (n_rows, n_columns) = opened[1].fileinfo()["datLoc"], opened[1].shape[:2]
    assert n_rows < n_columns
    store, pool = obstore.store.S3Store(BUCKET, client_options={"allow_http": True}), ThreadPoolExecutor(32)

    def write(pieces: Iterator[bytes]) -> None:
        with new.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())

    def copy(number: int) -> None:
        write(Path(frame).read_bytes() for frame in frames)

    def update(number: int) -> float:
        if not (old := out / "old.fits").exists():
            copy(0)
            os.truncate(new, new.stat().st_size * (N_FRAMES - N_ADDED) // N_FRAMES)
            new.rename(old)
        started = time.perf_counter()
        write(iter([old.read_bytes(), *(Path(frame).read_bytes() for frame in frames[-N_ADDED:])]))
        return time.perf_counter() - started

    def fetching(size: int) -> Timed:
        def work(number: int) -> None:
            row, column = 700 + 40 * (number // 16), 700 + 40 * (number % 16)
            starts = [first + ((row + index) * n_columns + column) * N_CADENCES * 8 for index in range(size)]
            length = size * N_CADENCES * 8
            list(pool.map(lambda start: obstore.get_range(store, CUBE, start=start, length=length).to_bytes(), starts))

        return timed(work)

    def archive(number: int) -> None:
        (out / "packed").write_bytes(b"".join(isal_zlib.compress(data, 1) for data in files))

    files = files_of()
    return {
        "make_cube": timed(copy, new.unlink),
        "update_cube": update,
        "cutout 10x10": fetching(10),
        "cutout 30x30": fetching(30),
        "archive": timed(archive),
    }


# ---------------------------------------------------------------- the processes


SIDES = {"ours": our_cases, "peer": peer_cases, "limit": limit_cases}


def main(side: str, folder: str, case: str = "") -> None:
    warnings.simplefilter("ignore")
    out = Path(folder) / f"{side}-{os.getpid()}"
    out.mkdir()
    cases = SIDES[side](Path(folder), out)
    if case:
        before = peak_bytes()
        seconds = cases[case](0)
        print(json.dumps({"seconds": seconds, "bytes": peak_bytes() - before}))
        return
    for line in sys.stdin:
        name, number = json.loads(line)
        print(json.dumps({"seconds": cases[name](number)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
