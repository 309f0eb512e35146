"""Methods of all paths: HEAD and OPTIONS work, other methods are 405, and pages of other addresses may read answers."""

from __future__ import annotations

import re

import pytest

from tessera_cloud.http.vo.errors import VO
from tests.support.api import DEC, OPERATIONS, RA, ROUTES, Api

CLOSED = {"/v1/builds", "/v1/builds/{build}"}
PATHS = [path for path, _, _ in ROUTES]
READ = [path for method, path in OPERATIONS if method == "GET"]


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "none", path)


@pytest.mark.parametrize("path", READ)
def test_head_has_the_status_and_headers_of_get(api: Api, path: str) -> None:
    query = f"?ra={RA}&dec={DEC}&y=3&x=3&size=3&cube=tess-s0001-4-2&name=pi+Men&sector=1&camera=4&ccd=2"
    target = filled(path) + (query if "cut" in path or path == "/v1/preview" else "")
    got, headed = (api.request(method, target, signed=True) for method in ("GET", "HEAD"))
    assert headed.status == got.status
    assert headed.headers == got.headers


@pytest.mark.parametrize("path", PATHS)
def test_options_names_the_methods_and_lets_other_pages_in(api: Api, path: str) -> None:
    answer = api.request("OPTIONS", filled(path), signed=True)
    methods = {method for method, declared in OPERATIONS if declared == path}
    expected = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    assert answer.status == 204
    assert set(answer.headers["allow"].split(", ")) == expected
    if path in CLOSED:
        assert not [name for name in answer.headers if name.startswith("access-control")]
    else:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-headers"] == "*"
        assert set(answer.headers["access-control-allow-methods"].split(", ")) == expected


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", PATHS)
def test_another_method_is_405_and_the_answer_names_those_that_are_allowed(api: Api, path: str, method: str) -> None:
    answer = api.request(method, filled(path), signed=True)
    assert answer.status == 405
    expected = f"the method is {method}; allowed: {answer.headers['allow']}"
    if path.startswith(VO):  # plain text, or a VOTable
        assert expected in answer.content.decode()
        return
    document = answer.json()
    said = document["msg"] if "msg" in document else document["error"]["message"]
    assert said == expected


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/v1/health", 200),
        ("/v1/cubes?limit=0", 400),
        ("/v1/cubes/none", 404),
        ("/openapi.json", 200),
        ("/docs", 200),
        (f"/tesscut/api/v0.1/sector?ra={RA}&dec={DEC}", 200),
        ("/tesscut/api/v0.1/sector", 400),
        ("/v1/images", 200),
    ],
)
def test_pages_of_other_addresses_may_read_answers_and_errors(api: Api, target: str, status: int) -> None:
    answer = api.get(target)
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert exposed >= {"ETag", "Retry-After", "Location", "Content-Disposition"}


def test_pages_of_other_addresses_may_not_read_builds(api: Api) -> None:
    answer = api.request("GET", "/v1/builds", signed=True)
    assert answer.status == 200
    assert "access-control-allow-origin" not in answer.headers
