"""What travels between states, functions and objects: small, typed, and never an array."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tessera.ids import CcdId
from tessera.layout import CubeLayout
from tessera.plans import Block, PartPlan


class Wire(BaseModel):
    """Base of all messages: immutable, and nothing unknown is accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FrameSource(Wire):
    """Where the frames of a build are, when not in the stack's own bucket."""

    bucket: str
    prefix: str


class BuildRequest(Wire):
    """Input of the CubeBuild state machine."""

    sector: Annotated[int, Field(ge=1)]
    camera: Annotated[int, Field(ge=1, le=4)]
    ccd: Annotated[int, Field(ge=1, le=4)]
    source: FrameSource | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None

    @property
    def ccd_id(self) -> CcdId:
        """Sector, camera and CCD."""
        return CcdId(self.sector, self.camera, self.ccd)


class PlanRef(Wire):
    """Reference to a plan in S3; answer of plan_cube."""

    bucket: str
    prefix: str
    ccd: str
    build_id: str
    blocks: tuple[int, ...]
    max_concurrency: int


class BlockPlanRef(Wire):
    """The part of a `PlanRef` that a block task needs."""

    bucket: str
    prefix: str


class UploadRef(Wire):
    """A multipart upload; answer of begin_upload."""

    bucket: str
    key: str
    upload_id: str


class BlockTask(Wire):
    """Input of build_block."""

    plan: BlockPlanRef
    upload: UploadRef
    block: int


class BuildState(BaseModel):
    """State of an execution after the upload has begun; input of complete_upload and abort_upload."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    plan: PlanRef
    upload: UploadRef


class PlannedFrame(Wire):
    """A frame as the block tasks read it."""

    key: str
    etag: str
    offsets: tuple[int, ...]


class CubePlan(Wire):
    """Everything about a build that is known before its first pixel; ``plan.json``."""

    ccd: str
    build_id: str
    source_bucket: str
    cube_key: str
    frames: tuple[PlannedFrame, ...]
    n_rows: int
    n_columns: int
    n_planes: int
    rows_per_part: int
    n_row_parts: int
    tail_number: int
    blocks: tuple[tuple[int, int], ...]
    """First and last part number of each block."""
    s_region: str
    t_min: float
    t_max: float

    @property
    def ccd_id(self) -> CcdId:
        """Sector, camera and CCD."""
        return CcdId.parse(self.ccd)

    @property
    def layout(self) -> CubeLayout:
        """Shape of the cube."""
        return CubeLayout(self.n_rows, self.n_columns, len(self.frames), self.n_planes)

    @property
    def parts(self) -> PartPlan:
        """How rows map to parts."""
        return PartPlan(self.n_rows, self.rows_per_part, self.n_row_parts, self.tail_number)

    def block(self, index: int) -> Block:
        """A block and its parts."""
        first, last = self.blocks[index]
        return Block(index, tuple(self.parts.part(number) for number in range(first, last + 1)))


class PartRecord(Wire):
    """A part that a block uploaded, or handed over to be completed."""

    number: int
    size: int
    etag: str


class BlockRecord(Wire):
    """What a finished block leaves behind."""

    block: int
    parts: tuple[PartRecord, ...]
    data_sum: int
    """Ones-complement sum of the block's pixels."""


class PublishedCube(Wire):
    """A cube that is served: the pointer ``current.json`` and a row of the footprint index."""

    obs_id: str
    sequence_number: int
    s_region: str
    t_min: float
    t_max: float
    n_cadences: int
    build_id: str
    bucket: str
    key: str
    size: int
    etag: str

    @property
    def ccd_id(self) -> CcdId:
        """Sector, camera and CCD."""
        return CcdId.parse(self.obs_id)
