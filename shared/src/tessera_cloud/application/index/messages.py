"""What travels between the tasks of the FootprintIndex workflow."""

from __future__ import annotations

from tessera_cloud.contracts import PublishedCube, Wire
from tessera_cloud.names import CubeId


class FoundCube(Wire):
    """A cube as a listing shows it; input of read_cube with the run."""

    obs_id: str
    bucket: str
    key: str
    size: int
    etag: str

    @property
    def cube_id(self) -> CubeId:
        """What the cube covers."""
        return CubeId.parse(self.obs_id)


class CubeListing(Wire):
    """What list_cubes found in the sources; ``listing.json``.

    `sources` are those that were listed; `ignored` are further cubes of an `obs_id` that was found before.
    """

    sources: tuple[str, ...]
    cubes: tuple[FoundCube, ...]
    ignored: tuple[str, ...] = ()


class CubeTask(Wire):
    """Input of read_cube."""

    run: str
    cube: FoundCube


class CubeOutcome(Wire):
    """What read_cube leaves: the row of the index, or why there is none."""

    found: FoundCube
    row: PublishedCube | None = None
    reason: str = ""


class Failure(Wire):
    """A cube that is not in the index as it is now, and why."""

    obs_id: str
    reason: str


class IndexSummary(Wire):
    """Answer of write_index.

    Parameters
    ----------
    cubes, own : int
        Rows of the index, and how many are of cubes that were built here.
    read, kept : int
        Rows of the sources' cubes that are new or changed, and that stay as they were.
    removed : int
        Rows of cubes that are gone; the first of them are `removed_names`.
    failed : int
        Cubes that could not be read; the first of them are `failures`.
    lost : int
        Cubes among those whose task left no outcome: trying again may help.
    ignored : int
        Further cubes of an `obs_id` that another place has.
    """

    cubes: int
    own: int
    read: int
    kept: int
    removed: int
    removed_names: tuple[str, ...]
    failed: int
    failures: tuple[Failure, ...]
    lost: int
    ignored: int
