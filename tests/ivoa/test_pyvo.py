"""pyvo, unmodified, finds what we have and cuts it; astropy and the pixels that we made say whether it is right."""

from __future__ import annotations

import contextlib
import gc
import http.server
import io
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import astropy.units as u
import numpy as np
import pytest
import requests
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS
from pyvo.dal import DALRateLimitError, DALServiceError, SIA2Service
from pyvo.dal.adhoc import DatalinkResults
from pyvo.dal.tap import AsyncTAPJob

from tessera_local.stack import Stack
from tests.ivoa.clauses.site import Site
from tests.ivoa.conftest import N_SMALL, SMALL, SMALL_SHAPE
from tests.support.frames import centred_wcs, tiny_flux, tiny_times
from tests.support.paths import DATA

pytestmark = [
    pytest.mark.stack,
    pytest.mark.xdist_group("service"),
    pytest.mark.filterwarnings(
        "ignore"
    ),  # pyvo's and astropy's, about themselves and about elements that pyvo knows not
]

WCS_SMALL = WCS(centred_wcs(SMALL_SHAPE, SMALL.sector, SMALL.camera, SMALL.ccd))
RADIUS = 0.03
DID = f"ivo://tessera/cubes?tess-{SMALL}"


@pytest.fixture(scope="module", autouse=True)
def _close_what_pyvo_leaves_open() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def service(site: Site) -> SIA2Service:
    return SIA2Service(site.query)


@pytest.fixture(scope="module")
def place() -> SkyCoord:
    """The middle of the small frames."""
    ra, dec = WCS_SMALL.all_pix2world([[25.0, 30.0]], 0)[0]
    return SkyCoord(ra, dec, unit="deg")


@pytest.fixture(scope="module")
def row(service: SIA2Service) -> Any:
    """The cube of the small frames."""
    return next(each for each in service.search() if each.obs_publisher_did == DID)


def circle(place: SkyCoord, radius: float = RADIUS) -> u.Quantity:
    return [place.ra.deg, place.dec.deg, radius] * u.deg


def check_cutout(data: bytes, place: SkyCoord, radius: float = RADIUS, cadences: range = range(N_SMALL)) -> None:
    """The file has the true pixels of a window around the circle, and marks those inside."""
    with fits.open(io.BytesIO(data)) as hdus:
        flux, aperture, wcs = hdus[1].data["FLUX"], hdus[2].data, WCS(hdus[2].header)
    assert len(flux) == len(cadences)
    first = int(flux[0][np.isfinite(flux[0])][0]) - 1 - SMALL_SHAPE[0] * SMALL_SHAPE[1] * cadences[0]
    rows, columns = flux.shape[1:]
    top, left = divmod(first, SMALL_SHAPE[1])
    for cadence, image in zip(cadences, flux, strict=True):
        np.testing.assert_array_equal(image, tiny_flux(cadence, SMALL_SHAPE)[top : top + rows, left : left + columns])
    grid = np.indices((rows, columns))
    away = wcs.pixel_to_world(grid[1], grid[0]).separation(place).deg
    true_places = WCS_SMALL.pixel_to_world(grid[1] + left, grid[0] + top)
    assert wcs.pixel_to_world(grid[1], grid[0]).separation(true_places).arcsec.max() < 5
    pixel = 21 / 3600
    inside, marked = away < radius - pixel, (aperture & 2) > 0
    assert marked[inside].all()
    assert not marked[away > radius + pixel].any()
    assert not inside[[0, -1]].any() or rows == SMALL_SHAPE[0]


def test_the_service_is_available_and_tells_its_capabilities(service: SIA2Service) -> None:
    assert service.available is True
    standards = {each.standardid for each in service.capabilities}
    assert "ivo://ivoa.net/std/SIA#query-2.0" in standards
    assert "ivo://ivoa.net/std/VOSI#availability" in standards


@pytest.mark.parametrize(
    ("constraint", "found"),
    [
        ({"instrument": "Photometer"}, {"tess-s0001-4-2", "tess-s0002-1-1"}),
        ({"collection": "TESS"}, {"tess-s0001-4-2", "tess-s0002-1-1"}),
        ({"facility": "TESS", "data_type": "cube"}, {"tess-s0001-4-2", "tess-s0002-1-1"}),
        ({"data_type": "cube", "calib_level": 2}, {"tess-s0001-4-2", "tess-s0002-1-1"}),
        ({"calib_level": 3}, set()),
        ({"band": (700e-9, 800e-9), "data_type": "cube"}, {"tess-s0001-4-2", "tess-s0002-1-1"}),
        ({"band": (2e-6, 3e-6), "data_type": "cube"}, set()),
        ({"band": (8e-7, 8e-7), "data_type": "cube"}, {"tess-s0001-4-2", "tess-s0002-1-1"}),
        ({"publisher_did": DID.upper()}, {"tess-s0002-1-1"}),
        ({"pol": "V"}, set()),
        ({"target_name": "nothing"}, set()),
    ],
)
def test_a_constraint_finds_what_it_should(service: SIA2Service, constraint: dict[str, Any], found: set[str]) -> None:
    assert {each.obs_publisher_did.rpartition("?")[2] for each in service.search(**constraint)} == found


def test_a_search_around_a_place_finds_the_cube_that_sees_it(service: SIA2Service, place: SkyCoord) -> None:
    ra, dec = float(place.ra.deg), float(place.dec.deg)
    triangle = (ra, dec + 0.05, ra - 0.05, dec - 0.05, ra + 0.05, dec - 0.05)
    for pos in ((ra, dec, 0.01), (place, 0.01 * u.deg), (ra - 0.1, ra + 0.1, dec - 0.1, dec + 0.1), triangle):
        assert [each.obs_publisher_did for each in service.search(pos=pos)] == [DID]
    opposite = place.directional_offset_by(0 * u.deg, 180 * u.deg)
    assert len(service.search(pos=(opposite, 0.1 * u.deg))) == 0


def test_a_search_by_time_finds_cubes_of_this_time(service: SIA2Service, row: Any) -> None:
    begin = Time(2457000 + tiny_times(0)[0], format="jd", scale="tdb").utc
    end = Time(2457000 + tiny_times(N_SMALL - 1)[1], format="jd", scale="tdb").utc
    assert abs(row.t_min - begin).to_value("s") < 600
    assert abs(row.t_max - end).to_value("s") < 600
    found = {each.obs_publisher_did for each in service.search(time=(begin - 1 * u.day, begin + 10 * u.min))}
    assert DID in found
    assert len(service.search(time=(begin - 2 * u.day, begin - 1 * u.day))) == 0


def test_maxrec_limits_a_search(service: SIA2Service) -> None:
    assert len(service.search(data_type="cube", maxrec=1)) == 1


def test_a_row_has_the_values_of_the_frames(row: Any, place: SkyCoord) -> None:
    corners = WCS_SMALL.pixel_to_world([-0.5, 49.5], [-0.5, 59.5])
    assert SkyCoord(row.s_ra, row.s_dec).separation(place).deg < 0.05
    assert 0.5 < row.s_fov.to_value("deg") / corners[0].separation(corners[1]).deg < 1.5
    assert row.t_xel == N_SMALL
    assert (row.em_min.to_value("m"), row.em_max.to_value("m")) == (6e-7, 1e-6)
    assert row.o_ucd == "phot.count"


def test_links_of_all_rows_are_iterated(service: SIA2Service) -> None:
    results = service.search()
    links = list(results.iter_datalinks())
    assert len(links) == len(results)
    for each in links:
        assert len(list(each.bysemantics("#this", include_narrower=False))) == 1
        assert list(each.bysemantics("#cutout", include_narrower=False))


def test_the_link_to_the_cube_gives_the_cube(row: Any) -> None:
    links = DatalinkResults.from_result_url(row.access_url)
    (this,) = links.bysemantics("#this", include_narrower=False)
    data = this.getdataset().read()
    assert len(data) == this.content_length
    with fits.open(io.BytesIO(data)) as hdus:
        assert hdus[1].data.shape == (*SMALL_SHAPE, N_SMALL, 2)
        np.testing.assert_array_equal(hdus[1].data[:, :, 3, 0], tiny_flux(3, SMALL_SHAPE))


def test_a_row_is_processed_to_a_cutout(row: Any, place: SkyCoord) -> None:
    check_cutout(row.processed(circle=circle(place)).read(), place)


def test_the_first_process_of_the_links_makes_a_cutout(row: Any, place: SkyCoord) -> None:
    links = DatalinkResults.from_result_url(row.access_url)
    check_cutout(links.get_first_proc().process(circle=circle(place)).read(), place)


def test_a_polygon_and_a_range_are_cut(row: Any, place: SkyCoord) -> None:
    corners = [place.directional_offset_by(angle * u.deg, 0.04 * u.deg) for angle in (0, 120, 240)]
    polygon = [value for corner in corners for value in (corner.ra.deg, corner.dec.deg)] * u.deg
    dec = np.cos(place.dec.rad)
    box = [place.ra.deg - 0.02 / dec, place.ra.deg + 0.02 / dec, place.dec.deg - 0.02, place.dec.deg + 0.02] * u.deg
    for shape in ({"polygon": polygon}, {"range": box}):
        with fits.open(io.BytesIO(row.processed(**shape).read())) as hdus:
            flux, aperture, wcs = hdus[1].data["FLUX"], hdus[2].data, WCS(hdus[2].header)
        assert np.isfinite(flux).all()
        rows, columns = np.nonzero(aperture & 2)
        away = wcs.pixel_to_world(columns, rows).separation(place).deg
        assert away.min() < 0.01
        assert away.max() < 0.05


def test_a_time_is_cut(row: Any, place: SkyCoord) -> None:
    begin = Time(2457000 + tiny_times(2)[0], format="jd", scale="tdb").utc.mjd
    end = Time(2457000 + tiny_times(3)[1], format="jd", scale="tdb").utc.mjd
    data = row.processed(circle=circle(place), time=(begin + 0.005, end - 0.005)).read()
    with fits.open(io.BytesIO(data)) as hdus:
        assert set(hdus[1].data["CADENCENO"]) <= set(range(10**6))
        assert len(hdus[1].data) in (2, 3, 4)


def test_an_image_is_cut(service: SIA2Service) -> None:
    row = next(each for each in service.search(collection="sdss") if "sdss_g" in each.obs_publisher_did)
    place = SkyCoord(row.s_ra, row.s_dec)
    with fits.open(io.BytesIO(row.processed(circle=circle(place, 0.01)).read())) as hdus:
        cut = next(hdu for hdu in hdus if hdu.data is not None)
        data, header = cut.data, cut.header
    with fits.open(DATA / "fits_images/reprojected_sdss_g.fits.bz2") as hdus:
        whole, original = hdus[0].data, hdus[0].header
    left, bottom = (round(original[name] - header[name]) for name in ("CRPIX1", "CRPIX2"))
    np.testing.assert_array_equal(data, whole[bottom : bottom + data.shape[0], left : left + data.shape[1]])
    middle = WCS(header).world_to_pixel(place)
    assert np.abs(np.array(middle) - (np.array(data.shape[::-1]) - 1) / 2).max() < 1.5


def test_a_job_is_run_to_its_file(site: Site, place: SkyCoord) -> None:
    made = requests.post(
        site.jobs,
        data={"ID": DID, "CIRCLE": f"{place.ra.deg} {place.dec.deg} {RADIUS}"},
        allow_redirects=False,
        timeout=60,
    )
    job = AsyncTAPJob(made.headers["Location"])
    assert job.phase == "PENDING"
    job.run().wait(timeout=60)
    assert job.phase == "COMPLETED"
    (url,) = job.result_uris
    check_cutout(requests.get(url, timeout=60).content, place)
    job.delete()
    assert requests.get(made.headers["Location"], timeout=60).status_code == 404


def test_what_cannot_be_cut_is_an_error_in_words(row: Any) -> None:
    with pytest.raises(DALServiceError, match=r"CIRCLE|circle|radius"):
        row.processed(circle=[10, 10, -1] * u.deg)


@contextlib.contextmanager
def too_many(seconds: str, body: bytes) -> Iterator[str]:
    """A server that refuses every request with 429."""

    class Refusal(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(429)
            self.send_header("Retry-After", seconds)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_is_too_much_is_understood_and_when_to_ask_again(stack: Stack) -> None:
    """The answer is the one that the template gives to API Gateway for requests beyond the limit."""
    rule = stack.template.gateway_responses["THROTTLED"]
    seconds = rule["ResponseParameters"]["Headers"]["Retry-After"].strip("'")
    body = rule["ResponseTemplates"]["application/json"].encode()
    with too_many(seconds, body) as url, pytest.raises(DALRateLimitError) as error:
        _ = SIA2Service(f"{url}/sia2/query").capabilities
    assert error.value.code == 429
    assert error.value.retry_after_seconds == int(seconds)
