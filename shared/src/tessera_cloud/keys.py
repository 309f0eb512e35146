"""Every key that Tessera reads or writes, spelled once."""

from __future__ import annotations

from tessera.ids import CcdId, FrameName

FOOTPRINT_INDEX = "index/footprints.json"


def sector_frames(prefix: str, ccd_id: CcdId) -> str:
    """Prefix below which MAST keeps the frames of a sector."""
    return f"{prefix}s{ccd_id.sector:04d}/"


def frame(prefix: str, name: FrameName) -> str:
    """Key of a frame in MAST's layout."""
    return f"{prefix}{name.folder}/{name.name}"


def build(ccd_id: CcdId, build_id: str) -> str:
    """Prefix of everything that belongs to one build."""
    return f"builds/{ccd_id}/{build_id}/"


def block_record(build_prefix: str, index: int) -> str:
    """Key of the record that a finished block leaves."""
    return f"{build_prefix}blocks/{index:05d}.json"


def cube(ccd_id: CcdId, build_id: str) -> str:
    """Key of the cube that a build makes."""
    return f"cubes/{ccd_id}/{build_id}/{ccd_id.cube_name}"


def current(ccd_id: CcdId) -> str:
    """Key of the pointer to the cube that is served."""
    return f"cubes/{ccd_id}/current.json"


def result(request_hash: str) -> str:
    """Key of a stored answer."""
    return f"results/{request_hash}.zip"
