"""Import packages that only some uses need. A missing one is named with the command that installs it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tessera.errors import TesseraError

EXTRAS = {
    "obstore": "remote",
    "tqdm": "progress",
    "PIL": "pictures",
    "asdf": "asdf",
    "asdf_astropy": "asdf",
    "gwcs": "asdf",
    "lz4": "asdf",
    "arro3": "parquet",
    "astropy_healpix": "parquet",
    "reproject": "reproject",
    "fsspec": "fsspec",
    "httpx": "service",
    "matplotlib": "plot",
    "xarray": "xarray",
    "zarr": "xarray",
    "icechunk": "references",
    "lightkurve": "lightkurve",
    "cryptography": "sign",
    "shtab": "completion",
}
"""Package to the extra of Tessera that brings it."""
_PROJECTS = {"PIL": "Pillow", "asdf_astropy": "asdf-astropy", "arro3": "arro3-io", "astropy_healpix": "astropy-healpix"}
"""Package to the name under which pip knows it, if that is another."""


class MissingPackageError(TesseraError, ImportError):
    """A package is not installed that this use needs.

    Parameters
    ----------
    package : str
        Package, as it is imported.
    purpose : str
        What it is needed for, such as "pictures".
    """

    def __init__(self, package: str, purpose: str) -> None:
        name = _PROJECTS.get(package, package)
        super().__init__(f"{purpose} need the package {name}; pip install 'tessera-cubes[{EXTRAS[package]}]'")


def import_extra(module: str, purpose: str) -> Any:
    """Import a module of a package in `EXTRAS`, or of one that it needs itself.

    Parameters
    ----------
    module : str
        Name of the module, such as "PIL.Image".
    purpose : str
        What it is needed for, in the plural: the subject of the error's sentence.

    Raises
    ------
    MissingPackageError
        When the package is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        raise MissingPackageError(missing if missing in EXTRAS else module.partition(".")[0], purpose) from error
