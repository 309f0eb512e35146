"""What ingest has seen of frames, for those who ask about a cube."""

from __future__ import annotations

from tessera_cloud.application.backend import HasState
from tessera_cloud.application.ingest.rules import KIND, CcdState
from tessera_cloud.names import CubeId


def find_frames(cube_id: CubeId, backend: HasState) -> CcdState | None:
    """What ingest has seen of the frames of a cube; None where it has seen none."""
    item = backend.state.get(KIND, str(cube_id))
    return CcdState.model_validate(item.value) if item else None
