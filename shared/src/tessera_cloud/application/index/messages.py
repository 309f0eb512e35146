"""Messages between the tasks of the FootprintIndex workflow."""

from __future__ import annotations

from tessera_cloud.contracts import PublishedCube, Wire
from tessera_cloud.names import CubeId


class FoundCube(Wire):
    """A cube in a listing; with the run, it is the input of read_cube."""

    obs_id: str
    bucket: str
    key: str
    size: int
    etag: str

    @property
    def cube_id(self) -> CubeId:
        """Id of the cube."""
        return CubeId.parse(self.obs_id)


class CubeListing(Wire):
    """Cubes that list_cubes found in the sources: ``listing.json``.

    `sources` are the listed sources. `ignored` counts further cubes of an `obs_id` that was found before.
    """

    sources: tuple[str, ...]
    cubes: tuple[FoundCube, ...]
    ignored: tuple[str, ...] = ()


class CubeTask(Wire):
    """Input of read_cube."""

    run: str
    cube: FoundCube


class CubeOutcome(Wire):
    """Outcome of read_cube: the row of the index, or the reason why there is none."""

    found: FoundCube
    row: PublishedCube | None = None
    reason: str = ""


class Failure(Wire):
    """A cube whose current version is not in the index, with the reason."""

    obs_id: str
    reason: str


class IndexSummary(Wire):
    """Answer of write_index.

    Parameters
    ----------
    cubes, own : int
        Number of rows of the index, and number of those that are cubes of our own.
    read, kept : int
        Numbers of rows of the sources' cubes that are new or changed, and that stayed the same.
    removed : int
        Number of rows whose cubes are gone. `removed_names` has the first names.
    failed : int
        Number of cubes that could not be read. `failures` has the first ones.
    lost : int
        Number of failed cubes whose task left no outcome. They may succeed in another run.
    ignored : int
        Number of further cubes of an `obs_id` that was found before.
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
