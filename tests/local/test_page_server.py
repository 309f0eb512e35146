"""Files of the page, and what may not be had."""

import gzip
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from tessera_local.template.deployed import Template
from tessera_local.template.page import Page
from tessera_local.web.page_server import PageServer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(tmp_path: Path) -> PageServer:
    folder = tmp_path / "page"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<p>hello</p>" * 100, encoding="utf-8")
    (folder / "js/main.js").write_text("export const a = 1;\n", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("not for you", encoding="utf-8")
    return PageServer(Page(folder, {"Content-Security-Policy": "default-src 'none'"}, ("/v1/*", "/docs*")))


def test_the_root_is_the_page_with_its_headers(server: PageServer) -> None:
    answer = server.answer(make_mocked_request("GET", "/"))

    assert answer
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert answer.body == b"<p>hello</p>" * 100


def test_text_travels_small_to_who_can_unpack_it(server: PageServer) -> None:
    answer = server.answer(make_mocked_request("GET", "/", {"Accept-Encoding": "gzip, br"}))

    assert answer
    assert answer.headers["Content-Encoding"] == "gzip"
    assert isinstance(answer.body, bytes)
    assert gzip.decompress(answer.body) == b"<p>hello</p>" * 100


def test_a_module_is_a_script_and_is_not_sent_twice(server: PageServer) -> None:
    first = server.answer(make_mocked_request("GET", "/js/main.js"))
    assert first
    assert first.headers["Content-Type"] == "text/javascript; charset=utf-8"
    again = server.answer(make_mocked_request("GET", "/js/main.js", {"If-None-Match": first.headers["ETag"]}))
    assert again
    assert (again.status, again.body) == (304, None)


@pytest.mark.parametrize("path", ["/../secret.txt", "/js/../../secret.txt", "/js", "/nothing.html"])
def test_nothing_else_may_be_had(server: PageServer, path: str) -> None:
    assert server.answer(make_mocked_request("GET", path)) is None


def test_nothing_may_be_sent(server: PageServer) -> None:
    assert server.answer(make_mocked_request("POST", "/")) is None


def test_what_is_the_api_s_is_left_to_it(server: PageServer) -> None:
    assert [server.is_responsible(path) for path in ("/", "/js/main.js", "/v1/map", "/docs", "/v1")] == [
        True,
        True,
        False,
        False,
        True,
    ]


def test_the_template_says_what_the_page_is() -> None:
    page = Template(ROOT / "template.yaml").page

    assert page
    assert (page.folder / "index.html").is_file()
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "/tesscut/*" in page.api_patterns


def test_the_page_with_the_program_of_others_has_headers_of_its_own() -> None:
    page = Template(ROOT / "template.yaml").page
    assert page
    answer = PageServer(page).answer(make_mocked_request("GET", "/sky.html"))

    assert answer
    assert "sandbox allow-scripts" in answer.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert PageServer(page).is_responsible("/sky.html")


def test_a_template_may_have_no_page(toy: Path) -> None:
    assert Template(toy).page is None


def test_the_page_may_send_lists_to_the_bucket_of_results_and_messages_to_samp_and_nothing_elsewhere() -> None:
    page = Template(ROOT / "template.yaml").page
    assert page
    policy = page.with_storage("http://127.0.0.1:4566").headers["Content-Security-Policy"]
    (sources,) = (part.split()[1:] for part in policy.split(";") if part.split()[0] == "connect-src")

    hub = "http://localhost:21012/"
    assert set(sources) == {"'self'", "http://127.0.0.1:4566/tessera-result-bucket/uploads/", hub}
