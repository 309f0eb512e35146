"""Cutouts of fixed targets from cubes. The public names are those of the package `tessera`, and load at first use."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tessera.cutouts.batch import make_cutouts
    from tessera.cutouts.results import CutoutOptions

__all__ = ["CutoutOptions", "make_cutouts"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'tessera.cutouts' has no attribute {name!r}")
    import tessera  # noqa: PLC0415 - its names load at first use, too

    return getattr(tessera, name)
