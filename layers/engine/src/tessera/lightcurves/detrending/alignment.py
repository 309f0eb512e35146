"""Find the cotrending vectors of the cadences of a light curve."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.errors import InvalidInputError, UnknownTrendError
from tessera.io.locations import file_name
from tessera.io.sources import open_source
from tessera.lightcurves.detrending.regression import Cadences
from tessera.lightcurves.detrending.vector_files import VECTORS_END, read_vectors
from tessera.lightcurves.detrending.vectors import AlignedVectors, CotrendingVectors
from tessera.lightcurves.photometry import Floats
from tessera.provenance.record import Origin
from tessera.tess.ids import cube_stem

VectorSource: TypeAlias = "str | os.PathLike[str] | bytes | CotrendingVectors"
_ALLOWED = "the path, URL or bytes of a file of cotrending vectors"
_PLACE = ("sector", "camera", "ccd")


def choose_vectors(given: Any, cube: str) -> Any:
    """Cotrending vectors for a cube: what was given, the cube's file in the folder that was given, or beside the cube.

    Parameters
    ----------
    given : str, Path or vectors, optional
        What a user gave.
    cube : str
        Path or URL of the cube, such as ``tess-s0001-4-2-cube.fits``.
    """
    beside = f"{cube_stem(cube)}{VECTORS_END}"
    if given is None:
        return beside
    return Path(given) / file_name(beside) if isinstance(given, (str, os.PathLike)) and Path(given).is_dir() else given


def open_vectors(source: object) -> CotrendingVectors:
    """Read cotrending vectors that a user gave.

    Raises
    ------
    InvalidInputError
        When it is something else than vectors or a file.
    UnreadableFileError
        When the file cannot be read.
    """
    if isinstance(source, CotrendingVectors):
        return source
    if isinstance(source, bytes):
        return read_vectors("vectors", source)
    if not isinstance(source, (str, os.PathLike)):
        raise InvalidInputError("vectors", source, _ALLOWED)
    with closing(open_source(source)) as file:
        found = read_vectors(os.fspath(source), bytes(file.read(0, file.size)))
    return replace(found, location=Origin.of(source, 0).location)


def align_vectors(
    vectors: CotrendingVectors, time: Floats, cadence_numbers: NDArray[np.int32] | None, facts: dict[str, Any]
) -> AlignedVectors:
    """Take the cadences of a light curve from cotrending vectors.

    Cadences are found by their numbers, if both have some; otherwise by the nearest time, within half a cadence.

    Parameters
    ----------
    vectors : CotrendingVectors
        The vectors.
    time : ndarray, shape (n_cadences,)
        Times of the light curve.
    cadence_numbers : ndarray of int32, shape (n_cadences,), or None
        Its numbers.
    facts : dict
        What is known about it: sector, camera and ccd.

    Returns
    -------
    AlignedVectors
        The vectors in these cadences.

    Raises
    ------
    UnknownTrendError
        When the vectors are those of other cadences.
    """
    theirs = {name: vectors.header.get(name.upper()) for name in _PLACE}
    other = [name for name in _PLACE if theirs[name] and facts.get(name) and theirs[name] != facts[name]]
    known = np.isfinite(time)
    if cadence_numbers is not None and vectors.cadence_numbers is not None:
        places, far = _nearest(vectors.cadence_numbers.astype(np.float64), cadence_numbers.astype(np.float64), 0.0)
    else:
        steps = np.diff(vectors.time[np.isfinite(vectors.time)])
        places, far = _nearest(vectors.time, time, float(np.median(steps)) / 2 if len(steps) else 0.0)
        far &= known
    if other or far.any():
        allowed = f"those of {_named(facts)}" if other else "vectors that have all cadences of the light curve"
        raise UnknownTrendError("vectors", f"those of {_named(theirs)}", allowed)
    return AlignedVectors(vectors.vectors[:, places], vectors.gap[places] | ~known, vectors.origin)


def _named(place: dict[str, Any]) -> str:
    """Sector and CCD in words, as far as they are known."""
    return ", ".join(f"{name} {place[name]}" for name in _PLACE if place.get(name)) or "an unknown CCD"


def _nearest(places: Floats, wanted: Floats, limit: float) -> tuple[Cadences, NDArray[np.bool_]]:
    """Index of the nearest place of each wanted one, and whether it is farther than a limit."""
    order = np.argsort(places)  # NaN come last
    known = order[: int(np.isfinite(places).sum())]
    if not len(known):
        return np.zeros(len(wanted), np.intp), np.ones(len(wanted), np.bool_)
    after = np.clip(np.searchsorted(places[known], wanted), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(places[known[before]] - wanted) < np.abs(places[known[after]] - wanted)
    found = known[np.where(nearer, before, after)]
    with np.errstate(invalid="ignore"):
        return found, np.asarray(np.abs(places[found] - wanted) > limit)
