"""What a client asks of a light curve of all sectors, and the cubes that have the target."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tessera.lightcurves.preview import edge_distance
from tessera.stitching.rule import Choice, choose_ccds
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.cutouts import order as limits
from tessera_cloud.application.cutouts.fixed import Position
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.facts import FrameReads
from tessera_cloud.application.index.seen import pixel_on
from tessera_cloud.application.lightcurves.sizes import check_size
from tessera_cloud.application.results import order_id
from tessera_cloud.application.sidecar import known_cubes
from tessera_cloud.contracts import Asked, PublishedCube

if TYPE_CHECKING:
    from tessera.cubes.reader import Cube

_TOO_MANY_READS = "it has no cube yet, and {:,} requests for {:,} bytes of its frames are more than a client waits for"
_CONTENT = "stitched light curve"
"""What kept light curves contain; another text when that changes."""


class StitchRequest(Asked):
    """A light curve of all sectors.

    Parameters
    ----------
    cutouts : CutoutRequest
        A window around a position, the sectors, and the cadences.
    mask : str
        Aperture of each sector; see `tessera.TargetPixels.to_lightcurve`.
    background : str
        Model of the background, or ``none``.
    detrend : str
        How the light curve of each sector is detrended, or ``none``.
    quality : int
        Cadences with one of these bits are left out.
    level : str
        Rule that brings sectors to one level.
    gap : float
        Longest time in days that is no gap.
    """

    cutouts: CutoutRequest
    mask: str = "default"
    background: str = "median"
    detrend: str = "none"
    quality: int
    level: str = "divide"
    gap: float

    @property
    def position(self) -> Position:
        """The window."""
        target = self.cutouts.target
        assert isinstance(target, Position)
        return target


@dataclass(frozen=True)
class OnCube:
    """The target on a cube; see `tessera.stitching.rule.OnCcd`."""

    published: PublishedCube
    cube: Cube
    row: float
    column: float
    edge: float

    @property
    def sector(self) -> int:
        """Number of the sector."""
        return self.published.ccd_id.sector

    @property
    def camera(self) -> int:
        """Number of the camera."""
        return self.published.ccd_id.camera

    @property
    def ccd(self) -> int:
        """Number of the CCD."""
        return self.published.ccd_id.ccd


@dataclass(frozen=True)
class StitchOrder:
    """A light curve of all sectors, and the cubes of which it is made.

    Parameters
    ----------
    request : StitchRequest
        What is wanted.
    order : CutoutOrder
        The cubes that the window may touch.
    """

    request: StitchRequest
    order: CutoutOrder

    @cached_property
    def id(self) -> str:
        """The same for the same request to the same cubes."""
        return order_id(_CONTENT, self.request.model_dump(mode="json"), self.order.id)

    def choose(self, backend: HasCubes) -> Choice[OnCube]:
        """Choose a cube in each sector.

        Raises
        ------
        TooLargeError
            When the windows of all sectors, or that of one, are too large for one answer.
        """
        position, cubes = self.request.position, self.order.cubes
        places = []
        for published, cube in zip(cubes, known_cubes(cubes, backend), strict=True):
            pixel = pixel_on(cube, position.ra, position.dec)
            if pixel is not None:
                edge = round(edge_distance(cube.layout, *pixel), 1)
                places.append(OnCube(published, cube, round(pixel[0], 3), round(pixel[1], 3), edge))
        choice = _leave_heavy_frames(choose_ccds(places), position.size.pixels()[0])
        _check_size(self.request, choice, backend.settings.memory_mb)
        return choice


def _leave_heavy_frames(choice: Choice[OnCube], n_rows: int) -> Choice[OnCube]:
    """Leave out CCDs without a cube of whose frames more would be read than a client waits for."""
    taken, left = [], list(choice.left)
    requests = n_bytes = 0
    for place in choice.taken:
        if place.published.from_frames:
            reads = FrameReads.of(place.published)
            more, bytes_more = requests + reads.requests, n_bytes + reads.bytes_of(n_rows)
            if more > limits.FRAMES_SYNC_REQUESTS or bytes_more > limits.FRAMES_SYNC_BYTES:
                left.append((place, _TOO_MANY_READS.format(reads.requests, reads.bytes_of(n_rows))))
                continue
            requests, n_bytes = more, bytes_more
        taken.append(place)
    return Choice(tuple(taken), tuple(left))


def _check_size(request: StitchRequest, choice: Choice[OnCube], memory_mb: int) -> None:
    """Refuse windows that are too large for one answer."""
    position = request.position

    def fits(n_values: int) -> bool:
        return position.memory(n_values) <= 0.95e6 * memory_mb

    check_size(position.size.pixels(), [(one.sector, one.cube.layout.n_cadences) for one in choice.taken], fits)
