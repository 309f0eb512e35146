"""Tessera: full-frame images in, time-series cubes and cutouts out.

The public classes are imported from here; they are loaded when they are first used, so that a function that needs
one small module of this package does not pay for all of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tessera.cube_factory import CubeFactory, TicaCubeFactory
    from tessera.errors import InvalidInputError
    from tessera.user_warnings import DataWarning

__version__ = "0.1.0"
__all__ = ["CubeFactory", "DataWarning", "InvalidInputError", "TicaCubeFactory", "__version__"]

_HOMES = {
    "CubeFactory": "tessera.cube_factory",
    "TicaCubeFactory": "tessera.cube_factory",
    "InvalidInputError": "tessera.errors",
    "DataWarning": "tessera.user_warnings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tessera' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
