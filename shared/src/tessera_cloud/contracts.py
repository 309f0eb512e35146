"""Messages that states, functions and objects exchange. They are small and typed, and have no arrays of pixels."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from tessera.builds.plan import Block, PartPlan
from tessera.cubes.frame_checks import PixelFormat
from tessera.cubes.layout import CubeLayout
from tessera.tess.ids import CcdId
from tessera_cloud.frame_keys import is_frame_facts
from tessera_cloud.names import CubeId

ProductName: TypeAlias = Literal["SPOC", "TICA"]


class Wire(BaseModel):
    """Base of all documents and messages that code writes and other code reads, perhaps that of another release.

    A reader uses the fields that it knows. It keeps the others, and writes them again with a changed copy. Documents
    are equal if their known fields are. A field that is added later has a default.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    def __eq__(self, other: object) -> bool:
        """Whether the other is a document of the same kind with the same known fields."""
        return type(self) is type(other) and self._known == other._known

    def __hash__(self) -> int:
        """Hash of the known fields."""
        return hash(self._known)

    @property
    def _known(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in type(self).model_fields)


class Asked(Wire):
    """Base of what people ask for: an unknown field is refused, because it would change the answer.

    A field that has its default is not written, except `kind`, which says what is asked for. So a release can read
    what a later one writes, unless it asks for something that only the later one can do.
    """

    model_config = ConfigDict(extra="forbid")

    @model_serializer(mode="wrap")
    def _without_defaults(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {
            name: value
            for name, value in write(self).items()
            if name == "kind" or getattr(self, name) != fields[name].get_default(call_default_factory=True)
        }


class FrameSource(Asked):
    """Place of the frames of a build that are not in the stack's own bucket."""

    bucket: str
    prefix: str


class BuildRequest(Asked):
    """Input of the CubeBuild state machine.

    With ``on_unreadable = "skip"``, frames that cannot be read are left out. The plan, the pointer and the output of
    the execution list them with the reasons. With `grow`, only the frames that the current cube lacks are built, as a
    segment of a growing cube; if there is no such cube, or frames of it have gone or changed, all frames are built.
    """

    sector: Annotated[int, Field(ge=1)]
    camera: Annotated[int, Field(ge=1, le=4)]
    ccd: Annotated[int, Field(ge=1, le=4)]
    product: ProductName = "SPOC"
    source: FrameSource | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    on_unreadable: Literal["fail", "skip"] = "fail"
    grow: bool = False

    @property
    def ccd_id(self) -> CcdId:
        """Sector, camera and CCD."""
        return CcdId(self.sector, self.camera, self.ccd)

    @property
    def cube_id(self) -> CubeId:
        """Id of the cube to build."""
        return CubeId(self.ccd_id, self.product)


class LeftOut(Wire):
    """A frame that is not in the cube, with the reason."""

    name: Annotated[
        str,
        Field(description="File name of the frame.", examples=["tess2018206192942-s0001-4-2-0120-s_ffic.fits"]),
    ]
    reason: Annotated[str, Field(description="Why the frame cannot be read.", examples=["the file is truncated"])]


class SizeEstimate(Wire):
    """What a build takes with tasks of one memory size, by the estimate of the plan."""

    memory_mb: int
    blocks: int
    tasks: int
    """Tasks that run at the same time."""
    gets: int
    """Requests for the pixels of frames."""
    seconds: int
    """Time of all blocks."""
    usd: float
    """Price, with the requests for frames, whoever pays for them."""


class PlanRef(Wire):
    """Reference to a plan in S3; answer of plan_cube."""

    bucket: str
    prefix: str
    ccd: str
    build_id: str
    blocks: tuple[int, ...]
    max_concurrency: int
    planned_at: str
    """Time at which the frames were listed: UTC in ISO 8601."""
    product: ProductName = "SPOC"
    generation: int = 0
    """Number of the listing of the frames, which gives the order of builds; 0 in plans that have none."""
    remarks: tuple[str, ...] = ()
    """What is unusual about the frames, one sentence each; see `tessera.builds.remarks`."""
    size: int = 0
    """Place of the function that builds the blocks among those of the state machine, whose memory grows."""
    memory_mb: int = 0
    """Memory of that function; 0 in plans of a release that had one size."""
    sizes: tuple[SizeEstimate, ...] = ()
    """The sizes that the plan compared, by memory."""
    grown_id: str = ""
    """Build id of the growing cube that gets a segment; empty if a whole cube is built."""


class BlockPlanRef(Wire):
    """The part of a `PlanRef` that a block task needs."""

    bucket: str
    prefix: str
    max_concurrency: int
    size: int = 0


class UploadRef(Wire):
    """A multipart upload; answer of begin_upload."""

    bucket: str
    key: str
    upload_id: str | None
    """None if the cube of this build exists already."""


class UploadRecord(Wire):
    """Record of the unfinished upload of a build: ``upload.json``."""

    upload_id: str


class BlockTask(Wire):
    """Input of build_block."""

    plan: BlockPlanRef
    upload: UploadRef
    block: int


class BuildState(Wire):
    """State of an execution after the upload has begun; input of complete_upload and abort_upload."""

    plan: PlanRef
    upload: UploadRef


class TaskFailure(Wire):
    """Error that a state machine caught."""

    error: Annotated[str, Field(alias="Error")]
    cause: Annotated[str, Field(alias="Cause")] = ""


class FailedState(BuildState):
    """State of an execution that failed; input of abort_upload."""

    error: TaskFailure


class FailureNote(Wire):
    """Note of a block that failed for good: ``failure.json``.

    It is needed because a distributed Map reports only that a child failed.
    """

    upload_id: str
    block: int
    error: str
    cause: str


class PlannedFrame(Wire):
    """A frame, with the offsets that the block tasks need."""

    key: str
    etag: str
    offsets: tuple[int, ...]


class GrowthPlan(Wire):
    """What becomes of a growing cube when the segment is built that a plan describes."""

    build_id: str
    """Build id of all its frames."""
    n_cadences: int
    segments: tuple[dict[str, Any], ...]
    """Earlier segments, with their cadences in the new cube; see `tessera.cubes.segments.joining.Segment`."""
    builds: tuple[str, ...]
    """Their build ids."""
    runs: tuple[tuple[int, int], ...]
    """Cadences of the new segment."""


class CubePlan(Wire):
    """Plan of a build, complete before the first pixel is read: ``plan.json``."""

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
    product: ProductName = "SPOC"
    left_out: tuple[LeftOut, ...] = ()
    formats: dict[int, tuple[PixelFormat, ...]] = {}
    """How the planes of unusual frames are stored, by place in `frames`. The pixels of the others are not converted."""
    memory_mb: int = 0
    """Memory of a block task, for which the blocks are made; 0 in plans of a release that had one size."""
    sizes: tuple[SizeEstimate, ...] = ()
    """The sizes that the plan compared, by memory."""
    growth: GrowthPlan | None = None
    """Growing cube of which the planned cube becomes a segment; None if it will be served by itself."""

    @property
    def cube_id(self) -> CubeId:
        """Id of the planned cube."""
        return CubeId(CcdId.parse(self.ccd), self.product)

    @property
    def layout(self) -> CubeLayout:
        """Shape of the cube and offsets in its file."""
        return CubeLayout(self.n_rows, self.n_columns, len(self.frames), self.n_planes)

    @property
    def parts(self) -> PartPlan:
        """Map of rows to parts."""
        return PartPlan(self.n_rows, self.rows_per_part, self.n_row_parts, self.tail_number)

    def block(self, index: int) -> Block:
        """Block of the plan by its index, with its rows and parts."""
        first, last = self.blocks[index]
        return Block(index, tuple(self.parts.part(number) for number in range(first, last + 1)))


class PartRecord(Wire):
    """A part that a block uploaded or left beside the plan."""

    number: int
    size: int
    etag: str


class BlockRecord(Wire):
    """Record that a finished block leaves."""

    block: int
    parts: tuple[PartRecord, ...]
    data_sum: int
    """Ones-complement sum of the block's pixels."""


class BlockOutcome(Wire):
    """Answer of build_block."""

    block: int
    parts: int
    size: int
    built: bool
    """False if an earlier task had built the block."""


class PublishedCube(Wire):
    """A cube that is served. Its pointer ``current.json`` has all fields, its row of the index all but `left_out`."""

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
    planned_at: str = ""
    """Time at which its frames were listed."""
    generation: int = 0
    """Number of that listing. The pointer moves only to a cube of the same or a later listing."""
    left_out: tuple[LeftOut, ...] = ()
    segments: tuple[str, ...] = ()
    """Build ids of the segments of a growing cube, whose segment table is at `key`; none if the cube is one object."""

    @property
    def from_frames(self) -> bool:
        """Whether there is no cube, and windows are read from the frames; the key is that of their facts."""
        return is_frame_facts(self.key)

    @property
    def cube_id(self) -> CubeId:
        """Id of the cube: CCD and product."""
        return CubeId.parse(self.obs_id)

    @property
    def ccd_id(self) -> CcdId:
        """Sector, camera and CCD."""
        return self.cube_id.ccd_id
