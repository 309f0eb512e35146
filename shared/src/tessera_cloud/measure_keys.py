"""Keys of what is measured of cubes. The files of our own cubes are beside them; see `beside`."""

from __future__ import annotations

from tessera_cloud import keys


def beside(cube_key: str, end: str) -> str:
    """Key of a file beside a cube, given the cube's key and the end of the file's name, such as ``-reference.fits``."""
    return cube_key.removesuffix(".fits").removesuffix("-cube") + end


def of_public(name: str, etag: str, end: str) -> str:
    """Key of a file that was measured of a cube in a public source, given its name and its ETag."""
    return f"{keys.CUBES}public/{etag}/{name}{end}"


def block_measures(build_prefix: str, index: int) -> str:
    """Key of the measures of a block, without its differences."""
    return f"{build_prefix}measures/{index:05d}.npz"


def block_differences(build_prefix: str, index: int) -> str:
    """Key of the differences of a block in bins of time."""
    return f"{build_prefix}measures/{index:05d}.differences"


def measure_result(cube_etag: str, name: str) -> str:
    """Key of the copy of a file beside a cube that is too large to be sent inline."""
    return f"results/measures-{cube_etag}-{name}"
