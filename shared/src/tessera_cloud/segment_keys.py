"""Keys of growing cubes: of their segment tables, and of their segments, which are cubes of builds."""

from __future__ import annotations

import posixpath

from tessera_cloud import keys
from tessera_cloud.keys import Covered

_TABLE = "-cube.json"


def segment_table(of: Covered, folder: str) -> str:
    """Key of the segment table of a growing cube, in a folder among those of builds."""
    return keys.cube(of, folder).removesuffix("-cube.fits") + _TABLE


def is_segment_table(key: str) -> bool:
    """Whether the cube at a key is a growing cube."""
    return key.endswith(_TABLE)


def segment(table_key: str, name: str) -> str:
    """Key of a segment, by its path from the folder of the segment table."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(table_key), name))


def segment_name(of: Covered, build_id: str) -> str:
    """Path of the cube of a build from the folder of a segment table of the same CCD."""
    return f"../{build_id}/{of.cube_name}"
