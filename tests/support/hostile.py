"""Hostile frames: builds with random damage in one frame, in the library and in the cloud, within a limit of memory.

Run as a program with the number of cases and a seed. It prints every case whose outcome is neither the right cube nor
one error of ours, and ends with their number.
"""

from __future__ import annotations

import io
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.io import fits

from tessera import CubeFactory
from tessera.cubes.reader import read_cube
from tessera.errors import TesseraError
from tessera_cloud.errors import FatalError, UsageError
from tests.support.builds import run_build, store_with
from tests.support.frames import NamedFrame, tiny_sector
from tests.support.unusual import edited

LIMIT = 2 << 30
"""Memory of the process in bytes."""
MOST_SECONDS = 10.0
SHAPE = (8, 6)
FRAMES = tiny_sector(3, SHAPE)

_INTEGERS: list[str | None] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "-30",
    "999",
    "99999999",
    "2147483648",
    "9" * 20,
    "9" * 60,
]
_ODD: list[str | None] = [
    "'x'",
    "''",
    "T",
    "F",
    "",
    "1.5",
    "-1.5E3",
    "1E400",
    "-1E400",
    "1E-300",
    "(1, 2)",
    "nan",
    "1.2.3",
    "'open",
    None,
]
_STRUCTURE = ["NAXIS", "NAXIS1", "NAXIS2", "BITPIX", "PCOUNT", "GCOUNT", "XTENSION", "SIMPLE", "ZIMAGE", "GROUPS"]
_PIXELS = ["BSCALE", "BZERO", "BLANK", "BITPIX", "TFIELDS", "TFORM1", "TTYPE1", "TNULL1", "TDIM1", "THEAP", "FFI_FILE"]
_SKY = [
    "CRVAL1",
    "CRVAL2",
    "CRPIX1",
    "CRPIX2",
    "CD1_1",
    "CD1_2",
    "CD2_1",
    "CD2_2",
    "CTYPE1",
    "CTYPE2",
    "CUNIT1",
    "CDELT1",
]
_SIP = [
    "WCSAXES",
    "A_ORDER",
    "B_ORDER",
    "AP_ORDER",
    "A_2_0",
    "B_0_2",
    "AP_0_1",
    "LONPOLE",
    "LATPOLE",
    "RADESYS",
    "EQUINOX",
]
_TIMES = ["TSTART", "TSTOP", "BARYCORR", "DQUALITY", "CAMERA", "CCD", "DATE-END", "EXTNAME", "CHECKSUM", "INHERIT"]
_TEXTS = [
    "HIERARCH ESO DET long = 5",
    "HIERARCH " + "k" * 66 + " = 'x'",
    "LONGTEXT= 'abc&'",
    "CONTINUE  'more&'",
    "COMMENT a comment",
    "        blank keyword",
    "lower   = 5",
    "BAD KEY = 5",
    "ENDING",
    "TWICE   = 1",
    "TWICE   = 'x'",
]


def _other_card(data: bytes, chance: random.Random) -> bytes:
    keyword = chance.choice(chance.choice([_STRUCTURE, _PIXELS, _SKY, _SIP, _TIMES]))
    hdu = chance.choice([0, 1, 1, 1, 2])
    return edited(data, {keyword: chance.choice(chance.choice([_INTEGERS, _ODD]))}, hdu)


def _more_cards(data: bytes, chance: random.Random) -> bytes:
    place = data.index(b"EXPOSURE=")
    cards = b"".join(chance.choice(_TEXTS).ljust(80).encode() for _ in range(chance.choice([1, 3, 40])))
    return data[:place] + cards + data[place:]


def _without_end(data: bytes, chance: random.Random) -> bytes:
    return data.replace(b"END".ljust(80), b"".ljust(80), chance.choice([1, 2, 3])) + bytes(
        chance.choice([0, 9_000_000])
    )


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _longer(data: bytes, chance: random.Random) -> bytes:
    return data + chance.randbytes(chance.choice([1, 2880, 5000]))


def _flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice([1, 5])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


DAMAGES: list[Callable[[bytes, random.Random], bytes]] = [
    *[_other_card] * 12,
    _more_cards,
    _without_end,
    _cut,
    _longer,
    _flipped,
]


def damaged(chance: random.Random) -> list[NamedFrame]:
    """Three frames, of which one is damaged in one to three ways."""
    frames = list(FRAMES)
    place = chance.randrange(len(frames))
    name, data = frames[place]
    for _ in range(chance.choice([1, 1, 2, 3])):
        try:
            data = chance.choice(DAMAGES)(data, chance)
        except (IndexError, StopIteration, ValueError):  # an earlier damage left nothing to damage
            continue
    frames[place] = (name, data)
    return frames


def _expected(frames: list[NamedFrame]) -> bytes:
    """Pixels of the cube by astropy, of the frames in order of time."""
    planes = []
    for _, data in frames:
        with fits.open(io.BytesIO(data), ignore_missing_end=False) as hdus:
            images = [np.asarray(hdus[plane].data).astype(">f4") for plane in (1, 2)]
            planes.append((hdus[1].header["TSTART"], images))
    ordered = [images for _, images in sorted(planes, key=lambda plane: plane[0])]
    return bytes(np.array(ordered, ">f4").transpose(2, 3, 0, 1).tobytes())


def check(frames: list[NamedFrame], folder: Path) -> str:
    """Build in the library and in the cloud; return what is wrong with the outcomes, or nothing."""
    cubes: list[bytes] = []
    paths = []
    for name, data in frames:
        (folder / name).write_bytes(data)
        paths.append(folder / name)
    try:
        CubeFactory(0.01).make_cube(paths, folder / "cube.fits", verbose=False)
        cubes.append((folder / "cube.fits").read_bytes())
    except TesseraError as error:
        if len(str(error)) > 700 or "\n" in str(error):
            return f"a long message: {str(error)[:900]}"
    store = store_with(frames)
    try:
        cube = run_build(store)
        cubes.append(store.objects[cube.bucket, cube.key])
    except (TesseraError, UsageError, FatalError):
        pass
    if len(cubes) == 1:
        return "only one of library and cloud made a cube"
    for data in cubes:
        read_cube("tess-s0001-4-2-cube.fits", len(data), lambda start, n, data=data: data[start : start + n])  # type: ignore[misc]
        with fits.open(io.BytesIO(data), checksum=True) as hdus:
            if hdus[1].data.tobytes() != _expected(frames):
                return "the pixels are not those of astropy"
            hdus[2].data.tolist()
    return ""


def main() -> int:
    """Run the cases and return the number of wrong outcomes."""
    n_cases, seed = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    wrong = 0
    for case in range(seed, seed + n_cases):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = check(damaged(random.Random(case)), Path(folder))
            except BaseException:  # noqa: BLE001 - any other error is what the test looks for
                found = traceback.format_exc()
        if time.monotonic() - started > MOST_SECONDS:
            found = found or "slow"
        if found:
            wrong += 1
            print(f"case {case}: {found}")
    return min(wrong, 100)


if __name__ == "__main__":
    sys.exit(main())
