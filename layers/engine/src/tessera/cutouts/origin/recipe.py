"""The recipe of the target pixel file of a fixed target: with its cube, it decides every byte of the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.info_rows import InfoRows
from tessera.cubes.reader import Cube
from tessera.cubes.reference.frame import ReferenceFacts
from tessera.cubes.window_pixels import Cutout
from tessera.cutouts.barycentre import barycentric_columns, corrected_columns
from tessera.cutouts.cadences import select_cadences
from tessera.cutouts.pointing import position_corrections
from tessera.provenance.record import from_number, to_number
from tessera.tess.star import Star
from tessera.tpf.aperture import aperture_bits, aperture_digits
from tessera.tpf.fixed import TpfLayout, TpfRequest
from tessera.tpf.primary import CREATOR
from tessera.windows import Window


@dataclass(frozen=True)
class TpfRecipe:
    """What decides the target pixel file of a fixed target.

    Parameters
    ----------
    window : Window
        Pixels of the cutout.
    ra, dec : float
        Values of RA_OBJ and DEC_OBJ, ICRS degrees.
    at : (float, float)
        Where the target is in the middle of the cube's times, ICRS degrees.
    layout, time, cadences, quality_mask, target_times, pos_corr, fill_value
        See `tessera.cutouts.results.CutoutOptions`.
    touched : bool, optional
        See `tessera.cutouts.cadences.select_cadences`.
    star : Star, optional
        What is known about the target.
    aperture : ndarray of bool, optional
        Pixels that APERTURE marks; see `tessera.tpf.fixed.TpfRequest`.
    creator : str, optional
        Value of the CREATOR card.
    reference, flags : optional
        See `tessera.tpf.fixed.TpfRequest`.
    """

    window: Window
    ra: float
    dec: float
    at: tuple[float, float]
    layout: TpfLayout = "full"
    time: tuple[float, float] | None = None
    cadences: tuple[int, int] | None = None
    quality_mask: int = 0
    touched: bool = False
    target_times: bool = False
    pos_corr: bool = False
    fill_value: float = np.nan
    star: Star | None = None
    aperture: NDArray[np.bool_] | None = None
    creator: str = CREATOR
    reference: ReferenceFacts | None = None
    flags: bool = False

    def chosen(self, cube: Cube) -> NDArray[np.intp] | None:
        """Cadences to keep; see `tessera.cutouts.cadences.select_cadences`."""
        return select_cadences(cube, self.time, self.cadences, self.quality_mask, touched=self.touched)

    def tpf(
        self,
        cube: Cube,
        cutout: Cutout,
        chosen: NDArray[np.intp] | None,
        version: str,
        info: Callable[[], InfoRows] | None = None,
    ) -> TpfRequest:
        """Input of the file.

        Parameters
        ----------
        cube : Cube
            The cube.
        cutout : Cutout
            The pixels of the window, or a place for them.
        chosen : ndarray of int or None
            Result of `chosen`.
        version : str
            Version of the software.
        info : callable, optional
            Function that reads the info table. Only `target_times` of TICA's frames and `pos_corr` need it.
        """
        columns: dict[str, NDArray[Any]] = {}
        error = None
        if self.target_times and cube.product.barycentric:
            columns = barycentric_columns(cube, *self.at)
        elif self.target_times and info is not None:
            columns, error = corrected_columns(cube, info(), *self.at)
        if self.pos_corr and info is not None:
            columns |= position_corrections(cube, info(), *self.at)
        return TpfRequest(
            cube,
            cutout,
            self.ra,
            self.dec,
            version,
            self.layout,
            chosen,
            columns,
            creator=self.creator,
            time_error=error,
            star=self.star,
            aperture=self.aperture,
            reference=self.reference,
            flags=self.flags,
            fill_value=self.fill_value,
        )

    @property
    def document(self) -> dict[str, Any]:
        """The recipe as a document of JSON. An aperture is digits; see `tessera.tpf.aperture`."""
        document = {**vars(self), "window": asdict(self.window), "at": list(self.at)}
        document["fill_value"] = to_number(self.fill_value)
        document["time"] = None if self.time is None else [to_number(end) for end in self.time]
        document["cadences"] = None if self.cadences is None else list(self.cadences)
        document["star"] = (
            None
            if self.star is None
            else {name: value for name, value in vars(self.star).items() if value not in (None, "")}
        )
        document["reference"] = None if self.reference is None else asdict(self.reference)
        document["aperture"] = None if self.aperture is None else aperture_digits(self.aperture)
        return document

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Read what `document` wrote."""
        given = dict(document)
        window = Window(**given.pop("window"))
        time, cadences, star, aperture = (given.pop(name) for name in ("time", "cadences", "star", "aperture"))
        reference = given.pop("reference", None)
        first, last = given.pop("at")
        return cls(
            window=window,
            at=(first, last),
            time=None if time is None else (from_number(time[0]), from_number(time[1])),
            cadences=None if cadences is None else (cadences[0], cadences[1]),
            star=None if star is None else Star(**star),
            aperture=None if aperture is None else _mask(aperture, window.shape),
            reference=None if reference is None else ReferenceFacts(**reference),
            fill_value=from_number(given.pop("fill_value")),
            **given,
        )


def _mask(digits: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    return aperture_bits(digits)[: shape[0] * shape[1]].astype(bool).reshape(shape)
