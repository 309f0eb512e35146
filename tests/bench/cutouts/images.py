"""Image cutouts: of a large remote image, plain and compressed, and of many targets in one of Roman's, and the peer.

    python tests/bench/cutouts/images.py [--repeats 3] [--folder FOLDER]

Remote images are served on this machine with the latency and bandwidth of s3_link.py. Each side runs in processes of
its own; a time is that of making the cutout and its file in memory, imports apart, in a process that has read nothing
yet. The peer is timed as it is, and with blocks of 1 MB, which it reads by for those who know to ask. Needs some 2 GB
in the folder and in memory.

The limit of a remote image is one latency for its headers, one for the table of its tiles if it has tiles, one for its
pixels, and its pixels at the speed of the link. A row of a compressed image is a tile, which is read as a whole. The
limit of one target of an image of Roman's is the time in which asdf opens the file; the FITS files of both sides then
have the same extensions.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "layers/engine/src")]

from tests.bench.support.report import record  # noqa: E402

SIDE = 20_000
SIZE = 200
BUCKET = "images"
TUNED = "astrocut, 1 MB"
N_TARGETS = 100
BENCH, TO_FITS, ONE, OPENED = "cutouts/images", "lite to FITS", "one target, lite to FITS", "asdf alone"
ROOMS = ("fits", "roman", "packed")
ROMAN_SIDE = 4088


def image_header() -> Any:
    """A plain sky with 0.1 arcseconds per pixel."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [150.0, 2.2], [SIDE / 2, SIDE / 2], [-2.8e-5, 2.8e-5]
    return wcs.to_header()


def make_images(folder: Path) -> dict[str, Path]:
    """Large images of noise, made once."""
    from astropy.io import fits

    paths = {"plain": folder / "plain.fits", "rice": folder / "rice.fits"}
    if not all(path.exists() for path in paths.values()):
        rng = np.random.default_rng(0)
        data = np.tile(rng.normal(1000, 30, (500, SIDE)).astype(">i2"), (SIDE // 500, 1))
        hdu = fits.ImageHDU(data, image_header(), "SCI")
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(paths["plain"], overwrite=True)
        packed = fits.CompImageHDU(data, image_header(), "SCI", compression_type="RICE_1")
        fits.HDUList([fits.PrimaryHDU(), packed]).writeto(paths["rice"], overwrite=True)
    return paths


def make_roman(folder: Path) -> Path:
    """A file of the size of a detector of Roman's, with the distortion of a real one."""
    import asdf

    path = folder / "roman.asdf"
    source = Path(__file__).parents[2] / "data/roman_asdf/roman_like_wfi07_l2_window.asdf"
    if not path.exists():
        with asdf.open(source) as opened:
            wcs = opened["roman"]["meta"]["wcs"]
            wcs.bounding_box = ((-0.5, ROMAN_SIDE - 0.5), (-0.5, ROMAN_SIDE - 0.5))
            wcs.pixel_shape, wcs.array_shape = (ROMAN_SIDE, ROMAN_SIDE), (ROMAN_SIDE, ROMAN_SIDE)
            data = np.arange(ROMAN_SIDE**2, dtype=np.float32).reshape(ROMAN_SIDE, ROMAN_SIDE)
            meta = {key: opened["roman"]["meta"][key] for key in ("wcs", "wcsinfo", "filename", "instrument")}
            tree = {"roman": {"meta": meta, "data": data, "dq": data.astype("u4"), "err": data.astype("f2") * 0 + 1}}
            asdf.AsdfFile(tree).write_to(path)
    return path


def roman_targets() -> Any:
    """Positions all over the file of `make_roman`."""
    import asdf
    from astropy.coordinates import SkyCoord

    rng = np.random.default_rng(0)
    with asdf.open(Path(__file__).parents[2] / "data/roman_asdf/roman_like_wfi07_l2_window.asdf") as opened:
        wcs = opened["roman"]["meta"]["wcs"]
        columns, rows = rng.uniform(100, ROMAN_SIDE - 100, (2, N_TARGETS))
        return SkyCoord(*wcs(columns, rows, with_bounding_box=False), unit="deg")


# -- what a process of its own runs -----------------------------------------------------------------------------------


def cut_fits(side: str, name: str) -> dict[str, Any]:
    """Cut a remote image once."""
    from astropy.coordinates import SkyCoord

    if side == "tessera":
        from tessera import FITSCutout
    else:
        from astrocut import FITSCutout
    rng = np.random.default_rng(int(os.environ["BENCH_SEED"]))
    sky = SkyCoord(*(np.array([150.0, 2.2]) + rng.uniform(-0.2, 0.2, 2)), unit="deg")
    started = time.perf_counter()
    options = {"fsspec_kwargs": {"default_block_size": 1 << 20}} if side == TUNED else {}
    (made,) = FITSCutout(f"s3://{BUCKET}/{name}.fits", sky, SIZE, extension=1, **options).fits_cutouts
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "sum": int(np.asarray(made[1].data, np.int64).sum())}


def cut_roman(side: str, name: str) -> dict[str, Any]:
    """Cut one or many targets out of a local file, and write the cutouts."""
    launched = time.perf_counter()
    import asdf
    import gwcs  # noqa: F401 - asdf imports it to read a WCS, and imports are not timed

    path = os.environ["BENCH_ROMAN"]
    if side == OPENED:
        return open_roman(asdf, path)
    if side == "tessera":
        from tessera import ASDFCutout

        ASDFCutout.embed_asdf = name != ONE or find_spec("stdatamodels") is not None  # as the peer does
    else:
        from astrocut import ASDFCutout
    imported = time.perf_counter() - launched
    targets = os.environ["BENCH_TARGET"] if name == ONE else roman_targets()
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        made = ASDFCutout(path, targets, 100, lite=name != "full")
        cut = time.perf_counter() - started
        (made.write_as_fits if name in {TO_FITS, ONE} else made.write_as_asdf)(out)
        written = time.perf_counter() - started
    total = sum(float(np.asarray(item.data, np.float64).sum()) for item in made.cutouts["cutout"])
    return {"seconds": written, "cutting": cut, "whole": imported + written, "sum": total}


def open_roman(asdf: Any, path: str) -> dict[str, Any]:
    """Open a file and read its WCS, which nobody can do without."""
    started = time.perf_counter()
    with asdf.open(path) as opened:
        assert opened["roman"]["meta"]["wcs"] is not None
    return {"seconds": time.perf_counter() - started}


def cut_packed(_side: str, name: str) -> dict[str, Any]:
    """Cut one target out of a remote file of Roman's that is packed."""
    from tessera import ASDFCutout

    target = roman_targets()[0]
    started = time.perf_counter()
    (made,) = ASDFCutout(f"s3://{BUCKET}/{name}", target, 100).cutouts["cutout"]
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "sum": float(np.asarray(made.data, np.float64).sum())}


PROGRAMS = {"fits": cut_fits, "roman": cut_roman, "packed": cut_packed}


def run(program: str, side: str, name: str, **environment: str) -> dict[str, Any]:
    """Run a side in a process of its own."""
    command = [sys.executable, __file__, "--program", program, side, name]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def bench_fits(folder: Path, repeats: int) -> None:
    from tests.bench.support.s3_link import LATENCY, TOTAL, counted, serving

    paths = make_images(folder)
    with serving(folder, {f"/{BUCKET}/{path.name}": path for path in paths.values()}) as url:
        environment = {"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
        print(f"\n{SIZE} x {SIZE} pixels of {SIDE:,} x {SIDE:,}, int16, at 30 ms")
        for name in paths:
            seconds: dict[str, list[float]] = {"tessera": [], "astrocut": [], TUNED: []}
            sums, spent = [], {}
            for number in range(repeats):
                for side, times in seconds.items():
                    before = counted(url)
                    answer = run("fits", side, name, BENCH_SEED=str(number), **environment)
                    after = counted(url)
                    times.append(answer["seconds"])
                    sums.append(answer["sum"])
                    spent[side] = {key: after.get(key, 0) - before.get(key, 0) for key in ("gets", "bytes down")}
            assert sums[::3] == sums[1::3] == sums[2::3], "the cutouts differ"
            tiles = paths[name].stat().st_size * SIZE // SIDE
            needed = tiles if name == "rice" else 2 * SIZE * SIZE
            report(name, seconds, limit=(3 if name == "rice" else 2) * LATENCY + needed / TOTAL)
            for what, unit, limit in (("gets", "requests", None), ("bytes down", "B", needed)):
                own, *others = (cost[what] for cost in spent.values())
                measure, peer = {"B": "bytes"}.get(unit, unit), dict(zip(list(spent)[1:], others, strict=True))
                record(BENCH, name, measure, own, unit, peer=peer, limit=limit)


def bench_roman(folder: Path, repeats: int) -> None:
    path = make_roman(folder)
    print(f"\n{N_TARGETS} targets, 100 x 100 pixels of {ROMAN_SIDE:,} x {ROMAN_SIDE:,}, cut and written")
    for name in ("lite", "full", TO_FITS):
        seconds: dict[str, list[float]] = {"tessera": [], "astrocut": []}
        cutting: dict[str, list[float]] = {"tessera": [], "astrocut": []}
        sums = []
        for _ in range(repeats):
            for side, times in seconds.items():
                answer = run("roman", side, name, BENCH_ROMAN=str(path))
                times.append(answer["seconds"])
                cutting[side].append(answer["cutting"])
                sums.append(answer["sum"])
        assert sums[::2] == sums[1::2], "the cutouts differ"
        report(name, seconds)
        report(f"{name}, cutting", cutting)


def bench_one(folder: Path, repeats: int) -> None:
    """One target, as the first that a process cuts."""
    sky = roman_targets()[0]
    environment = {"BENCH_ROMAN": str(make_roman(folder)), "BENCH_TARGET": f"{sky.ra.deg} {sky.dec.deg}"}
    sides = ("tessera", "astrocut", OPENED)
    answers = [{side: run("roman", side, ONE, **environment) for side in sides} for _ in range(repeats)]
    assert all(answer["tessera"]["sum"] == answer["astrocut"]["sum"] for answer in answers), "the cutouts differ"
    for measure, key in (("time", "seconds"), ("time with imports", "whole")):
        own, peer = (statistics.median(answer[side][key] for answer in answers) for side in sides[:2])
        limit = statistics.median(answer[OPENED]["seconds"] for answer in answers) if key == "seconds" else None
        record(BENCH, ONE, measure, own, "s", peer=peer, limit=limit)


def bench_packed(folder: Path, repeats: int) -> None:
    """A remote file like Roman's, whose pixels are noise that lz4 packs in chunks of 4 MiB."""
    import asdf

    from tests.bench.support.s3_link import counted, serving

    source, packed = make_roman(folder), folder / "packed.asdf"
    if not packed.exists():
        with asdf.open(source) as opened:
            noise = np.random.default_rng(0).normal(1000, 30, (ROMAN_SIDE, ROMAN_SIDE)).astype("f4")
            tree = {"roman": {"meta": dict(opened["roman"]["meta"]), "data": noise}}
            asdf.AsdfFile(tree).write_to(packed, all_array_compression="lz4")
    with serving(folder, {f"/{BUCKET}/{packed.name}": packed}) as url:
        environment = {"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
        answers = [run("packed", "tessera", packed.name, **environment) for _ in range(repeats)]
        spent = counted(url)
    record(BENCH, "remote lz4", "time", statistics.median(answer["seconds"] for answer in answers), "s")
    record(BENCH, "remote lz4", "requests", spent["gets"] / repeats, "requests")
    record(BENCH, "remote lz4", "bytes", spent["bytes down"] / repeats, "B", limit=4 << 20)


def report(name: str, seconds: dict[str, list[float]], limit: float | None = None) -> None:
    own, *others = (statistics.median(times) for times in seconds.values())
    wanted = "peer >= 3" if name == TO_FITS else ""
    peer = dict(zip(list(seconds)[1:], others, strict=True))
    record(BENCH, name, "time", own, "s", peer=peer, limit=limit, wanted=wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=ROOMS, default=ROOMS)
    parser.add_argument("--folder", type=Path, help="keep the images there")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.program:
        program, side, name = options.program
        print(json.dumps(PROGRAMS[program](side, name)))
        return
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        folder = options.folder or Path(temporary)
        if "fits" in options.only:
            bench_fits(folder, options.repeats)
        if "roman" in options.only:
            bench_roman(folder, options.repeats)
            bench_one(folder, options.repeats)
        if "packed" in options.only:
            bench_packed(folder, options.repeats)


if __name__ == "__main__":
    main()
