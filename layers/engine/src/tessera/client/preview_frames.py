"""All pixels of a preview, cadence by cadence."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tessera.client.wire.failures import DamagedAnswerError
from tessera.client.wire.steps import Answer

_FIELDS = ("time", "cadence", "quality", "flux")


@dataclass(frozen=True, eq=False)
class ServiceFrames:
    """Frames of a window of one cube.

    Parameters
    ----------
    cube : str
        Name of the cube.
    time : ndarray of float64, shape (n_cadences,)
        Middle of each exposure, days since JD 2457000 in TDB: BTJD, and TJD for TICA.
    cadence : ndarray of int32, shape (n_cadences,)
        Numbers of the cadences.
    quality : ndarray of int32, shape (n_cadences,)
        Bits of quality; 0 is good.
    flux : ndarray of float32, shape (n_cadences, n_rows, n_columns)
        Flux, background included; NaN beyond the edge of the frame.
    """

    cube: str
    time: NDArray[np.float64] = field(repr=False)
    cadence: NDArray[np.int32] = field(repr=False)
    quality: NDArray[np.int32] = field(repr=False)
    flux: NDArray[np.float32] = field(repr=False)

    @classmethod
    def join(cls, cube: str, pieces: Sequence[NDArray[Any]]) -> Self:
        """Join the records of all answers."""
        return cls(cube, *(np.concatenate([piece[name] for piece in pieces]) for name in _FIELDS))


def read_records(answer: Answer, shape: tuple[int, int]) -> NDArray[Any]:
    """Read the records of an answer, a NumPy file.

    Raises
    ------
    DamagedAnswerError
        When the answer is no such file, or has no records of this shape.
    """
    try:
        records = np.lib.format.read_array(io.BytesIO(answer.read()), allow_pickle=False)
    except ValueError as error:
        raise DamagedAnswerError(f"{answer.where} sends frames that cannot be read: {error}") from error
    if records.dtype.names != _FIELDS or records["flux"].shape[1:] != shape or not len(records):
        raise DamagedAnswerError(f"{answer.where} sends frames of another form than {shape[0]} x {shape[1]} pixels")
    return np.asarray(records)
