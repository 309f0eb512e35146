"""Messages of the steps that measure a cube after its build."""

from __future__ import annotations

from tessera_cloud.contracts import Wire


class PlanPlace(Wire):
    """Place of a plan in S3."""

    bucket: str
    prefix: str


class CubePlace(Wire):
    """Place and version of a cube in S3."""

    bucket: str
    key: str
    size: int
    etag: str


class MeasureState(Wire):
    """Plan and cube of a build that has published it; input of write_measures."""

    plan: PlanPlace
    cube: CubePlace


class MeasureTask(MeasureState):
    """Input of measure_block."""

    block: int


class MeasureOutcome(Wire):
    """Answer of measure_block."""

    block: int
    measured: bool
    """False if there was nothing to do."""


class MeasuresWritten(Wire):
    """Answer of write_measures."""

    keys: tuple[str, ...] = ()
    """Keys of the files, in the bucket of cubes; empty if there was nothing to do."""
