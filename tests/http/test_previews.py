"""What a cutout shows before it is downloaded: numbers, CSV, pictures, and what is kept of them."""

from __future__ import annotations

import copy
import csv
import io
import math
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from PIL import Image

from tessera.sky.wcs import frame_wcs
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, RA, SHAPE, Answered, Api, sky, store_of_cubes
from tests.support.builds import SETTINGS
from tests.support.frames import CADENCE_DAYS, FIRST_TSTART, centred_wcs
from tests.support.previews import CUBE, FLAGGED, STAR, N, ask, frame_pixels, star_store, whole
from tests.support.tica import real_header


@pytest.fixture(scope="module")
def filled() -> MemoryStore:
    return star_store()


@pytest.fixture
def api(filled: MemoryStore) -> Api:
    return Api(MemoryStore(objects=copy.copy(filled.objects)))


def truth() -> Any:
    """Flux of the frames, (rows, columns, cadences)."""
    return np.stack([frame_pixels(cadence)[0] for cadence in range(N)], axis=-1)


# ---------------------------------------------------------------- numbers


def test_a_preview_is_of_the_window_of_the_cutout(api: Api) -> None:
    found = whole(api)
    assert found["window"] == {"first_row": 16, "first_column": 10, "rows": 9, "columns": 9, "science_pixels": 81}
    assert found["target"] == {"row": 20.3, "column": 14.2, "edge_distance_px": 14.7, "on_silicon": True}
    good = [cadence for cadence in range(N) if cadence not in FLAGGED]
    expected = np.median(truth()[16:25, 10:19][..., good], axis=-1)
    np.testing.assert_allclose(found["median"], expected, rtol=1e-6)
    low, high = found["limits"]["median"]
    assert (low, high) == pytest.approx(tuple(np.percentile(expected, [0.5, 99.5])), rel=1e-6)


@pytest.mark.parametrize(("size", "most"), [("9", 0.05), ("21,40", 0.2)])
def test_a_preview_says_where_its_pixels_are_on_the_sky(api: Api, size: str, most: float) -> None:
    found = whole(api, size=size)
    fitted, window = found["wcs"], found["window"]
    tangential = WCS(naxis=2)
    tangential.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    tangential.wcs.crval = fitted["ra"], fitted["dec"]
    tangential.wcs.crpix = fitted["column"] + 1, fitted["row"] + 1
    tangential.wcs.cd = fitted["matrix"]
    rows, columns = (axis.ravel() for axis in np.indices((window["rows"], window["columns"])))
    places = np.column_stack([columns + window["first_column"], rows + window["first_row"]])
    truth = SkyCoord(frame_wcs(dict(centred_wcs(SHAPE))).all_pix2world(places, 0), unit="deg")
    distances = truth.separation(SkyCoord(tangential.all_pix2world(places, 0), unit="deg")).arcsec
    assert distances.max() == pytest.approx(fitted["max_separation_arcsec"], rel=0.06, abs=1e-4)
    assert distances.max() < most


def test_a_light_curve_is_that_of_the_pixels_of_the_star(api: Api) -> None:
    found = whole(api)
    aperture = np.array(found["aperture"], bool)
    assert np.argwhere(aperture).tolist() == [[4, 4], [4, 5], [5, 4], [5, 5]]
    pixels = truth()[16:25, 10:19]
    expected = pixels[aperture].sum(axis=0) - 4 * np.median(pixels[~aperture], axis=0)
    curve = found["lightcurve"]
    np.testing.assert_allclose(curve["flux"], expected, rtol=2e-5)
    np.testing.assert_allclose(curve["error"], 5.0)
    np.testing.assert_allclose(curve["time"], FIRST_TSTART + (np.arange(N) + 0.5) * CADENCE_DAYS, atol=2e-7, rtol=0)
    assert curve["quality"] == [FLAGGED.get(cadence, 0) for cadence in range(N)]
    assert (curve["binned"], curve["cadences"], found["units"]) == (1, N, "e-/s")
    assert np.ptp(curve["flux"]) == pytest.approx(800, abs=20)


def test_a_difference_frame_shows_where_light_varies(api: Api) -> None:
    frame = np.array(whole(api)["difference"])
    assert (frame[4:6, 4:6] > 180).all()
    frame[4:6, 4:6] = 0
    assert np.abs(frame).max() < 5


def test_the_background_may_stay(api: Api) -> None:
    found = whole(api, background="false")
    assert found["background_subtracted"] is False
    expected = truth()[20:22, 14:16].sum(axis=(0, 1))
    np.testing.assert_allclose(found["lightcurve"]["flux"], expected, rtol=1e-6)


@pytest.mark.parametrize("model", ["rows", "components"])
def test_the_background_may_have_another_model(api: Api, model: str) -> None:
    found, usual = whole(api, background=model), whole(api)
    assert found["background_subtracted"] is True
    flux, expected = (np.array(each["lightcurve"]["flux"]) for each in (found, usual))
    assert 0 < np.abs(flux - expected).max() < 0.2 * np.median(expected)
    assert f"background={model}" in found["pictures"]["median"]


@pytest.mark.parametrize(("word", "name"), [("true", "median"), ("on", "median"), ("False", "none"), ("0", "none")])
def test_yes_and_no_are_models_of_the_background_too(api: Api, word: str, name: str) -> None:
    assert ask(api, background=word).content == ask(api, background=name).content


def test_an_aperture_may_be_given(api: Api) -> None:
    bits = ["0"] * 81
    bits[9 * 7 + 3] = "1"  # row 23, column 13 of the frame
    text = f"{int(''.join(bits).ljust(84, '0'), 2):021X}"
    found = whole(api, aperture=text, background="false")
    assert np.argwhere(np.array(found["aperture"])).tolist() == [[7, 3]]
    np.testing.assert_allclose(found["lightcurve"]["flux"], truth()[23, 13], rtol=1e-6)


def test_points_are_binned_and_flags_stay(api: Api) -> None:
    curve = whole(api, points=10)["lightcurve"]
    assert len(curve["time"]) <= 10
    assert curve["binned"] > 1
    assert sorted(filter(None, curve["quality"])) in ([32, 4096], [4128])


def test_beyond_the_edge_nothing_is_known_and_json_says_null(api: Api) -> None:
    ra, dec = sky(1.0, 28.0)
    found = whole(api, ra=ra, dec=dec)
    assert found["window"]["first_row"] == -3
    assert found["median"][0] == [None] * 9
    assert found["median"][8][8] is None
    assert found["target"]["edge_distance_px"] == 1.5
    assert all(math.isfinite(value) for value in found["lightcurve"]["flux"])


def test_a_single_pixel_has_no_background(api: Api) -> None:
    found = whole(api, size="1")
    assert found["background_subtracted"] is False
    np.testing.assert_allclose(found["lightcurve"]["flux"], truth()[STAR], rtol=1e-6)


def test_rows_and_columns_may_differ(api: Api) -> None:
    found = whole(api, size="3,7")
    assert np.shape(found["median"]) == np.shape(found["aperture"]) == (3, 7)


# ---------------------------------------------------------------- CSV and pictures


def test_times_of_tica_frames_are_not_called_barycentric(api: Api) -> None:
    header, tica = real_header(), Api(store_of_cubes(tica=True))
    place = {"cube": "tica-s0027-1-4", "ra": header["CRVAL1"], "dec": header["CRVAL2"], "size": "5,5"}
    assert tica.get("/v1/preview", **place).json()["lightcurve"]["time_system"] == "TJD"
    assert tica.get("/v1/preview.csv", **place).content.startswith(b"time_tjd,flux,")
    assert ask(api, "/v1/preview").json()["lightcurve"]["time_system"] == "BTJD"


def test_a_light_curve_comes_as_csv_with_all_cadences(api: Api) -> None:
    answer = ask(api, "/v1/preview.csv")
    assert answer.headers["content-type"] == "text/csv; charset=UTF-8"
    assert "lightcurve.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    curve = whole(api)["lightcurve"]
    assert list(rows[0]) == ["time_btjd", "flux", "flux_err", "quality"]
    assert [float(row["time_btjd"]) for row in rows] == curve["time"]
    assert [float(row["flux"]) for row in rows] == curve["flux"]
    assert [int(row["quality"]) for row in rows] == curve["quality"]


def picture(answer: Answered) -> Any:
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_a_picture_has_its_first_row_at_the_bottom(api: Api) -> None:
    found = picture(ask(api, "/v1/preview.png", scale=1))
    assert found.shape == (9, 9)
    assert found.dtype == np.uint8
    assert int(np.argmax(found[::-1][:7])) in [9 * row + column for row in (4, 5) for column in (4, 5)]
    large = picture(ask(api, "/v1/preview.png", scale=8))
    np.testing.assert_array_equal(large, np.kron(found, np.ones((8, 8), np.uint8)))


def test_the_links_of_a_preview_lead_to_its_pictures(api: Api) -> None:
    links = whole(api)["pictures"]
    shown = {name: picture(api.get(link)) for name, link in links.items()}
    assert not np.array_equal(shown["median"], shown["difference"])


@pytest.mark.parametrize("stretch", ["asinh", "linear", "log", "sqrt"])
def test_stretches_are_those_of_image_cutouts(api: Api, stretch: str) -> None:
    from tessera import normalize_img  # noqa: PLC0415

    document = whole(api)
    expected = normalize_img(np.array(document["median"]), stretch, minmax_value=document["limits"]["median"])
    np.testing.assert_array_equal(picture(ask(api, "/v1/preview.png", scale=1, stretch=stretch))[::-1], expected)


def test_a_picture_stays_below_2000_pixels(api: Api) -> None:
    assert picture(ask(api, "/v1/preview.png", size="100", scale=40)).shape == (2000, 2000)


# ---------------------------------------------------------------- what is kept


def test_a_preview_is_made_once(api: Api) -> None:
    first = ask(api)
    (key,) = [key for bucket, key in api.store.objects if bucket == SETTINGS.result_bucket]
    assert key.startswith("previews/")
    before = len(api.store.requests)
    assert ask(api).content == first.content
    ask(api, "/v1/preview.png")
    assert not [request for request in api.store.requests[before:] if request[0] == "read_range"]


def test_other_requests_are_other_previews(api: Api) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("/v1/preview", {}),
        ("/v1/preview", {"size": "8"}),
        ("/v1/preview", {"points": 500}),
        ("/v1/preview", {"background": "false"}),
        ("/v1/preview.csv", {}),
        ("/v1/preview.png", {}),
        ("/v1/preview.png", {"stretch": "log"}),
        ("/v1/preview.png", {"image": "difference"}),
    ]
    tags = {ask(api, path, **query).headers["etag"] for path, query in asked}
    assert len(tags) == 8


@pytest.mark.parametrize("path", ["/v1/preview", "/v1/preview.csv", "/v1/preview.png"])
def test_a_client_that_has_it_is_not_sent_it_again(api: Api, path: str) -> None:
    first = ask(api, path)
    assert first.headers["cache-control"] == "public, max-age=300"
    api.store.requests.clear()
    again = ask(api, path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert not [request for request in api.store.requests if "read" in request[0]]


def test_text_is_compressed_for_who_takes_that(api: Api) -> None:
    import gzip  # noqa: PLC0415

    plain, packed = ask(api), ask(api, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 2


# ---------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"cube": "s0001-4-2"}, "cube"),
        ({"cube": "../tess-s0001-4-2"}, "cube"),
        ({"size": "0"}, "size"),
        ({"size": "101"}, "size"),
        ({"size": "5,5,5"}, "size"),
        ({"points": "9"}, "points"),
        ({"background": "perhaps"}, "background"),
        ({"aperture": "xyz"}, "aperture"),
        ({"aperture": "f"}, "aperture"),
        ({"aperture": "0" * 21}, "aperture"),
        ({"ra": "x"}, "ra"),
        ({"image": "median"}, "image"),
    ],
)
def test_what_is_wrong_is_named(api: Api, query: dict[str, Any], parameter: str) -> None:
    answer = ask(api, **query)
    assert (answer.status, answer.json()["error"]["parameter"]) == (400, parameter), answer.content
    assert not [key for bucket, key in api.store.objects if bucket == SETTINGS.result_bucket]


@pytest.mark.parametrize("query", [{"image": "mean"}, {"stretch": "sinh"}, {"scale": "41"}, {"scale": "0"}])
def test_a_picture_that_there_is_not_is_named(api: Api, query: dict[str, Any]) -> None:
    assert ask(api, "/v1/preview.png", **query).json()["error"]["parameter"] == next(iter(query))


@pytest.mark.parametrize("query", [{"cube": "tess-s0009-1-1"}, {"ra": 10, "dec": 60}, {"ra": RA + 3}])
def test_where_there_are_no_pixels_is_404(api: Api, query: dict[str, Any]) -> None:
    answer = ask(api, **query)
    assert (answer.status, answer.json()["error"]["parameter"]) == (404, "cube")


def test_what_is_too_large_is_413(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.previews.windows.MAX_VALUES", 81 * N - 1)
    answer = ask(api)
    assert (answer.status, answer.json()["error"]["code"]) == (413, "too_large")


# ---------------------------------------------------------------- where a position is seen


def test_targets_are_the_cubes_with_a_pixel_there(api: Api) -> None:
    answer = api.get("/v1/targets", ra=RA - 360, dec=DEC).json()
    (found,) = answer["cubes"]
    assert answer["ra"] == pytest.approx(RA)
    assert found == {
        "cube": CUBE,
        "sector": 1,
        "camera": 4,
        "ccd": 2,
        "start": "2018-07-25",
        "stop": "2018-07-26",
        "cadence_seconds": 1800,
        "n_cadences": N,
        "row": 20.3,
        "column": 14.2,
        "edge_distance_px": 14.7,
        "on_silicon": True,
        "science_pixels": None,
        "frames": None,
    }
    (found,) = api.get("/v1/targets", ra=RA, dec=DEC, size="11,50").json()["cubes"]  # of 30 columns
    assert found["science_pixels"] == 11 * 30
    assert api.get("/v1/targets", ra=RA, dec=DEC, size="0").status == 400


@pytest.mark.parametrize(("row", "column", "n"), [(0, 0, 1), (-0.4, 0, 1), (-0.6, 0, 0), (39.4, 29.4, 1), (45, 14, 0)])
def test_the_wcs_decides_who_sees_a_position(api: Api, row: float, column: float, n: int) -> None:
    ra, dec = sky(row, column)
    assert len(api.get("/v1/targets", ra=ra, dec=dec).json()["cubes"]) == n


def test_a_position_that_nobody_sees_has_no_cubes(api: Api) -> None:
    assert api.get("/v1/targets", ra=10, dec=60).json() == {"ra": 10.0, "dec": 60.0, "cubes": []}
    assert api.get("/v1/targets", ra=RA, dec=DEC, product="TICA").json()["cubes"] == []
