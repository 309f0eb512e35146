"""What a user sees: lightkurve's threshold aperture on a small cutout shows the three stars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.io import fits
from astropy.timeseries import LombScargle
from numpy.typing import NDArray

from tessera import TargetPixels
from tessera_local.demo import demonstration

if TYPE_CHECKING:
    from tests.demo.conftest import Series

pytestmark = pytest.mark.filterwarnings("ignore")
PULSATOR, BINARY, PLANET = range(3)


@dataclass(frozen=True, slots=True)
class Curve:
    time: NDArray[np.float64]
    flux: NDArray[np.float64]
    error: NDArray[np.float64]


def as_tpf(series: Series, star: int) -> fits.HDUList:
    flux, error = series.flux[:, star], series.error[:, star]
    rows, columns = flux.shape[1:]
    pixel_format, dim = f"{rows * columns}E", f"({columns},{rows})"
    zeros = np.zeros_like(flux)
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("TIME", "D", array=series.time),
            fits.Column("TIMECORR", "E", array=np.zeros(len(series.time))),
            fits.Column("CADENCENO", "J", array=np.arange(len(series.time))),
            *(
                fits.Column(name, pixel_format, dim=dim, array=array, unit="e-/s")
                for name, array in (("FLUX", flux), ("FLUX_ERR", error), ("FLUX_BKG", zeros), ("FLUX_BKG_ERR", zeros))
            ),
            fits.Column("QUALITY", "J", array=series.quality),
        ],
        name="PIXELS",
    )
    primary = fits.PrimaryHDU()
    primary.header["TELESCOP"] = "TESS"
    primary.header["OBJECT"] = demonstration.EXAMPLES[star].name
    aperture = fits.ImageHDU(np.ones((rows, columns), dtype=np.int32), name="APERTURE")
    return fits.HDUList([primary, table, aperture])


def light_curve(series: Series, star: int) -> Curve:
    lightkurve = pytest.importorskip("lightkurve")
    tpf = lightkurve.TessTargetPixelFile(as_tpf(series, star))
    mask = tpf.create_threshold_mask(threshold=3)
    sky_level = np.nanmedian(tpf.flux.value[:, ~mask], axis=1)
    curve = tpf.to_lightcurve(aperture_mask=mask)
    flux = curve.flux.value - sky_level * mask.sum()
    level = np.median(flux)
    return Curve(np.array(curve.time.value), flux / level, curve.flux_err.value / level)


def depth_in_sigmas(curve: Curve, inside: NDArray[np.bool_], outside: NDArray[np.bool_]) -> tuple[float, float]:
    depth = 1 - np.median(curve.flux[inside]) / np.median(curve.flux[outside])
    scatter = max(np.std(curve.flux[outside]), np.median(curve.error))
    return float(depth), float(depth / scatter)


def phase(curve: Curve, period: float) -> NDArray[np.float64]:
    cycles = (curve.time - demonstration.REFERENCE_TIME) / period
    return np.asarray(cycles - np.round(cycles))


def test_the_period_of_the_pulsating_star_is_recovered(series: Series) -> None:
    curve = light_curve(series, PULSATOR)
    frequencies = np.linspace(2, 10, 2000)
    power = LombScargle(curve.time, curve.flux, curve.error).power(frequencies)
    assert 1 / frequencies[np.argmax(power)] == pytest.approx(0.2, rel=0.03)
    assert np.ptp(curve.flux) > 0.5


def test_both_eclipses_of_the_binary_stand_out(series: Series) -> None:
    curve = light_curve(series, BINARY)
    phases = np.abs(phase(curve, demonstration.EXAMPLES[BINARY].period_days))
    outside = (phases > 0.17) & (phases < 0.33)
    primary, primary_sigmas = depth_in_sigmas(curve, phases < 0.03, outside)
    secondary, secondary_sigmas = depth_in_sigmas(curve, phases > 0.45, outside)
    assert primary == pytest.approx(0.4, abs=0.05)
    assert secondary == pytest.approx(0.2, abs=0.05)
    assert primary_sigmas > 8
    assert secondary_sigmas > 8


@pytest.mark.parametrize(("star", "terms"), [(PULSATOR, 2), (BINARY, 4)])
def test_the_light_curve_of_the_library_gives_the_period(series: Series, star: int, terms: int) -> None:
    pixels = TargetPixels(series.flux[:, star], series.error[:, star], series.time, series.quality, "BTJD")
    curve = pixels.to_lightcurve()
    frequencies = np.linspace(2, 8, 3001)
    power = LombScargle(curve.time, curve.flux, curve.flux_err, nterms=terms).power(frequencies)
    assert 1 / frequencies[np.argmax(power)] == pytest.approx(demonstration.EXAMPLES[star].period_days, rel=0.005)


def test_the_transit_of_the_planet_stands_out(series: Series) -> None:
    curve = light_curve(series, PLANET)
    hours = 24 * np.abs(curve.time - demonstration.REFERENCE_TIME)
    depth, sigmas = depth_in_sigmas(curve, hours < 0.9, hours > 1.6)
    assert depth == pytest.approx(0.015, abs=0.001)
    assert sigmas > 8


def test_flagged_frames_are_left_out_by_the_reader(series: Series) -> None:
    curve = light_curve(series, PLANET)
    assert len(curve.time) < demonstration.N_FRAMES
    assert len(curve.time) >= demonstration.N_FRAMES - len(demonstration.DQUALITY)
