"""Frames of a cube that ingest has seen, for answers of the API."""

from __future__ import annotations

from tessera_cloud.application.backend import HasFrames, HasState
from tessera_cloud.application.ingest.messages import Sweep
from tessera_cloud.application.ingest.rules import KIND, CcdState
from tessera_cloud.application.ingest.sweeps import next_listing
from tessera_cloud.names import CubeId


def find_frames(cube_id: CubeId, backend: HasState) -> CcdState | None:
    """State of the frames of a cube; None if ingest has seen no frames of it."""
    item = backend.state.get(KIND, str(cube_id))
    return CcdState.model_validate(item.value) if item else None


def find_next_listing(cube_id: CubeId, backend: HasFrames) -> float | None:
    """Latest time at which the frames of a cube are listed again; see `next_listing`."""
    sweep = Sweep(cube_id.product, cube_id.ccd_id.sector)
    return next_listing(sweep, backend.state, backend.now().timestamp())
