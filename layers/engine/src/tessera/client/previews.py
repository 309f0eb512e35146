"""Previews: what a cutout of one cube contains, before it is downloaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from tessera.checks import check_choice, check_integer
from tessera.client.cuts.cutting import settle_position
from tessera.client.cuts.orders import read_size
from tessera.client.places import TargetInput, check_cube
from tessera.client.preview_frames import ServiceFrames, read_records
from tessera.client.wire.documents import Fields, ask
from tessera.client.wire.exchange import check_kind, exchange
from tessera.client.wire.steps import Service, Steps
from tessera.cutouts.results import Size
from tessera.errors import InvalidInputError
from tessera.lightcurves.background import BackgroundModel, check_background
from tessera.lightcurves.detrending.words import Detrending, check_detrend
from tessera.tpf.aperture import aperture_digits as mask_digits

Floats: TypeAlias = NDArray[np.float64]
PreviewImage: TypeAlias = Literal["median", "difference"]
PreviewStretch: TypeAlias = Literal["asinh", "linear", "log", "sqrt"]
LARGEST_SIDE = 100
"""Largest side of a preview in pixels."""
_SIZE = f"1 to {LARGEST_SIDE} pixels: one number, or (rows, columns)"
_APERTURE = "hexadecimal digits, or an array of True and False with the rows and columns of the preview"


@dataclass(frozen=True, eq=False)
class ServicePreview:
    """Preview of a cutout of one cube. Unknown values are NaN.

    Parameters
    ----------
    cube : str
        Name of the cube.
    first_row, first_column : int
        First pixel of the window on the frame, counted from 0.
    row, column : float
        Pixel of the position on the frame; the centre of the first pixel is 0.
    edge : float
        Pixels to the nearest edge of the pixels that see the sky; negative beyond.
    on_silicon : bool
        Whether the position is on pixels that see the sky.
    time, flux, flux_err : ndarray of float64, shape (n,)
        Light curve: days since JD 2457000 in TDB, sum of the aperture in `units`, and its error.
    quality : ndarray of int64, shape (n,)
        Bits of quality; 0 is good.
    time_system : {'BTJD', 'TJD'}
        Where the times are taken: at the barycentre, or at the spacecraft.
    n_cadences : int
        Number of cadences of the cube.
    binned : int
        Largest number of cadences in a point of the light curve.
    background_subtracted : bool
        Whether the background is subtracted from the light curve.
    aperture : ndarray of bool, shape (n_rows, n_columns)
        True for the pixels whose sum is the light curve.
    median, difference : ndarray of float64, shape (n_rows, n_columns)
        Median frame, and the mean of the brightest tenth of the cadences minus that of the faintest; first row first.
    units : str
        Unit of the flux.
    trend : ndarray of float64, shape (n,), or None
        What detrending removed from the flux; None if nothing was removed.
    detrended : str
        What the trend is made of; empty if nothing was removed.
    """

    cube: str
    first_row: int
    first_column: int
    row: float
    column: float
    edge: float
    on_silicon: bool
    time: Floats = field(repr=False)
    flux: Floats = field(repr=False)
    flux_err: Floats = field(repr=False)
    quality: NDArray[np.int64] = field(repr=False)
    time_system: str
    n_cadences: int
    binned: int
    background_subtracted: bool
    aperture: NDArray[np.bool_] = field(repr=False)
    median: Floats = field(repr=False)
    difference: Floats = field(repr=False)
    units: str
    trend: Floats | None = field(repr=False, default=None)
    detrended: str = ""

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        window, target, curve = fields.fields("window"), fields.fields("target"), fields.fields("lightcurve")
        return cls(
            cube=fields.text("cube"),
            first_row=window.integer("first_row"),
            first_column=window.integer("first_column"),
            row=target.number("row"),
            column=target.number("column"),
            edge=target.number("edge_distance_px"),
            on_silicon=target.switch("on_silicon"),
            time=curve.floats("time", 1),
            flux=curve.floats("flux", 1),
            flux_err=curve.floats("error", 1),
            quality=curve.floats("quality", 1).astype(np.int64),
            time_system=curve.text("time_system"),
            n_cadences=curve.integer("cadences"),
            binned=curve.integer("binned"),
            background_subtracted=fields.switch("background_subtracted"),
            aperture=fields.floats("aperture", 2) > 0,
            median=fields.floats("median", 2),
            difference=fields.floats("difference", 2),
            units=fields.text("units"),
            trend=curve.floats("trend", 1) if curve.has("trend") else None,
            detrended=fields.optional_text("detrended"),
        )


class PreviewOperations:
    """Operations for previews, as steps for a transport."""

    service: Service

    def preview(
        self,
        cube: str,
        target: TargetInput,
        size: Size = 15,
        *,
        background: bool | BackgroundModel = True,
        points: int = 2000,
        aperture: Any = None,
        detrend: Detrending = "none",
    ) -> Steps[ServicePreview]:
        """Ask for a light curve, the median frame, and where the light varies, around a position of one cube.

        Parameters
        ----------
        cube : str
            Name of the cube, such as ``tess-s0001-4-2``; `targets` finds those that see a position.
        target : (ra, dec), SkyCoord or str
            Position in degrees, or name. It is in the centre pixel.
        size : int or (int, int), optional
            Pixels, at most 100: one value for both axes, or (rows, columns).
        background : bool, 'median', 'rows' or 'components', optional
            Background that is subtracted from every cadence, see `TargetPixels.to_lightcurve`. True is the median of
            the pixels outside the aperture.
        points : int, optional
            Largest number of points of the light curve, 10 to 100,000. Adjacent cadences are averaged.
        aperture : array of bool, shape (n_rows, n_columns), or str, optional
            Pixels whose sum is the light curve, as an array or as the service writes them, in hexadecimal digits. By
            default, the pixels of the star.
        detrend : {'none', 'pld', 'cbv'}, optional
            What takes away what comes from the instrument, see `TargetPixels.to_lightcurve`.

        Returns
        -------
        ServicePreview
            The preview, as arrays.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        ServiceError
            When the service cannot answer.
        """
        given = {"background": background, "points": points, "aperture": aperture, "detrend": detrend}
        query = yield from self._query(cube, target, size, **given)
        return (yield from ask(self.service.get("/v1/preview", **query), self.service, ServicePreview.read))

    def preview_csv(
        self,
        cube: str,
        target: TargetInput,
        size: Size = 15,
        *,
        background: bool | BackgroundModel = True,
        points: int | None = None,
        aperture: Any = None,
        detrend: Detrending = "none",
    ) -> Steps[str]:
        """Ask for the light curve of a preview as CSV: time, flux, flux_err, quality, and trend if detrended.

        Parameters
        ----------
        cube, target, size, background, aperture, detrend
            See `preview`.
        points : int, optional
            Largest number of rows; all cadences by default.

        Returns
        -------
        str
            The table.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        ServiceError
            When the service cannot answer.
        """
        given = {"background": background, "points": points, "aperture": aperture, "detrend": detrend}
        query = yield from self._query(cube, target, size, **given)
        content = yield from self._content("/v1/preview.csv", "text/csv", query)
        return content.decode("utf-8", "replace")

    def preview_png(
        self,
        cube: str,
        target: TargetInput,
        size: Size = 15,
        *,
        image: PreviewImage = "median",
        stretch: PreviewStretch = "asinh",
        scale: int = 8,
        aperture: Any = None,
    ) -> Steps[bytes]:
        """Ask for a frame of a preview as a grey picture.

        Parameters
        ----------
        cube, target, size, aperture
            See `preview`.
        image : {'median', 'difference'}, optional
            Frame.
        stretch : {'asinh', 'linear', 'log', 'sqrt'}, optional
            Stretch between the percentiles 0.5 and 99.5.
        scale : int, optional
            Side of a pixel of the frame in the picture, 1 to 40.

        Returns
        -------
        bytes
            The PNG, with the first row at the bottom.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        ServiceError
            When the service cannot answer.
        """
        query = yield from self._query(cube, target, size, aperture=aperture)
        query["image"] = check_choice("image", image, get_args(PreviewImage))
        query["stretch"] = check_choice("stretch", stretch, get_args(PreviewStretch))
        query["scale"] = check_integer("scale", scale, 1, 40)
        return (yield from self._content("/v1/preview.png", "image/png", query))

    def preview_frames(self, cube: str, target: TargetInput, size: Size = 15) -> Steps[ServiceFrames]:
        """Ask for all pixels around a position of one cube, cadence by cadence.

        Parameters
        ----------
        cube, target, size
            See `preview`.

        Returns
        -------
        ServiceFrames
            Times, flags and pixels of all cadences.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        ServiceError
            When the service cannot answer.
        """
        query = yield from self._query(cube, target, size)
        sides = query["size"]
        shape = (sides, sides) if isinstance(sides, int) else (sides[0], sides[1])
        pieces: list[NDArray[Any]] = []
        while True:
            request = self.service.get("/v1/preview.npy", **query, first=sum(map(len, pieces)))
            with (yield from exchange(request, self.service)) as answer:
                check_kind(answer, self.service, ["application/octet-stream"], "a NumPy file")
                pieces.append(read_records(answer, shape))
                if 'rel="next"' not in answer.headers.get("link", ""):
                    return ServiceFrames.join(cube, pieces)

    def _query(
        self,
        cube: object,
        target: TargetInput,
        size: Size,
        *,
        background: object = True,
        points: int | None = None,
        aperture: Any = None,
        detrend: object = "none",
    ) -> Steps[dict[str, Any]]:
        query: dict[str, Any] = {"cube": check_cube(cube)}
        pair = read_sides(size)
        query["size"] = pair[0] if pair[0] == pair[1] else list(pair)
        model = check_background(background)
        if model != "median":
            query["background"] = model or False
        if check_detrend(detrend) != "none":
            query["detrend"] = detrend
        if points is not None:
            query["points"] = check_integer("points", points, 10, 100_000)
        if aperture is not None:
            query["aperture"] = aperture_digits(aperture, pair)
        place = yield from settle_position(target, self.service)
        return query | {"ra": place.ra, "dec": place.dec}

    def _content(self, path: str, kind: str, query: dict[str, Any]) -> Steps[bytes]:
        with (yield from exchange(self.service.get(path, **query), self.service)) as answer:
            check_kind(answer, self.service, [kind], kind)
            return answer.read()


def read_sides(size: Size) -> tuple[int, int]:
    """Rows and columns of the window of a preview, or raise `InvalidInputError`."""
    sides = read_size(size)
    pair = [sides] * 2 if isinstance(sides, int) else sides
    if isinstance(pair, dict) or max(pair) > LARGEST_SIDE:
        raise InvalidInputError("size", size, _SIZE)
    return pair[0], pair[1]


def aperture_digits(aperture: Any, shape: tuple[int, int]) -> str:
    """Hexadecimal digits of an aperture: one bit per pixel, row by row, the first pixel highest, filled with zeros."""
    n_digits = -(-shape[0] * shape[1] // 4)
    if isinstance(aperture, str):
        if len(aperture) != n_digits or not set(aperture.lower()) <= set("0123456789abcdef"):
            raise InvalidInputError("aperture", aperture, f"{n_digits} hexadecimal digits, or an array")
        return aperture.lower()
    array = np.asarray(aperture)
    if array.dtype != np.bool_ or array.shape != shape:
        raise InvalidInputError("aperture", aperture, f"{_APERTURE}, {shape[0]} x {shape[1]}")
    return mask_digits(array)
