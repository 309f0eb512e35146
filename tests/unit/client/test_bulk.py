"""Lists of targets over real HTTP, to a server that answers as the documents of ``/v1/bulk`` say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from astropy.table import Table

import tessera
from tessera import InvalidInputError
from tests.support.api import Answered
from tests.support.coroutines import run_coroutine
from tests.support.list_service import FILES, ID, PLAN, Lists
from tests.support.service import Asked, Server, listening


@pytest.fixture(scope="module", name="server")
def _server() -> Iterator[Server]:
    with listening(lambda _: None) as server:
        yield server


@pytest.fixture(name="lists", autouse=True)
def _lists(server: Server) -> Lists:
    lists = Lists(url=server.url)
    server.answer, server.asked[:] = lists.answer, []
    return lists


@pytest.fixture(scope="module", name="client")
def _client(server: Server) -> Iterator[tessera.Client]:
    with tessera.Client(server.url, retries=2, sleep=lambda _: None) as client:
        yield client


def test_a_small_file_is_sent_as_it_is_with_its_options_in_the_query(
    client: tessera.Client, server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "stars.csv"
    path.write_bytes(b"name,ra,dec\r\nhere,1.5,-2\r\n")
    job = client.bulk(path, outputs=["tpf", "parquet"], size=(5, 7), sectors=[27, 1], best_only=True)
    assert (job.id, job.cancel_token, job.status, job.progress) == (ID, "secret", "succeeded", (3, 3))
    (asked,) = server.asked
    assert (asked.method, asked.body, asked.headers["content-type"]) == ("POST", path.read_bytes(), "text/csv")
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked.target).query).items()}
    assert query == {"outputs": "parquet,tpf", "size": "5,7", "sectors": "1,27", "best_only": "true"}


def test_options_that_make_the_address_too_long_go_with_an_upload(client: tessera.Client, server: Server) -> None:
    client.bulk(["pi Men"], sectors=range(1, 1500))
    assert server.lines == ["POST /v1/bulk/uploads", "PUT /put/up-1", "POST /v1/bulk"]
    assert json.loads(server.asked[-1].body)["sectors"] == list(range(1, 1500))


@pytest.mark.parametrize("text", ['{"targets": [{"ra": 1.5, "dec": 2}]}', '[{"ra": 1.5, "dec": 2}]', '[{"ra": 1.5'])
def test_a_document_is_sent_as_its_list_or_as_it_is_if_it_cannot_be_read(
    client: tessera.Client, server: Server, tmp_path: Path, text: str
) -> None:
    (tmp_path / "stars.json").write_text(text, encoding="utf-8")
    client.bulk(tmp_path / "stars.json", size=5)
    assert server.asked[0].body.decode() == text.removeprefix('{"targets": ').removesuffix("}" * text.endswith("]}"))


def test_a_plan_has_all_numbers_of_the_service(client: tessera.Client, server: Server) -> None:
    assert client.bulk_plan(["pi Men", (1.5, -2)]) == PLAN
    (asked,) = server.asked
    assert json.loads(asked.body) == [{"name": "pi Men"}, {"ra": 1.5, "dec": -2}]
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize("refuses", [False, True])
def test_a_large_list_goes_to_the_upload_link(
    client: tessera.Client, server: Server, lists: Lists, tmp_path: Path, *, refuses: bool
) -> None:
    """Either the client sees that it is large, or the service says so."""
    path, lists.too_large = tmp_path / "stars.csv", refuses
    path.write_bytes(b"ra,dec\n" + b"1.5,-2\n" * (3 if refuses else 10_001))
    shown: list[tuple[int, int]] = []
    client.bulk(path, product="TICA", size=7, progress=lambda *count: shown.append(count))
    assert lists.uploaded == path.read_bytes()
    posts = ["POST /v1/bulk"] * refuses + ["POST /v1/bulk/uploads", "PUT /put/up-1", "POST /v1/bulk"]
    assert server.lines == posts
    assert json.loads(server.asked[-1].body) == {"upload": "up-1", "product": "TICA", "size": [7, 7]}
    assert (server.asked[-2].headers["content-length"], shown[-1][0]) == (str(len(lists.uploaded)), len(lists.uploaded))
    assert "transfer-encoding" not in server.asked[-2].headers


def test_a_list_that_is_too_large_to_upload_is_refused_before_it_is_sent(
    client: tessera.Client, server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "stars.parquet"
    with path.open("wb") as file:
        file.truncate(9_000_001)
    with pytest.raises(InvalidInputError, match=r"a list of 9,000,001 bytes'; allowed: at most 9,000,000 bytes"):
        client.bulk(path)
    assert server.lines == ["POST /v1/bulk/uploads"]
    assert json.loads(server.asked[0].body) == {"bytes": 9_000_001}


@pytest.mark.parametrize(
    ("targets", "given", "said"),
    [
        (["pi Men"], {"size": 102}, "size is 102; allowed: whole numbers of pixels from 1 to 101"),
        (["pi Men"], {"outputs": "fits"}, "outputs is 'fits'; allowed: 'parquet', 'lightcurves', 'tpf'"),
        (b"ra,dec", {}, "targets is b'ra,dec'; allowed: the path of a file"),
        ((88.9, -75.4), {}, "targets is (88.9, -75.4); allowed: the path of a file"),
        ([], {}, "targets is []; allowed: the path of a file"),
        (Table({"ra": []}), {}, "allowed: a table with at least one row"),
        ({"ra": [1, 2], "dec": [1]}, {}, "allowed: columns of the same length"),
        ("/dev/null", {}, "targets is '/dev/null'; allowed: the path of a file, not of a folder, a pipe or a device"),
        ("none.csv", {}, "none.csv cannot be read: there is no such file"),
    ],
)
def test_what_is_no_list_or_no_option_is_refused_before_any_request(
    client: tessera.Client, server: Server, targets: object, given: dict[str, Any], said: str
) -> None:
    for ask in (client.bulk, client.bulk_plan):
        with pytest.raises((InvalidInputError, tessera.errors.MissingFileError)) as caught:
            ask(targets, **given)
        assert said in str(caught.value)
    assert server.lines == []


def test_a_list_is_waited_for_by_its_rows(client: tessera.Client, lists: Lists) -> None:
    lists.state, lists.done = {"status": "running", "phase": "cutting"}, 1
    job = client.bulk(["pi Men"])
    assert repr(job) == f"<BulkJob {ID}: running, 2 of 3 rows>"
    assert (job.state.rows, job.state.plan, job.state.eta_seconds) == (3, PLAN, 12.5)
    with pytest.raises(tessera.FailedJobError, match=rf"has not ended the list {ID} after 0 s; 2 of 3 rows are done"):
        job.wait(timeout=0)
    lists.state, lists.done = {"status": "succeeded", "phase": "ended"}, 2
    counts: list[tuple[int, int]] = []
    assert client.open_bulk(f"{client.url}/v1/bulk/{ID}").wait(progress=lambda *n: counts.append(n)).n_done == 2
    assert counts == [(3, 3)]
    with pytest.raises(InvalidInputError, match="job is 'a b'; allowed: the id of a list, or its address"):
        client.open_bulk("a b")


def _downloaded(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "list.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_all_pages_of_products_are_loaded_once(client: tessera.Client, server: Server, tmp_path: Path) -> None:
    job, counts = client.bulk(["pi Men"]), list[tuple[int, int]]()
    paths = job.download(tmp_path / "new", progress=lambda *count: counts.append(count))
    assert _downloaded(tmp_path / "new") == FILES
    assert [path.relative_to(tmp_path / "new").as_posix() for path in paths] == sorted(FILES)
    assert counts[-1] == (3, 3)
    server.asked.clear()
    assert client.open_bulk(ID).download(tmp_path / "new") == paths
    assert [line for line in server.lines if "stored" in line] == []


def test_a_broken_connection_goes_on_at_the_byte_where_it_broke(
    client: tessera.Client, server: Server, lists: Lists, tmp_path: Path
) -> None:
    lists.cut_after = 3_000_000
    client.bulk(["pi Men"]).download(tmp_path, parallel=1)
    assert _downloaded(tmp_path) == FILES
    starts = [asked.headers["range"] for asked in server.asked if "range" in asked.headers]
    assert len(starts) == 1
    assert 0 < int(starts[0].removeprefix("bytes=").removesuffix("-")) <= 3_000_000


def test_an_interrupted_run_goes_on_in_the_next_one(
    client: tessera.Client, server: Server, lists: Lists, tmp_path: Path
) -> None:
    name = "files/tess-s0001-4-2-00000-1.zip"
    job = client.bulk(["pi Men"])
    job.download(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / "files" / ".tess-s0001-4-2-00000-1.zip.download").write_bytes(FILES[name][:1000])
    (tmp_path / "status.csv").write_text("changed")
    server.asked.clear()
    job.download(tmp_path)
    assert _downloaded(tmp_path) == FILES
    loaded = {asked.path: asked.headers.get("range", "") for asked in server.asked if "stored" in asked.path}
    assert loaded == {f"/stored/{name}": "bytes=1000-", "/stored/status.csv": ""}
    (tmp_path / name).unlink()
    (tmp_path / "files" / ".tess-s0001-4-2-00000-1.zip.download").write_bytes(b"something else")
    job.download(tmp_path)
    assert _downloaded(tmp_path) == FILES


def test_a_product_with_a_wrong_checksum_is_an_error_and_no_file(
    client: tessera.Client, server: Server, lists: Lists, tmp_path: Path
) -> None:
    lists.files = {"status.csv": b"right"}
    answer = lists.answer
    server.answer = lambda asked: (
        Answered(200, {}, b"wrong") if asked.path.startswith("/stored/") else answer(asked)
    )  # fmt: skip
    with pytest.raises(
        tessera.DamagedAnswerError, match=r"sends status\.csv with another size or checksum than it says"
    ):
        client.bulk(["pi Men"]).download(tmp_path)
    assert not (tmp_path / "status.csv").exists()


def test_a_product_whose_checksum_nobody_knows_is_loaded_again_from_its_begin(
    client: tessera.Client, server: Server, lists: Lists, tmp_path: Path
) -> None:
    lists.unknown = {"status.csv"}
    (tmp_path / ".status.csv.download").write_bytes(b"x" * (len(FILES["status.csv"]) - 1))
    job = client.bulk(["pi Men"])
    for _ in range(2):
        job.download(tmp_path)
        assert _downloaded(tmp_path) == FILES
    assert server.lines.count("GET /stored/status.csv") == 2


def test_a_link_that_has_expired_is_asked_for_again(
    client: tessera.Client, server: Server, lists: Lists, tmp_path: Path
) -> None:
    lists.expired.add("/stored/status.csv?sig=0")
    answer, job = lists.answer, client.bulk(["pi Men"])

    def expire_later(asked: Asked) -> Answered:
        answered = answer(asked)
        if "after" in asked.target:
            answered = replace(answered, content=answered.content.replace(b"sig=1", b"sig=0"))
            server.answer = answer
        return answered

    server.answer = expire_later
    job.download(tmp_path)
    assert _downloaded(tmp_path) == FILES


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../b", "a//b", ".hidden", "a\\b", "", "a/.b", "x" * 501, "é"])
def test_a_product_whose_name_leads_elsewhere_is_not_written(
    client: tessera.Client, lists: Lists, tmp_path: Path, name: str
) -> None:
    lists.files = {name: b"x"}
    with pytest.raises(tessera.DamagedAnswerError, match="which is not written anywhere"):
        client.bulk(["pi Men"]).download(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["list.json"]


def test_a_folder_of_something_else_is_kept(client: tessera.Client, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    job = client.bulk(["pi Men"])
    with pytest.raises(InvalidInputError, match="allowed: a folder that is empty, or has products of the same list"):
        job.download(tmp_path)
    assert _downloaded(tmp_path) == {"notes.txt": b"notes"}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "list.json").write_text('{"id": "abc"}')
    with pytest.raises(
        InvalidInputError, match=r"allowed: another folder for the list 0f0f.*, because this one has abc"
    ):
        job.download(tmp_path / "other")


def test_partial_results_are_loaded_while_the_list_is_worked_on(
    client: tessera.Client, lists: Lists, tmp_path: Path
) -> None:
    lists.state = {"status": "running", "phase": "cutting"}
    whole, lists.files = lists.files, {name: data for name, data in FILES.items() if name.startswith("light")}
    job = client.bulk(["pi Men"])
    assert len(job.download(tmp_path, wait=False)) == 1
    with pytest.raises(tessera.FailedJobError, match=r"has no status\.csv yet of the list 0f0f.*, which is running"):
        job.status_table()
    lists.state, lists.files = {"status": "partial"}, whole
    assert len(job.download(tmp_path)) == 3
    assert job.status == "partial"
    assert [(file.name, file.size) for file in job.results()] == [(name, len(FILES[name])) for name in sorted(FILES)]


def test_a_failed_list_without_products_says_why(client: tessera.Client, lists: Lists, tmp_path: Path) -> None:
    lists.state, lists.files = {"status": "failed", "reason": "no row is on a cube"}, {}
    with pytest.raises(tessera.FailedJobError, match=r"has no product of the list .*, which is failed: no row is on"):
        client.bulk(["pi Men"]).download(tmp_path)


def test_a_list_is_cancelled_with_its_token(client: tessera.Client) -> None:
    job = client.bulk(["pi Men"])
    with pytest.raises(tessera.RefusedRequestError, match="cancel_token is not one of this job"):
        client.open_bulk(job.id).cancel()
    assert client.open_bulk(job.id).cancel(job.cancel_token).status == "cancelled"


def test_the_status_table_has_a_line_for_each_row(client: tessera.Client) -> None:
    table = client.bulk(["pi Men"]).status_table()
    assert list(table["row", "target", "status", "reason"][0]) == [1, "a", "no overlap", "on no cube"]


def test_the_asynchronous_client_does_the_same(server: Server, lists: Lists, tmp_path: Path) -> None:
    lists.cut_after = 3_000_000
    (tmp_path / "stars.csv").write_bytes(b"ra,dec\n" + b"1.5,-2\n" * 10_001)

    async def ask() -> None:
        async with tessera.AsyncClient(server.url, sleep=lambda _: asyncio.sleep(0)) as client:
            assert await client.bulk_plan(["pi Men"]) == PLAN
            job = await client.bulk(tmp_path / "stars.csv")
            assert (await job.wait()).has_ended
            assert len(await job.download(tmp_path / "new")) == 3
            assert len(await (await client.open_bulk(job.id)).status_table()) == 1
            with pytest.raises(tessera.RefusedRequestError):
                await (await client.open_bulk(job.id)).cancel()

    run_coroutine(ask())
    assert _downloaded(tmp_path / "new") == FILES
    assert lists.uploaded.count(b"\n") == 10_002
