"""Open the reference frame beside a cube, for difference cutouts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from tessera.cubes.reader import Cube
from tessera.cubes.reference.frame import (
    ReferenceLayout,
    ReferenceWindow,
    read_reference_layout,
    read_reference_window,
    reference_name,
)
from tessera.errors import InvalidInputError, MissingFileError
from tessera.framesets.source import FrameSet
from tessera.io.locations import InFileSystem, location_text, shown
from tessera.io.sources import Location, Source, open_source
from tessera.windows import Window


@dataclass(frozen=True)
class ReferenceFile:
    """An open reference frame."""

    source: Source
    layout: ReferenceLayout

    def read_window(self, window: Window) -> ReferenceWindow:
        """Read a window that touches the frame."""
        return read_reference_window(self.layout, self.source.read, window)


@contextmanager
def open_reference(cube_location: Location, cube: Cube) -> Iterator[ReferenceFile]:
    """Open the reference frame of a cube, which is in the cube's folder, and close it at the end of the block.

    Raises
    ------
    InvalidInputError
        When there are only frames.
    MissingFileError
        When there is none.
    CubeFormatError
        When it is that of another cube.
    """
    if isinstance(cube_location, FrameSet):
        raise InvalidInputError("difference", True, "False for frames, because only a cube has a reference frame")
    text = location_text(cube_location)
    location: str = reference_name(text)
    if isinstance(text, InFileSystem):
        location = InFileSystem(location, text.filesystem)
    try:
        source = open_source(location)
    except MissingFileError as error:
        reason = "the cube has no reference frame beside it; `tessera cube measure` makes it"
        raise MissingFileError(shown(location), reason) from error
    with closing(source):
        yield ReferenceFile(source, read_reference_layout(source.name, source.size, source.read, cube))
        source.check_unchanged()
