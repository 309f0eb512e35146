"""What the headers of the frames of one CCD say: all that is needed to read windows of their pixels.

The facts contain what a cube of these frames would have before and after its pixels, and where the pixels of each frame
begin. So whatever reads a cube can read its frames in the same way, and gives the same pixels.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.frame_checks import PixelFormat
from tessera.cubes.frames import Frame, find_sector
from tessera.cubes.hdus import build_image_header, build_info_hdu, build_primary_header
from tessera.cubes.info_rows import InfoRows, parse_info_rows
from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import Cube, read_cube
from tessera.errors import CubeFormatError
from tessera.fits.hdus import format_hdu

MARK = "FROMFFI"
"""Card of the primary header that tells files that were made from frames from those that were made from a cube."""

_FORMAT = 1
_PLAIN = PixelFormat()


class FramePlace(NamedTuple):
    """File of a frame.

    Parameters
    ----------
    key : str
        Path, URL or key.
    size : int
        Size in bytes.
    version : str
        Text that changes when the content changes, such as the ETag.
    """

    key: str
    size: int
    version: str


@dataclass(frozen=True)
class FrameFacts:
    """The frames of one CCD, in order of time.

    Parameters
    ----------
    cube : Cube
        The cube that would be made of them, without pixels. Its primary header has the card `MARK`.
    info_hdu : bytes
        Its info table.
    places : tuple of FramePlace
        Files of the frames.
    offsets : ndarray of int64, shape (n_cadences, n_planes)
        Position in its file of the first byte of each plane.
    formats : dict
        Cadence to the formats of its planes, of frames whose pixels must be converted.
    """

    cube: Cube
    info_hdu: bytes
    places: tuple[FramePlace, ...]
    offsets: NDArray[np.int64]
    formats: dict[int, tuple[PixelFormat, ...]]

    @property
    def layout(self) -> CubeLayout:
        """Shape of the cube."""
        return self.cube.layout

    @cached_property
    def info(self) -> InfoRows:
        """Rows of the info table."""
        return parse_info_rows(self.cube.name, self.info_hdu)

    def form(self, cadence: int, plane: int) -> PixelFormat:
        """How the pixels of a plane are stored."""
        return self.formats[cadence][plane] if cadence in self.formats else _PLAIN

    def to_bytes(self) -> bytes:
        """Write the facts as a small file (NumPy's npz)."""
        about = {
            "format": _FORMAT,
            "keys": [place.key for place in self.places],
            "versions": [place.version for place in self.places],
            "formats": {str(cadence): forms for cadence, forms in self.formats.items()},
        }
        arrays: dict[str, NDArray[Any]] = {
            "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
            "cube": np.frombuffer(self.cube.to_sidecar(), np.uint8),
            "info": np.frombuffer(self.info_hdu, np.uint8),
            "sizes": np.array([place.size for place in self.places], np.int64),
            "offsets": self.offsets,
        }
        data = io.BytesIO()
        np.savez_compressed(data, allow_pickle=False, **arrays)
        return data.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> FrameFacts:
        """Read what `to_bytes` wrote.

        Raises
        ------
        CubeFormatError
            When the data are something else, or of another version.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            about = json.loads(arrays["about"].tobytes())
            number, keys = about["format"], about["keys"]
        except (ValueError, LookupError, TypeError, OSError, EOFError, BadZipFile, zlib.error) as error:
            raise CubeFormatError(f"not the facts of frames: {error}") from error
        if number != _FORMAT:
            raise CubeFormatError(f"the facts of the frames have format {number}; {_FORMAT} is needed")
        places = zip(keys, arrays["sizes"].tolist(), about["versions"], strict=True)
        return cls(
            Cube.from_sidecar(arrays["cube"].tobytes()),
            arrays["info"].tobytes(),
            tuple(FramePlace(*place) for place in places),
            arrays["offsets"],
            {int(cadence): tuple(PixelFormat(*form) for form in forms) for cadence, forms in about["formats"].items()},
        )


def build_facts(name: str, frames: Sequence[Frame], places: Sequence[FramePlace], sector: int | None) -> FrameFacts:
    """Collect the facts of frames that belong together; see `tessera.builds.frame_set.accept_frames`.

    Parameters
    ----------
    name : str
        File name of the cube that would be made of them.
    frames : sequence of Frame
        Headers of the frames, in the order in which a build would be given them.
    places : sequence of FramePlace
        Files of the frames, in the same order.
    sector : int or None
        Sector of the frames.

    Raises
    ------
    InconsistentFramesError
        When no frame has a WCS.
    """
    order = sorted(range(len(frames)), key=lambda number: frames[number].start)
    ordered = [frames[number] for number in order]
    layout = CubeLayout(*ordered[0].shape, len(ordered), ordered[0].product.n_planes)
    start = _marked(build_primary_header(ordered, sector, _last_day(ordered))) + build_image_header(layout, 0)
    info = build_info_hdu(ordered, frames)
    table = len(start) + layout.data_bytes + layout.padding

    def read(first: int, length: int) -> bytes:
        part, begin = (info, table) if first >= table else (start, 0)
        return part[first - begin : first - begin + length]

    return FrameFacts(
        read_cube(name, table + len(info), read, check=False),
        info,
        tuple(places[number] for number in order),
        np.array([frame.offsets for frame in ordered], np.int64),
        {cadence: frame.formats for cadence, frame in enumerate(ordered) if not frame.plain},
    )


def name_of(frames: Sequence[Frame]) -> str:
    """File name of the cube that would be made of frames: that of the mission, as far as the frames tell it."""
    product, sector = frames[0].product, find_sector(frames)
    camera, ccd = frames[0].detector
    numbers = "-".join("x" if number is None else str(number) for number in (camera, ccd))
    return f"{product.prefix}-s{'xxxx' if sector is None else f'{sector:04d}'}-{numbers}-cube.fits"


def _marked(primary: bytes) -> bytes:
    """A primary header with the card `MARK`."""
    from astropy.io import fits  # noqa: PLC0415 - slow to import, and reading facts does not need it

    header = fits.Header.fromstring(primary)
    for keyword in ("CHECKSUM", "DATASUM"):
        header.remove(keyword, ignore_missing=True)
    header[MARK] = (True, "read from the frames, no cube was made")
    return format_hdu(fits.PrimaryHDU(header=header).header)


def _last_day(frames: Sequence[Frame]) -> str:
    """Day on which the last of the frames was made, which stands for that of the cube; empty if no frame tells it.

    It is not the day of today, so the same frames give the same files.
    """
    return max(str(frame.primary.get("DATE") or "")[:10] for frame in frames)
