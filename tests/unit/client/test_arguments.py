"""Arguments of the client that are wrong: one sentence each, and no request."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st

import tessera
from tessera import Client, CutoutOptions, InvalidInputError, MovingTarget, Region
from tessera.client.cuts.orders import check_form, read_size
from tessera.client.wire.address import read_address
from tessera.moving.ephemeris import Ephemeris


@pytest.fixture(scope="module", name="client")
def _client() -> Iterator[Client]:
    """A client of a service that must not be asked: nothing listens there."""
    with Client("http://127.0.0.1:9", retries=0) as client:
        yield client


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        (" https://host.example/prod/ ", "https://host.example/prod"),
        ("HTTPS://host.example/v1", "HTTPS://host.example"),
        ("https://host.example/prod/tesscut/api/v0.1", "https://host.example/prod"),
        ("http://host.example/docs", "http://host.example"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://me:secret@host.example", "https://me:secret@host.example"),
    ],
)
def test_addresses_are_taken_as_people_copy_them(url: str, kept: str) -> None:
    assert read_address(url).url == kept
    assert "secret" not in str(read_address(url))


@pytest.mark.parametrize(
    "url",
    [None, 5, "", "  ", "localhost:3000", "ftp://host", "http://", "http://:3000", "http://host:port", "http://host:99999",
     "http://ho st", "http://host/?a=1", "http://host#x", "https://mast.stsci.edu/tesscut", "https://[::1", "file:///v1",
     "http:/host", "/v1", "http://host\n.example"],
)  # fmt: skip
def test_other_addresses_are_refused(url: Any) -> None:
    with pytest.raises(
        InvalidInputError, match=r"^url is .*; allowed: the address of a Tessera service, such as"
    ) as caught:
        Client(url)
    assert "\n" not in str(caught.value)


def test_errors_of_addresses_say_what_was_meant() -> None:
    with pytest.raises(InvalidInputError, match="did you mean 'http://localhost:3000'"):
        Client("localhost:3000")
    with pytest.raises(InvalidInputError, match="MAST's own service has another API"):
        Client("https://mast.stsci.edu/tesscut")


@pytest.mark.parametrize(
    "wrong",
    [{"timeout": 0}, {"timeout": math.nan}, {"timeout": "5"}, {"timeout": None}, {"retries": -1}, {"retries": 1.5},
     {"patience": -1}, {"patience": math.inf}, {"verbose": "yes"}],
)  # fmt: skip
def test_settings_of_a_client_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=f"^{next(iter(wrong))} is "):
        Client("http://127.0.0.1:9", **wrong)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_wrong_proxy_of_the_environment_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "ftp://proxy.example")
    with pytest.raises(tessera.UnreachableServiceError, match="the proxy or the certificates of the environment"):
        Client("http://127.0.0.1:9")


MOVING_STAR = SkyCoord(1 * u.deg, 2 * u.deg, pm_ra_cosdec=9 * u.arcsec / u.yr, pm_dec=0 * u.mas / u.yr, obstime=Time(2016.0, format="jyear"))  # fmt: skip  # noqa: E501
WRONG_CUTS: list[tuple[str, Callable[[Client], object]]] = [
    ("target", lambda client: client.cutouts(None)),
    ("target", lambda client: client.cutouts((1.0,))),
    ("target", lambda client: client.cutouts((1.0, 91.0))),
    ("target", lambda client: client.cutouts((math.nan, 1.0))),
    ("target", lambda client: client.cutouts("")),
    ("target", lambda client: client.cutouts("x" * 101)),
    ("target", lambda client: client.cutouts("10 95")),
    ("target", lambda client: client.cutouts(SkyCoord([1, 2], [3, 4], unit="deg"))),
    ("target", lambda client: client.cutouts(SkyCoord(np.nan, 4, unit="deg"))),
    ("target", lambda client: client.cutouts(MOVING_STAR)),
    ("size", lambda client: client.cutouts((1, 2), 0)),
    ("size", lambda client: client.cutouts((1, 2), 5.5)),
    ("size", lambda client: client.cutouts((1, 2), (5, 1 * u.arcmin))),
    ("size", lambda client: client.cutouts((1, 2), 10_001)),
    ("size", lambda client: client.cutouts((1, 2), "5")),
    ("sectors", lambda client: client.cutouts((1, 2), sectors=[])),
    ("sectors", lambda client: client.cutouts((1, 2), sectors=0)),
    ("sectors", lambda client: client.cutouts((1, 2), sectors="1")),  # type: ignore[arg-type]
    ("product", lambda client: client.cutouts((1, 2), product="spock")),
    ("options", lambda client: client.cutouts((1, 2), options={"layout": "slim"})),  # type: ignore[arg-type]
    ("options.target_times", lambda client: client.cutouts((1, 2), options=CutoutOptions(target_times=True))),
    ("options.provenance", lambda client: client.cutouts((1, 2), options=CutoutOptions(provenance=False))),
    ("options.fill_value", lambda client: client.cutouts((1, 2), options=CutoutOptions(fill_value=0.0))),
    ("layout", lambda client: client.cutouts(MovingTarget("67P"), options=CutoutOptions(layout="slim"))),
    ("output_dir", lambda client: client.cutouts((1, 2), output_dir="s3://bucket/folder")),
    ("progress", lambda client: client.cutouts((1, 2), progress="bar")),  # type: ignore[arg-type]
    ("targets", lambda client: client.cutouts_many("pi Men")),
    ("targets", lambda client: client.cutouts_many(5)),  # type: ignore[arg-type]
    ("parallel", lambda client: client.cutouts_many([(1, 2)], parallel=0)),
    ("job", lambda client: client.open_job("../health")),
    ("job", lambda client: client.open_job("https://host/v1/cutouts")),
    ("job", lambda client: client.open_job("https://host/v1/jobs/6f0c")),
    ("job", lambda client: client.open_job(f"{client.url}/v1/cutouts")),
    ("name", lambda client: client.resolve(" ")),
    ("name", lambda client: client.resolve("\ud800")),
    ("name", lambda _: MovingTarget("67P\0")),
    ("camera", lambda client: client.cubes(camera=5)),
    ("radius", lambda client: client.footprints((1, 2), radius=31)),
    ("radius", lambda client: client.footprints(Region([(0, 0), (1, 0), (0, 1)]), radius=1)),
    ("cube", lambda client: client.preview("tess-s1-4-2", (1, 2))),
    ("size", lambda client: client.preview("tess-s0001-4-2", (1, 2), 101)),
    ("points", lambda client: client.preview("tess-s0001-4-2", (1, 2), points=9)),
    ("aperture", lambda client: client.preview("tess-s0001-4-2", (1, 2), 3, aperture="12")),
    ("aperture", lambda client: client.preview("tess-s0001-4-2", (1, 2), 3, aperture=np.ones((3, 3)))),
    ("stretch", lambda client: client.preview_png("tess-s0001-4-2", (1, 2), stretch="linaer")),  # type: ignore[arg-type]
    ("dataset", lambda client: client.image_cutouts("../x", (1, 2))),
    ("size", lambda client: client.image_cutouts("x", (1, 2), 59 * u.deg)),
    ("percent", lambda client: client.image_cutouts("x", (1, 2), percent=(99, 1))),
]


@pytest.mark.parametrize(
    ("argument", "call"), WRONG_CUTS, ids=[f"{number} {name}" for number, (name, _) in enumerate(WRONG_CUTS)]
)
def test_a_wrong_argument_is_named_before_any_request(
    client: Client, argument: str, call: Callable[[Client], object]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call(client)
    assert str(caught.value).startswith(f"{argument} is ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("corners", [None, [], [(1, 2), (3, 4)], [(1, 2), (3, 4), (1, 2)], [(0, 0), (1, 0), (0, 91)],
    [(0, 0), (1, 0), (math.nan, 1)], "POLYGON 1 2", "CIRCLE 1 2 3", {"type": "Point", "coordinates": [1, 2]}, {}],
)  # fmt: skip
def test_a_region_has_three_corners(corners: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^corners is .*; allowed: at least three corners"):
        Region(corners)


def test_regions_are_read_in_every_form() -> None:
    corners = [(10.0, 20.0), (11.0, 20.0), (10.0, 21.0)]
    ring = [list(corner) for corner in [*corners, corners[0]]]
    for given_ in (corners, np.array(corners), [*corners, corners[0]], SkyCoord(corners, unit="deg"),
                   {"type": "Polygon", "coordinates": [ring]}, "POLYGON ICRS 10 20 11 20 10 21 10 20"):  # fmt: skip
        region = Region(given_)
        assert np.allclose(region.corners, corners)
        assert region.geometry["coordinates"][0][0] == region.geometry["coordinates"][0][-1]


def test_a_position_is_asked_for_with_get_unless_the_address_becomes_too_long(client: Client) -> None:
    def sent(**details: Any) -> str:
        order = check_form(5, details.get("sectors"), "SPOC", None).order((1, 2))
        return order.cutouts_request(client._service).method

    assert (sent(), sent(sectors=range(1, 300)), sent(sectors=range(1, 1000))) == ("GET", "GET", "POST")


def test_a_path_is_sent_as_julian_dates_in_utc() -> None:
    times = Time([2458330.5, 2458331.5], format="jd", scale="utc")
    order = check_form(7, None, "SPOC", None).order(
        Ephemeris(times.tdb, np.array([1.0, 2.0]), np.array([3.0, 4.0]), name="comet")
    )
    path = order.document["path"]
    assert np.allclose(path["time"], [2458330.5, 2458331.5], rtol=0, atol=1e-8)
    assert (path["name"], path["ra"], path["dec"], order.document["size"]) == ("comet", [1.0, 2.0], [3.0, 4.0], 7)
    with pytest.raises(InvalidInputError, match=r"target.clock is 'barycentre'"):
        check_form(7, None, "SPOC", None).order(Ephemeris(times, np.ones(2), np.arange(2.0), clock="barycentre"))


@given(
    st.one_of(st.none(), st.text(), st.floats(), st.lists(st.floats(), max_size=3), st.binary(), st.complex_numbers())
)
@settings(max_examples=60)
def test_any_value_is_a_size_or_one_error(value: Any) -> None:
    try:
        size = read_size(value)
    except InvalidInputError as error:
        assert str(error).startswith("size is ")  # noqa: PT017 - most values are errors
    else:
        assert size == value or size == list(value) or [size, size] == list(value) or [size] == list(value)
