"""Copies frames into the FFI bucket, under MAST's keys."""

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config

from tessera.errors import InvalidValueError
from tessera.tess.products import SPOC, TICA
from tessera_cloud import keys
from tessera_cloud.names import CubeId, frame_ccd
from tessera_local.demo import demonstration
from tessera_local.progress import Progress
from tessera_local.room import check_room
from tessera_local.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOADS = 4
GENERATORS = 2
PATTERNS = {SPOC.name: "*_ffic.fits", TICA.name: "hlsp_tica_tess_ffi_*_img.fits"}
_ONE_STREAM = TransferConfig(use_threads=False, multipart_threshold=64 << 20, multipart_chunksize=32 << 20)
_PATTERNS = " or ".join(PATTERNS.values())
_MARK = "tessera-demonstration"
_DEMONSTRATION_BYTES = 36_000_000
"""Size of a frame of the demonstration in bytes, about."""


class FramesError(RuntimeError):
    """There are no frames to load. The message names the place."""


@dataclass(frozen=True)
class FramePlace:
    """Destination of frames: the FFI bucket of a running stack, the prefix of each product, and the stack's home."""

    s3: "S3Client"
    bucket: str
    prefixes: dict[str, str]
    home: Path

    @classmethod
    def of(cls, stack: Stack) -> "FramePlace":
        """Destination of a stack in this process."""
        variables = {SPOC.name: "TESSERA_FFI_PREFIX", TICA.name: "TESSERA_TICA_PREFIX"}
        prefixes = {product: stack.variable(variable) for product, variable in variables.items()}
        return cls(stack.s3, stack.bucket("FfiBucket"), prefixes, stack.home)

    def key(self, name: str) -> str:
        """Key of a frame at MAST, from its file name; raises `InvalidValueError` if it is not the name of a frame."""
        product = product_of(name) or SPOC.name
        return keys.frame(self.prefixes[product], name, product)

    def cube_of(self, product: str, key: str) -> CubeId:
        """Cube of a frame; raises `InvalidValueError` if the key is not that of a frame."""
        return CubeId(frame_ccd(product, key.rsplit("/", 1)[-1]), product)

    def objects(self) -> dict[str, tuple[int, str]]:
        """Size in bytes and ETag of each object, by key."""
        items = (item for product in self.prefixes for item in self.listing(product))
        return {item["Key"]: (item["Size"], item["ETag"].strip('"')) for item in items}

    def listing(self, product: str) -> Iterator[Any]:
        """Objects below the prefix of a product."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefixes[product])
        return (item for page in pages for item in page.get("Contents", []))


def product_of(name: str) -> str | None:
    """Product whose frames have such file names; None if there is none."""
    return next((product for product, pattern in PATTERNS.items() if fnmatch(name, pattern)), None)


@dataclass(frozen=True)
class Frame:
    """A frame file: its name, its place, its size, a function that opens it, and its ETag if it is in S3."""

    name: str
    place: str
    size: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    etag: str = ""


def check_place(place: str) -> None:
    """Check that a folder has frames, before anything is started.

    Raises
    ------
    FramesError
        If the folder does not exist, or has no file with a name like a frame's.
    """
    if not place.startswith("s3://") and next(_frames_in_folder(Path(place)), None) is None:
        raise FramesError(f"no frame ({_PATTERNS}) found in {place}")


def put_frames(to: FramePlace, place: str, progress: Progress) -> int:
    """Copy the frames of a folder or an ``s3://`` prefix into the FFI bucket, and return the number of bytes copied.

    A frame that is there with the same bytes is not copied. A file whose name is not MAST's is reported and left out.

    Raises
    ------
    FramesError
        If there are no frames, or two files of one name.
    RoomError
        If the disk has too little room for them and their cubes.
    """
    frames = list(_frames_in_s3(place) if place.startswith("s3://") else _frames_in_folder(Path(place)))
    named = [(frame, key) for frame in frames if (key := _key(to, frame.name, progress))]
    if not named:
        raise FramesError(f"no frame ({_PATTERNS}) found in {place}")
    _check_names(named)
    present = to.objects()
    with ThreadPoolExecutor(UPLOADS) as pool:
        known = list(pool.map(lambda each: _is_same(each[0], present.get(each[1])), named))
    todo = [each for each, is_known in zip(named, known, strict=True) if not is_known]
    progress.say(f"{len(named)} frames in {place}, {len(named) - len(todo)} of them already loaded")
    check_room(to.home, sum(frame.size for frame, _ in todo))
    upload = partial(_upload, to.s3, to.bucket)
    with ThreadPoolExecutor(UPLOADS) as pool:
        return _run_all(pool, [partial(upload, frame, key) for frame, key in todo], "frames", progress)


def put_demonstration(stack: Stack, progress: Progress) -> int:
    """Make the frames of the demonstration sector, upload them two at a time, and return the number of bytes."""
    bucket, prefix = stack.bucket("FfiBucket"), stack.variable("TESSERA_FFI_PREFIX")
    done = _demonstration_frames(stack.s3, bucket, prefix)
    todo = [index for index in range(demonstration.N_FRAMES) if index not in done]
    progress.say(f"demonstration: {demonstration.N_FRAMES} frames, {len(done)} of them already there")
    check_room(stack.home, len(todo) * _DEMONSTRATION_BYTES)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(GENERATORS, mp_context=context, initializer=_end_with_parent) as pool:
        make = partial(_build_demonstration_frame, stack.s3_endpoint, bucket, prefix)
        return _run_all(pool, [partial(make, index) for index in todo], "frames", progress)


def _run_all(pool: Executor, work: list[Callable[[], int]], unit: str, progress: Progress) -> int:
    """Run all tasks. After an error or a signal, start no more."""
    copied = 0
    futures = [pool.submit(task) for task in work]
    try:
        for future in progress.track(as_completed(futures), total=len(futures), unit=unit):
            copied += future.result()
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    return copied


def _key(to: FramePlace, name: str, progress: Progress) -> str | None:
    try:
        return to.key(name)
    except InvalidValueError as error:
        progress.say(f"left out: {error}")
        return None


def _check_names(named: list[tuple[Frame, str]]) -> None:
    places: dict[str, str] = {}
    for frame, key in named:
        if key in places:
            raise FramesError(f"two frames have the name {frame.name}: {places[key]} and {frame.place}")
        places[key] = frame.place


def _is_same(frame: Frame, known: tuple[int, str] | None) -> bool:
    """Whether an object of a size and ETag has the bytes of a frame. The ETag of an object of one part is its MD5."""
    if known is None or known[0] != frame.size:
        return False
    etag = frame.etag or _md5(frame)
    return etag == known[1] or "-" in etag + known[1]  # ETags of several parts depend on the parts


def _md5(frame: Frame) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with frame.open() as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()


def _upload(s3: "S3Client", bucket: str, frame: Frame, key: str) -> int:
    with frame.open() as file:
        s3.upload_fileobj(file, bucket, key, Config=_ONE_STREAM)
    return frame.size


def _frames_in_folder(folder: Path) -> Iterator[Frame]:
    if not folder.is_dir():
        raise FramesError(f"{folder} is not a folder; allowed: a folder, or s3://bucket/prefix")
    for path in sorted(path for path in folder.rglob("*.fits") if product_of(path.name)):
        yield Frame(path.name, str(path), path.stat().st_size, partial(_open_file, path))


def _frames_in_s3(uri: str) -> Iterator[Frame]:
    parts = urlsplit(uri)
    bucket, prefix = parts.netloc, parts.path.lstrip("/")
    client = _source_client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            name = item["Key"].rsplit("/", 1)[-1]
            if product_of(name):
                key, etag = item["Key"], item["ETag"].strip('"')
                yield Frame(
                    name, f"s3://{bucket}/{key}", item["Size"], partial(_open_object, client, bucket, key), etag
                )


def _open_file(path: Path) -> IO[bytes]:
    return path.open("rb")


def _source_client() -> "S3Client":
    """S3 client with the caller's own credentials, or without any, because MAST's bucket is public."""
    session = boto3.Session(region_name=os.environ.get("AWS_REGION", "us-east-1"))
    config = Config(retries={"mode": "standard"}, max_pool_connections=UPLOADS * 2)
    if session.get_credentials() is None:
        config = config.merge(Config(signature_version=UNSIGNED))
    client: S3Client = session.client("s3", config=config)
    return client


@contextmanager
def _open_object(client: "S3Client", bucket: str, key: str) -> Iterator[Any]:
    body = client.get_object(Bucket=bucket, Key=key)["Body"]
    try:
        yield body
    finally:
        body.close()


def _demonstration_frames(s3: "S3Client", bucket: str, prefix: str) -> set[int]:
    """Indices of the frames of this version that are there. Frames of other versions are removed."""
    ccd = f"{prefix}s{demonstration.SECTOR:04d}/"
    done = set()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=ccd):
        for item in page.get("Contents", []):
            mark = s3.head_object(Bucket=bucket, Key=item["Key"])["Metadata"].get(_MARK, "")
            version, _, index = mark.partition("/")
            if version == demonstration.VERSION:
                done.add(int(index))
            elif mark:
                s3.delete_object(Bucket=bucket, Key=item["Key"])
    return done


def _build_demonstration_frame(endpoint: str, bucket: str, prefix: str, index: int) -> int:
    name, content = demonstration.frame(index)
    s3: S3Client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - that of S3 on one machine
    )
    key = keys.frame(prefix, name)
    s3.put_object(Bucket=bucket, Key=key, Body=content, Metadata={_MARK: f"{demonstration.VERSION}/{index}"})
    return len(content)


def _end_with_parent() -> None:
    """Let a worker process ignore Ctrl-C, which the parent handles, and end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
