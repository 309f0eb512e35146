"""Results of a list of targets, compared with astrocut's pixels, lightkurve's light curves and the list itself."""

from __future__ import annotations

import csv
import hashlib
import io
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import astrocut
import numpy as np
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.cutouts.open_cube import open_cube
from tessera.lightcurves.photometry import parse_aperture
from tests.support.archives import file_names

Pair: TypeAlias = tuple[int, str]
"""Row of the list, from 1, and id of a cube."""
_DARK = "no pixel of the aperture is on the frame"
SAME_SECONDS = 0.3
"""Largest difference of times between targets of a cube: the position of the spacecraft is not known better."""
_UNSURE = 0.01
"""Pixels from the place where the window changes, in which astropy and the plan may differ."""
_NEAR = 20
"""Degrees from the middle of a frame within which targets may be on it. A frame is 12 degrees wide."""
_WIDER = 4
"""Pixels that the peer's window is larger: it puts a target up to one pixel beside the middle."""


@dataclass(frozen=True)
class Window:
    """First pixel and size of a window on a frame; rows and columns are counted from 0."""

    first_row: int
    first_column: int
    n_rows: int
    n_columns: int


@dataclass(frozen=True)
class Results:
    """The folder of the products of a list."""

    folder: Path

    def statuses(self) -> list[dict[str, str]]:
        """Rows of ``status.csv``."""
        with (self.folder / "status.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def member(self, status: Mapping[str, str]) -> bytes:
        """The file that a row of the status table names, whose checksum must be right."""
        if status["member"]:
            with zipfile.ZipFile(self.folder / status["file"]) as archive:
                content = archive.read(status["member"])
        else:
            content = (self.folder / status["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == status["sha256"], status
        return content

    def members(self) -> Counter[str]:
        """How often each name of a file is in the archives."""
        names: Counter[str] = Counter()
        for path in self.folder.glob("files/*.zip"):
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None, path
                names.update(file_names(archive))
        return names

    def curves(self) -> dict[Pair, dict[str, Any]]:
        """Rows of the catalogue of light curves; none may be there twice."""
        from arro3.io import read_parquet  # noqa: PLC0415 - of the extra `parquet`

        found: dict[Pair, dict[str, Any]] = {}
        for path in sorted(self.folder.glob("**/Npix=*/**/*.parquet")):
            table = read_parquet(str(path)).read_all()
            columns = {name: table[name].to_pylist() for name in table.column_names}
            for values in zip(*columns.values(), strict=True):
                row = dict(zip(columns, values, strict=True))
                pair = (int(row["row"]), str(row["cube"]))
                assert pair not in found, f"{pair} is in the catalogue twice"
                found[pair] = row
        return found


def frames_of(cubes: Mapping[str, Path]) -> dict[str, tuple[WCS, int, int]]:
    """WCS, number of rows and number of columns of the frames of each cube."""
    found = {}
    for name, path in cubes.items():
        with open_cube(path) as file:
            found[name] = file.cube.wcs, file.cube.layout.n_rows, file.cube.layout.n_columns
    return found


def expected_pairs(
    places: Mapping[int, tuple[float, float]], frames: Mapping[str, tuple[WCS, int, int]], size: tuple[int, int]
) -> tuple[set[Pair], set[Pair]]:
    """Which rows of a list are on which cubes, by astropy alone.

    Parameters
    ----------
    places : mapping
        RA and Dec in degrees by row of the list.
    frames : mapping
        WCS, number of rows and number of columns of the frames of each cube.
    size : (int, int)
        Rows and columns of the windows; odd.

    Returns
    -------
    (set, set)
        Pairs that have a window with at least one pixel of the frame, and pairs that are too close to call.
    """
    rows, sky = list(places), np.array(list(places.values()))
    sure, unsure = set[Pair](), set[Pair]()
    for cube, (wcs, n_rows, n_columns) in frames.items():
        ahead = SkyCoord(*wcs.all_pix2world([[n_columns / 2, n_rows / 2]], 0)[0], unit="deg")
        near = ahead.separation(SkyCoord(*sky.T, unit="deg")).deg < _NEAR
        pixels = np.full((len(rows), 2), np.nan)
        pixels[near] = wcs.all_world2pix(sky[near], 0, quiet=True)
        beyond = [np.maximum(-0.5 - p, p - (n - 0.5)) for p, n in zip(pixels.T, (n_columns, n_rows), strict=True)]
        reach = np.maximum(beyond[0] - size[1] // 2, beyond[1] - size[0] // 2)
        sure |= {(rows[i], cube) for i in np.flatnonzero(reach < -_UNSURE)}
        unsure |= {(rows[i], cube) for i in np.flatnonzero(np.abs(reach) <= _UNSURE)}
    return sure, unsure


def check_nothing_missing_and_nothing_twice(
    statuses: Sequence[Mapping[str, str]], n_rows: int, expected: set[Pair], unsure: set[Pair], products: Iterable[str]
) -> Counter[str]:
    """Each row of the list is in the table, each row on a cube once for each product; the number of rows by status.

    A window at the edge may have no pixel of the aperture. Such a row has no light curve, and says so.
    """
    assert {int(status["row"]) for status in statuses} == set(range(1, n_rows + 1))
    lines = Counter((int(status["row"]), status["cube"], status["product"]) for status in statuses)
    assert [line for line, times in lines.items() if times > 1] == []
    dark = {(int(status["row"]), status["cube"]) for status in statuses if status["reason"] == _DARK}
    good = [status for status in statuses if status["status"] == "ok"]
    for product in products:
        found = {(int(status["row"]), status["cube"]) for status in good if status["product"] == product}
        told = {pair for pair in dark if product != "tpf"}
        assert (expected - found - told, found & told, found - expected - unsure) == (set(), set(), set()), product
    return Counter(status["status"] for status in statuses)


def window_of(table: fits.BinTableHDU, n_rows: int, n_columns: int) -> Window:
    """Window of a target pixel file; its WCS keywords say which pixel of the frame is its first."""
    place = table.columns.names.index("FLUX") + 1
    column, row = (int(table.header[f"{axis}CRV{place}P"]) for axis in (1, 2))
    return Window(row - 1, column - 1, n_rows, n_columns)


def peer_pixels(cube: Path, place: tuple[float, float], window: Window) -> dict[str, NDArray[np.float32]]:
    """Pixels of a window as astrocut cuts them: FLUX and FLUX_ERR."""
    size = (window.n_rows + _WIDER, window.n_columns + _WIDER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = astrocut.TessCubeCutout(str(cube), SkyCoord(*place, unit="deg"), size)
        (left, _), (bottom, _) = made.cutouts[0].cutout_lims
        table = made.tpf_cutouts[0]["PIXELS"].data
    at = (
        slice(None),
        slice(window.first_row - bottom, window.first_row - bottom + window.n_rows),
        slice(window.first_column - left, window.first_column - left + window.n_columns),
    )
    found = {name: np.asarray(table[name])[at] for name in ("FLUX", "FLUX_ERR")}
    assert found["FLUX"].shape[1:] == (window.n_rows, window.n_columns)
    return found


def check_pixels(content: bytes, cube: Path, place: tuple[float, float]) -> None:
    """The pixels of a target pixel file are astrocut's, bit by bit."""
    with fits.open(io.BytesIO(content), checksum=True) as hdus:
        table = hdus["PIXELS"]
        data = {name: np.asarray(table.data[name]) for name in ("FLUX", "FLUX_ERR")}
        window = window_of(table, *data["FLUX"].shape[1:])
    for name, theirs in peer_pixels(cube, place, window).items():
        assert data[name].shape == theirs.shape
        assert data[name].astype(">f4").tobytes() == theirs.astype(">f4").tobytes(), name


def _at_barycentre(days: NDArray[np.float64], place: SkyCoord) -> NDArray[np.float64]:
    """Times at the barycentre, BTJD, of times at the middle of the Earth."""
    earth = EarthLocation.from_geocentric(0, 0, 0, unit="m")
    light = Time(days + 2457000, format="jd", scale="tdb", location=earth).light_travel_time(place, ephemeris="builtin")
    return np.asarray(days + light.to_value("day"), float)


def check_curve(content: bytes, curve: Mapping[str, Any], path: Path) -> float:
    """A row of the catalogue is the light curve that lightkurve makes of the target pixel file, to 1e-6.

    Its times are those for the target; the file has those for the middle of the CCD. Returns how many seconds they are
    later than astropy's for the middle of the Earth, which is the same for all targets of a cube.
    """
    import lightkurve  # noqa: PLC0415 - takes seconds

    path.write_bytes(content)
    shape = int(curve["n_rows"]), int(curve["n_columns"])
    mask = parse_aperture(str(curve["aperture"]), *shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lightkurve.TessTargetPixelFile(str(path), quality_bitmask="none").to_lightcurve(aperture_mask=mask)
        sums, errors, times = theirs.flux.value, theirs.flux_err.value, theirs.time.value
    known = np.isfinite(np.asarray(curve["time"], float))
    ours = {name: np.asarray(curve[name], float)[known] for name in ("time", "flux", "flux_err")}
    background = np.nan_to_num(np.asarray(curve.get("background", np.zeros(len(known))), float)[known])
    np.testing.assert_allclose(ours["flux"] + background, sums, rtol=1e-6)
    np.testing.assert_allclose(ours["flux_err"], errors, rtol=1e-6)
    with fits.open(path) as hdus:
        correction = np.asarray(hdus["PIXELS"].data["TIMECORR"], float)[known]
    place = SkyCoord(float(curve["ra"]), float(curve["dec"]), unit="deg")
    late = 86_400 * (ours["time"] - _at_barycentre(times - correction, place))
    assert np.ptp(late) < SAME_SECONDS
    return float(np.median(late))
