"""Answers that no Tessera service gives, and damaged ones: each is one error, and nothing is written."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import tessera
from tests.support.api import Answered
from tests.support.service import Server, listening

ZIP = {"Content-Type": "application/zip"}
JSON = {"Content-Type": "application/json"}
HTML = Answered(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html><body>welcome</body></html>")
NAME = "tess-s0001-4-2_1.000000_2.000000_5x5_astrocut.fits"


def archive(*members: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", packing) as file:
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name), data, packing)
    return content.getvalue()


def fits_like(n_bytes: int = 5760) -> bytes:
    return b"SIMPLE  =                    T".ljust(80) + b"END".ljust(n_bytes - 80)


@pytest.fixture(scope="module", name="server")
def _server() -> Iterator[Server]:
    with listening(lambda _: None) as server:
        yield server


@pytest.fixture(scope="module", name="client")
def _client(server: Server) -> Iterator[tessera.Client]:
    with tessera.Client(server.url, retries=0) as client:
        yield client


Refuse = Callable[[Answered, Path | None], tessera.ServiceError]


@pytest.fixture
def refused(server: Server, client: tessera.Client) -> Refuse:
    """Gives the error of a client that gets an answer instead of cutouts. Nothing may be left in its folder."""

    def refuse(answered: Answered, folder: Path | None) -> tessera.ServiceError:
        server.answer = lambda _: answered
        with pytest.raises(tessera.ServiceError) as caught:
            client.cutouts((1, 2), 5, output_dir=folder)
        assert "\n" not in str(caught.value)
        assert server.url in str(caught.value)
        assert folder is None or list(folder.iterdir()) == []
        return caught.value

    return refuse


@pytest.mark.parametrize(
    ("answered", "found"),
    [
        (HTML, "text/html, which is not JSON"),
        (Answered(404, {"Content-Type": "text/html"}, b"<html>"), "404 Not Found and text/html"),
        (Answered(405, {}, b""), "405 Method Not Allowed and no type"),
        (Answered(404, JSON, b'{"msg": "no"}'), "404 Not Found and application/json"),
        (Answered(200, JSON, b""), "application/json, which is not JSON"),
        (Answered(200, JSON, b"[" * 100_000), "application/json, which is not JSON"),
        (Answered(200, JSON, b"\xff\xfe\x00"), "application/json, which is not JSON"),
        (Answered(200, JSON, b"[1, 2]"), "a document list instead of an object"),
        (
            Answered(200, JSON, b'{"status": "ok", "version": 3, "cubes": 1}'),
            "a document without a usable field 'version'",
        ),
        (
            Answered(200, JSON, b'{"status": "ok", "version": "3", "cubes": true}'),
            "a document without a usable field 'cubes'",
        ),
    ],
)
def test_a_server_that_is_no_tessera_service_is_named_in_one_sentence(
    server: Server, client: tessera.Client, answered: Answered, found: str
) -> None:
    server.answer = lambda _: answered
    with pytest.raises(tessera.ForeignServerError) as caught:
        client.health()
    assert str(caught.value) == f"{server.url} is no Tessera service: it answers GET /v1/health with {found}"


@pytest.mark.parametrize("status", [401, 403, 500])
def test_refusals_of_gateways_are_errors_of_their_status(refused: Refuse, status: int) -> None:
    error = refused(Answered(status, JSON | {"x-amzn-requestid": "r-1"}, b'{"message": "Forbidden"}'), None)
    assert (error.status, error.request_id) == (status, "r-1")
    assert str(error).endswith(": Forbidden (request r-1)")


@pytest.mark.parametrize(
    "name",
    ["../evil.fits", "/etc/evil.fits", "a/b.fits", "..\\evil.fits", ".hidden.fits", "evil.py", "ev\nil.fits", "",
     "C:evil.fits", "x" * 300 + ".fits", "é.fits", "evil.fits/"],
)  # fmt: skip
def test_an_archive_with_a_wrong_name_is_not_unpacked(refused: Refuse, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    answered = Answered(200, ZIP, archive((NAME, fits_like()), (name, fits_like())))
    for place in (folder, None):
        assert "which is not written anywhere" in str(refused(answered, place))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_name_twice_is_refused(refused: Refuse, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = archive((NAME, fits_like()), (NAME, fits_like()))
    assert "which is not written anywhere" in str(refused(Answered(200, ZIP, content), tmp_path))


def damaged() -> dict[str, bytes]:
    good = archive((NAME, os.urandom(5000) + fits_like()))
    flipped = bytearray(good)
    flipped[2000] ^= 0xFF
    lying = bytearray(archive((NAME, b"SIMPLE  =" + bytes(100_000))))
    lying[lying.index(b"PK\x01\x02") + 24 :][:4] = struct.pack("<I", 50)  # the size in the directory
    encrypted = bytearray(good)
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    unknown = bytearray(good)
    unknown[unknown.index(b"PK\x01\x02") + 10] = 99
    return {
        "half": good[: len(good) // 2],
        "without its end": good[:-10],
        "with a wrong byte": bytes(flipped),
        "encrypted": bytes(encrypted),
        "packed in an unknown way": bytes(unknown),
        "empty": b"",
        "text": b"not a zip at all",
    }


@pytest.mark.parametrize("kind", damaged())
def test_a_damaged_archive_is_one_error_and_leaves_nothing(refused: Refuse, kind: str, tmp_path: Path) -> None:
    error = refused(Answered(200, ZIP, damaged()[kind]), tmp_path)
    assert isinstance(error, tessera.DamagedAnswerError)
    assert "sends an archive that is damaged" in str(error)
    refused(Answered(200, ZIP, damaged()[kind]), None)


def bomb(n_bytes: int) -> bytes:
    """An archive of a few bytes that says it has many: its directory lies about a stored member."""
    content = bytearray(archive((NAME, zlib.compress(b"x")), packing=zipfile.ZIP_STORED))
    directory = content.index(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", n_bytes)
    return bytes(content)


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    refused: Refuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "at most 1,000,000,000 are unpacked; give output_dir" in str(
        refused(Answered(200, ZIP, bomb(4_000_000_000)), None)
    )
    monkeypatch.setattr("tessera.client.cuts.archives.MOST_ON_DISK", 1_000_000)
    content = archive((NAME, bytes(2_000_000)))
    assert len(content) < 5000
    assert "sends an archive of 2,000,000 bytes; at most 1,000,000" in str(
        refused(Answered(200, ZIP, content), tmp_path)
    )


def test_an_archive_of_too_many_files_is_refused(
    refused: Refuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.client.cuts.archives.MOST_MEMBERS", 3)
    content = archive(*((f"{number}.fits", b"") for number in range(4)))
    assert "sends an archive of 4 files; at most 3 are read" in str(refused(Answered(200, ZIP, content), tmp_path))


def test_an_answer_that_does_not_end_is_cut_off(
    refused: Refuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_MAX_TEMPORARY_GB", "0.00001")
    assert "sends more than 10,000 bytes" in str(refused(Answered(200, ZIP, bytes(20_000)), tmp_path))


def test_an_answer_that_is_not_whole_is_no_archive(refused: Refuse, tmp_path: Path) -> None:
    short = Answered(200, ZIP | {"Content-Length": "90000"}, archive((NAME, fits_like())))
    assert isinstance(refused(short, tmp_path), tessera.UnreachableServiceError)
    packed = Answered(200, ZIP | {"Content-Encoding": "gzip"}, b"not gzip")
    assert "cannot be unpacked" in str(refused(packed, tmp_path))


@pytest.mark.parametrize("content", [b"", b"PK", b"no FITS file"])
def test_a_member_that_is_no_fits_file_is_refused(refused: Refuse, content: bytes, tmp_path: Path) -> None:
    for folder in (tmp_path, None):
        assert "which is not a FITS file" in str(refused(Answered(200, ZIP, archive((NAME, content))), folder))


def test_another_kind_of_answer_is_refused(refused: Refuse, tmp_path: Path) -> None:
    assert "text/html instead of an archive" in str(refused(HTML, tmp_path))
    assert "application/json instead of an archive" in str(refused(Answered(200, JSON, b'{"msg": "later"}'), tmp_path))


def test_a_preview_of_another_kind_is_refused(server: Server, client: tessera.Client) -> None:
    server.answer = lambda _: HTML
    for ask, wanted in (
        (client.preview_csv, "text/csv"),
        (client.preview_png, "image/png"),
        (client.preview_frames, "a NumPy file"),
    ):
        with pytest.raises(tessera.ServiceError, match=f"text/html instead of {wanted}"):
            ask("tess-s0001-4-2", (1, 2), 5)


def numpy_file(n_cadences: int, n_rows: int) -> bytes:
    content = io.BytesIO()
    fields = [("time", "<f8"), ("cadence", "<i4"), ("quality", "<i4"), ("flux", "<f4", (n_rows, 5))]
    np.save(content, np.zeros(n_cadences, fields))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read"),
        (b"no file", "cannot be read"),
        (archive(("time.npy", b"")), "cannot be read"),
        (numpy_file(3, 5)[:-1], "cannot be read"),
        (numpy_file(3, 4), "another form than 5 x 5 pixels"),
        (numpy_file(0, 5), "another form than 5 x 5 pixels"),
    ],
    ids=["empty", "text", "archive", "cut", "shape", "none"],
)
def test_damaged_frames_are_refused(server: Server, client: tessera.Client, content: bytes, said: str) -> None:
    server.answer = lambda _: Answered(200, {"Content-Type": "application/octet-stream"}, content)
    with pytest.raises(tessera.ServiceError, match=f"sends frames .*{said}"):
        client.preview_frames("tess-s0001-4-2", (1, 2), 5)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("/v1/cutouts", "redirects more than 10 times"),
        ("", "redirects to '', which is no address"),
        ("ftp://host/file", "redirects to 'ftp://host/file', which is no address"),
        ("http://:80/", "redirects to 'http://:80/', which is no address"),
    ],
)
def test_redirections_that_lead_nowhere_are_refused(refused: Refuse, location: str, said: str, tmp_path: Path) -> None:
    assert said in str(refused(Answered(303, {"Location": location} if location else {}, b""), tmp_path))


def test_a_result_that_is_gone_is_said(server: Server, client: tessera.Client, tmp_path: Path) -> None:
    gone = Answered(403, {"x-amz-request-id": "s3-1"}, b"<Error><Code>AccessDenied</Code></Error>")
    with listening(lambda _: gone) as store:
        server.answer = lambda _: Answered(303, {"Location": f"{store.url}/a.zip?X-Amz-Signature=secret"}, b"")
        with pytest.raises(tessera.DamagedAnswerError) as caught:
            client.cutouts((1, 2), 5, output_dir=tmp_path)
    assert "has the result, and answers 403 Forbidden; ask for the cutouts again (request s3-1)" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_page_is_not_saved_as_the_archive_of_a_job(server: Server, client: tessera.Client, tmp_path: Path) -> None:
    job = {"id": "abc", "status": "succeeded", "cubes": [], "progress": {"cubes": 1, "done": 1, "failed": 0}}
    state = json.dumps(job | {"result": {"url": f"{server.url}/a.zip"}}).encode()
    server.answer = lambda asked: HTML if asked.path == "/a.zip" else Answered(200, JSON, state)
    with pytest.raises(tessera.DamagedAnswerError, match="sends text/html that is no zip archive"):
        client.open_job("abc").save_archive(tmp_path / "all.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_body_is_not_sent_to_another_host(server: Server, client: tessera.Client) -> None:
    server.answer = lambda _: Answered(307, {"Location": "http://other.example/v1/jobs"}, b"")
    with pytest.raises(
        tessera.DamagedAnswerError, match=re.escape("redirects to http://other.example; give this address")
    ):
        client.job((1, 2), 5)
