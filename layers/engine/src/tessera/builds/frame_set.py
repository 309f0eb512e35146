"""Check the frames of a cube together: whether they belong to one cube that can be cut, and which sector it is."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from tessera.builds.remarks import find_remarks
from tessera.builds.update import OldCube
from tessera.cubes.frames import Frame, check_frames, check_wcs, find_sector, sort_by_time
from tessera.cubes.layout import WORD
from tessera.errors import UNUSABLE, DataWarning, InconsistentFramesError, InvalidInputError, NoWcsError
from tessera.sky.footprint import Footprint, frame_footprint
from tessera.sky.wcs import frame_wcs, is_ordinary, last_line

_WCS_NEEDED = ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")


def accept_frames(frames: Sequence[Frame], sector: int | None) -> int | None:
    """Check the frames of a new cube, and warn of what is unusual about them.

    Parameters
    ----------
    frames : sequence of Frame
        Frames in any order.
    sector : int or None
        Sector by the caller.

    Returns
    -------
    int or None
        Sector of the cube.

    Raises
    ------
    InconsistentFramesError
        When the frames do not belong together, or have no WCS that can be used.
    InvalidInputError
        See `check_sector`.
    """
    check_frames(frames)
    check_wcs(frames)
    _check_footprint(sort_by_time(frames))
    sector = check_sector(sector, find_sector(frames))
    _warn(frames)
    return sector


def accept_update(frames: Sequence[Frame], old: OldCube, sector: int | None) -> int | None:
    """Check the frames that are added to a cube; see `accept_frames`."""
    check_frames(frames)
    old.check(frames)
    if any(frame.has_wcs for frame in frames):
        _check_footprint(sort_by_time(frames))
    told = find_sector(frames)
    sector = check_sector(sector, old.named_sector if told is None else told, old.sector)
    if old.layout.word != WORD:
        warnings.warn(f"{old.name} has 64-bit floats; the new cube has 32-bit floats.", DataWarning, stacklevel=3)
    _warn(frames)
    return sector


def _warn(frames: Sequence[Frame]) -> None:
    for remark in find_remarks(frames):
        warnings.warn(remark, DataWarning, stacklevel=4)


def check_sector(sector: object, told: int | None, known: int | None = None) -> int | None:
    """Choose the value of a cube's SECTOR card.

    Parameters
    ----------
    sector : int or None
        What the caller says.
    told : int or None
        What the names of the frames tell.
    known : int or None, optional
        What the cube says before an update.

    Returns
    -------
    int or None
        The caller's sector; else the cube's, else that of the names.

    Raises
    ------
    InvalidInputError
        When the caller's sector is not an integer from 1, or contradicts the names.
    """
    if sector is None:
        return told if known is None else known
    if isinstance(sector, bool) or not isinstance(sector, (int, np.integer)) or not 1 <= sector < 2**31:
        raise InvalidInputError("sector", sector, "an integer from 1, or None for the sector in the frames' names")
    if told is not None and sector != told:
        raise InvalidInputError("sector", int(sector), f"{told}, the sector in the frames' names")
    return int(sector)


def _middle_frame(frames: Sequence[Frame]) -> Frame:
    n = len(frames)
    return next(item for step in range(n) if (item := frames[(n // 2 + step) % n]).has_wcs)


def _check_footprint(frames: Sequence[Frame]) -> None:
    """Raise the errors of `find_footprint`, if there can be any."""
    frame = _middle_frame(frames)
    if not is_ordinary(frame.science.first_values, *frame.shape):
        find_footprint(frames)


def find_footprint(frames: Sequence[Frame]) -> Footprint:
    """Footprint of a cube by the WCS of its middle frame, or of the next frame (wrapping) that has a WCS.

    Parameters
    ----------
    frames : sequence of Frame
        Frames in order of time; at least one has a WCS.

    Raises
    ------
    InconsistentFramesError
        When the WCS gives no position for a corner of the frame. The message names the frame.
    """
    frame = _middle_frame(frames)
    missing = [keyword for keyword in _WCS_NEEDED if frame.science.get(keyword) is None]
    if missing:
        raise InconsistentFramesError(frame.name, f"{missing[0]} is missing; the WCS of this frame is that of the cube")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            footprint = frame_footprint(frame_wcs(frame.science.first_values), *frame.shape)
    except UNUSABLE as error:
        reason = str(error) if isinstance(error, NoWcsError) else f"its WCS cannot be used: {last_line(error)}"
        raise InconsistentFramesError(frame.name, reason) from error
    if not np.isfinite(footprint.vertices).all():
        raise InconsistentFramesError(frame.name, "its WCS gives no position for a corner of the frame")
    return footprint
