"""Cotrending vectors: what the light curves of a CCD have in common, which comes from the instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.lightcurves.detrending.regression import Cadences, Trend, fit_without_events
from tessera.lightcurves.photometry import CurvePoints, Floats
from tessera.provenance.record import digest_facts

N_VECTORS = 8
"""Number of vectors, as many as lightkurve uses of the mission's."""
NO_VECTORS = "none or pld for this cube, because there are no cotrending vectors of it"
"""What is allowed where a cube has no vectors."""
_COMPLETE = 0.9
"""Share of the good cadences in which a curve must be known."""
_TURNS = 20


@dataclass(frozen=True, eq=False)
class CotrendingVectors:
    """Cotrending vectors of a CCD in one sector. There is a value for each cadence of the cube, in its order.

    Parameters
    ----------
    time : ndarray of float64, shape (n_cadences,)
        Middle of each exposure, days since JD 2457000, TDB.
    cadence_numbers : ndarray of int32, shape (n_cadences,), or None
        The spacecraft's count of exposures; None if it is not known.
    gap : ndarray of bool, shape (n_cadences,)
        True where the vectors are not known, but interpolated.
    vectors : ndarray of float64, shape (n_vectors, n_cadences)
        The vectors, the strongest first; see `cotrending_vectors`.
    header : dict, optional
        Cards of the primary header by keyword: what is known about the CCD and the cube.
    location : str, optional
        Where they were read, as records name it; empty if that is not known.
    """

    time: NDArray[np.float64]
    cadence_numbers: NDArray[np.int32] | None
    gap: NDArray[np.bool_]
    vectors: NDArray[np.float64]
    header: Mapping[str, Any] = field(default_factory=dict)
    location: str = ""

    @cached_property
    def origin(self) -> dict[str, str]:
        """What a record says of them: where they were read, and the SHA-256 of their values."""
        numbers = np.zeros(0, np.int32) if self.cadence_numbers is None else self.cadence_numbers
        series: dict[str, NDArray[Any]] = {
            "time": self.time,
            "cadence_numbers": numbers,
            "gap": self.gap,
            "vectors": self.vectors.ravel(),
        }
        return {"location": self.location, "digest": digest_facts(b"", series)}


@dataclass(frozen=True, eq=False)
class AlignedVectors:
    """Cotrending vectors in the cadences of a light curve.

    Parameters
    ----------
    values : ndarray of float64, shape (n_vectors, n_cadences)
        The vectors.
    gap : ndarray of bool, shape (n_cadences,)
        True where they are interpolated.
    origin : dict, optional
        See `CotrendingVectors.origin`.
    """

    values: NDArray[np.float64]
    gap: NDArray[np.bool_]
    origin: Mapping[str, str] = field(default_factory=dict)


def cotrending_vectors(flux: Floats, good: NDArray[np.bool_], n_vectors: int = N_VECTORS) -> NDArray[np.float64]:
    """Find what light curves have in common.

    Each curve gets the mean 0 and the standard deviation 1. Of all curves, the half with the largest median correlation
    with the others is used. The vectors are the first right singular vectors of these. A curve that gives a vector more
    than a tenth of its strength (or 10 / number of curves, if that is more) varies by itself: it leaves, and the
    vectors are found again.

    Parameters
    ----------
    flux : ndarray, shape (n_curves, n_cadences)
        Light curves of stars of one CCD, without background; NaN where not known.
    good : ndarray of bool, shape (n_cadences,)
        Cadences to use.
    n_vectors : int, optional
        Largest number of vectors.

    Returns
    -------
    ndarray of float64, shape (n_found, n_cadences)
        Vectors, the strongest first, orthonormal in the good cadences. They are finite everywhere: in cadences that are
        not good, or not known of most curves, they are interpolated linearly. There is none if fewer than two curves
        can be used.
    """
    used = np.flatnonzero(good & (np.count_nonzero(np.isfinite(flux), axis=0) > len(flux) / 2))
    if not len(used):
        return np.zeros((0, flux.shape[1]))
    curves = _most_correlated(_scaled(np.asarray(flux, np.float64)[:, used]))
    for _ in range(_TURNS):
        found, weights = _singular_vectors(curves, n_vectors)
        alone = (np.square(weights) > max(0.1, 10 / max(len(curves), 1))).any(axis=1)
        if not alone.any():
            break
        curves = curves[~alone]
    cadences = np.arange(flux.shape[1])
    return np.array([np.interp(cadences, used, vector) for vector in found]).reshape(len(found), len(cadences))


def _scaled(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Curves with the mean 0 and the standard deviation 1; 0 where not known. Incomplete and constant ones leave."""
    known = np.isfinite(curves)
    curves, known = (values[known.sum(axis=1) > _COMPLETE * curves.shape[1]] for values in (curves, known))
    curves = np.where(known, curves - np.mean(curves, axis=1, where=known, keepdims=True), 0)
    spread = curves.std(axis=1, keepdims=True)
    varies = spread[:, 0] > 0
    return np.asarray(curves[varies] / spread[varies], np.float64)


def _most_correlated(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """The half of the curves that are most like the others, in their order."""
    if len(curves) < 2:
        return curves[:0]
    likeness = np.median(np.abs(curves @ curves.T), axis=1)
    best = np.argsort(-likeness, kind="stable")[: -(-len(curves) // 2)]
    return curves[np.sort(best)]


def _singular_vectors(curves: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Right singular vectors, the strongest first, and the weight of each curve in each of them."""
    if not len(curves):
        return curves, np.zeros((0, 0))
    strength, weights = np.linalg.eigh(curves @ curves.T)
    kept = np.flatnonzero(strength > strength[-1] * 1e-10)[::-1][:count]
    weights = weights[:, kept] * np.where(weights[:, kept].sum(axis=0) < 0, -1, 1)
    return (weights.T @ curves) / np.sqrt(strength[kept])[:, np.newaxis], weights


def cotrending_trend(curve: CurvePoints, vectors: AlignedVectors, fitted: Cadences) -> Trend | None:
    """Part of a light curve that cotrending vectors explain, as in lightkurve's ``CBVCorrector``.

    Parameters
    ----------
    curve : CurvePoints
        Light curve.
    vectors : AlignedVectors
        Vectors in its cadences.
    fitted : ndarray of int
        Cadences to fit; those in which the vectors are interpolated are left out.

    Returns
    -------
    Trend or None
        What is to be subtracted, with the median 0; None if there are too few cadences, or no vectors.
    """
    fitted = fitted[~vectors.gap[fitted]]
    design = np.column_stack([*vectors.values, np.ones(len(curve.flux))])
    if design.shape[1] == 1:
        return None
    coefficients, used = fit_without_events(design, curve.flux, curve.error, fitted)
    if coefficients is None:
        return None
    model = design @ coefficients
    return Trend(np.asarray(model - np.median(model[fitted]), np.float64), used)
