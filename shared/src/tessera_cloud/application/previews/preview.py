"""Previews: small summaries of a cutout of one cube, to look at before a download."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from tessera.errors import InvalidValueError, UnknownTrendError
from tessera.lightcurves.csv_text import TREND, format_csv
from tessera.lightcurves.photometry import parse_aperture
from tessera.lightcurves.previews.preview import PROVENANCE, build_preview, preview_record
from tessera.lightcurves.previews.recipe import PreviewRecipe
from tessera_cloud import keys
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.cutouts.planned import published_origin
from tessera_cloud.application.lightcurves.vectors import find_vectors, no_vectors
from tessera_cloud.application.previews.windows import WindowRequest, place_on, read_window
from tessera_cloud.application.results import order_id
from tessera_cloud.application.sidecar import known_cube
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError, UsageError

PICTURES = ("median", "difference")
_CONTENT = "preview with record of vectors"
"""What kept previews contain; another text when that changes, so that old ones are not used."""


class PreviewRequest(WindowRequest):
    """A window around a position on one cube, and options of its preview; see `WindowRequest`.

    Parameters
    ----------
    background : str
        Model of the background that is subtracted from the light curve and the difference frame, see
        `tessera.lightcurves.background.find_background`; ``none`` for no background.
    points : int
        Largest number of points of the light curve.
    aperture : str
        Aperture as `tessera.lightcurves.photometry.parse_aperture` reads it; empty for the pixels above a threshold.
    detrend : str
        What takes the trend from the light curve, see `tessera.lightcurves.detrending.detrend`; ``none`` for nothing.
    """

    background: str = "median"
    points: int = 2000
    aperture: str = ""
    detrend: str = "none"

    def id_of(self, published: PublishedCube) -> str:
        """Hash of the request, the version of its cube, and what previews contain."""
        return order_id(_CONTENT, super().id_of(published))

    @property
    def query(self) -> str:
        """The request as a query string."""
        given: dict[str, Any] = {"cube": self.cube, "ra": self.ra, "dec": self.dec}
        given |= {"size": f"{self.rows},{self.columns}", "background": self.background}
        given |= {"points": self.points} | ({"aperture": self.aperture} if self.aperture else {})
        given |= {"detrend": self.detrend} if self.detrend != "none" else {}
        return urlencode(given, safe=",")


def _check_aperture(request: PreviewRequest) -> None:
    if not request.aperture:
        return
    try:
        parse_aperture(request.aperture, request.rows, request.columns)
    except InvalidValueError as error:
        allowed = str(error).partition("; allowed: ")[2]
        raise UsageError.about("aperture", request.aperture, allowed) from error


def make_preview(request: PreviewRequest, published: PublishedCube, backend: HasCubes) -> dict[str, Any]:
    """Read a window and build its preview.

    Raises
    ------
    NotFoundError
        If the window is not on the cube.
    TooLargeError
        If the window is too large for a preview.
    UsageError
        If the aperture is none of the window, or the light curve cannot be detrended.
    """
    cube = known_cube(published, backend)
    (row, column), window = place_on(request, cube)
    _check_aperture(request)
    vectors = find_vectors(published, backend) if request.detrend == "cbv" else None
    if request.detrend == "cbv" and vectors is None:
        raise UsageError.about("detrend", "cbv", no_vectors(published, backend))
    options = {name: getattr(request, name) for name in ("background", "points", "aperture", "detrend")}
    recipe = PreviewRecipe(
        request.cube, window, float(row), float(column), **options, vectors=None if vectors is None else vectors.origin
    )
    try:
        preview = build_preview(recipe, cube, read_window(published, cube, window, backend), vectors)
    except UnknownTrendError as error:
        raise UsageError.about("detrend", request.detrend, error.allowed) from error
    record = preview_record(recipe, published_origin(published, cube), preview)
    picture = f"/v1/preview.png?{request.query}&image="
    return {
        **preview,
        "pictures": {name: picture + name for name in PICTURES},
        PROVENANCE: record.named,
    }


def find_preview(request: PreviewRequest, published: PublishedCube, backend: HasCubes) -> tuple[bytes, bool]:
    """Preview as JSON, and whether it was found. Previews are kept for a day. Raises the errors of `make_preview`."""
    store, bucket = backend.store, backend.settings.result_bucket
    key = keys.preview(request.id_of(published))
    try:
        return store.read(bucket, key)[0], True
    except ObjectMissingError:
        pass
    document = json.dumps(make_preview(request, published, backend), separators=(",", ":"), allow_nan=False).encode()
    store.write(bucket, key, document)
    return document, False


def csv_of(preview: dict[str, Any]) -> str:
    """Light curve of a preview as CSV. Unknown values are empty."""
    curve = preview["lightcurve"]
    more = TREND if "trend" in curve else ()
    names = ("time", "flux", "error", "quality", *more)
    return format_csv(curve["time_system"], zip(*(curve[name] for name in names), strict=True), more)
