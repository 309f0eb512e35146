"""The cubes that are served: their list, their origin, and which of them see a place on the sky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from tessera.errors import InvalidValueError
from tessera.sky.footprint import sky_box
from tessera_cloud import keys
from tessera_cloud.application.backend import HasCubes, HasIndex, HasStore
from tessera_cloud.application.index.footprint_index import FootprintIndex, read_pointer
from tessera_cloud.application.index.seen import find_seeing
from tessera_cloud.application.index.served import current_index, settled
from tessera_cloud.application.index.with_frames import index_for
from tessera_cloud.application.index.withdrawn import is_withdrawn
from tessera_cloud.contracts import LeftOut, ProductName, PublishedCube
from tessera_cloud.errors import NotFoundError, WithdrawnError
from tessera_cloud.names import CubeId


@dataclass(frozen=True)
class CubeFilter:
    """Filter of a list of cubes. None means that every value is allowed.

    Parameters
    ----------
    sector, camera, ccd : int or None
        Sector, camera and CCD of the cube.
    product : str or None
        ``SPOC`` or ``TICA``.
    after : str
        Name of the last cube of the page before; empty for the first page.
    limit : int
        Largest number of cubes of a page.
    """

    sector: int | None = None
    camera: int | None = None
    ccd: int | None = None
    product: str | None = None
    after: str = ""
    limit: int = 100

    def matches(self, cube: PublishedCube) -> bool:
        """Whether a cube passes the filter."""
        cube_id, ccd_id = cube.cube_id, cube.ccd_id
        found = (ccd_id.sector, ccd_id.camera, ccd_id.ccd, cube_id.product)
        wanted = (self.sector, self.camera, self.ccd, self.product)
        return cube.obs_id > self.after and all(
            want is None or want == have for want, have in zip(wanted, found, strict=True)
        )


def list_cubes(wanted: CubeFilter, index: FootprintIndex) -> tuple[list[PublishedCube], str]:
    """A page of cubes in the order of their names, and its last name if another page follows, else an empty text."""
    found = list(islice(filter(wanted.matches, index.cubes), wanted.limit + 1))
    page = found[: wanted.limit]
    return page, page[-1].obs_id if len(found) > wanted.limit else ""


def parse_cube_id(name: str) -> CubeId:
    """Id of the cube that a user names.

    Raises
    ------
    NotFoundError
        If no cube can have that name.
    """
    try:
        return CubeId.parse(name)
    except InvalidValueError:
        raise NotFoundError.about("cube", name, "a name such as tess-s0001-1-1 or tica-s0027-1-1") from None


def served_cube(name: str, backend: HasIndex, *, frames: bool = False) -> PublishedCube:
    """Find a cube by its name, and bring its size and ETag up to date. With `frames`, frames without a cube do, too.

    Raises
    ------
    NotFoundError
        If no cube of that name is served.
    WithdrawnError
        If the cube was withdrawn.
    """
    cube_id = parse_cube_id(name)
    for cube in index_for(backend, frames=frames).cubes:
        if cube.obs_id == cube_id.obs_id:
            known = settled(cube, backend)
            if known is None:
                raise NotFoundError.about("cube", name, "a cube that is at its source; this one was removed")
            return known
    if is_withdrawn(cube_id.obs_id, backend):
        raise WithdrawnError.about("cube", name, "a cube that is served; this one was withdrawn")
    raise NotFoundError.named("cube", name, "a cube of /v1/cubes")


def find_cube(name: str, backend: HasIndex) -> tuple[PublishedCube, tuple[LeftOut, ...]]:
    """Find a cube and the frames that were left out of it; raises the errors of `served_cube`."""
    known = served_cube(name, backend)
    return known, _left_out(known, backend)


def _left_out(cube: PublishedCube, backend: HasStore) -> tuple[LeftOut, ...]:
    """Frames that our build left out. The pointer lists them, the index does not."""
    if cube.bucket != backend.settings.cube_bucket:
        return ()
    pointer, _ = read_pointer(backend.store, cube.bucket, keys.current(cube.cube_id))
    return pointer.left_out if pointer and pointer.build_id == cube.build_id else ()


def find_near(request: SectorRequest, backend: HasCubes) -> list[PublishedCube]:
    """Cubes that see a position, or whose footprint a circle around it touches, in index order."""
    seen = find_seeing(request.ra, request.dec, request.product, backend)
    if not request.radius:
        return seen
    side, names = 2 * request.radius, {cube.obs_id for cube in seen}
    touched = current_index(backend).find(sky_box(request.ra, request.dec, side, side), None, request.product)
    return sorted([*seen, *(cube for cube in touched if cube.obs_id not in names)], key=lambda cube: cube.obs_id)


def find_sectors(request: SectorRequest, backend: HasCubes) -> list[dict[str, str]]:
    """Rows of TESSCut's answer to ``/sector``. All values are strings, as at MAST.

    A position gives one CCD of each sector. A circle gives all CCDs that it touches.
    """
    found = find_near(request, backend)
    return to_rows(found if request.radius else _first_of_each_sector(found))


def to_rows(cubes: Sequence[PublishedCube]) -> list[dict[str, str]]:
    """Rows of TESSCut's answers for some cubes."""
    return [
        {
            "sectorName": cube.obs_id,
            "sector": f"{cube.ccd_id.sector:04d}",
            "camera": str(cube.ccd_id.camera),
            "ccd": str(cube.ccd_id.ccd),
        }
        for cube in cubes
    ]


def _first_of_each_sector(cubes: Sequence[PublishedCube]) -> list[PublishedCube]:
    first: dict[int, PublishedCube] = {}
    for cube in cubes:
        first.setdefault(cube.sequence_number, cube)
    return list(first.values())


@dataclass(frozen=True, slots=True)
class SectorRequest:
    """A request for the CCDs that see a position or a circle.

    Parameters
    ----------
    ra, dec : float
        ICRS degrees.
    radius : float
        Radius of the circle in degrees; 0 for the position alone.
    product : {'SPOC', 'TICA'}, optional
        Kind of frames.
    """

    ra: float
    dec: float
    radius: float
    product: ProductName = "SPOC"
