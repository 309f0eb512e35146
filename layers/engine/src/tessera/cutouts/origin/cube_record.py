"""The record of a product that was made from one cube."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tessera import __version__
from tessera.framesets.source import FrameSet
from tessera.provenance.record import Kind, Origin, Record
from tessera.tess.ids import frames_text

if TYPE_CHECKING:
    from tessera.cubes.reader import Cube
    from tessera.io.sources import Source


def cube_origin(location: object, source: Source, cube: Cube) -> Origin:
    """Describe an open cube."""
    if isinstance(location, FrameSet):
        name = str(location) if source.remote else frames_text(location.obs_id)
        return Origin(name, source.size, digest=cube.digest)
    return Origin.of(location, source.size, getattr(source, "etag", ""), cube.digest)


def cube_record(kind: Kind, origin: Origin, request: dict[str, Any], data: dict[str, Any]) -> Record:
    """The record of a product of one cube."""
    return Record(kind, __version__, asdict(origin), request, data)
