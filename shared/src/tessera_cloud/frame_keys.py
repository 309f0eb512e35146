"""Keys of the CCDs that have frames and no cube yet, beside those of `tessera_cloud.keys`."""

from __future__ import annotations

from tessera_cloud.names import CubeId

FRAMES_INDEX = "index/frames.json"
FACTS = "index/frames/"


def frame_facts(cube_id: CubeId, build_id: str) -> str:
    """Facts of the frames of a CCD, by the build id that their cube will have."""
    return f"{FACTS}{cube_id}/{build_id}.npz"


def is_frame_facts(key: str) -> bool:
    """Whether a key is that of the facts of frames."""
    return key.startswith(FACTS)
