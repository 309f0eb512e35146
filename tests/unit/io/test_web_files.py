"""Files on web servers: every kind of address and of server gives the bytes, or one error in one line."""

from __future__ import annotations

import bz2
import gzip
import lzma
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tessera import CubeFactory, FITSCutout
from tessera.cutouts.batch import make_cutouts
from tessera.errors import DownloadWarning, MissingRemoteFileError, RemoteError, UnreadableFileError
from tessera.images.batch import make_image_cutouts
from tessera.io import remote
from tessera.io.locations import file_name, shown
from tessera.io.sources import ReplacedError, open_source
from tests.support.cubes import target_of
from tests.support.frames import tiny_sector
from tests.support.web import WITHOUT_RANGES, Site, serve

FRAMES = dict(tiny_sector(3, (40, 30)))
CONTENT = bytes(range(256)) * 400


@pytest.fixture
def web() -> Iterator[Site]:
    with serve(Site()) as site:
        yield site


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "RETRIES", {"max_retries": 0})


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("/a.fits?X-Amz-Date=1&X-Amz-Signature=ab%2Fc", "/a.fits?X-Amz-Date=1&X-Amz-Signature=ab%2Fc"),
        ("/get?uri=mast:TESS/product/a.fits", "/get?uri=mast:TESS/product/a.fits"),
        ("/get?a=b/c&d=", "/get?a=b/c&d="),
        ("/a%20b.fits", "/a%20b.fits"),
        ("/a b.fits", "/a%20b.fits"),
        ("/ä/ö.fits", "/%C3%A4/%C3%B6.fits"),
        ("/a+b.fits", "/a+b.fits"),
        ("/a%2Bb.fits", "/a%2Bb.fits"),
        ("/a%23b.fits", "/a%23b.fits"),
        ("/a.fits#part", "/a.fits"),
        ("/a//b.fits", "/a//b.fits"),
        ("/a?q=ü x", "/a?q=%C3%BC%20x"),
        ("/plain/a-b_c~d.fits", "/plain/a-b_c~d.fits"),
    ],
)
@pytest.mark.parametrize("kind", ["ranges", "whole"])
@pytest.mark.filterwarnings("ignore::tessera.errors.DownloadWarning")
def test_every_character_of_an_address_reaches_the_server(web: Site, address: str, asked: str, kind: str) -> None:
    web.files[asked], web.kind = CONTENT, kind
    source = open_source(web.base.replace("http", "HTTP", 1) + address)
    assert source.read(50_000, 1000) == CONTENT[50_000:51_000]
    assert set(web.paths()) == {asked}


def test_a_redirect_is_followed(web: Site) -> None:
    web.moved, web.files = {"/old": f"{web.base}/new?a=1"}, {"/new?a=1": CONTENT}
    assert open_source(f"{web.base}/old").read(90_000, 100) == CONTENT[90_000:90_100]


@pytest.mark.parametrize("kind", WITHOUT_RANGES)
@pytest.mark.parametrize("packs", [False, True])
def test_a_file_of_a_server_without_ranges_is_downloaded_once(web: Site, kind: str, packs: bool) -> None:
    web.files["/a.fits"], web.kind, web.packs = CONTENT, kind, packs
    with pytest.warns(DownloadWarning, match=f"{web.base}/a.fits: the server does not send parts of files"):
        source = open_source(f"{web.base}/a.fits")
    assert (source.size, source.name) == (len(CONTENT), "a.fits")
    assert all(source.read(start, 100) == CONTENT[start : start + 100] for start in (0, 50_000, len(CONTENT) - 100))
    source.check_unchanged()
    source.close()
    assert len(web.requests) == 2


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_a_packed_file_is_unpacked_whatever_it_is_called(web: Site, tmp_path: Path, pack: Any) -> None:
    web.files["/a.fits"] = pack(CONTENT) + pack(CONTENT)
    (tmp_path / "a.fits.xz").write_bytes(pack(CONTENT) + pack(CONTENT))
    for location in (f"{web.base}/a.fits", tmp_path / "a.fits.xz"):
        source = open_source(location)
        assert (source.name, source.size) == ("a.fits", 2 * len(CONTENT))
        assert source.read(100_000, 10_000) == (CONTENT + CONTENT)[100_000:110_000]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_a_damaged_packed_file_is_named(tmp_path: Path, pack: Any) -> None:
    packed = pack(CONTENT)
    for number, data in enumerate([packed[:-9], packed[:40] + bytes(20) + packed[60:]]):
        path = tmp_path / f"{number}.fits.gz"
        path.write_bytes(data)
        with pytest.raises(UnreadableFileError, match=f"{number}.fits.gz cannot be read: it cannot be unpacked: "):
            open_source(path)


def test_a_file_that_would_be_too_large_is_neither_downloaded_nor_unpacked(
    web: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_MAX_TEMPORARY_GB", "0.0001")
    web.files["/a.fits"], web.kind = CONTENT, "whole"
    (tmp_path / "a.fits.gz").write_bytes(gzip.compress(CONTENT))
    limit = "it has more than 0.0001 GB; the environment variable TESSERA_MAX_TEMPORARY_GB sets the limit"
    with pytest.raises(UnreadableFileError, match=limit), pytest.warns(DownloadWarning):
        open_source(f"{web.base}/a.fits")
    with pytest.raises(UnreadableFileError, match=limit):
        open_source(tmp_path / "a.fits.gz")
    monkeypatch.setenv("TESSERA_MAX_TEMPORARY_GB", "much")
    with pytest.raises(ValueError, match="TESSERA_MAX_TEMPORARY_GB is 'much'; allowed: a number of GB above 0"):
        open_source(tmp_path / "a.fits.gz")


def contents(path: Path) -> list[bytes]:
    """Pixels and info table of a cube; its DATE may be another day's."""
    return [np.asarray(fits.getdata(path, extension)).tobytes() for extension in (1, 2)]


@pytest.mark.parametrize("kind", ["ranges", "whole"])
def test_cubes_frames_and_images_of_every_server_are_used(web: Site, tmp_path: Path, cube: Path, kind: str) -> None:
    web.kind = kind
    web.files = {f"/get?uri=mast:TESS/{name}": data for name, data in FRAMES.items()}
    web.files["/tess-s0001-4-2-cube.fits?X-Amz-Signature=1/2"] = cube.read_bytes()
    frames = [web.base + path for path in list(web.files)[:3]]
    address = web.base + list(web.files)[3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DownloadWarning)
        made = CubeFactory().make_cube(frames, tmp_path / "made.fits", verbose=False)
        (result,) = make_cutouts([address], target_of(cube), 5, output_dir=tmp_path)
        (image,) = make_image_cutouts(frames[0], target_of(cube), 5, output_dir=tmp_path / "images")
    assert contents(Path(made)) == contents(cube)
    assert (result.status, image.status) == ("ok", "ok")
    assert result.name.startswith("tess-s0001-4-2")
    assert image.path is not None
    assert image.path.name.startswith(next(iter(FRAMES)).removesuffix(".fits"))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (301, "the server answers 301"),
        (400, "the server answers 400 Bad Request"),
        (401, "the server answers 401 Unauthorized: it needs a login"),
        (403, "the server answers 403 Forbidden: access is not allowed"),
        (404, "there is no such file"),
        (416, "the server answers 416"),
        (429, "the server answers 429 Too Many Requests"),
        (500, "the server answers 500 Internal Server Error: the server fails; try again later"),
        (503, "the server answers 503 Service Unavailable: the server fails; try again later"),
    ],
)
def test_a_refusal_is_one_line_with_address_status_and_reason(web: Site, status: int, reason: str) -> None:
    web.statuses["/a.fits?token=hidden&n=1"] = status
    address = f"{web.base}/a.fits?token=hidden&n=1"
    with pytest.raises(RemoteError) as caught:
        open_source(address)
    assert str(caught.value).startswith(f"{web.base}/a.fits?token=...&n=1 cannot be read: {reason}")
    assert "\n" not in str(caught.value)
    assert caught.value.status == status
    assert caught.value.__suppress_context__
    assert isinstance(caught.value, FileNotFoundError) == (status == 404)


@pytest.mark.usefixtures("impatient")
def test_one_cube_that_cannot_be_reached_leaves_the_results_of_the_others(cube: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refused = f"http://127.0.0.1:{unused.getsockname()[1]}/a.fits"
        bad = [refused, "s3://<the stack's bucket>/a.fits", "s3://bucket", "ftp/x", "http://ho st/a", "who://knows"]
        *failed, good = make_cutouts([*bad, cube], target_of(cube), 5)
        images = make_image_cutouts([*bad, cube], target_of(cube), 5)
    assert [result.status for result in failed] == ["error"] * len(bad)
    assert failed[0].reason == f"{refused} cannot be read: its host refuses the connection"
    assert failed[1].reason.endswith("a bucket's name has 3 to 63 letters, digits, dots and hyphens")
    assert failed[2].reason == "s3://bucket cannot be read: it names no object; write s3://bucket/key"
    assert [result.reason.partition(" cannot be read: ")[0] for result in failed] == bad
    assert good.status == "ok"
    assert [image.reason for image in images[: len(bad)]] == [result.reason for result in failed]


def test_frames_that_are_not_there_can_be_left_out(web: Site, tmp_path: Path, cube: Path) -> None:
    web.files = {f"/{name}": data for name, data in FRAMES.items()}
    missing: list[str | Path] = [f"{web.base}/no_ffic.fits", tmp_path / "not_ffic.fits", tmp_path]
    factory = CubeFactory(on_unreadable="skip")
    with pytest.warns(UserWarning, match="Left out"):
        factory.make_cube([*missing, *(web.base + path for path in web.files)], tmp_path / "a.fits", verbose=False)
    assert contents(tmp_path / "a.fits") == contents(cube)
    reasons = {"there is no such file", "it is a folder, not a file"}
    assert {key: value in reasons for key, value in factory.left_out.items()} == {str(item): True for item in missing}
    with pytest.raises(MissingRemoteFileError):
        CubeFactory().make_cube(missing[:1], tmp_path / "b.fits", verbose=False)


@pytest.mark.parametrize("etag", ["", 'W/"{}"'])
def test_a_change_within_one_second_is_noticed_without_a_strong_etag(web: Site, etag: str) -> None:
    web.files["/a.fits"], web.etag = CONTENT, etag
    source = open_source(f"{web.base}/a.fits")
    assert source.read(50_000, 10) == CONTENT[50_000:50_010]
    source.check_unchanged()
    web.files["/a.fits"] = b"x" + CONTENT[1:]
    with pytest.raises(ReplacedError, match=f"{web.base}/a.fits was replaced while it was read"):
        source.check_unchanged() if not etag else source.read(60_000, 10)


def test_a_truncated_answer_is_an_error(web: Site) -> None:
    web.files["/a.fits"] = CONTENT
    source = open_source(f"{web.base}/a.fits")
    with pytest.raises(RemoteError, match="bytes from byte"):
        source.read(len(CONTENT) - 10, 20)


def test_a_range_arrives_in_pieces_of_the_size_that_is_asked_for(web: Site) -> None:
    web.files["/a.fits"] = content = CONTENT * 20
    source = open_source(f"{web.base}/a.fits")
    pieces = [bytes(piece) for piece in source.read_pieces(1000, 1_500_000, 200_000)]
    assert b"".join(pieces) == content[1000:1_501_000]
    assert all(len(piece) >= 200_000 for piece in pieces[:-1])
    assert len(pieces) > 2
    assert len(web.requests) == 2
    assert [bytes(piece) for piece in source.read_pieces(50_000, 100, 200_000)] == [content[50_000:50_100]]


def test_pieces_of_a_replaced_or_shorter_file_are_an_error(web: Site) -> None:
    web.files["/a.fits"] = content = CONTENT * 20
    source = open_source(f"{web.base}/a.fits")
    with pytest.raises(RemoteError, match="1,000 of 400,000 bytes from byte"):
        list(source.read_pieces(len(content) - 1000, 400_000, 100_000))
    web.files["/a.fits"] = content[::-1]
    with pytest.raises(ReplacedError, match=f"{web.base}/a.fits was replaced while it was read"):
        list(source.read_pieces(50_000, 400_000, 100_000))


def test_a_login_in_an_address_is_sent_and_not_shown(web: Site) -> None:
    web.files["/a.fits"] = CONTENT
    address = web.base.replace("://", "://me:hidden@")
    open_source(f"{address}/a.fits")
    assert web.requests[0][2]["authorization"] == "Basic bWU6aGlkZGVu"
    with pytest.raises(RemoteError, match=r"me:\.\.\.@127\.0\.0\.1") as caught:
        open_source(f"{address}/b.fits")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "name", "text"),
    [
        ("s3://b/a/c.fits", "c.fits", "s3://b/a/c.fits"),
        ("s3://b/what?.fits", "what?.fits", "s3://b/what?.fits"),
        ("https://h/a%20b.fits?X-Amz-Signature=1&x=2", "a b.fits", "https://h/a%20b.fits?X-Amz-Signature=...&x=2"),
        ("https://h/f?uri=mast:T/c.fits&sig=x", "c.fits", "https://h/f?uri=mast:T/c.fits&sig=..."),
        ("file:///a/b%20c.fits", "b c.fits", "file:///a/b%20c.fits"),
        (Path("a/b.fits"), "b.fits", "a/b.fits"),
        ("zip://x/y.fits::s3://b/z.zip", "y.fits", "zip://x/y.fits::s3://b/z.zip"),
    ],
)
def test_a_location_has_a_name_and_a_text_without_secrets(location: str, name: str, text: str) -> None:
    assert (file_name(location), shown(location)) == (name, text)


def test_an_image_of_an_address_with_a_signature_is_named_without_it(web: Site, tmp_path: Path, cube: Path) -> None:
    name, data = next(iter(FRAMES.items()))
    web.files[f"/{name}?X-Amz-Signature=hidden"] = data
    made = FITSCutout(f"{web.base}/{name}?X-Amz-Signature=hidden", target_of(cube), 5, single_outfile=False)
    (path,) = made.write_as_fits(tmp_path)
    assert Path(path).name.startswith(name.removesuffix(".fits"))
    assert b"hidden" not in Path(path).read_bytes() + path.encode()
