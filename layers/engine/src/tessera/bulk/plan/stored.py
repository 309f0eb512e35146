"""A band as a small file: everything that its task needs beside the cube."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tessera.bulk.plan.bands import Band
from tessera.bulk.plan.motion import with_motion
from tessera.bulk.plan.sightings import Floats, Ints, SightCube, Sightings
from tessera.bulk.target_rows import TargetRows
from tessera.errors import InvalidInputError
from tessera.sky.motion import Targets
from tessera.windows import Window

_FORMAT = 1
_PLAIN = ("number", "cube", "sector", "camera", "ccd", "union_bytes", "scan", "pace", "hats_order")
_TEXTS = ("name", "apertures")
_POSITION = ("ra", "dec", "pm_ra", "pm_dec", "epoch")
_WINDOW = ("first_row", "first_column", "n_rows", "n_columns", "edge", "best")
_ARRAYS = (
    *("row", "tic", *_POSITION, "moved_ra", "moved_dec", "pixel_row", "pixel_column", *_WINDOW),
    *("aperture", "starts", "stops"),
)


@dataclass(frozen=True, eq=False)
class StoredBand:
    """A band and its targets. Arrays have the shape (n_targets,), by first row and first column of the windows.

    Parameters
    ----------
    number : int
        Number of the band in the plan, from 0.
    cube : str
        Id of the cube, such as ``tess-s0001-1-1``.
    sector, camera, ccd : int
        Where the cube is from; 0 if that is not known.
    union_bytes : int
        Bytes of all pixels of the windows, each counted once.
    scan : bool
        Whether whole rows are read.
    pace : float
        Largest number of requests per second of this task; infinite for none.
    hats_order : int
        HEALPix order of the partitions of the catalogue.
    starts, stops : ndarray of int64, shape (n_requests,)
        See `tessera.bulk.plan.bands.Band`.
    row, tic, ra, dec, pm_ra, pm_dec, epoch, name
        See `tessera.bulk.target_rows.TargetRows`.
    moved_ra, moved_dec : ndarray of float64
        Position in the middle of the cube's times, ICRS degrees.
    pixel_row, pixel_column : ndarray of float64
        `row` and `column` of `tessera.bulk.plan.sightings.Sightings`.
    first_row, first_column, n_rows, n_columns, edge, best
        See `tessera.bulk.plan.sightings.Sightings`.
    aperture : ndarray of int32
        Place in `apertures`.
    apertures : tuple of str
        The different apertures.
    """

    number: int
    cube: str
    sector: int
    camera: int
    ccd: int
    union_bytes: int
    scan: bool
    pace: float
    hats_order: int
    starts: Ints
    stops: Ints
    row: Ints
    name: tuple[str, ...]
    tic: Ints
    ra: Floats
    dec: Floats
    pm_ra: Floats
    pm_dec: Floats
    epoch: Floats
    moved_ra: Floats
    moved_dec: Floats
    pixel_row: Floats
    pixel_column: Floats
    first_row: NDArray[np.int32]
    first_column: NDArray[np.int32]
    n_rows: NDArray[np.int32]
    n_columns: NDArray[np.int32]
    edge: Floats
    best: NDArray[np.bool_]
    aperture: NDArray[np.int32]
    apertures: tuple[str, ...]

    def __len__(self) -> int:
        """Number of targets."""
        return len(self.row)

    @property
    def n_bytes(self) -> int:
        """Bytes that are read."""
        return int((self.stops - self.starts).sum())

    def window(self, target: int) -> Window:
        """Window of a target, by its place in the band."""
        sides = (self.first_row, self.first_column, self.n_rows, self.n_columns)
        return Window(*(int(values[target]) for values in sides))

    def aperture_of(self, target: int) -> str:
        """Aperture of a target, by its place in the band."""
        return self.apertures[int(self.aperture[target])]

    def targets(self) -> Targets:
        """Positions and proper motions, for headers of target pixel files."""
        return with_motion(self.ra, self.dec, self.pm_ra, self.pm_dec, self.epoch)

    @classmethod
    def of(
        cls,
        band: Band,
        sightings: Sightings,
        rows: TargetRows,
        cube: SightCube,
        *,
        pace: float = np.inf,
        hats_order: int = 0,
    ) -> StoredBand:
        """Put together what the task of a band needs.

        Parameters
        ----------
        band : Band
            The band.
        sightings : Sightings
            All sightings of the plan.
        rows : TargetRows
            All targets of the list.
        cube : SightCube
            The cube of the band.
        pace : float, optional
            Largest number of requests per second of this task.
        hats_order : int, optional
            HEALPix order of the partitions of the catalogue.
        """
        chosen = sightings.take(band.sightings)
        at = chosen.target
        given = [getattr(rows, name)[at] for name in _POSITION]
        moved_ra, moved_dec = with_motion(*given).at(cube.middle)
        used, aperture = np.unique(rows.aperture[at], return_inverse=True)
        windows = {name: getattr(chosen, name) for name in _WINDOW}
        return cls(
            number=band.number,
            cube=cube.name,
            sector=cube.sector,
            camera=cube.camera,
            ccd=cube.ccd,
            union_bytes=band.union_bytes,
            scan=band.scan,
            pace=float(pace),
            hats_order=hats_order,
            starts=band.starts,
            stops=band.stops,
            row=rows.row[at],
            name=tuple(rows.name[place] for place in at.tolist()),
            tic=rows.tic[at],
            **dict(zip(_POSITION, given, strict=True)),
            moved_ra=moved_ra,
            moved_dec=moved_dec,
            pixel_row=chosen.row,
            pixel_column=chosen.column,
            **windows,
            aperture=aperture.astype(np.int32),
            apertures=tuple(rows.apertures[place] for place in used.tolist()),
        )

    def to_bytes(self) -> bytes:
        """Write the band as a file (NumPy's npz). Equal bands have equal bytes."""
        about = {name: getattr(self, name) for name in (*_PLAIN, *_TEXTS)}
        about |= {"format": _FORMAT, "pace": self.pace if np.isfinite(self.pace) else None}
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _ARRAYS}
        data = io.BytesIO()
        np.savez_compressed(data, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
        return data.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> StoredBand:
        """Read what `to_bytes` wrote.

        Raises
        ------
        InvalidInputError
            When the data are no band, or one of another version.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in _ARRAYS}
                about = json.loads(archive["about"].tobytes())
            number = about.pop("format")
        except (ValueError, LookupError, TypeError, OSError, EOFError, BadZipFile, zlib.error) as error:
            raise InvalidInputError("band", f"{len(data):,} bytes", f"a file of a band ({error})") from error
        if number != _FORMAT:
            raise InvalidInputError("band", f"of format {number}", f"format {_FORMAT}")
        about |= {name: tuple(about[name]) for name in _TEXTS}
        about["pace"] = np.inf if about["pace"] is None else about["pace"]
        return cls(**about, **arrays)
