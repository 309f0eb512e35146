"""Cut images with absurd headers, under a limit of memory: ``python -m tests.support.absurd_images SEED N``.

Only two outcomes are right: a cutout with the pixels of the image, or one sentence. Everything else is printed.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits

from tessera import ImageCutoutOptions, make_image_cutouts
from tests.support.images import coded, tan_header

MOST_BYTES = 2 << 30
MOST_SECONDS = 5.0
SKY = SkyCoord(150.0, 2.2, unit="deg")
KEYWORDS = """
    BITPIX NAXIS NAXIS1 NAXIS2 NAXIS3 PCOUNT GCOUNT TFIELDS THEAP EXTEND GROUPS ZIMAGE ZBITPIX ZNAXIS ZNAXIS1 ZNAXIS2
    ZTILE1 ZTILE2 ZCMPTYPE ZNAME1 ZVAL1 ZQUANTIZ ZBLANK TFORM1 TTYPE1 BSCALE BZERO BLANK BUNIT ZSCALE ZZERO BSOFTEN
    BOFFSET EXTNAME EXTVER INHERIT WCSAXES CTYPE1 CTYPE2 CUNIT1 CUNIT2 CRPIX1 CRPIX2 CRVAL1 CRVAL2 CDELT1 CDELT2 CROTA2
    PC1_1 PC1_2 CD1_1 CD2_2 PV1_1 PV2_999 PS1_0 LONPOLE LATPOLE RADESYS EQUINOX A_ORDER B_ORDER A_2_0 AP_ORDER CPDIS1
    CPDIS2 D2IMDIS1 DP1 CRPIX1A CTYPE1A LTV1 CNPIX1 DATASEC S_REGION IMAGEW MJD-OBS DATE-OBS CTYPE3 CRVAL3
"""
ABSURD = """
    0 1 -1 2 3 -32 8 7 999 1000 -300 60 80 65535 2147483648 999999999 99999999999 9223372036854775807
    18446744073709551616 1E-300 1E300 1E400 -1E30 0.0 0.5 NaN T F '' 'x' 'RA---TAN' 'DEC--TAN' 'RA---TAN-SIP' 'FREQ'
    'HPLN-TAN' 'RA---TAB' 'LOOKUP' 'GZIP_1' 'RICE_1' 'PLIO_1' 'HCOMPRESS_1' '1PB(99999)' '999999999D' '1QJ'
    '[1:2,3:4]' '2020-13-45' 'deg' 'parsec' (1.0,2.0) 12abc
"""


def sources(folder: Path) -> dict[str, bytes]:
    """Sound files to damage: plain, in an extension, compressed in three ways, and a cube."""
    data, header = coded((60, 80), "i4"), tan_header(60, 80)
    kinds: dict[str, list[object]] = {
        "plain": [fits.PrimaryHDU(data, header)],
        "extension": [fits.PrimaryHDU(), fits.ImageHDU(data.astype("f4"), header, "SCI")],
        "cube": [fits.PrimaryHDU(np.stack([data, data]), header)],
    }
    for name in ("RICE_1", "GZIP_2", "HCOMPRESS_1"):
        kinds[name] = [fits.PrimaryHDU(), fits.CompImageHDU(data, header, compression_type=name)]
    found = {}
    for name, hdus in kinds.items():
        fits.HDUList(hdus).writeto(folder / f"{name}.fits")
        found[name] = (folder / f"{name}.fits").read_bytes()
    return found


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Replace or add a few cards of one header, or cut or overwrite bytes."""
    kind = chance.random()
    if kind < 0.1:
        return content[: chance.randrange(len(content))]
    changed = bytearray(content)
    if kind < 0.2:
        place = chance.randrange(len(content))
        changed[place : place + 40] = chance.randbytes(40)
        return bytes(changed)
    starts = [
        place for place in range(0, len(content), 2880) if content[place : place + 8] in (b"SIMPLE  ", b"XTENSION")
    ]
    start = chance.choice(starts)
    end = next(place for place in range(start, len(content), 80) if content[place : place + 8] == b"END     ")
    for _ in range(chance.randint(1, 3)):
        keyword = chance.choice(KEYWORDS.split())
        card = f"{keyword:8}= {chance.choice(ABSURD.split()):>20}".ljust(80).encode()
        known = [at for at in range(start, end, 80) if changed[at : at + 8].decode().strip() == keyword]
        place = known[0] if known else chance.randrange(min(start + 480, end - 80), end, 80)
        changed[place : place + 80] = card
    return bytes(changed)


def faults(seed: int, n: int, folder: Path) -> Iterator[str]:
    """What is not right in `n` files."""
    known = sources(folder)
    for number in range(seed, seed + n):
        chance = random.Random(number)
        name = chance.choice(list(known))
        path = folder / "damaged.fits"
        path.write_bytes(damaged(known[name], chance))
        extension = chance.choice([None, "all", 0, 1, -1, "SCI"])
        started = time.monotonic()
        try:
            made = make_image_cutouts(path, SKY, 5, options=ImageCutoutOptions(extension))
        except BaseException as error:  # noqa: BLE001 - any error is a fault
            yield f"{number} {name}: {type(error).__name__}: {error}"
            continue
        if time.monotonic() - started > MOST_SECONDS:
            yield f"{number} {name}: {time.monotonic() - started:.1f} s"
        if not made:
            yield f"{number} {name}: no result"
        for item in made:
            if item.status in ("error", "no overlap"):
                if not item.reason or "\n" in item.reason or len(item.reason) > 500:
                    yield f"{number} {name}: {item.status}: {item.reason!r}"
            elif item.hdus is None or item.hdus[1].data.shape[-2:] != (5, 5):
                yield f"{number} {name}: {item.status} without a cutout of the size"


def main() -> None:
    """Print the faults of the seeds of the command line."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for fault in faults(int(sys.argv[1]), int(sys.argv[2]), Path(folder)):
            print(fault, flush=True)


if __name__ == "__main__":
    main()
