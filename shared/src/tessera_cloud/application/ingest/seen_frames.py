"""Frames of a cube that ingest has seen, for answers of the API."""

from __future__ import annotations

from tessera_cloud.application.backend import HasState
from tessera_cloud.application.ingest.rules import KIND, CcdState
from tessera_cloud.names import CubeId


def find_frames(cube_id: CubeId, backend: HasState) -> CcdState | None:
    """State of the frames of a cube; None if ingest has seen no frames of it."""
    item = backend.state.get(KIND, str(cube_id))
    return CcdState.model_validate(item.value) if item else None
