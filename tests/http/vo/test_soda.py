"""Cutouts by SODA while the client waits: what is sent, how it is packed, and what is refused."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from tessera_cloud.application.switch import pause
from tests.support.api import API_SETTINGS, DEC, RA, Answered, Api
from tests.support.archives import file_names
from tests.support.obscore import rows
from tests.support.same_bytes import assert_same_bytes

ID, OTHER = "tess-s0001-4-2", "tess-s0002-4-2"
CIRCLE = f"{RA} {DEC} 0.012"
FAR = f"{RA} {DEC + 20} 0.1"


def soda(api: Api, **given: Any) -> Answered:
    return api.get("/soda/sync", **({"ID": ID, "CIRCLE": CIRCLE} | given))


def opened(content: bytes) -> fits.HDUList:
    return fits.open(io.BytesIO(content))


def only(answer: Answered) -> fits.HDUList:
    assert (answer.status, answer.headers["content-type"]) == (200, "application/fits"), answer.content
    return opened(answer.content)


def members(answer: Answered) -> dict[str, bytes]:
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip"), answer.content
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in file_names(archive)}


def refusal(answer: Answered, status: int = 400) -> str:
    assert (answer.status, answer.headers["content-type"]) == (status, "text/plain; charset=UTF-8"), answer.content
    return answer.content.decode().rstrip()


def inside(hdus: fits.HDUList) -> np.ndarray[Any, Any]:
    return np.asarray(hdus["APERTURE"].data) & 2 > 0


def test_one_file_comes_as_it_is_with_the_name_that_other_cutouts_have(api: Api) -> None:
    answer = soda(api)
    with only(answer) as hdus:
        rows, columns = hdus["APERTURE"].data.shape
        flux = np.asarray(hdus["PIXELS"].data["FLUX"])
    other = api.get("/v1/cutouts", ra=RA, dec=DEC, size=f"{rows},{columns}", sectors="1")
    with zipfile.ZipFile(io.BytesIO(other.content)) as archive:
        (name,) = file_names(archive)
        with opened(archive.read(name)) as known:
            np.testing.assert_array_equal(flux, known["PIXELS"].data["FLUX"])
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize(
    "given",
    [
        {"CIRCLE": CIRCLE},
        {"POLYGON": f"{RA - 0.05} {DEC - 0.01} {RA + 0.05} {DEC - 0.012} {RA} {DEC + 0.013}"},
        {"POS": f"RANGE {RA - 0.04} {RA + 0.03} {DEC - 0.01} {DEC + 0.012}"},
    ],
)
def test_the_aperture_has_the_pixels_whose_centres_are_inside(api: Api, given: dict[str, str]) -> None:
    with only(soda(api, **({"CIRCLE": []} | given))) as hdus:
        wcs, marked = WCS(hdus["APERTURE"].header), inside(hdus)
    rows, columns = np.indices(marked.shape)
    ra, dec = wcs.all_pix2world(columns, rows, 0)
    np.testing.assert_array_equal(marked, INSIDE[next(iter(given))](ra, dec))
    assert 0 < marked.sum() < marked.size


def _in_circle(ra: Any, dec: Any) -> Any:
    cosine = np.sin(np.radians(dec)) * np.sin(np.radians(DEC)) + np.cos(np.radians(dec)) * np.cos(
        np.radians(DEC)
    ) * np.cos(np.radians(ra - RA))
    return np.degrees(np.arccos(cosine)) <= 0.012


def _in_triangle(ra: Any, dec: Any) -> Any:
    """Sides of the planes through two corners and the centre of the sphere."""

    def vector(lon: Any, lat: Any) -> Any:
        lon, lat = np.radians(lon), np.radians(lat)
        return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)

    corners = [vector(RA - 0.05, DEC - 0.01), vector(RA + 0.05, DEC - 0.012), vector(RA, DEC + 0.013)]
    normals = [np.cross(one, other) for one, other in zip(corners, corners[1:] + corners[:1], strict=True)]
    return np.all([vector(ra, dec) @ normal >= 0 for normal in normals], axis=0)


def _in_range(ra: Any, dec: Any) -> Any:
    return (ra >= RA - 0.04) & (ra <= RA + 0.03) & (dec >= DEC - 0.01) & (dec <= DEC + 0.012)


INSIDE: dict[str, Callable[[Any, Any], Any]] = {
    "CIRCLE": _in_circle,
    "POLYGON": _in_triangle,
    "POS": _in_range,
}


def test_several_files_come_in_a_zip(api: Api) -> None:
    found = members(soda(api, ID=[ID, OTHER, ID.upper()]))
    assert [name[:14] for name in found] == [ID, OTHER]
    with only(soda(api, ID=OTHER)) as alone, opened(found[next(name for name in found if OTHER in name)]) as packed:
        np.testing.assert_array_equal(alone["PIXELS"].data["FLUX"], packed["PIXELS"].data["FLUX"])


def test_files_of_one_name_get_numbers(api: Api) -> None:
    found = members(soda(api, TIME=["-Inf 58324.85", "58324.87 +Inf"]))
    lengths = {name.rpartition("_")[2]: len(opened(data)["PIXELS"].data) for name, data in found.items()}
    assert lengths == {"astrocut.fits": 2, "astrocut-2.fits": 2}


@pytest.mark.parametrize(
    ("given", "n_cadences"),
    [
        ("-Inf +Inf", 5),
        ("58324.85 58324.87", 1),
        ("58324.86 58324.86", 1),
        ("58324.86", 1),
        ("58324.85 +Inf", 3),
    ],
)
def test_times_are_in_utc_and_a_moment_has_the_exposure_of_then(api: Api, given: str, n_cadences: int) -> None:
    with only(soda(api, TIME=given)) as hdus:
        times = np.asarray(hdus["PIXELS"].data["TIME"])
    assert len(times) == n_cadences
    if n_cadences == 1:
        assert times[0] + 56999.5 - 69.184 / 86400 == pytest.approx(58324.86, abs=0.0105)


def test_the_ends_that_sia_tells_are_moments_of_exposures(api: Api) -> None:
    (row,) = rows(api.get("/sia2/query", ID=f"ivo://tessera/cubes?{ID}").content)
    for name in ("t_min", "t_max"):
        with only(soda(api, TIME=repr(float(row[name])))) as hdus:
            assert len(hdus["PIXELS"].data) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"CIRCLE": FAR},
        {"TIME": "58000 58001"},
        {"TIME": "58324.7 58324.75"},
        {"BAND": "500 550"},
        {"BAND": "1.1e-6 +Inf"},
        {"POL": ["Q", "U"]},
    ],
)
def test_nothing_that_overlaps_is_no_content(api: Api, given: dict[str, Any]) -> None:
    answer = soda(api, **given)
    assert (answer.status, answer.content) == (204, b"")


@pytest.mark.parametrize("given", [{"BAND": "-Inf 6e-7"}, {"BAND": ["8e-7 9e-7", "9e-7 2"]}, {"POL": ["I", "Q"]}])
def test_bands_and_polarizations_that_tess_sees_change_nothing(api: Api, given: dict[str, Any]) -> None:
    assert_same_bytes(soda(api, **given).content, soda(api).content)


def test_what_overlaps_is_sent_when_other_shapes_do_not(api: Api) -> None:
    assert_same_bytes(soda(api, CIRCLE=[FAR, CIRCLE]).content, soda(api).content)


def test_the_format_chooses_how_files_are_packed(api: Api) -> None:
    ((name, data),) = members(soda(api, RESPONSEFORMAT="application/zip")).items()
    alone = soda(api, RESPONSEFORMAT="image/fits")
    assert alone.headers["content-type"] == "image/fits"
    assert (name in alone.headers["content-disposition"], data) == (True, alone.content)
    said = refusal(soda(api, ID=[ID, OTHER], RESPONSEFORMAT="fits"))
    assert said.startswith("UsageError: RESPONSEFORMAT is 'application/fits'; allowed: application/zip")


def test_forms_say_the_same_as_a_query(api: Api) -> None:
    expected = soda(api).content
    assert_same_bytes(api.post("/soda/sync", id=ID, Circle=CIRCLE).content, expected)
    part = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = part.format("ID", ID) + part.format("POS", f"CIRCLE {CIRCLE}") + "--b--\r\n"
    answer = api.request("POST", "/soda/sync", body=body.encode(), content_type="multipart/form-data; boundary=b")
    with only(answer) as hdus, opened(expected) as known:
        np.testing.assert_array_equal(inside(hdus), inside(known))
    assert api.request("HEAD", f"/soda/sync?ID={ID}&CIRCLE={CIRCLE.replace(' ', '+')}").status == 200


def test_errors_begin_with_the_words_of_soda(api: Api) -> None:
    assert refusal(soda(api, ID="tess-s0001-4-3"), 404).startswith("UsageError: ID is 'tess-s0001-4-3'; allowed: ")
    assert refusal(soda(api, ID=[])).startswith("UsageError: ID is missing; allowed: ")
    assert refusal(soda(api, CIRCLE="1 2")).startswith("UsageError: CIRCLE is '1 2'; allowed: ")
    assert refusal(soda(api, CIRCLES="1 2")).startswith("UsageError: circles is not a parameter of this operation")
    several = refusal(soda(api, RESPONSEFORMAT=["fits", "zip"]))
    assert several == "MultiValuedParamNotSupported: RESPONSEFORMAT is given 2 times; allowed: once"
    assert refusal(api.request("PUT", "/soda/sync"), 405).startswith("UsageError: the method is PUT; allowed: ")
    assert soda(api, REQUEST="x", VERSION="1.0", MAXREC="1").status == 200


def test_what_is_too_large_is_told_where_it_is_made(api: Api) -> None:
    large = refusal(soda(api, CIRCLE=f"{RA} {DEC} 0.05"), 413)
    assert large.startswith("UsageError: CIRCLE is too large for /soda/sync, about ")
    assert large.endswith("/soda/async makes larger ones")
    both = soda(api, CIRCLE=f"{RA} {DEC} 0.01", POS=f"CIRCLE {RA} {DEC} 0.05")
    assert refusal(both, 413).startswith("UsageError: POS is too large for /soda/sync, about ")
    assert "allowed: at least one of them" in refusal(soda(api, CIRCLE=[]), 413)


def test_a_large_file_is_stored_and_found_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = soda(api).content
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 100)
    api.handlers.services.answers._kept.clear()
    first, again = soda(api), soda(api)
    assert first.status == again.status == 303
    assert [data for (_, key), data in api.store.objects.items() if key.endswith(".fits") and "results/" in key] == [
        expected
    ]
    assert first.location.split("?")[0] == again.location.split("?")[0]


def test_a_client_that_had_its_share_is_told_when_to_ask_again(api: Api) -> None:
    api.handlers.services = dataclasses.replace(
        api.handlers.services, settings=dataclasses.replace(API_SETTINGS, client_daily_gb=1e-6)
    )
    assert soda(api).status == 200
    share = soda(api)
    assert refusal(share, 429).startswith("ServiceUnavailable: this address has had its ")
    assert int(share.headers["retry-after"]) > 0


def test_a_paused_service_says_when_to_ask_again(api: Api) -> None:
    pause(api.handlers.services, reason="the budget is used up", by="budget")
    paused = soda(api)
    assert refusal(paused, 503) == "ServiceUnavailable: the service is paused: the budget is used up"
    assert int(paused.headers["retry-after"]) > 0
