"""`tessera-admin smoke` against the API of this process, over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3

from tessera_cloud.admin.main import main
from tests.support.api import DEC, RA, Answered, Api
from tests.support.service import Asked, listening, service_of

PAGE = Path(__file__).parents[2] / "page"
STEPS = ["health", "openapi", "sectors", "cutout", "preview", "page"]


@pytest.fixture
def target(api: Api) -> str:
    return f"{RA} {DEC}"


def answers_of(url: str, prefix: str = "", page: Path | None = PAGE) -> Callable[[Asked], Answered]:
    """The service at `url` below a prefix, with the page beside it."""

    def answer(asked: Asked) -> Answered:
        path = asked.target.removeprefix(prefix)
        if page and path in ("/", "/js/main.js"):
            file = page / (path.strip("/") or "index.html")
            kind = "text/javascript" if file.suffix == ".js" else "text/html; charset=utf-8"
            return Answered(200, {"content-type": kind}, file.read_bytes())
        got = urllib3.request(asked.method, url + path, redirect=False)
        return Answered(got.status, {name.lower(): value for name, value in got.headers.items()}, got.data)

    return answer


def findings(text: str) -> list[str]:
    """Lines of the command, without the log lines of the API of this process."""
    return [line for line in text.splitlines() if re.match("ok|warn|fail|skip", line)]


def states(text: str) -> dict[str, str]:
    """State of each line, by what was looked at."""
    return {line.split()[1]: line.split()[0] for line in findings(text)}


def test_a_service_that_works_passes(api: Api, capsys: pytest.CaptureFixture[str], target: str) -> None:
    with service_of(api) as service, listening(answers_of(service.url)) as front:
        assert main(["smoke", front.url, "--target", target]) == 0

    said = capsys.readouterr().out
    assert states(said) == dict.fromkeys(STEPS, "ok")
    assert all(re.search(r"\(\d+\.\d\d s\)$", line) for line in findings(said)), "the time of each"
    assert "5 cadences, checksums right, 100% of the pixels finite" in said


def test_redirections_are_followed(api: Api, capsys: pytest.CaptureFixture[str], target: str) -> None:
    """As from http to https, or to a result in the bucket."""
    with (
        service_of(api) as service,
        listening(answers_of(service.url)) as front,
        listening(lambda asked: Answered(301, {"location": front.url + asked.target}, b"")) as before,
    ):
        assert main(["smoke", before.url, "--target", target]) == 0

    assert states(capsys.readouterr().out) == dict.fromkeys(STEPS, "ok")


def test_without_a_target_a_cube_of_the_service_is_cut(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    with service_of(api) as service, listening(answers_of(service.url)) as front:
        assert main(["smoke", f"{front.url}/v1/health"]) == 0

    assert "first tess-s0001-4-2" in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["", "/prod", "/prod/tesscut/api/v0.1", "/prod/"])
def test_the_address_of_the_api_has_no_page(
    api: Api, capsys: pytest.CaptureFixture[str], ending: str, target: str
) -> None:
    """Its stage or a domain of its own."""
    with service_of(api) as service, listening(answers_of(service.url, "/prod", None)) as front:
        assert main(["smoke", front.url + ending, "--target", target]) == 0

    assert states(capsys.readouterr().out) == dict.fromkeys(STEPS, "ok") | {"page": "skip"}


def test_a_page_that_was_not_published_fails(api: Api, capsys: pytest.CaptureFixture[str], target: str) -> None:
    with service_of(api) as service:
        whole = answers_of(service.url)

        def answer(asked: Asked) -> Answered:
            return Answered(404, {}, b"NoSuchKey") if asked.path == "/" else whole(asked)

        with listening(answer) as front:
            assert main(["smoke", front.url, "--target", target]) == 1

    said = capsys.readouterr().out
    assert states(said) == dict.fromkeys(STEPS, "ok") | {"page": "fail"}
    assert "do: make publish-page" in said


def test_a_target_that_no_cube_sees_fails_with_advice(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    with service_of(api) as service, listening(answers_of(service.url)) as front:
        assert main(["smoke", front.url, "--target", "10 10"]) == 1

    said = capsys.readouterr().out
    assert {what for what, state in states(said).items() if state == "fail"} == {"sectors"}
    assert {what for what, state in states(said).items() if state == "skip"} == {"cutout", "preview"}, "not tried"
    assert "no cube sees 10.0 10.0" in said
    assert "--target 'RA DEC'" in said


def test_pixels_that_were_damaged_on_the_way_fail(api: Api, capsys: pytest.CaptureFixture[str], target: str) -> None:
    with service_of(api) as service:
        whole = answers_of(service.url)

        def answer(asked: Asked) -> Answered:
            got = whole(asked)
            if "/astrocut" in asked.target or "/stored/" in asked.target:
                middle = len(got.content) // 2
                return Answered(got.status, got.headers, got.content[:middle] + b"\xff" + got.content[middle + 1 :])
            return got

        with listening(answer) as front:
            assert main(["smoke", front.url, "--target", target]) == 1

    assert states(capsys.readouterr().out)["cutout"] == "fail"


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (
            Answered(503, {"content-type": "application/json"}, b'{"error": {"message": "paused"}}'),
            "answers 503: paused",
        ),
        (Answered(200, {"content-type": "text/html"}, b"<html>"), "content type text/html; it should have json"),
        (Answered(200, {"content-type": "application/json"}, b"{"), "text that is not JSON"),
        (Answered(200, {"content-type": "application/json"}, b"[]"), "JSON that is not an object"),
        (Answered(200, {"content-type": "application/json"}, b"{}"), "no number of cubes"),
        (None, "Connection"),
    ],
)
def test_what_is_no_service_fails_in_one_line_each(
    answered: Answered | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(lambda _: answered) as server:
        assert main(["smoke", server.url]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(STEPS)
    assert said in lines[0]
    assert "Pool" not in "".join(lines), "no names of objects of urllib3"


def test_a_service_without_cubes_fails(capsys: pytest.CaptureFixture[str]) -> None:
    body = b'{"status": "ok", "version": "1", "cubes": 0, "paused": false}'
    with listening(lambda _: Answered(200, {"content-type": "application/json"}, body)) as server:
        assert main(["smoke", server.url]) == 1

    assert "FootprintIndex" in capsys.readouterr().out.splitlines()[0]


def test_a_paused_service_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    body = b'{"status": "ok", "version": "1", "cubes": 7, "paused": {"reason": "budget", "since": 1, "by": "budget"}}'
    with listening(lambda _: Answered(200, {"content-type": "application/json"}, body)) as server:
        main(["smoke", server.url])

    assert states(capsys.readouterr().out)["health"] == "warn"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no address"], "tessera-admin: url is 'no address'; allowed: the address of a Tessera service"),
        (["http://127.0.0.1:9", "--target", "pi Men"], "tessera-admin: target is 'pi Men'; allowed: "),
    ],
)
def test_wrong_arguments_are_named(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smoke", *arguments]) == 1
    assert capsys.readouterr().err.startswith(said)
