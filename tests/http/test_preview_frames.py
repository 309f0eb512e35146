"""All pixels of a window as a NumPy file: exact, in pieces, and read once."""

from __future__ import annotations

import copy
import dataclasses
import io
import zipfile
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from tessera_cloud.application.previews.frames import OTHER_BYTES
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import BASE, DEC, N_CADENCES, RA, Answered, Api, _answered, proxy_event, sky, store_of_cubes
from tests.support.builds import SETTINGS

PATH = "/v1/preview.npy"
CUBE = "tess-s0001-4-2"
N = N_CADENCES[1]
LIMIT = "tessera_cloud.application.previews.frames.INLINE_LIMIT"


def ask(api: Api, *, headers: dict[str, str] | None = None, **query: Any) -> Answered:
    given = {"cube": CUBE, "ra": RA, "dec": DEC, "size": "5,7"} | query
    event = proxy_event("GET", PATH, PATH, urlencode(given))
    event["multiValueHeaders"] |= {name: [value] for name, value in (headers or {}).items()}
    event["headers"] |= headers or {}
    return _answered(api.handlers.invoke("cutout_api", event))


def records(answer: Answered) -> Any:
    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream"), answer.content
    return np.load(io.BytesIO(answer.content), allow_pickle=False)


def reads(api: Api) -> int:
    return sum(request[0] == "read_range" and request[1] != SETTINGS.result_bucket for request in api.store.requests)


def test_frames_are_the_pixels_of_the_cutout(api: Api) -> None:
    from astropy.io import fits  # noqa: PLC0415

    answer = api.post("/v1/cutouts", {"position": {"ra": RA, "dec": DEC}, "size": [5, 7], "sectors": [1]})
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    table = fits.getdata(io.BytesIO(archive.read(answer.members[0])), 1)
    found = records(ask(api))
    assert found.dtype.names == ("time", "cadence", "quality", "flux")
    assert found["flux"].shape == (N, 5, 7)
    np.testing.assert_array_equal(found["flux"], table["FLUX"])
    np.testing.assert_array_equal(found["time"], table["TIME"])
    np.testing.assert_array_equal(found["quality"], table["QUALITY"])


def test_pixels_beyond_the_edge_are_nan(api: Api) -> None:
    ra, dec = sky(1.0, 10.0)
    found = records(ask(api, ra=ra, dec=dec))
    assert np.isnan(found["flux"][:, 0]).all()
    assert np.isfinite(found["flux"][:, 1:]).all()


def test_pieces_lead_to_each_other_and_the_cube_is_read_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = records(ask(api))
    monkeypatch.setattr(LIMIT, OTHER_BYTES + 3 * whole.dtype.itemsize)
    answer, pieces = ask(api), []
    api.store.requests.clear()
    while True:
        pieces.append(records(answer))
        assert len(answer.content) <= OTHER_BYTES + 3 * whole.dtype.itemsize
        if "link" not in answer.headers:
            break
        address, _, relation = answer.headers["link"].partition(">; ")
        assert relation == 'rel="next"'
        answer = api.get(address.removeprefix(f"<{BASE}"))
    assert [len(piece) for piece in pieces] == [3] * (N // 3) + [N % 3] * bool(N % 3)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert reads(api) == 0


def test_some_cadences_are_a_slice(api: Api) -> None:
    whole = records(ask(api))
    np.testing.assert_array_equal(records(ask(api, first=2, count=3)), whole[2:5])
    np.testing.assert_array_equal(records(ask(api, first=N - 1, count=3)), whole[N - 1 :])
    assert not [key for bucket, key in api.store.objects if bucket == SETTINGS.result_bucket]


def test_a_client_that_has_them_is_not_sent_them_again(api: Api) -> None:
    first = ask(api)
    api.store.requests.clear()
    again = ask(api, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.content, reads(api)) == (304, b"", 0)
    assert ask(api, first=1).headers["etag"] != first.headers["etag"]


def test_the_bytes_count_for_the_share_of_the_client(filled: MemoryStore) -> None:
    api = Api(MemoryStore(objects=copy.copy(filled.objects)), dataclasses.replace(SETTINGS, client_daily_gb=5e-7))
    assert ask(api).status == 200
    assert ask(api, first=1).status == 429


@pytest.mark.parametrize(
    ("query", "status", "parameter", "allowed"),
    [
        ({"first": N}, 400, "first", f"0 to {N - 1}"),
        ({"first": -1}, 400, "first", "0"),
        ({"count": 0}, 400, "count", "1"),
        ({"count": 30_000}, 413, "count", "cadences of 5 x 7 pixels"),
        ({"size": "101"}, 400, "size", "1 to 100"),
        ({"points": 500}, 400, "points", "first"),
        ({"cube": "tess-s0009-1-1"}, 404, "cube", "/v1/cubes"),
        ({"ra": RA + 3}, 404, "cube", "/v1/targets"),
    ],
)
def test_what_is_wrong_is_named(api: Api, query: dict[str, Any], status: int, parameter: str, allowed: str) -> None:
    error = ask(api, **query)
    assert (error.status, error.json()["error"]["parameter"]) == (status, parameter)
    assert allowed in error.json()["error"]["allowed"]


def test_times_of_tica_are_those_at_the_spacecraft() -> None:
    from tests.support.tica import real_header  # noqa: PLC0415

    header, tica = real_header(), Api(store_of_cubes(tica=True))
    place = {"cube": "tica-s0027-1-4", "ra": header["CRVAL1"], "dec": header["CRVAL2"], "size": "5,5"}
    found = records(tica.get(PATH, **place))
    curve = tica.get("/v1/preview", **place).json()["lightcurve"]
    assert found["time"].tolist() == pytest.approx(curve["time"], abs=1e-7)
