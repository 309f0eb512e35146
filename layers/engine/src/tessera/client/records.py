"""What a service tells about itself, its cubes and its jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self, get_args

import numpy as np
from numpy.typing import NDArray

from tessera.client.watching import JobStatus, WorkState
from tessera.client.wire.documents import Fields
from tessera.targets.places import NamedPlace


@dataclass(frozen=True)
class ServiceHealth:
    """State of a service.

    Parameters
    ----------
    status : str
        ``ok``.
    version : str
        Version of Tessera.
    cubes : int
        Number of cubes that are served.
    """

    status: str
    version: str
    cubes: int

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        return cls(fields.text("status"), fields.text("version"), fields.integer("cubes"))


@dataclass(frozen=True)
class ServiceCube:
    """A cube of a service.

    Parameters
    ----------
    name : str
        Name, such as ``tess-s0001-4-2``.
    sector, camera, ccd : int
        The CCD.
    product : str
        ``SPOC`` or ``TICA``.
    source : str
        ``built here`` or ``public``.
    cadences : int or None
        Number of cadences, if the service has read the cube.
    t_min, t_max : float
        Start of the first frame and end of the last one, MJD.
    s_region : str
        Outline on the sky, ``POLYGON ...`` in degrees.
    """

    name: str
    sector: int
    camera: int
    ccd: int
    product: str
    source: str
    cadences: int | None
    t_min: float
    t_max: float
    s_region: str = field(repr=False)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        return cls(
            fields.text("name"),
            *fields.ccd(),
            fields.text("product"),
            fields.text("source"),
            fields.optional_integer("cadences"),
            fields.number("t_min"),
            fields.number("t_max"),
            fields.text("s_region"),
        )


@dataclass(frozen=True)
class CubeFootprint:
    """A cube that sees a place.

    Parameters
    ----------
    cube : str
        Name of the cube.
    sector, camera, ccd : int
        The CCD.
    t_min, t_max : float
        Start of the first frame and end of the last one, MJD.
    s_region : str
        Outline on the sky, ``POLYGON ...`` in degrees.
    """

    cube: str
    sector: int
    camera: int
    ccd: int
    t_min: float
    t_max: float
    s_region: str = field(repr=False)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        times = fields.number("t_min"), fields.number("t_max")
        return cls(fields.text("cube"), *fields.ccd(), *times, fields.text("s_region"))


@dataclass(frozen=True)
class MapCcd:
    """A CCD of a sector.

    Parameters
    ----------
    cube : str
        Name of the cube.
    camera, ccd : int
        The CCD.
    corners : ndarray of float64, shape (n, 2)
        Vertices of the footprint: right ascension and declination in degrees, ICRS.
    """

    cube: str
    camera: int
    ccd: int
    corners: NDArray[np.float64] = field(repr=False, compare=False)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        return cls(fields.text("cube"), fields.integer("camera"), fields.integer("ccd"), fields.floats("corners", 2))


@dataclass(frozen=True)
class MapSector:
    """A sector and its CCDs.

    Parameters
    ----------
    sector : int
        Number of the sector.
    start, stop : str
        Days of the first and the last frame, UTC.
    cadence_seconds : int
        Time between two frames in seconds.
    ccds : tuple of MapCcd
        The CCDs.
    """

    sector: int
    start: str
    stop: str
    cadence_seconds: int
    ccds: tuple[MapCcd, ...] = field(repr=False)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        days = fields.text("start"), fields.text("stop")
        ccds = tuple(map(MapCcd.read, fields.each("ccds")))
        return cls(fields.integer("sector"), *days, fields.integer("cadence_seconds"), ccds)


@dataclass(frozen=True)
class Sighting:
    """A cube that has a pixel at a position.

    Parameters
    ----------
    cube : str
        Name of the cube.
    sector, camera, ccd : int
        The CCD.
    start, stop : str
        Days of the first and the last frame, UTC, such as ``2018-07-25``.
    cadence_seconds : int or None
        Time between two frames in seconds, if it is known.
    n_cadences : int
        Number of cadences.
    row, column : float
        Pixel of the position on the frame; the centre of the first pixel is 0.
    edge : float
        Pixels to the nearest edge of the pixels that see the sky; negative beyond.
    on_silicon : bool
        Whether the position is on pixels that see the sky.
    science_pixels : int or None
        Pixels of the window that see the sky; None without the size of a window.
    """

    cube: str
    sector: int
    camera: int
    ccd: int
    start: str
    stop: str
    cadence_seconds: int | None
    n_cadences: int
    row: float
    column: float
    edge: float
    on_silicon: bool
    science_pixels: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        return cls(
            fields.text("cube"),
            *fields.ccd(),
            fields.text("start"),
            fields.text("stop"),
            fields.optional_integer("cadence_seconds"),
            fields.integer("n_cadences"),
            fields.number("row"),
            fields.number("column"),
            fields.number("edge_distance_px"),
            fields.switch("on_silicon"),
            fields.optional_integer("science_pixels"),
        )


def read_place(fields: Fields) -> NamedPlace:
    """Read the position of a name."""
    return NamedPlace(fields.text("name"), fields.number("ra"), fields.number("dec"), fields.text("source"))


@dataclass(frozen=True)
class JobCube:
    """A cube of a job that has ended: its file, or the reason why there is none."""

    cube: str
    status: str
    size: int
    reason: str
    url: str = field(repr=False)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        texts = fields.text("cube"), fields.text("status")
        return cls(*texts, fields.integer("bytes"), fields.optional_text("reason"), fields.optional_text("url"))


@dataclass(frozen=True)
class JobState(WorkState):
    """A job as it was when the service was asked.

    Parameters
    ----------
    id : str
        Id of the job.
    status : {'queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled'}
        State.
    n_cubes, n_done, n_failed : int
        Number of cubes, of those that have been cut, and of those that could not be cut.
    cubes : tuple of JobCube
        Cubes that have ended so far.
    reason : str
        Why the job failed; otherwise empty.
    archive : str
        Address of the archive, which works for 15 minutes; empty until there is one.
    archive_bytes : int or None
        Its size.
    turn : int or None
        Number of a queued job in the order of starting, from 1.
    cancel_token : str
        Secret with which the job may be cancelled. Only the answer to an order has it; otherwise empty.
    """

    n_cubes: int
    n_done: int
    n_failed: int
    cubes: tuple[JobCube, ...]
    reason: str
    archive: str = field(repr=False)
    archive_bytes: int | None = None
    turn: int | None = None
    cancel_token: str = field(default="", repr=False)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        progress, result = fields.fields("progress"), fields.optional_fields("result")
        return cls(
            fields.text("id"),
            fields.choice("status", get_args(JobStatus)),  # type: ignore[arg-type] # it is one of them
            progress.integer("cubes"),
            progress.integer("done"),
            progress.integer("failed"),
            tuple(map(JobCube.read, fields.each("cubes"))),
            fields.optional_text("reason"),
            result.text("url") if result else "",
            result.optional_integer("bytes") if result else None,
            fields.optional_integer("turn"),
            fields.optional_text("cancel_token"),
        )

    @property
    def progress(self) -> tuple[int, int]:
        """Number of cubes that have ended, and of all cubes."""
        return self.n_done + self.n_failed, self.n_cubes
