"""All pixels of a window, cadence by cadence, as a NumPy file. A second array behind the first has the record."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.cutouts.cadences import cadence_numbers, mid_times
from tessera.cutouts.origin.cube_record import cube_record
from tessera.errors import ProvenanceError
from tessera.provenance.record import Origin, Record
from tessera.windows import Window


def frames_type(rows: int, columns: int) -> np.dtype[np.void]:
    """Type of a cadence: time, number of the cadence, quality, and the flux of all pixels."""
    return np.dtype([("time", "<f8"), ("cadence", "<i4"), ("quality", "<i4"), ("flux", "<f4", (rows, columns))])


def build_frames(cube: Cube, flux: NDArray[np.float32]) -> NDArray[np.void]:
    """All cadences of a window.

    Parameters
    ----------
    cube : Cube
        The cube.
    flux : ndarray, shape (n_rows, n_columns, n_cadences)
        Pixels of the window.
    """
    frames = np.empty(cube.layout.n_cadences, frames_type(*flux.shape[:2]))
    frames["time"], frames["cadence"] = mid_times(cube), cadence_numbers(cube)
    frames["quality"] = cube.series["quality"]
    frames["flux"] = np.moveaxis(flux, -1, 0)
    return frames


@dataclass(frozen=True)
class FramesRecipe:
    """What decides some frames of a window.

    Parameters
    ----------
    window : Window
        Its pixels.
    first, count : int
        First cadence, counted from 0, and the number of cadences.
    """

    window: Window
    first: int
    count: int

    @property
    def document(self) -> dict[str, Any]:
        """The recipe as a document of JSON."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` wrote."""
        given = dict(document)
        return cls(Window(**given.pop("window")), **given)


def digest_frames(frames: NDArray[Any]) -> dict[str, Any]:
    """What a record says of the data of frames: the SHA-256 of all their bytes."""
    return {"sha256": hashlib.sha256(frames.tobytes()).hexdigest()}


def frames_file(frames: NDArray[Any], recipe: FramesRecipe, origin: Origin) -> bytes:
    """NumPy file with frames. ``numpy.load`` gives the frames; on the open file, a second time it gives the record."""
    record = cube_record("preview frames", origin, recipe.document, digest_frames(frames))
    content = io.BytesIO()
    np.save(content, frames)
    np.save(content, np.array([tuple(record.named.values())], _record_type(record)))
    return content.getvalue()


def _record_type(record: Record) -> np.dtype[np.void]:
    return np.dtype([(name, f"S{len(text)}") for name, text in record.named.items()])


def read_frames_file(content: bytes) -> tuple[NDArray[Any], Record | None]:
    """Read a NumPy file with frames; None if it has no record.

    Raises
    ------
    ProvenanceError
        When the file or its record is damaged.
    """
    file = io.BytesIO(content)
    try:
        frames = np.load(file, allow_pickle=False)
        named = np.load(file, allow_pickle=False) if file.tell() < len(content) else None
        if named is None:
            return frames, None
        parts = [bytes(named[name][0]).decode("ascii") for name in named.dtype.names or ()]
        text, sha256, *signature = parts
    except (OSError, EOFError, ValueError, LookupError, TypeError, MemoryError) as error:
        raise ProvenanceError(f"the NumPy file cannot be read: {error}") from error
    return frames, Record.read(text, sha256, *signature)
