"""Frames and cubes over HTTP and S3: only the needed bytes are read, and a file that changes is noticed."""

from __future__ import annotations

import hashlib
import http.server
import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from moto.server import ThreadedMotoServer

from tessera import CubeFactory
from tessera.builds.report import verify_cube
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tessera.io.sources import ReplacedError, open_source
from tessera.verify.verify import verify_product
from tests.support.frames import tiny_sector
from tests.support.same_bytes import assert_same_bytes

SHAPE = (400, 300)
FRAMES = dict(tiny_sector(4, SHAPE))
BUCKET = "remote-frames"


class Server(http.server.ThreadingHTTPServer):
    """Files with ranges and ETags."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = dict(FRAMES)
        self.n_bytes = 0
        self.has_etags = True
        self.refuses: dict[str, int] = {}
        self.changed = "Fri, 20 Nov 2026 00:00:00 GMT"
        self.replace_after: tuple[int, bytes] | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_HEAD(self) -> None:
        self._answer(send_body=False)

    def do_GET(self) -> None:
        self._answer(send_body=True)

    def _answer(self, send_body: bool) -> None:
        if self.server.replace_after is not None:
            n, content = self.server.replace_after
            self.server.replace_after = (n - 1, content) if n else None
            if not n:
                self.server.files[self.path.lstrip("/")] = content
        data = self.server.files.get(self.path.lstrip("/"))
        status = self.server.refuses.get(self.path.lstrip("/"), 404)
        if data is None:
            self.send_error(status)
            return
        etag = f'"{hashlib.md5(data).hexdigest()}"'
        if self.headers.get("If-Match", etag) != etag:
            self.send_error(412)
            return
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        body = data[int(span[1]) : int(span[2]) + 1] if span else data
        self.send_response(206 if span else 200)
        if span:
            self.send_header("Content-Range", f"bytes {span[1]}-{int(span[1]) + len(body) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(body)))
        if self.server.has_etags:
            self.send_header("ETag", etag)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Last-Modified", self.server.changed)
        self.end_headers()
        if send_body:
            self.server.n_bytes += len(body)
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    for name, value in (
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for name, data in FRAMES.items():
        client.put_object(Bucket=BUCKET, Key=f"tess/ffi/{name}", Body=data)
    yield f"s3://{BUCKET}/tess/ffi"
    server.stop()


def test_the_record_of_a_cube_has_the_etags_of_remote_frames(tmp_path: Path, web: Server) -> None:
    urls = [f"http://127.0.0.1:{web.server_port}/{name}" for name in FRAMES]
    cube = CubeFactory(provenance=True).make_cube(urls, tmp_path / "tess-s0001-4-2-cube.fits", verbose=False)
    found = verify_product(cube, urls)
    assert (found.status, found.notes) == ("same", [])
    assert found.record is not None
    etags = {frame["name"]: frame["etag"] for frame in found.record["source"]["frames"]}
    assert etags == {name: hashlib.md5(data).hexdigest() for name, data in FRAMES.items()}
    changed = next(iter(FRAMES))
    web.files[changed] = FRAMES[changed].replace(b"TELESCOP= 'TESS", b"TELESCOP= 'Tess", 1)
    other = verify_product(cube, urls)
    assert [(item.what, item.place) for item in other.problems] == [("source", {"location": changed})]
    web.has_etags = False
    assert "have no ETag here, of which only the pixels were compared: 4" in verify_product(cube, urls).notes[0]


@pytest.mark.usefixtures("still_clock")
def test_a_cube_of_frames_from_everywhere_is_the_cube_of_local_files(tmp_path: Path, web: Server, s3: str) -> None:
    names = list(FRAMES)
    for name, data in FRAMES.items():
        (tmp_path / name).write_bytes(data)
    local = [tmp_path / name for name in names]
    base = f"http://127.0.0.1:{web.server_address[1]}"
    mixed: list[str | Path] = [local[0], str(local[1]), f"{base}/{names[2]}", f"{s3}/{names[3]}"]
    CubeFactory().make_cube(local, tmp_path / "local.fits")
    CubeFactory().make_cube(mixed, tmp_path / "mixed.fits")
    assert_same_bytes((tmp_path / "mixed.fits").read_bytes(), (tmp_path / "local.fits").read_bytes())
    assert web.n_bytes < len(FRAMES[names[2]]) + 60_000
    assert verify_cube(tmp_path / "mixed.fits", mixed) == []


def test_a_missing_url_is_named(web: Server, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{web.server_address[1]}/missing.fits"
    with pytest.raises(FileNotFoundError) as caught:
        CubeFactory().make_cube([url], tmp_path / "cube.fits")
    assert str(caught.value) == f"{url} cannot be read: there is no such file"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["http:///cube.fits", "http://", "https://[/cube.fits"])
def test_an_address_that_is_none_does_not_keep_other_cubes_from_being_cut(tmp_path: Path, address: str) -> None:
    for name, data in FRAMES.items():
        (tmp_path / name).write_bytes(data)
    cube = CubeFactory().make_cube([tmp_path / name for name in FRAMES], tmp_path / "cube.fits")

    wrong, _ = make_cutouts([address, cube], SkyCoord(1, 2, unit="deg"), 5)

    assert wrong.status == "error"
    assert wrong.reason.startswith(f"{address} cannot be read: ")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_cube_that_a_server_refuses_does_not_keep_the_others_from_being_cut(web: Server, status: int) -> None:
    web.refuses = {"refused.fits": status}
    base = f"http://127.0.0.1:{web.server_address[1]}"

    refused, missing = make_cutouts([f"{base}/refused.fits", f"{base}/missing.fits"], SkyCoord(1, 2, unit="deg"), 5)

    assert (refused.status, missing.status) == ("error", "error")
    assert refused.reason.startswith(f"{base}/refused.fits cannot be read: ")
    assert str(status) in refused.reason
    assert "\n" not in refused.reason


def test_a_file_that_is_replaced_while_it_is_read_is_noticed(web: Server) -> None:
    name = next(iter(FRAMES))
    source = open_source(f"http://127.0.0.1:{web.server_address[1]}/{name}")
    assert source.read(0, 80) == FRAMES[name][:80]
    web.files[name] = b"x" * len(FRAMES[name])
    with pytest.raises(ReplacedError, match="was replaced while it was read"):
        source.read(40_000, 80)


@pytest.mark.parametrize("what", ["time", "size"])
def test_a_file_of_a_server_without_etags_is_known_by_its_time_and_size(web: Server, what: str) -> None:
    name = next(iter(FRAMES))
    web.has_etags = False
    source = open_source(f"http://127.0.0.1:{web.server_address[1]}/{name}")
    assert source.read(0, 80) == FRAMES[name][:80]
    assert source.read(40_000, 80) == FRAMES[name][40_000:40_080]
    if what == "time":
        web.changed = "Sat, 21 Nov 2026 00:00:00 GMT"
    else:
        web.files[name] += bytes(2880)
    with pytest.raises(ReplacedError, match="was replaced while it was read"):
        source.read(40_000, 80)


def test_a_cube_that_is_replaced_while_it_is_cut_is_cut_again(web: Server, tmp_path: Path) -> None:
    paths = []
    for name, data in FRAMES.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
    contents = []
    for n_frames in (3, 4):
        cube = tmp_path / f"cube{n_frames}.fits"
        CubeFactory().make_cube(paths[:n_frames], cube, verbose=False)
        contents.append(cube.read_bytes())
    web.files["tess-s0001-4-2-cube.fits"] = contents[0]
    url = f"http://127.0.0.1:{web.server_address[1]}/tess-s0001-4-2-cube.fits"
    with open_cube(url) as file:
        ra, dec = file.cube.wcs.all_pix2world([[150, 200]], 0)[0]
    web.replace_after = 3, contents[1]
    (result,) = make_cutouts([url], SkyCoord(ra, dec, unit="deg"), 5)
    assert result.status == "ok", result.reason
    assert len(fits.open(io.BytesIO(result.data or b""))[1].data) == 4
