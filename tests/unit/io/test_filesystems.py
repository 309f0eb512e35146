"""The same files through every door: paths, obstore, and file systems of fsspec such as s3fs give the same results."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asdf
import boto3
import fsspec
import numpy as np
import pytest
import s3fs
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from moto.server import ThreadedMotoServer

from tessera import (
    ASDFCutout,
    CubeFactory,
    CutoutOptions,
    FITSCutout,
    TessCubeCutout,
    asdf_cut,
    center_on_path,
    cube_cut,
    fits_cut,
    img_cut,
)
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tessera.errors import DownloadWarning, InvalidInputError, MissingRemoteFileError, RemoteError, UnreadableFileError
from tessera.images.batch import make_image_cutouts
from tessera.io.filesystems import in_filesystem
from tessera.io.outputs import check_output
from tessera.io.sources import ReplacedError, open_source
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.ephemeris_table import read_ephemeris
from tessera.roman.file import quiet_asdf
from tests.support.cubes import target_of
from tests.support.frames import tiny_sector
from tests.support.images import ROMAN
from tests.support.web import Site, serve

FRAMES = dict(tiny_sector(4, (40, 30)))
CUBE = "tess-s0001-4-2-cube.fits"
ASDF = "roman_like_wfi07_l2_window.asdf"
BUCKET = "some-bucket"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
DOORS = ("obstore", "s3fs", "memory", "local", "zip", "web", "memory by scheme")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of frames, their cube, and an ASDF file."""
    folder = tmp_path_factory.mktemp("files")
    for name, data in FRAMES.items():
        (folder / name).write_bytes(data)
    CubeFactory().make_cube([folder / name for name in FRAMES], folder / CUBE, 1, verbose=False)
    (folder / ASDF).write_bytes((ROMAN / ASDF).read_bytes())
    return folder


@pytest.fixture(scope="module")
def endpoint(files: Path) -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client("s3", "us-east-1", endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test")
    client.create_bucket(Bucket=BUCKET)
    for path in files.iterdir():
        client.put_object(Bucket=BUCKET, Key=f"folder/{path.name}", Body=path.read_bytes())
    yield url
    server.stop()


@dataclass(frozen=True)
class Door:
    base: str
    filesystem: Any = None

    def at(self, name: str) -> str:
        return f"{self.base}{name}"


@pytest.fixture
def door(
    request: pytest.FixtureRequest, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Door]:
    kind = request.param
    if kind in ("obstore", "s3fs"):
        url = request.getfixturevalue("endpoint")
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": url, "HOME": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        keys = {"key": "test", "secret": "test", "endpoint_url": url, "skip_instance_cache": True}
        yield Door(f"s3://{BUCKET}/folder/", s3fs.S3FileSystem(**keys) if kind == "s3fs" else None)
    elif kind.startswith("memory"):
        memory = fsspec.filesystem("memory")
        for path in files.iterdir():
            memory.pipe(f"/files/{path.name}", path.read_bytes())
        yield Door("memory://files/") if kind.endswith("scheme") else Door("/files/", memory)
    elif kind == "local":
        yield Door(f"{files}/", fsspec.filesystem("file"))
    elif kind == "zip":
        with zipfile.ZipFile(tmp_path / "files.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files.iterdir():
                archive.write(path, f"in/{path.name}")
        yield Door("in/", fsspec.filesystem("zip", fo=str(tmp_path / "files.zip")))
    else:
        with serve(Site({f"/{path.name}": path.read_bytes() for path in files.iterdir()})) as site:
            yield Door(f"{site.base}/", fsspec.filesystem("http", skip_instance_cache=True))


def track_of(files: Path) -> Ephemeris:
    with open_cube(files / CUBE) as file:
        start, stop = file.cube.series["start"].min(), file.cube.series["stop"].max()
    times = Time(2457000 + np.linspace(start - 1, stop + 1, 5), format="jd", scale="tdb")
    places = SkyCoord([target_of(files / CUBE)] * 5)
    return Ephemeris.from_table(Table({"time": times, "position": places}), "barycentre", "x")


def flux(data: Any) -> Any:
    with fits.open(io.BytesIO(data)) as hdus:
        return np.array(hdus[1].data["FLUX"])


@pytest.mark.parametrize("door", DOORS, indirect=True)
@pytest.mark.usefixtures("still_clock")
def test_cubes_frames_and_images_are_the_same_through_every_door(door: Door, files: Path, tmp_path: Path) -> None:
    target, there = target_of(files / CUBE), {"filesystem": door.filesystem}
    factory = CubeFactory(filesystem=door.filesystem)
    factory.make_cube([door.at(name) for name in list(FRAMES)[:3]], tmp_path / "made.fits", 1, verbose=False)
    factory.update_cube([door.at(list(FRAMES)[3])], tmp_path / "made.fits", verbose=False)
    assert fits.getdata(tmp_path / "made.fits").tobytes() == fits.getdata(files / CUBE).tobytes()

    ours, theirs = (
        make_cutouts([place], target, 5, **how)[0] for place, how in ((door.at(CUBE), there), (files / CUBE, {}))
    )
    assert (ours.status, ours.name, ours.cube) == ("ok", theirs.name, door.at(CUBE))
    np.testing.assert_array_equal(flux(ours.data), flux(theirs.data))

    with open_cube(door.at(CUBE), filesystem=door.filesystem) as opened:
        assert opened.cube.obs_id == "tess-s0001-4-2"
    track = track_of(files)
    (moving,), (plain,) = (
        make_moving_cutouts([door.at(CUBE)], track, 3, **there),
        make_moving_cutouts([files / CUBE], track, 3),
    )
    np.testing.assert_array_equal(flux(moving.data), flux(plain.data))

    name = next(iter(FRAMES))
    (image,), (same,) = (
        make_image_cutouts(door.at(name), target, 5, **there),
        make_image_cutouts(files / name, target, 5),
    )
    assert image.hdus is not None
    assert same.hdus is not None
    np.testing.assert_array_equal(image.hdus[1].data, same.hdus[1].data)


@pytest.mark.parametrize("door", ["obstore", "s3fs", "zip"], indirect=True)
def test_the_classes_of_astrocuts_names_read_through_every_door(door: Door, files: Path, tmp_path: Path) -> None:
    target, there = target_of(files / CUBE), {"filesystem": door.filesystem}
    name = next(iter(FRAMES))
    ours, theirs = TessCubeCutout(door.at(CUBE), target, 5, **there), TessCubeCutout(files / CUBE, target, 5)
    np.testing.assert_array_equal(ours.cutouts[0].data, theirs.cutouts[0].data)
    (image,), (same,) = (
        FITSCutout(door.at(name), target, 5, **there).fits_cutouts,
        FITSCutout(files / name, target, 5).fits_cutouts,
    )
    np.testing.assert_array_equal(image[1].data, same[1].data)
    cut = fits_cut(door.at(name), target, 5, output_dir=tmp_path, **there)
    np.testing.assert_array_equal(fits.getdata(str(cut)), same[1].data)
    assert Path(img_cut(door.at(name), target, 5, output_dir=tmp_path, **there)[0]).is_file()
    assert Path(cube_cut(door.at(CUBE), target, 5, output_path=tmp_path, **there)).name.startswith("tess-s0001-4-2")
    with quiet_asdf(), asdf.open(files / ASDF) as opened:
        place = SkyCoord(*opened["roman"]["meta"]["wcs"](20, 20, with_bounding_box=False), unit="deg")
    made, known = ASDFCutout(door.at(ASDF), place, 5, **there), ASDFCutout(files / ASDF, place, 5)
    np.testing.assert_array_equal(made.cutouts["cutout"][0].data, known.cutouts["cutout"][0].data)
    table = asdf_cut(door.at(ASDF), place.ra.deg, place.dec.deg, 5, write_file=False, **there)
    np.testing.assert_array_equal(table["cutout"][0].data, known.cutouts["cutout"][0].data)


@pytest.mark.parametrize("door", DOORS, indirect=True)
def test_what_is_not_there_is_one_line_through_every_door(door: Door, files: Path, tmp_path: Path) -> None:
    target = target_of(files / CUBE)
    bad, good = make_cutouts([door.at("no.fits"), door.at(CUBE)], target, 5, filesystem=door.filesystem)
    assert (bad.reason, good.status) == (f"{door.at('no.fits')} cannot be read: there is no such file", "ok")
    assert bad.status == "error"
    with pytest.raises(MissingRemoteFileError):
        CubeFactory(filesystem=door.filesystem).make_cube([door.at("no.fits")], tmp_path / "x.fits", verbose=False)
    folder = "/files" if door.base == "/files/" else None
    if folder:
        with pytest.raises(RemoteError, match="it is a folder, not a file"):
            open_source(in_filesystem(door.filesystem, folder))


def test_a_path_is_followed_through_files_of_a_file_system(files: Path, tmp_path: Path) -> None:
    cutout = make_cutouts(files / CUBE, target_of(files / CUBE), 15, output_dir=tmp_path / "cut")[0].path
    assert cutout is not None
    memory = fsspec.filesystem("memory")
    for path in (cutout, files / CUBE):
        memory.pipe(f"/path/{path.name}", path.read_bytes())
    track = track_of(files)
    positions = SkyCoord(track.ra, track.dec, unit="deg")
    table = Table({"time": track.time, "position": positions})
    ours, theirs = (
        center_on_path(
            table, 3, [file], output_path=folder, verbose=False, clock="barycentre", cubes=[cube], filesystem=there
        )
        for folder, file, cube, there in (
            (tmp_path / "ours", f"/path/{cutout.name}", f"/path/{CUBE}", memory),
            (tmp_path / "theirs", cutout, files / CUBE, None),
        )
    )
    np.testing.assert_array_equal(fits.getdata(ours)["FLUX"], fits.getdata(theirs)["FLUX"])


def test_a_file_system_that_is_none_is_refused(files: Path) -> None:
    calls: list[Callable[[Any], object]] = [
        lambda wrong: make_cutouts([files / CUBE], SkyCoord(1, 2, unit="deg"), 5, filesystem=wrong),
        lambda wrong: make_image_cutouts(files / CUBE, SkyCoord(1, 2, unit="deg"), 5, filesystem=wrong),
        lambda wrong: TessCubeCutout(files / CUBE, SkyCoord(1, 2, unit="deg"), 5, filesystem=wrong),
        lambda wrong: CubeFactory(filesystem=wrong),
    ]
    anything: list[Any] = ["s3", s3fs.S3FileSystem, 3, {}]
    for call in calls:
        for wrong in anything:
            with pytest.raises(InvalidInputError, match=r"filesystem is .*; allowed: a file system of fsspec"):
                call(wrong)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_file_that_changes_in_a_file_system_is_noticed(tmp_path: Path, kind: str) -> None:
    filesystem, path = fsspec.filesystem(kind), f"{tmp_path}/a.fits"
    filesystem.makedirs(tmp_path, exist_ok=True)
    filesystem.pipe(path, bytes(100))
    source = open_source(in_filesystem(filesystem, path))
    source.check_unchanged()
    filesystem.pipe(path, bytes(99) + b"x")
    with pytest.raises(ReplacedError, match=r"a\.fits was replaced while it was read"):
        source.check_unchanged()
    filesystem.rm(path)
    with pytest.raises(ReplacedError, match=r"a\.fits was removed while it was read"):
        source.check_unchanged()


def test_a_table_of_positions_is_read_from_a_file_system() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/places.csv", b"jd,ra,dec\n2458325.5,1,2\n2458326.5,3,4\n")
    assert read_ephemeris("/places.csv", filesystem=memory, name="x").name == "x"


def test_a_file_system_is_asked_no_more_often_than_needed(files: Path) -> None:
    with serve(Site({f"/{CUBE}": (files / CUBE).read_bytes()})) as site:
        filesystem = fsspec.filesystem("http", skip_instance_cache=True)
        with open_cube(f"{site.base}/{CUBE}", filesystem=filesystem) as opened:
            assert opened.cube.layout.n_cadences == 4
    kinds = [method for method, _, _ in site.requests]
    assert kinds.count("GET") == 2


@pytest.mark.parametrize("kind", ["whole", "whole, no length"])
def test_a_web_server_without_ranges_is_asked_once_through_fsspec(kind: str) -> None:
    content = os.urandom(200_000)
    with serve(Site({"/a.fits": content}, kind)) as site:
        filesystem = fsspec.filesystem("http", skip_instance_cache=True)
        with pytest.warns(DownloadWarning, match="the server does not send parts"):
            source = open_source(in_filesystem(filesystem, f"{site.base}/a.fits"))
        n_requests = len(site.requests)
        assert all(source.read(start, 50) == content[start : start + 50] for start in (0, 100_000, 199_950))
        assert len(site.requests) == n_requests


def test_a_url_behind_a_cache_of_fsspec_is_read_and_named_by_the_url(files: Path) -> None:
    target = target_of(files / CUBE)
    with serve(Site({f"/{CUBE}": (files / CUBE).read_bytes()})) as site:
        cached = f"simplecache::{site.base}/{CUBE}"
        missing = f"simplecache::{site.base}/missing.fits?sig=secret"
        options = CutoutOptions(provenance=False)  # the record has the place of the cube
        local, made, failed = make_cutouts([files / CUBE, cached, missing], target, 5, options=options)
    assert (local.data, made.status, failed.status) == (made.data, "ok", "error")
    assert failed.reason == f"simplecache::{site.base}/missing.fits?sig=... cannot be read: there is no such file"
    with pytest.raises(InvalidInputError, match="output is not written to URLs"):
        check_output("cube_file", cached)


@pytest.mark.parametrize("scheme", ["memory", "MEMORY"])
def test_the_scheme_of_a_file_system_may_be_in_capitals(files: Path, scheme: str) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe(f"/capitals/{CUBE}", (files / CUBE).read_bytes())
    (made,) = make_cutouts([f"{scheme}://capitals/{CUBE}"], target_of(files / CUBE), 5, filesystem=memory)
    assert made.status == "ok"


def test_a_scheme_whose_package_is_missing_is_told_with_the_command_that_brings_it() -> None:
    with pytest.raises(RemoteError, match=r"such addresses need the package smbprotocol; pip install smbprotocol$"):
        open_source("smb://host/file.fits")


def test_a_name_of_thousands_of_characters_is_short_in_an_error() -> None:
    for location in ("x" * 5000, "memory://" + "x" * 5000):
        with pytest.raises(UnreadableFileError) as caught:
            open_source(location)
        assert len(str(caught.value)) < 400
