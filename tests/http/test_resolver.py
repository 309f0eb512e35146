"""MAST's name resolver, as astroquery asks it before lightkurve searches."""

from __future__ import annotations

import io
from typing import Any

import pytest
from astropy.coordinates import SkyCoord
from astroquery.exceptions import ResolverError
from astroquery.mast import utils
from requests import Response

from tessera.targets.places import NamedPlace
from tessera_cloud.errors import TransientError
from tests.support.api import Api

PATH = "/Santa-war/query"


def resolve_with_astroquery(api: Api, monkeypatch: pytest.MonkeyPatch, name: Any, **options: Any) -> Any:
    """Let astroquery's code ask this API; only the connection is replaced."""

    def ask(url: str, params: dict[str, Any]) -> Response:
        assert url.endswith(PATH)
        found, answer = api.get(PATH, **params), Response()
        answer.status_code, answer.raw = found.status, io.BytesIO(found.content)
        return answer

    monkeypatch.setattr(utils, "_simple_request", ask)
    return utils.resolve_object(name, **options)


@pytest.mark.parametrize(
    ("name", "ra", "dec"),
    [
        ("pi Men", 84.2912, -80.4691),
        ("TIC 261136679", 84.2912, -80.4691),
        ("84.29119, -80.46917", 84.29119, -80.46917),
        ("1e-05, -5", 1e-5, -5.0),
        ("05:37:09.9 -80:28:09", 84.29125, -80.469167),
    ],
)
def test_astroquery_reads_names_and_positions(
    api: Api, monkeypatch: pytest.MonkeyPatch, name: str, ra: float, dec: float
) -> None:
    found = resolve_with_astroquery(api, monkeypatch, name)
    assert found.separation(SkyCoord(ra, dec, unit="deg")).arcsec < 0.01


@pytest.mark.filterwarnings("ignore:Could not resolve")
def test_astroquery_reads_several_names_and_learns_which_is_unknown(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    found = resolve_with_astroquery(api, monkeypatch, ["TOI-700", "nobody", "WASP-18"])
    assert list(found) == ["TOI-700", "WASP-18"]
    with pytest.raises(ResolverError, match="Could not resolve"):
        resolve_with_astroquery(api, monkeypatch, "nobody")


def test_the_source_has_the_name_that_mast_gives_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    class Resolver:
        def find(self, name: str) -> NamedPlace:
            return NamedPlace("* pi. Men", 84.29, -80.46, "MAST (SIMBAD)")

    monkeypatch.setattr(api.handlers, "names", Resolver())
    assert list(resolve_with_astroquery(api, monkeypatch, "Pi Men", resolve_all=True)) == ["SIMBAD"]
    assert resolve_with_astroquery(api, monkeypatch, "Pi Men", resolver="SIMBAD").ra.deg == 84.29
    (row,) = api.get(PATH, name="Pi Men").json()["resolvedCoordinate"]
    assert (row["searchString"], row["canonicalName"]) == ("pi men", "* pi. Men")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [({}, "name"), ({"name": "x", "outputFormat": "xml"}, "outputFormat"), ({"name": "88.95 -75 23 28"}, "name")],
)
def test_a_wrong_request_is_refused(api: Api, query: dict[str, str], parameter: str) -> None:
    answer = api.get(PATH, **query)
    assert (answer.status, answer.json()["error"]["parameter"]) == (400, parameter)


def test_a_resolver_that_does_not_answer_is_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find(self, name: str) -> NamedPlace:
            raise TransientError("no answer")

    monkeypatch.setattr(api.handlers, "names", Broken())
    assert api.get(PATH, name="pi Men").status == 503
