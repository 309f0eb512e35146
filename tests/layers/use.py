"""Runs with the layers on the path, in the interpreter of the runtime: imports all handlers, and makes and cuts a cube.

Usage: python use.py FRAMES IMAGE FUNCTIONS

FRAMES is a folder of SPOC frames, IMAGE an ASDF image of Roman, and FUNCTIONS the folder of all functions. Prints JSON:
the machine, and a sha256 of the pixels of each product.
"""

import hashlib
import importlib.util
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from astropy.io import fits

from tessera import ASDFCutout, CubeFactory, CutoutFactory


def load(handler: Path) -> None:
    """Import the handler of a function as the runtime does, and check that it can be called."""
    spec = importlib.util.spec_from_file_location(handler.parent.name, handler)
    if spec is None or spec.loader is None:
        sys.exit(f"{handler} is no module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(module.lambda_handler):
        sys.exit(f"the lambda_handler of {handler} cannot be called")


def digest(arrays: Iterable[bytes]) -> str:
    """Return the sha256 of arrays one after the other."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(array)
    return total.hexdigest()


def pixels(path: str | os.PathLike[str]) -> str:
    """Return the sha256 of the data of all HDUs of a FITS file, without the headers, which hold times of creation."""
    with fits.open(path) as hdus:
        return digest(hdu.data.tobytes() for hdu in hdus if hdu.data is not None)


def main(frames: Path, image: Path, functions: Path) -> dict[str, str]:
    """Return what the products are, and where they were made."""
    handlers = sorted(functions.glob("*/app.py"))
    for handler in handlers:
        load(handler)
    with tempfile.TemporaryDirectory() as folder:
        paths = sorted(str(path) for path in frames.glob("*.fits"))
        cube = CubeFactory().make_cube(paths, f"{folder}/cube.fits", verbose=False)
        centre = "{CRVAL1} {CRVAL2}".format_map(fits.getheader(paths[0], 1))
        pixel_file = CutoutFactory().cube_cut(cube, centre, 5, output_path=folder)
        roman = ASDFCutout(str(image), "8.7748 -44.0722", 5).cutouts[0][0].data
        return {
            "machine": platform.machine(),
            "python": ".".join(platform.python_version_tuple()[:2]),
            "handlers": str(len(handlers)),
            "cube": pixels(cube),
            "target pixel file": pixels(pixel_file),
            "ASDF cutout": digest([roman.tobytes()]),
        }


if __name__ == "__main__":
    print(json.dumps(main(*map(Path, sys.argv[1:]))))
