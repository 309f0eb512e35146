"""Apertures and light curves of a real cutout are those of lightkurve."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from tessera.lightcurves.photometry import PixelSeries, median_frame, sum_aperture, threshold_aperture
from tests.support.paths import TPF_6X6

pytestmark = pytest.mark.slow


@pytest.mark.filterwarnings("ignore")  # lightkurve's
@pytest.mark.xdist_group("lightkurve")
def test_lightkurve_finds_the_same_aperture_and_the_same_light_curve() -> None:
    import lightkurve  # noqa: PLC0415

    peer = lightkurve.TessTargetPixelFile(str(TPF_6X6), quality_bitmask="none")
    data = fits.getdata(TPF_6X6, 1)
    flux, error = (np.moveaxis(np.asarray(data[name], np.float32), 0, -1) for name in ("FLUX", "FLUX_ERR"))
    series = PixelSeries(flux, error, np.ones((6, 6), np.bool_))
    aperture = threshold_aperture(median_frame(series, np.zeros(len(data), int)), 3, 3)
    expected = peer.create_threshold_mask(3, reference_pixel="center")
    assert aperture.sum() == 11
    np.testing.assert_array_equal(aperture, expected)
    theirs = peer.to_lightcurve(aperture_mask=expected)
    ours = sum_aperture(series, aperture, np.asarray(data["TIME"]), np.asarray(data["QUALITY"]))
    finite = np.isfinite(theirs.time.value)
    np.testing.assert_allclose(ours.flux[finite], theirs.flux.value[finite], rtol=1e-6)
    np.testing.assert_allclose(ours.error[finite], theirs.flux_err.value[finite], rtol=1e-6)
